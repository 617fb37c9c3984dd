"""What was rejected is queued again by its cause, and what never came by its day: once, and as bulk work."""

import json
from collections import Counter

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.rate_limit import limiter
from solvimon_rillet.rate_limit.limiter import Priority, RateLimit, RequestWindow, SendTime
from tests.integration.sync_status.support import (
    Json,
    finalised,
    mended,
    record,
    retry,
    some,
    states,
    unlinked,
    work_off,
)
from tests.support.arrange import configure
from tests.support.assertions import calls_to, invoice_posts, memos, rillet_invoices
from tests.support.builders import credit_note, document

pytestmark = pytest.mark.slow


def bodies(system: LocalSystem, function: str = "export_invoice") -> list[Json]:
    """The details of what is on a queue."""
    return [json.loads(body)["detail"] for body in system.pollers.queues[function].bodies()]


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Counter[Priority]:
    """How many turns at Rillet were given to live work, and how many to bulk work."""
    given: Counter[Priority] = Counter()
    next_send_time = limiter.next_send_time

    def counted(window: RequestWindow, now: float, priority: Priority, rate_limit: RateLimit) -> SendTime:
        slot = next_send_time(window, now, priority, rate_limit)
        given[priority] += slot.granted
        return slot

    monkeypatch.setattr(limiter, "next_send_time", counted)
    return given


def test_a_retry_of_fifty_documents_with_one_cause_exports_fifty_once_as_bulk_work(
    system: LocalSystem, default: Connection, turns: Counter[Priority]
) -> None:
    taken = unlinked(default)
    ids = finalised(system, default, *some(50))
    assert states(system, ids) == {"rejected"}
    mended(default, taken)
    turns.clear()
    calls_before = len(system.rillet.state.calls)

    answer = retry(system, {"code": "product_not_linked"})
    queued = bodies(system)
    work_off(system)

    assert (answer["queued"], answer["already_in_rillet"]) == (50, 0)
    assert {detail["priority"] for detail in queued} == {"bulk"}
    assert states(system, ids) == {"exported"}
    assert [len(rillet_invoices(default, each)) for each in ids] == [1] * 50
    assert len(invoice_posts(system)) == 50
    assert all(call.status == 200 for call in invoice_posts(system))
    assert (turns[Priority.LIVE], turns[Priority.BULK]) == (0, len(system.rillet.state.calls) - calls_before)


def test_the_same_retry_twice_at_once_exports_each_document_once(
    system: LocalSystem, default: Connection
) -> None:
    taken = unlinked(default)
    ids = finalised(system, default, *some(7))
    mended(default, taken)

    first = retry(system, {"code": "product_not_linked"})
    second = retry(system, {"code": "product_not_linked"})
    work_off(system)
    third = retry(system, {"code": "product_not_linked"})

    assert (first["queued"], second["queued"], third["queued"]) == (7, 7, 0)
    assert [len(rillet_invoices(default, each)) for each in ids] == [1] * 7
    assert len(invoice_posts(system)) == 7
    assert third["summary"] == "Nothing is rejected with product_not_linked now."


def test_a_retry_before_the_cause_is_mended_sends_nothing_and_keeps_the_cause(
    system: LocalSystem, default: Connection
) -> None:
    unlinked(default)
    ids = finalised(system, default, *some(3))

    answer = retry(system, "all")
    work_off(system)

    assert answer["queued"] == 3
    assert states(system, ids) == {"rejected"}
    assert invoice_posts(system) == []
    kept = [entry["what"] for entry in record(system, ids[0])["history"]]
    assert kept == ["rejected", "rejected"]


def two_causes(system: LocalSystem, connection: Connection) -> tuple[str, str]:
    """An invoice whose product is not linked, and one that does not tie out."""
    taken = unlinked(connection)
    wrong = {"invoice_amount_including_tax": {"quantity": "999.00", "currency": "EUR"}}
    [by_product] = finalised(system, connection, document("invo_product", "100.00", "21.00"))
    mended(connection, taken)
    [by_total] = finalised(system, connection, document("invo_total", "100.00", "21.00", **wrong))
    assert record(system, by_total)["code"] == "does_not_tie_out"
    return by_product, by_total


