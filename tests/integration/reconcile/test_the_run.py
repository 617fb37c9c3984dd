"""A reconciliation as a run: what may be asked, pages, crashes, other connections, broken ones."""

import pytest

from local import sample_data
from local.fake_rillet.listing import CURSOR_SECONDS
from local.system import LocalSystem
from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.aws.s3_sns import WORK_PREFIX, ReportBucket, Topic
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.integration.imports.support import die_at
from tests.integration.reconcile.support import (
    Books,
    change_invoice_lists,
    finalise_a_copy,
    found,
    period,
    whole_report,
)
from tests.support.arrange import without_waiting_for_aws
from tests.support.builders import Json

pytestmark = pytest.mark.slow


def listings(system: LocalSystem, path: str) -> int:
    return sum(call.method == "GET" and call.path == path for call in system.rillet.state.calls)


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"from": "2026-10-01"}, "both from and to"),
        ({"to": "2026-10-01"}, "both from and to"),
        ({"from": "2026-10-31", "to": "2026-10-01"}, "at or after from"),
        ({"from": "2024-01-01", "to": "2026-10-01"}, "within 400 days"),
        ({"from": "October", "to": "2026-10-01"}, "from:"),
        ({"period": "2026-10"}, "period:"),
    ],
)
def test_a_request_that_cannot_be_understood_is_answered_with_an_example(
    default: Books, event: Json, named: str
) -> None:
    answer = default.system.invoke("reconcile", event)

    assert named in answer["error"]
    assert answer["example"] == {"connection": "default", "from": "2026-10-01", "to": "2026-10-31"}


def test_without_days_the_month_before_and_this_one_are_compared(default: Books) -> None:
    answer = default.system.invoke("reconcile", {"connection": "default"})

    assert answer["from"].endswith("-01")
    assert answer["from"] < answer["to"]


def test_a_connection_that_is_not_there_is_named_with_the_remedy(system: LocalSystem) -> None:
    answer = system.invoke("reconcile", {"connection": "nobody"})

    assert (answer["tied_out"], "nobody" in answer["error"]) == (False, True)
    assert answer["remedy"]


