"""A reconciliation as a run: what may be asked, pages, crashes, other connections, broken ones."""

from typing import Any

import pytest

from local import sample_data
from local.fake_rillet.listing import CURSOR_SECONDS
from local.system import Connection, LocalSystem
from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.aws.s3_sns import WORK_PREFIX, ReportBucket, Topic
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.integration.imports.support import die_at
from tests.integration.reconcile.support import (
    change_invoice_lists,
    everything_booked,
    finalise_a_copy,
    found,
    period,
    reconcile,
    rillet_id,
    whole_report,
)
from tests.support.arrange import without_waiting_for_aws

pytestmark = pytest.mark.slow

Json = dict[str, Any]


@pytest.fixture
def booked(system: LocalSystem, default: Connection) -> list[str]:
    return everything_booked(system, default)


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
    system: LocalSystem, default: Connection, event: Json, named: str
) -> None:
    answer = system.invoke("reconcile", event)

    assert named in answer["error"]
    assert answer["example"] == {"connection": "default", "from": "2026-10-01", "to": "2026-10-31"}


def test_without_days_the_month_before_and_this_one_are_compared(
    system: LocalSystem, default: Connection
) -> None:
    answer = system.invoke("reconcile", {"connection": "default"})

    assert answer["from"].endswith("-01")
    assert answer["from"] < answer["to"]


def test_a_connection_that_is_not_there_is_named_with_the_remedy(system: LocalSystem) -> None:
    answer = system.invoke("reconcile", {"connection": "nobody"})

    assert (answer["tied_out"], "nobody" in answer["error"]) == (False, True)
    assert answer["remedy"]


