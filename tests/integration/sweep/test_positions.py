"""A sweep always gets on: newest first, each part at its own place, which it remembers."""

from collections.abc import Iterable
from typing import Any, NoReturn

import pytest

from local.system import LocalSystem
from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.events import event_from_solvimon_record
from solvimon_rillet.ledger.ledger import Document, Ledger
from solvimon_rillet.ledger.sweep_state import PublishedEvent, SweepState
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.sweep.base import OutOfTime
from tests.integration.sweep.support import Silent, day
from tests.support.arrange import ledger_table

HOUR = 3600


def pages(monkeypatch: pytest.MonkeyPatch, limit: list[int]) -> list[int]:
    """The pages of documents that are read; a sweep has time for so many."""
    read, asked = SolvimonClient.newest_final_invoices, list[int]()

    def read_page(client: SolvimonClient, number: int, *more: Any) -> object:
        if limit[0] == 0:
            raise OutOfTime("There was no time left in this run.")
        limit[0] -= 1
        asked.append(number)
        return read(client, number, *more)

    monkeypatch.setattr(SolvimonClient, "newest_final_invoices", read_page)
    return asked


def book_without_export(connection: Silent, *ids: str) -> None:
    """Finalise documents that the ledger has as exported."""
    connection.finalise(*ids)
    for each in ids:
        connection.change(each, state="exported", rillet_id="r")