def test_lists_are_read_once_page_by_page(booked: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solvimon_rillet.rillet.client.PAGE_SIZE", 4)
    monkeypatch.setattr("solvimon_rillet.solvimon.client.PAGE_SIZE", 4)
    before = listings(booked.system, "/invoices")

    answer = booked.reconcile()

    assert answer["tied_out"]
    assert listings(booked.system, "/invoices") - before == -(-len(booked.ids) // 4)
    assert answer["rillet_calls"] == -(-len(booked.ids) // 4) + 2  # and subsidiaries, and credit memos


def test_a_list_that_restarts_counts_nothing_twice(booked: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solvimon_rillet.rillet.client.PAGE_SIZE", 4)
    read, calls = RilletClient.invoice_rows, []

    def slowly(self: RilletClient, cursor: str | None, since: str | None) -> object:
        calls.append(cursor)
        if len(calls) == 3:
            booked.system.advance(CURSOR_SECONDS)
        return read(self, cursor, since)

    monkeypatch.setattr(RilletClient, "invoice_rows", slowly)

    answer = booked.reconcile()

    assert answer["tied_out"]
    assert len(calls) > -(-len(booked.ids) // 4)


def test_a_list_that_never_ends_is_given_up_with_the_remedy(
    booked: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.rillet.client.PAGE_SIZE", 4)
    read = RilletClient.invoice_rows

    def from_the_start(self: RilletClient, _cursor: str | None, since: str | None) -> object:
        return read(self, None, since)

    monkeypatch.setattr(RilletClient, "invoice_rows", from_the_start)

    answer = booked.reconcile()

    assert answer["tied_out"] is False
    assert "does not end" in answer["error"]


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (SolvimonClient, "page"),
        (RilletClient, "invoice_rows"),
        (ReportBucket, "put_part"),
        (ReportBucket, "put_report"),
        (Topic, "publish"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_was_killed_ends_like_an_undisturbed_one(
    booked: Books, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, after: bool
) -> None:
    die_at(monkeypatch, owner, method, 1, after=after)

    answer = booked.reconcile()

    assert (answer["tied_out"], answer["documents"]) == (True, len(booked.ids))
    assert booked.system.runtime.executions[-1].consecutive_failed_invocation_attempts == 1, (
        "it was killed once"
    )


def test_services_that_do_not_answer_make_it_wait_and_go_on(booked: Books) -> None:
    booked.system.solvimon.state.misbehave("status", status=503, times=8)
    booked.system.rillet.state.misbehave("status", status=503, times=3)

    answer = booked.reconcile()

    assert answer["tied_out"] is True


def test_a_topic_that_does_not_answer_leaves_the_report(
    booked: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_waiting_for_aws(monkeypatch)
    with booked.system.aws.outage("sns"):
        answer = booked.reconcile()

    assert answer["tied_out"]
    assert "topic" in answer["report"]["message"]
    assert whole_report(booked.system, answer)["tied_out"]


def test_two_runs_at_the_same_time_keep_apart_what_they_read(booked: Books) -> None:
    first, second = booked.reconcile(), booked.reconcile()

    assert first["tied_out"]
    assert second["tied_out"]
    bucket = booked.system.deployment.outputs["ReportBucketName"]
    keys = [
        one["Key"]
        for one in booked.system.aws.s3.list_objects_v2(Bucket=bucket, Prefix=WORK_PREFIX)["Contents"]
    ]
    assert len({key.split("/")[1] for key in keys}) == 2


def test_an_invoice_that_rillet_lists_no_more_is_asked_for_by_its_id(
    booked: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that was booked long before the period, with the date of a later day."""
    change_invoice_lists(monkeypatch, lambda rows: rows[1:])

    answer = booked.reconcile()

    assert answer["tied_out"]
    assert answer["rillet_calls"] == 4  # subsidiaries, invoices, credit memos, and this one


def test_documents_that_are_not_for_rillet_are_counted_by_their_rule(booked: Books) -> None:
    finalise_a_copy(booked, booked.ids[0], "invo_self", billing_type="SELF_BILLING")

    answer = booked.reconcile()

    assert answer["tied_out"]
    assert whole_report(booked.system, answer)["not_for_rillet"] == {"self-billing": 1}


def test_an_invoice_that_cannot_be_read_is_reported_and_not_passed_over(booked: Books) -> None:
    booked.platform.records["invoices"][booked.ids[0]]["invoice_amount_including_tax"] = {"quantity": "many"}

    answer = booked.reconcile()

    assert ("rejected", booked.ids[0]) in found(answer)
    assert answer["tied_out"] is False


def test_an_invoice_that_solvimon_has_no_more_as_final_is_named(booked: Books) -> None:
    del booked.platform.records["invoices"][booked.ids[0]]

    answer = booked.reconcile()

    assert found(answer) == [("not_in_solvimon", booked.ids[0])]


def test_other_business_in_rillet_is_no_difference(booked: Books) -> None:
    first = booked.organisation.invoices.documents()[0]
    booked.organisation.edit_invoice(first["id"], external_references=[])
    answer = booked.reconcile()

    assert answer["tied_out"], "the ledger still knows which one it is"


def test_an_answer_has_ids_and_sums_and_no_names(booked: Books) -> None:
    answer = booked.reconcile()

    names = [
        c["organization"]["legal_name"]
        for c in sample_data.solvimon_seed()["customers"]
        if "organization" in c
    ]
    assert not any(name in str(answer) for name in names)


def test_nothing_is_put_on_the_bus_unless_asked(booked: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    published: list[object] = []
    monkeypatch.setattr(Bus, "publish", lambda _self, *events: published.extend(events))
    booked.system.solvimon.state.webhooks_on = False
    finalise_a_copy(booked, booked.ids[0], "invo_missing")

    booked.reconcile()
    without = list(published)
    booked.system.invoke("reconcile", {"connection": "default", **period(booked), "redrive": True})

    assert without == []
    assert [event.id for event in published] == ["invo_missing"]  # type: ignore[attr-defined]
    assert all(event.bulk for event in published)  # type: ignore[attr-defined]


@pytest.mark.parametrize("reason", ["credentials", "outage"])
def test_a_run_without_a_result_is_counted_once_for_its_alarm(
    default: Books, counted: list[tuple[str, str, float]], reason: str
) -> None:
    if reason == "credentials":
        default.system.put_secret("default", "solvimon", {"api_key": "wrong"})
    else:
        default.system.solvimon.state.misbehave("status", status=503, times=10_000)
    default.system.runtime.reset()

    answer = default.system.invoke("reconcile", {"connection": "default"})

    assert "error" in answer
    assert answer["remedy"]
    assert [name for name, *_ in counted].count("ReconciliationFailed") == 1


def test_a_rillet_document_that_cannot_be_read_is_reported_and_not_taken_for_deleted(
    booked: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable = booked.rillet_id(booked.ids[0])
    change_invoice_lists(
        monkeypatch,
        lambda rows: [{**row, "total": "much"} if row["id"] == unreadable else row for row in rows],
    )

    answer = booked.reconcile()

    assert found(answer) == [("rejected", booked.ids[0])]
    assert "cannot be read" in answer["findings"][0]["cause"]
    assert answer["rillet_calls"] == 3, "it is not asked for by its id again and again"
