"""Rejected documents are queued again by cause, missed ones by day: once each, and as bulk work."""

from collections import Counter
from decimal import Decimal

import pytest

from local import sample_data
from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.rate_limit import limiter
from solvimon_rillet.rate_limit.send_times import Priority, RateLimit, RequestWindow, SendTime, next_send_time
from tests.integration.sync_status.support import Default, some
from tests.support.assertions import calls_to, memos
from tests.support.builders import Json, credit_note, document

pytestmark = pytest.mark.slow

OCTOBER = {"from": "2026-10-01", "to": "2026-10-31"}


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Counter[Priority]:
    """How many requests to Rillet were granted to live work, and how many to bulk work."""
    given: Counter[Priority] = Counter()

    def counted(window: RequestWindow, now: float, priority: Priority, rate_limit: RateLimit) -> SendTime:
        slot = next_send_time(window, now, priority, rate_limit)
        given[priority] += slot.granted
        return slot

    monkeypatch.setattr(limiter, "next_send_time", counted)
    return given


def test_a_retry_of_fifty_documents_with_one_cause_exports_fifty_once_as_bulk_work(
    default: Default, requests: Counter[Priority]
) -> None:
    taken = default.unlink()
    ids = default.finalised(*some(50))
    assert default.states(ids) == {"rejected"}
    default.relink(taken)
    requests.clear()
    calls_before = len(default.system.rillet.state.calls)

    answer = default.retry({"code": "product_not_linked"})
    queued = default.queued()
    default.work_off()

    assert (answer["queued"], answer["already_in_rillet"]) == (50, 0)
    assert {detail["priority"] for detail in queued} == {"bulk"}
    assert default.states(ids) == {"exported"}
    assert [len(default.rillet_invoices(each)) for each in ids] == [1] * 50
    assert len(default.sent) == 50
    assert all(call.status == 200 for call in default.sent)
    assert (requests[Priority.LIVE], requests[Priority.BULK]) == (
        0,
        len(default.system.rillet.state.calls) - calls_before,
    )


def test_the_same_retry_twice_at_once_exports_each_document_once(default: Default) -> None:
    ids = default.rejected(*some(7))

    first = default.retry({"code": "product_not_linked"})
    second = default.retry({"code": "product_not_linked"})
    default.work_off()
    third = default.retry({"code": "product_not_linked"})

    assert (first["queued"], second["queued"], third["queued"]) == (7, 7, 0)
    assert [len(default.rillet_invoices(each)) for each in ids] == [1] * 7
    assert len(default.sent) == 7
    assert third["summary"] == "Nothing is rejected with product_not_linked now."


def test_a_retry_before_the_cause_is_fixed_sends_nothing_and_keeps_the_cause(default: Default) -> None:
    default.unlink()
    ids = default.finalised(*some(3))

    answer = default.retry("all")
    default.work_off()

    assert answer["queued"] == 3
    assert default.states(ids) == {"rejected"}
    assert default.sent == []
    kept = [entry["what"] for entry in default.record(ids[0])["history"]]
    assert kept == ["rejected", "rejected"]


@pytest.fixture
def two_causes(default: Default) -> tuple[str, str]:
    """An invoice whose product is not linked, and one that does not tie out."""
    wrong = {"invoice_amount_including_tax": {"quantity": "999.00", "currency": "EUR"}}
    [by_product] = default.rejected(document("invo_product", "100.00", "21.00"))
    [by_total] = default.finalised(document("invo_total", "100.00", "21.00", **wrong))
    assert default.record(by_total)["code"] == "does_not_tie_out"
    return by_product, by_total


def test_a_retry_of_one_cause_leaves_the_others(default: Default, two_causes: tuple[str, str]) -> None:
    by_product, by_total = two_causes

    answer = default.retry({"code": "product_not_linked"})

    assert (answer["queued"], [detail["id"] for detail in default.queued()]) == (1, [by_product])
    assert len(default.record(by_total)["history"]) == 1