def test_a_retry_of_one_cause_leaves_the_others_where_they_are(
    system: LocalSystem, default: Connection
) -> None:
    by_product, by_total = two_causes(system, default)

    answer = retry(system, {"code": "product_not_linked"})

    assert (answer["queued"], [detail["id"] for detail in bodies(system)]) == (1, [by_product])
    assert len(record(system, by_total)["history"]) == 1


def test_a_retry_of_all_takes_every_cause(system: LocalSystem, default: Connection) -> None:
    both = two_causes(system, default)

    answer = retry(system, "all")

    assert answer["queued"] == 2
    assert {detail["id"] for detail in bodies(system)} == set(both)


def test_a_dry_run_counts_and_queues_nothing(system: LocalSystem, default: Connection) -> None:
    unlinked(default)
    finalised(system, default, *some(3))

    answer = retry(system, {"code": "product_not_linked"}, dry_run=True)

    assert answer["would_queue"] == 3
    assert "queued" not in answer
    assert bodies(system) == []


def test_credit_notes_are_retried_by_their_own_function(system: LocalSystem, default: Connection) -> None:
    taken = unlinked(default)
    finalised(system, default, document("invo_original", "100.00", "21.00"))
    finalised(system, default, credit_note())
    mended(default, taken)

    answer = retry(system, "all", "export_credit_memo")
    work_off(system)

    assert answer["queued"] == 1
    assert "2 Rillet calls" in answer["estimate"]
    assert len(memos(default)) == 1
    assert record(system, "invo_note", "credit_memo")["state"] == "exported"


def test_an_unknown_cause_is_refused_with_the_causes_that_there_are(
    system: LocalSystem, default: Connection
) -> None:
    unlinked(default)
    finalised(system, default, *some(2))

    answer = retry(system, {"code": "product_not_lnked"})

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
        ({"code": "x", "changed_after": "yesterday"}, "retry.changed_after: should be a moment"),
        ({"code": ""}, "retry.code"),
        ({"cause": "x"}, "retry.cause"),
    ],
)
def test_a_retry_that_cannot_be_understood_names_the_field_and_gives_examples(
    system: LocalSystem, default: Connection, what: object, words: str
) -> None:
    answer = retry(system, what)

    assert words in answer["error"]
    assert {"retry": "all"} in answer["examples"]


def test_a_retry_together_with_ids_is_refused(system: LocalSystem, default: Connection) -> None:
    answer = retry(system, "all", invoice_ids=["invo_1"])

    assert answer["error"].startswith("invoice_ids: ")


def test_a_retry_for_a_connection_that_is_not_there_says_so(system: LocalSystem, default: Connection) -> None:
    answer = retry(system, "all", connection="acme")

    assert answer["error"] == "There is no connection 'acme'."


def test_nothing_is_retried_while_the_workflow_is_off(system: LocalSystem, default: Connection) -> None:
    unlinked(default)
    ids = finalised(system, default, *some(1))
    configure(system, default, workflows={"export_invoice": False})

    answer = retry(system, "all")

    assert "switched off" in answer["error"]
    assert bodies(system) == []
    assert states(system, ids) == {"rejected"}, "skipped, it would not be found again"


def test_a_retry_leaves_other_connections_alone(system: LocalSystem, default: Connection) -> None:
    rillet = sample_data.rillet_seed()
    rillet["organization"]["id"] = "acacacac-0000-4000-8000-000000000001"
    acme = system.connect("acme", solvimon=sample_data.solvimon_seed(), rillet=rillet)
    taken = {each.name: unlinked(each) for each in (default, acme)}
    ids = finalised(system, default, *some(2))
    finalised(system, acme, *some(2))
    for each in (default, acme):
        mended(each, taken[each.name])

    answer = retry(system, "all")
    work_off(system)

    assert answer["queued"] == 2
    assert states(system, ids) == {"exported"}
    assert states(system, ids, "acme") == {"rejected"}
    assert rillet_invoices(acme) == []