def test_lists_are_read_once_page_by_page(
    system: LocalSystem, default: Connection, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.rillet.client.PAGE_SIZE", 4)
    monkeypatch.setattr("solvimon_rillet.solvimon.client.PAGE_SIZE", 4)
    before = listings(system, "/invoices")

    answer = reconcile(system, default)

    assert answer["tied_out"]
    assert listings(system, "/invoices") - before == -(-len(booked) // 4)
    assert answer["rillet_calls"] == -(-len(booked) // 4) + 2  # and subsidiaries, and credit memos


def test_a_list_that_restarts_counts_nothing_twice(
    system: LocalSystem, default: Connection, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.rillet.client.PAGE_SIZE", 4)
    read, calls = RilletClient.invoice_rows, []

    def slowly(self: RilletClient, cursor: str | None, since: str | None) -> object:
        calls.append(cursor)
        if len(calls) == 3:
            system.advance(CURSOR_SECONDS)
        return read(self, cursor, since)

    monkeypatch.setattr(RilletClient, "invoice_rows", slowly)

    answer = reconcile(system, default)

    assert answer["tied_out"]
    assert len(calls) > -(-len(booked) // 4)


def test_a_list_that_never_ends_is_given_up_with_the_remedy(
    system: LocalSystem, default: Connection, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.rillet.client.PAGE_SIZE", 4)
    read = RilletClient.invoice_rows

    def from_the_start(self: RilletClient, _cursor: str | None, since: str | None) -> object:
        return read(self, None, since)

    monkeypatch.setattr(RilletClient, "invoice_rows", from_the_start)

    answer = reconcile(system, default)

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
    system: LocalSystem,
    default: Connection,
    booked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    method: str,
    after: bool,
) -> None:
    die_at(monkeypatch, owner, method, 1, after=after)

    answer = reconcile(system, default)

    assert (answer["tied_out"], answer["documents"]) == (True, len(booked))
    assert system.runtime.executions[-1].consecutive_failed_invocation_attempts == 1, "it was killed once"


def test_services_that_do_not_answer_make_it_wait_and_go_on(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    system.solvimon.state.misbehave("status", status=503, times=8)
    system.rillet.state.misbehave("status", status=503, times=3)

    answer = reconcile(system, default)

    assert answer["tied_out"] is True


def test_a_topic_that_does_not_answer_leaves_the_report(
    system: LocalSystem, default: Connection, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_waiting_for_aws(monkeypatch)
    with system.aws.outage("sns"):
        answer = reconcile(system, default)

    assert answer["tied_out"]
    assert "topic" in answer["report"]["message"]
    assert whole_report(system, answer)["tied_out"]


def test_two_runs_at_the_same_time_keep_apart_what_they_read(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    first, second = reconcile(system, default), reconcile(system, default)

    assert first["tied_out"]
    assert second["tied_out"]
    bucket = system.deployment.outputs["ReportBucketName"]
    keys = [
        one["Key"] for one in system.aws.s3.list_objects_v2(Bucket=bucket, Prefix=WORK_PREFIX)["Contents"]
    ]
    assert len({key.split("/")[1] for key in keys}) == 2


def test_an_invoice_that_rillet_lists_no_more_is_asked_for_by_its_id(
    system: LocalSystem, default: Connection, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that was booked long before the period, with the date of a later day."""
    change_invoice_lists(monkeypatch, lambda rows: rows[1:])

    answer = reconcile(system, default)

    assert answer["tied_out"]
    assert answer["rillet_calls"] == 4  # subsidiaries, invoices, credit memos, and this one


def test_documents_that_are_not_for_rillet_are_counted_by_their_rule(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    finalise_a_copy(default, booked[0], "invo_self", billing_type="SELF_BILLING")

    answer = reconcile(system, default)

    assert answer["tied_out"]
    assert whole_report(system, answer)["not_for_rillet"] == {"self-billing": 1}


def test_an_invoice_that_cannot_be_read_is_reported_and_not_passed_over(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    default.platform.records["invoices"][booked[0]]["invoice_amount_including_tax"] = {"quantity": "many"}

    answer = reconcile(system, default)

    assert ("rejected", booked[0]) in found(answer)
    assert answer["tied_out"] is False


def test_an_invoice_that_solvimon_has_no_more_as_final_is_named(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    del default.platform.records["invoices"][booked[0]]

    answer = reconcile(system, default)

    assert found(answer) == [("not_in_solvimon", booked[0])]


def test_other_business_in_rillet_is_no_difference(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    first = default.organisation.invoices.documents()[0]
    default.organisation.edit_invoice(first["id"], external_references=[])
    answer = reconcile(system, default)

    assert answer["tied_out"], "the ledger still knows which one it is"


def test_an_answer_has_ids_and_sums_and_no_names(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    answer = reconcile(system, default)

    names = [
        c["organization"]["legal_name"]
        for c in sample_data.solvimon_seed()["customers"]
        if "organization" in c
    ]
    assert not any(name in str(answer) for name in names)


def test_nothing_is_put_on_the_bus_unless_asked(
    system: LocalSystem, default: Connection, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[object] = []
    monkeypatch.setattr(Bus, "publish", lambda _self, *events: published.extend(events))
    system.solvimon.state.webhooks_on = False
    finalise_a_copy(default, booked[0], "invo_missing")

    reconcile(system, default)
    without = list(published)
    system.invoke("reconcile", {"connection": "default", **period(default), "redrive": True})

    assert without == []
    assert [event.id for event in published] == ["invo_missing"]  # type: ignore[attr-defined]
    assert all(event.bulk for event in published)  # type: ignore[attr-defined]


@pytest.mark.parametrize("reason", ["credentials", "outage"])
def test_a_run_without_a_result_is_counted_once_for_its_alarm(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(Telemetry, "count", lambda _self, name, *_: counted.append(name))
    if reason == "credentials":
        system.put_secret("default", "solvimon", {"api_key": "wrong"})
    else:
        system.solvimon.state.misbehave("status", status=503, times=10_000)
    system.runtime.reset()

    answer = system.invoke("reconcile", {"connection": "default"})

    assert "error" in answer
    assert answer["remedy"]
    assert counted.count("ReconciliationFailed") == 1


def test_a_rillet_document_that_cannot_be_read_is_reported_and_not_taken_for_deleted(
    system: LocalSystem, default: Connection, booked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable = rillet_id(system, booked[0])
    change_invoice_lists(
        monkeypatch,
        lambda rows: [{**row, "total": "much"} if row["id"] == unreadable else row for row in rows],
    )

    answer = reconcile(system, default)

    assert found(answer) == [("rejected", booked[0])]
    assert "cannot be read" in answer["findings"][0]["cause"]
    assert answer["rillet_calls"] == 3, "it is not asked for by its id again and again"