def test_a_retry_of_all_takes_every_cause(default: Default, two_causes: tuple[str, str]) -> None:
    answer = default.retry("all")

    assert answer["queued"] == 2
    assert {detail["id"] for detail in default.queued()} == set(two_causes)


def test_a_dry_run_counts_and_queues_nothing(default: Default) -> None:
    default.unlink()
    default.finalised(*some(3))

    answer = default.retry({"code": "product_not_linked"}, dry_run=True)

    assert answer["would_queue"] == 3
    assert "queued" not in answer
    assert default.queued() == []


def test_credit_notes_are_retried_by_their_own_function(default: Default) -> None:
    taken = default.unlink()
    default.finalised(document("invo_original", "100.00", "21.00"))
    default.finalised(credit_note())
    default.relink(taken)

    answer = default.retry("all", "export_credit_memo")
    default.work_off()

    assert answer["queued"] == 1
    assert "2 Rillet calls" in answer["estimate"]
    assert len(memos(default)) == 1
    assert default.record("invo_note", "credit_memo")["state"] == "exported"


def test_an_unknown_cause_is_refused_with_the_causes_that_there_are(default: Default) -> None:
    default.unlink()
    default.finalised(*some(2))

    answer = default.retry({"code": "product_not_lnked"})

    assert "product_not_lnked" in answer["error"]
    assert answer["codes_now"] == {"product_not_linked": 2}
    assert answer["example"] == {"retry": {"code": "product_not_linked"}}


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("some", 'retry: should be "all"'),
        (None, 'retry: should be "all"'),
        ({}, 'either "code" or "from" and "to"'),
        ({"code": "x", "from": "2026-10-01", "to": "2026-10-31"}, "either"),
        ({"from": "2026-10-01"}, "to is missing"),
        ({"from": "2026-10-31", "to": "2026-10-01"}, "from should not be later than to"),
        ({"from": "October", "to": "2026-10-31"}, "retry.from: should be a day such as 2026-10-01"),
        ({"from": 20261001, "to": "2026-10-31"}, "retry.from: should be a day"),
        ({"from": "2026-02-30", "to": "2026-10-31"}, "retry.from"),
        ({"code": "x", "changed_after": "yesterday"}, "retry.changed_after: should be a time"),
        ({"code": ""}, "retry.code"),
        ({"cause": "x"}, "retry.cause"),
    ],
)
def test_an_invalid_retry_is_answered_with_the_field_and_examples(
    default: Default, what: object, words: str
) -> None:
    answer = default.retry(what)

    assert words in answer["error"]
    assert {"retry": "all"} in answer["examples"]


def test_a_retry_together_with_ids_is_refused(default: Default) -> None:
    answer = default.retry("all", invoice_ids=["invo_1"])

    assert answer["error"].startswith("invoice_ids: ")


def test_a_retry_for_an_unknown_connection_is_an_error(default: Default) -> None:
    answer = default.retry("all", connection="acme")

    assert answer["error"] == "There is no connection with this name: 'acme'."


def test_nothing_is_retried_while_the_workflow_is_off(default: Default) -> None:
    default.unlink()
    ids = default.finalised(*some(1))
    default.configure(workflows={"export_invoice": False})

    answer = default.retry("all")

    assert "switched off" in answer["error"]
    assert default.queued() == []
    assert default.states(ids) == {"rejected"}, "skipped, it would not be found again"


def test_a_retry_leaves_other_connections_alone(default: Default) -> None:
    rillet = sample_data.rillet_seed()
    rillet["organization"]["id"] = "acacacac-0000-4000-8000-000000000001"
    other = default.system.connect("acme", solvimon=sample_data.solvimon_seed(), rillet=rillet)
    acme = Default(**vars(other), system=default.system)
    ids = default.rejected(*some(2))
    acme.rejected(*some(2))

    answer = default.retry("all")
    default.work_off()

    assert answer["queued"] == 2
    assert default.states(ids) == {"exported"}
    assert acme.states(ids) == {"rejected"}
    assert acme.rillet_invoices() == []