def dated(day: str, document_id: str, **more: object) -> Json:
    """An invoice of a moment in Amsterdam."""
    return document(document_id, "100.00", "21.00", invoice_date=day, **more)


def quietly_final(system: LocalSystem, connection: Connection, *documents: Json) -> None:
    """Finalise documents whose webhooks never come."""
    system.solvimon.state.webhooks_on = False
    connection.platform.load({"invoices": list(documents)})
    for each in documents:
        connection.platform.finalise(each["id"])


def test_a_back_fill_takes_the_final_documents_of_its_days_in_their_own_time_zone(
    system: LocalSystem, default: Connection
) -> None:
    quietly_final(
        system,
        default,
        dated("2026-09-30T21:59:00Z", "invo_before"),
        dated("2026-09-30T22:00:00Z", "invo_first"),
        dated("2026-10-31T22:59:00Z", "invo_last"),
        dated("2026-10-31T23:00:00Z", "invo_after"),
        dated("2026-10-15T10:00:00Z", "invo_note", type="ONE_OFF_CREDIT"),
    )
    default.platform.load({"invoices": [dated("2026-10-10T10:00:00Z", "invo_draft")]})

    answer = retry(system, {"from": "2026-10-01", "to": "2026-10-31"})

    assert answer["queued"] == 2
    assert [detail["id"] for detail in bodies(system)] == ["invo_first", "invo_last"]
    work_off(system)
    assert states(system, ["invo_first", "invo_last"]) == {"exported"}


def test_a_back_fill_queues_only_what_is_not_done(system: LocalSystem, default: Connection) -> None:
    quietly_final(system, default, *(dated("2026-10-10T10:00:00Z", f"invo_{n}") for n in range(4)))
    system.invoke("export_invoice", {"invoice_ids": ["invo_0"]})
    system.invoke("sync_status", {"resolve": {"invoice_id": "invo_1", "rillet_id": None, "note": "void"}})

    answer = retry(system, {"from": "2026-10-01", "to": "2026-10-31"})

    assert (answer["queued"], answer["already_in_rillet"], answer["handled_by_hand"]) == (2, 1, 1)
    assert [detail["id"] for detail in bodies(system)] == ["invo_2", "invo_3"]


def test_a_back_fill_says_that_documents_before_the_start_date_stay_out(
    system: LocalSystem, default: Connection
) -> None:
    configure(system, default, start_date="2026-10-10")
    quietly_final(
        system, default, dated("2026-10-09T10:00:00Z", "invo_old"), dated("2026-10-10T10:00:00Z", "invo_new")
    )

    answer = retry(system, {"from": "2026-10-01", "to": "2026-10-31"})

    assert (answer["queued"], answer["before_start_date"]) == (1, 1)
    assert "2026-10-10" in answer["start_date"]


@pytest.mark.parametrize("days", [{"from": "2026-10-01", "to": "2026-10-31"}])
def test_a_back_fill_of_credit_notes_takes_credit_notes(
    system: LocalSystem, default: Connection, days: Json
) -> None:
    quietly_final(
        system,
        default,
        dated("2026-10-10T10:00:00Z", "invo_original"),
        credit_note(invoice_date="2026-10-11T10:00:00Z"),
    )

    answer = retry(system, days, "export_credit_memo")
    work_off(system)

    assert answer["queued"] == 1
    assert len(memos(default)) == 1


