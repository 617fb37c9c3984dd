"""What the sweep stores, and the event that a row of Solvimon's list becomes."""

import pytest

from local.system import LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.events import event_from_solvimon_record
from solvimon_rillet.ledger.sweep_state import PublishedEvent, SweepState


@pytest.fixture
def memory(system: LocalSystem) -> SweepState:
    """The memory of a connection's sweeps."""
    table = Table(system.deployment.outputs["LedgerTableName"], system.aws.dynamodb)
    return SweepState("default", table, system.clock.now)


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