def dated(moment: str, document_id: str, **more: object) -> Json:
    """An invoice of 121.00 EUR of a moment."""
    return document(document_id, "100.00", "21.00", invoice_date=moment, **more)


def of_october(count: int) -> list[Json]:
    """Invoices of one day."""
    return [dated("2026-10-10T10:00:00Z", f"invo_{number:03}") for number in range(count)]


def test_a_back_fill_takes_the_final_documents_of_its_days_in_their_own_time_zone(default: Default) -> None:
    default.finalised_silently(
        dated("2026-09-30T21:59:00Z", "invo_before"),
        dated("2026-09-30T22:00:00Z", "invo_first"),
        dated("2026-10-31T22:59:00Z", "invo_last"),
        dated("2026-10-31T23:00:00Z", "invo_after"),
        dated("2026-10-15T10:00:00Z", "invo_note", type="ONE_OFF_CREDIT"),
    )
    default.platform.load({"invoices": [dated("2026-10-10T10:00:00Z", "invo_draft")]})

    answer = default.retry(OCTOBER)

    assert answer["queued"] == 2
    assert [detail["id"] for detail in default.queued()] == ["invo_first", "invo_last"]
    default.work_off()
    assert default.states(["invo_first", "invo_last"]) == {"exported"}


def test_a_back_fill_queues_only_what_is_not_done(default: Default) -> None:
    default.finalised_silently(*of_october(4))
    default.system.invoke("export_invoice", {"invoice_ids": ["invo_000"]})
    default.resolve(invoice_id="invo_001", rillet_id=None)

    answer = default.retry(OCTOBER)

    assert (answer["queued"], answer["already_in_rillet"], answer["handled_by_hand"]) == (2, 1, 1)
    assert [detail["id"] for detail in default.queued()] == ["invo_002", "invo_003"]


def test_a_back_fill_says_the_money_before_anything_is_queued(default: Default) -> None:
    default.finalised_silently(*of_october(3))
    default.system.invoke("export_invoice", {"invoice_ids": ["invo_000"]})
    [one] = {default.record("invo_000")["amount"]}

    answer = default.retry(OCTOBER, dry_run=True)

    assert (answer["would_queue"], answer["already_in_rillet"]) == (2, 1)
    assert Decimal(answer["amounts"]["EUR"]) == 2 * Decimal(one)
    assert Decimal(answer["amounts_already_in_rillet"]["EUR"]) == Decimal(one)
    assert default.queued() == []


def test_a_back_fill_reports_documents_before_the_start_date(default: Default) -> None:
    default.configure(start_date="2026-10-10")
    default.finalised_silently(
        dated("2026-10-09T10:00:00Z", "invo_old"), dated("2026-10-10T10:00:00Z", "invo_new")
    )

    answer = default.retry(OCTOBER)

    assert (answer["queued"], answer["before_start_date"]) == (1, 1)
    assert "2026-10-10" in answer["start_date"]


def test_a_back_fill_of_credit_notes_takes_credit_notes(default: Default) -> None:
    default.finalised_silently(
        dated("2026-10-10T10:00:00Z", "invo_original"), credit_note(invoice_date="2026-10-11T10:00:00Z")
    )

    answer = default.retry(OCTOBER, "export_credit_memo")
    default.work_off()

    assert answer["queued"] == 1
    assert len(memos(default)) == 1


def out_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """End the time of every run after its first hundred documents."""
    monkeypatch.setattr("local.aws.runtime.LambdaContext.get_remaining_time_in_millis", lambda _: 1_000)


