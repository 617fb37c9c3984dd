"""What the sweep remembers, and what a list's row is on the bus."""

import pytest

from local.system import LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.events import from_solvimon_row
from solvimon_rillet.ledger.sweep_state import SweepLedger, Told


@pytest.fixture
def memory(system: LocalSystem) -> SweepLedger:
    """The memory of a connection's sweeps."""
    table = Table(system.deployment.outputs["LedgerTableName"], system.aws.dynamodb)
    return SweepLedger("default", table, system.clock.now)


def test_a_watermark_does_not_move_backwards(memory: SweepLedger) -> None:
    seen = []
    for reached in (100, 50, 101):
        memory.move("payments", reached)
        seen.append(memory.reached("payments"))

    assert seen == [100, 100, 101]


def test_the_first_sweep_stays_the_first(system: LocalSystem, memory: SweepLedger) -> None:
    first = memory.begin()
    system.advance(1000)

    assert memory.begin() == memory.begun() == first


def test_what_was_told_is_remembered_by_kind_and_ends_by_itself(
    system: LocalSystem, memory: SweepLedger
) -> None:
    told = {f"invo_{number}": Told("unknown", number) for number in range(130)}

    memory.tell("invoice", told, 3600)

    assert memory.told("invoice", [*told, "invo_other"]) == told
    assert memory.told("credit_memo", told) == {}
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
    event = from_solvimon_row("acme", {"id": "invo_1", "type": kind})

    assert event is not None
    assert (event.source, event.detail_type, event.connection, event.id) == (
        "solvimon",
        detail_type,
        "acme",
        "invo_1",
    )


@pytest.mark.parametrize("identifier", [None, 5, "", "../x", "a#b", "x" * 200])
def test_a_row_without_a_usable_id_is_no_event(identifier: object) -> None:
    assert from_solvimon_row("acme", {"id": identifier, "type": "STANDARD"}) is None