def test_the_newest_document_is_found_in_the_first_sweep(
    connection: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.finalise(*(f"invo_{number:03}" for number in range(250)))
    connection.finalise("invo_newest", created_at=day(connection.system, -1))
    pages(monkeypatch, [1])

    findings = connection.sweep()

    assert findings["found"] == {"invoices": 100}
    assert "invo_newest" in connection.on_the_bus()


def test_the_scan_of_documents_goes_on_where_it_stopped(
    connection: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [f"invo_{number:03}" for number in range(350)]
    connection.finalise(*ids)
    asked = pages(monkeypatch, limit := [2])
    first = connection.sweep()
    limit[0] = 10
    second = connection.sweep()

    assert first["stopped"] == ["documents: There was no time left in this run. The next sweep continues."]
    assert asked == [1, 2, 1, 3, 4]
    assert second["found"] == {"invoices": 150}
    assert connection.on_the_bus() == dict.fromkeys(ids, 1)


def test_older_documents_are_read_in_a_round_once_an_hour(
    connection: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    book_without_export(connection, *(f"invo_{number:03}" for number in range(150)))
    asked = pages(monkeypatch, [1000])

    for _ in range(5):
        connection.sweep()
        connection.system.advance(900)

    assert asked == [1, 2, 1, 1, 1, 1, 2]


def test_an_unchanged_page_of_booked_documents_is_looked_up_once_an_hour(connection: Silent) -> None:
    book_without_export(connection, "invo_a")
    connection.sweep()
    ledger_table(connection.system).pop("default#invoice#invo_a")
    connection.system.advance(900)

    soon = connection.found()
    connection.system.advance(HOUR)

    assert (soon, connection.found()) == ({}, {"invoices": 1})


def test_of_a_page_that_changed_only_what_is_not_booked_yet_is_looked_up(
    connection: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    book_without_export(connection, *(f"invo_{number:02}" for number in range(40)))
    connection.sweep()
    connection.finalise("invo_new")
    asked, read_many = list[str](), Ledger.read_many

    def counted(ledger: Ledger, documents: Iterable[Document]) -> Any:  # noqa: ANN401 - as it is
        named = list(documents)
        asked.extend(each.id for each in named if each.kind == "invoice")
        return read_many(ledger, named)

    monkeypatch.setattr(Ledger, "read_many", counted)
    found = connection.found()
    connection.system.settle()
    again = connection.found()

    assert (found, again) == ({"invoices": 1}, {})
    assert set(asked) == {"invo_new"}


def test_stopping_early_is_counted_and_stopping_twice_at_the_same_place_is_a_failure(
    connection: Silent, monkeypatch: pytest.MonkeyPatch, counted: list[tuple[str, str, float]]
) -> None:
    def stop(*_: object) -> NoReturn:
        raise OutOfTime("There was no time left in this run.")

    monkeypatch.setattr(SolvimonClient, "newest_final_invoices", stop)

    first, second = connection.sweep(), connection.sweep()

    assert (first["errors"], len(first["stopped"])) == ([], 1)
    assert second["errors"] == [
        "documents: It stopped twice at the same place, so it makes no progress: There was no time left in "
        "this run."
    ]
    names = [name for name, *_ in counted]
    assert (names.count("SweepStoppedEarly"), names.count("SweepFailed")) == (2, 1)


def test_a_scan_that_gets_on_between_two_stops_is_no_failure(
    connection: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.finalise(*(f"invo_{number:03}" for number in range(350)))
    pages(monkeypatch, limit := [1])
    first = connection.sweep()
    limit[0] = 2
    second = connection.sweep()

    assert len(first["stopped"]) == len(second["stopped"]) == 1
    assert first["errors"] == second["errors"] == []


def test_each_kind_of_work_has_its_turn_within_the_hour(connection: Silent) -> None:
    connection.sweep()
    looked_at = []
    for _ in range(4):
        connection.system.advance(900)
        before = connection.progress["stalled_looked_at"]
        connection.sweep()
        after = connection.progress["stalled_looked_at"]
        looked_at += [kind for kind in after if after[kind] != before[kind]]

    assert sorted(looked_at) == ["credit_memo", "customer", "invoice", "payment"]


@pytest.mark.slow
def test_of_6000_documents_a_week_the_newest_is_found_and_payments_and_customers_are_looked_at_in_every_sweep(
    connection: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.finalise("invo_first")
    connection.finalise("invo_newest", created_at=day(connection.system, -1))
    dated = connection.platform.records["invoices"]["invo_first"]
    for number in range(6000):
        identifier = f"invo_{number:04}"
        connection.platform.records["invoices"][identifier] = {**dated, "id": identifier}
    published: list[str] = []
    monkeypatch.setattr(Bus, "publish", lambda _, *events: published.extend(event.id for event in events))
    asked = pages(monkeypatch, limit := [20])  # a vendor so slow that a sweep has time for twenty pages

    sweeps = []
    for _ in range(4):
        limit[0] = 20
        before = connection.watermark or 0, connection.progress.get("customers", 0)
        sweeps.append(connection.sweep())
        connection.system.advance(900)
        assert connection.watermark is not None
        assert connection.watermark > before[0], "payments"
        assert connection.progress["customers"] > before[1], "customers"

    assert published[:100].count("invo_newest") == 1
    assert len(set(published)) == len(published) == 6002
    assert sweeps[0]["found"]["invoices"] == 2000
    assert max(asked) == 61
    assert all(each["errors"] == [] for each in sweeps)


def test_what_an_earlier_version_remembered_goes_on(system: LocalSystem, connection: Silent) -> None:
    now = int(system.clock.now())
    for part, reached in {"begun": now - 5000, "payments": now - 4000, "customers": 3_000_000}.items():
        connection.put({"pk": f"default#sweep#{part}", "sk": "RECORD", "reached": reached})

    connection.swept()

    assert connection.progress["begun"] == now - 5000
    assert connection.progress["payments"] >= now
    assert connection.progress["customers"] == 4_000_000
    listed = [call.query for call in connection.rillet_calls() if call.path == "/invoices"]
    assert len(listed) == 1


def test_two_sweeps_at_the_same_time_keep_the_watermark_that_is_further(
    system: LocalSystem, connection: Silent
) -> None:
    slow, fast = (SweepState("default", ledger_table(system), system.clock.now) for _ in range(2))
    slow.advance_watermark("payments", 100)
    fast.advance_watermark("payments", 200)
    slow.note("documents_page", 3)

    fast.save()
    slow.save()

    assert connection.progress["payments"] == 200
    assert connection.progress["documents_page"] == 3


@pytest.fixture
def memory(system: LocalSystem) -> SweepState:
    """The memory of a connection's sweeps."""
    return SweepState("default", ledger_table(system), system.clock.now)


def test_a_watermark_does_not_move_backwards(memory: SweepState) -> None:
    seen = []
    for reached in (100, 50, 101):
        memory.advance_watermark("payments", reached)
        seen.append(memory.watermark("payments"))

    assert seen == [100, 100, 101]


def test_the_first_sweep_stays_the_first(system: LocalSystem, memory: SweepState) -> None:
    first = memory.record_first_start()
    system.advance(1000)

    assert memory.record_first_start() == memory.first_started_at() == first


def test_published_events_are_kept_by_type_and_expire(system: LocalSystem, memory: SweepState) -> None:
    events = {f"invo_{number}": PublishedEvent("unknown", number) for number in range(130)}

    memory.mark_published("invoice", events, 3600)

    assert memory.published("invoice", [*events, "invo_other"]) == events
    assert memory.published("credit_memo", events) == {}
    item = system.ledger_item("default#sweep-told#invoice-invo_7", "RECORD") or {}
    assert 3590 < int(item["expires_at"]) - system.clock.now() <= 3600


@pytest.mark.parametrize(
    ("kind", "detail_type"),
    [
        ("STANDARD", "Invoice Finalised"),
        ("ONE_OFF", "Invoice Finalised"),
        ("CREDIT", "Credit Note Finalised"),
        ("ONE_OFF_CREDIT", "Credit Note Finalised"),
    ],
)
def test_a_row_of_solvimons_list_is_the_event_that_its_webhook_would_be(kind: str, detail_type: str) -> None:
    event = event_from_solvimon_record("acme", {"id": "invo_1", "type": kind})

    assert event is not None
    assert (event.source, event.detail_type) == ("solvimon", detail_type)
    assert (event.connection, event.id) == ("acme", "invo_1")


@pytest.mark.parametrize("identifier", [None, 5, "", "../x", "a#b", "x" * 200])
def test_a_row_without_a_usable_id_is_no_event(identifier: object) -> None:
    assert event_from_solvimon_record("acme", {"id": identifier, "type": "STANDARD"}) is None