def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every run find, after its first hundred documents, that its time is over."""
    monkeypatch.setattr("local.aws.runtime.LambdaContext.get_remaining_time_in_millis", lambda _: 1_000)


def test_a_back_fill_that_runs_out_of_time_goes_on_with_the_event_that_it_answers(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    quietly_final(system, default, *(dated("2026-10-10T10:00:00Z", f"invo_{n:03}") for n in range(230)))
    hurried(monkeypatch)

    first = retry(system, {"from": "2026-10-01", "to": "2026-10-31"})
    second = system.invoke("export_invoice", first["go_on"])
    third = system.invoke("export_invoice", second["go_on"])

    assert [answer["queued"] for answer in (first, second, third)] == [100, 100, 30]
    assert "time was over" in first["note"]
    assert "go_on" not in third
    queued = Counter(detail["id"] for detail in bodies(system))
    assert set(queued.values()) == {1}
    assert len(queued) == 230


def test_a_retry_that_runs_out_of_time_goes_on_where_it_ended_and_comes_to_an_end(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.workflows.export.redrive._BATCH_SIZE", 10)
    unlinked(default)
    for part in range(3):
        system.advance(1)
        finalised(
            system, default, *(document(f"invo_{part}{number}", "100.00", "21.00") for number in range(6))
        )
    hurry = pytest.MonkeyPatch()
    hurried(hurry)

    first = retry(system, "all")
    in_first = {detail["id"] for detail in bodies(system)}
    system.advance(30)
    hurry.undo()
    work_off(system)  # they fail again, and are now behind those that were not reached
    second = system.invoke("export_invoice", first["go_on"])

    in_second = {detail["id"] for detail in bodies(system)}
    assert 10 <= len(in_first) == first["queued"] < 18
    assert "go_on" not in second
    assert len(in_second) == second["queued"] == 18 - len(in_first)
    assert in_first.isdisjoint(in_second)


def test_a_queue_that_does_not_take_anything_says_so(system: LocalSystem, default: Connection) -> None:
    quietly_final(system, default, *(dated("2026-10-10T10:00:00Z", f"invo_{n:03}") for n in range(3)))
    days = {"from": "2026-10-01", "to": "2026-10-31"}

    with system.aws.outage("sqs"):
        nothing = retry(system, days)

    assert "queue does not take messages" in nothing["error"]
    assert "invoke it again" in nothing["remedy"]


def test_a_queue_that_fails_in_the_middle_says_how_far_it_came(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    quietly_final(system, default, *(dated("2026-10-10T10:00:00Z", f"invo_{n:03}") for n in range(130)))
    original, calls = Queue.put, list[int]()

    def put(queue: Queue, bodies: list[str]) -> None:
        calls.append(len(bodies))
        if len(calls) == 2:
            raise RetryLater("The queue does not take messages (Throttling).")
        original(queue, bodies)

    monkeypatch.setattr(Queue, "put", put)

    first = retry(system, {"from": "2026-10-01", "to": "2026-10-31"})
    second = system.invoke("export_invoice", first["go_on"])

    assert (first["queued"], second["queued"]) == (100, 30)
    assert "The queue does not take messages (Throttling)" in first["note"]
    assert len({detail["id"] for detail in bodies(system)}) == 130


def test_the_estimate_follows_the_connections_own_limit(system: LocalSystem, default: Connection) -> None:
    limiter = {"requests": 10, "window_seconds": 60, "margin_seconds": 0}
    configure(system, default, rillet={**default.settings["rillet"], "pacing": limiter})
    unlinked(default)
    finalised(system, default, *some(20))

    answer = retry(system, "all", dry_run=True)

    assert answer["estimate"] == (
        "About 2 minutes for 20 documents, if each takes one Rillet call at 10 in 60 s; live work goes first."
    )


def test_live_work_goes_before_a_retry(system: LocalSystem, default: Connection) -> None:
    limiter = {"requests": 10, "window_seconds": 60, "margin_seconds": 0}
    configure(system, default, rillet={**default.settings["rillet"], "pacing": limiter})
    taken = unlinked(default)
    ids = finalised(system, default, *some(15))
    mended(default, taken)
    retry(system, "all")
    system.settle()

    system.advance(30)
    finalised(system, default, document("invo_live", "100.00", "21.00"))

    assert record(system, "invo_live")["state"] == "exported"
    assert states(system, ids) != {"exported"}, "the retry was to take longer"
    assert all(call.status == 200 for call in calls_to(system, "POST", "/invoices"))