def test_a_back_fill_that_runs_out_of_time_continues_with_the_event_in_its_answer(
    default: Default, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.finalised_silently(*of_october(230))
    out_of_time(monkeypatch)

    first = default.retry(OCTOBER)
    second = default.system.invoke("export_invoice", first["go_on"])
    third = default.system.invoke("export_invoice", second["go_on"])

    assert [answer["queued"] for answer in (first, second, third)] == [100, 100, 30]
    assert "this run had no time left" in first["note"]
    assert "go_on" not in third
    queued = Counter(detail["id"] for detail in default.queued())
    assert set(queued.values()) == {1}
    assert len(queued) == 230


def test_a_retry_that_runs_out_of_time_continues_where_it_ended_and_ends(
    default: Default, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.workflows.export.redrive._BATCH_SIZE", 10)
    default.unlink()
    for part in range(3):
        default.system.advance(1)
        default.finalised(*(document(f"invo_{part}{number}", "100.00", "21.00") for number in range(6)))
    short_of_time = pytest.MonkeyPatch()
    out_of_time(short_of_time)

    first = default.retry("all")
    in_first = {detail["id"] for detail in default.queued()}
    default.system.advance(30)
    short_of_time.undo()
    default.work_off()  # they are rejected again, and are now behind those that were not reached
    second = default.system.invoke("export_invoice", first["go_on"])

    in_second = {detail["id"] for detail in default.queued()}
    assert 10 <= len(in_first) == first["queued"] < 18
    assert "go_on" not in second
    assert len(in_second) == second["queued"] == 18 - len(in_first)
    assert in_first.isdisjoint(in_second)


def test_an_outage_of_the_queue_is_an_error_with_a_remedy(default: Default) -> None:
    default.finalised_silently(*of_october(3))

    with default.system.aws.outage("sqs"):
        nothing = default.retry(OCTOBER)

    assert "queue does not take messages" in nothing["error"]
    assert "invoke it again" in nothing["remedy"]


def test_a_queue_that_fails_in_the_middle_is_answered_with_what_was_queued(
    default: Default, monkeypatch: pytest.MonkeyPatch
) -> None:
    default.finalised_silently(*of_october(130))
    original, calls = Queue.put, list[int]()

    def put(queue: Queue, bodies: list[str], groups: list[str]) -> None:
        calls.append(len(bodies))
        if len(calls) == 2:
            raise RetryLater("The queue does not take messages (Throttling).")
        original(queue, bodies, groups)

    monkeypatch.setattr(Queue, "put", put)

    first = default.retry(OCTOBER)
    second = default.system.invoke("export_invoice", first["go_on"])

    assert (first["queued"], second["queued"]) == (100, 30)
    assert "The queue does not take messages (Throttling)" in first["note"]
    assert len({detail["id"] for detail in default.queued()}) == 130


def ten_a_minute(default: Default) -> None:
    """Let the connection make ten requests to Rillet a minute."""
    pacing = {"requests": 10, "window_seconds": 60, "margin_seconds": 0}
    default.configure(rillet={**default.settings["rillet"], "pacing": pacing})


def test_the_estimate_follows_the_connections_own_limit(default: Default) -> None:
    ten_a_minute(default)
    default.unlink()
    default.finalised(*some(20))

    answer = default.retry("all", dry_run=True)

    assert answer["estimate"] == (
        "About 2 minutes for 20 documents, if each takes one Rillet call at 10 in 60 s; live work goes first."
    )


def test_live_work_goes_before_a_retry(default: Default) -> None:
    ten_a_minute(default)
    ids = default.rejected(*some(15))
    default.retry("all")
    default.system.settle()

    default.system.advance(30)
    default.finalised(document("invo_live", "100.00", "21.00"))

    assert default.record("invo_live")["state"] == "exported"
    assert default.states(ids) != {"exported"}, "the retry was to take longer"
    assert all(call.status == 200 for call in calls_to(default.system, "POST", "/invoices"))
