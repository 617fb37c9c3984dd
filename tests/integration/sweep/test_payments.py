"""Reading what changed in Rillet: many pages, a pace, a list that begins anew."""

import pytest

from local.fake_rillet.timestamps import write_timestamp
from local.system import Connection, LocalSystem
from solvimon_rillet.workflows.sweep import payments
from tests.integration.mark_invoice_paid.support import PAID, state
from tests.integration.sweep.support import finalised, put, rillet_calls, silent, sweep, swept
from tests.support.arrange import configure
from tests.support.assertions import rillet_invoice

HOUR = 3600


def _with_strangers(system: LocalSystem, count: int) -> Connection:
    """A connection with one invoice of ours, paid, and many others that changed in Rillet after it."""
    connection = silent(system)
    system.rillet.state.rate_limit = 1000
    finalised(system, connection, "invo_a")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    system.advance(600)
    shown = dict(connection.organisation.invoices.get(rillet_invoice(connection, "invo_a")["id"]).document)
    for name in ("id", "updated_at", "external_references"):
        shown.pop(name)
    for _ in range(count):
        connection.organisation.invoices.add({**shown, "external_references": []})
    system.advance(300)
    return connection


def test_all_pages_are_read(system: LocalSystem) -> None:
    connection = _with_strangers(system, 250)
    before = len(rillet_calls(system))

    found = swept(system)

    assert found == {"payments": 1}
    assert len(rillet_calls(system)) == before + 3
    assert state(connection, "invo_a") == PAID


def test_a_short_wait_for_a_turn_is_waited_out(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = _with_strangers(system, 950)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        system.advance(seconds)

    monkeypatch.setattr(payments, "sleep", wait)
    found = swept(system)

    assert found == {"payments": 1}
    assert waits
    assert all(0 < seconds <= 10 for seconds in waits)
    assert state(connection, "invo_a") == PAID


def test_a_list_that_begins_anew_is_an_error_and_the_watermark_stays(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = _with_strangers(system, 150)
    before = system.ledger_item("default#sweep#payments", "RECORD")
    with monkeypatch.context() as patch:
        patch.setattr("local.fake_rillet.pagination.CURSOR_SECONDS", 0)
        findings = sweep(system)

    assert findings["errors"] == ["payments: Rillet's list of invoices restarted."]
    assert system.ledger_item("default#sweep#payments", "RECORD") == before
    assert swept(system) == {"payments": 1}  # it is on the page that was never shown
    assert state(connection, "invo_a") == PAID


def test_the_first_sweep_looks_at_a_day_of_changes(system: LocalSystem) -> None:
    connection = silent(system, workflows={"mark_invoice_paid": False})
    finalised(system, connection, "invo_a", "invo_b")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    system.advance(23 * HOUR)
    connection.organisation.pay(rillet_invoice(connection, "invo_b")["id"])
    system.advance(2 * HOUR)
    configure(system, connection, workflows={"mark_invoice_paid": True})

    assert swept(system) == {"payments": 1}
    assert state(connection, "invo_b") == PAID


def test_nothing_is_asked_of_rillet_while_marking_is_off(system: LocalSystem) -> None:
    silent(system, workflows={"mark_invoice_paid": False})

    swept(system)

    assert rillet_calls(system) == []


def test_days_without_a_sweep_are_made_up_for(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    system.advance(HOUR)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    system.advance(5 * 24 * HOUR)

    assert swept(system) == {"payments": 1}
    assert state(connection, "invo_a") == PAID


def test_an_invoice_whose_link_is_lost_is_known_by_its_reference(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    rillet_id = rillet_invoice(connection, "invo_a")["id"]
    key = {"pk": {"S": f"default#link-rillet-invoice#{rillet_id}"}, "sk": {"S": "RECORD"}}
    system.aws.dynamodb.delete_item(TableName=system.deployment.outputs["LedgerTableName"], Key=key)
    connection.organisation.pay(rillet_id)

    assert swept(system) == {"payments": 1}
    assert state(connection, "invo_a") == PAID


def test_another_invoice_that_names_ours_is_not_ours(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    ours = connection.organisation.invoices.get(rillet_invoice(connection, "invo_a")["id"]).document
    copied = {name: value for name, value in ours.items() if name not in ("id", "updated_at")}
    connection.organisation.invoices.add(copied)
    put(system, {"pk": "default#payment#unrelated", "sk": "RECORD", "seen_at": "never"})
    system.advance(900)

    assert swept(system) == {}


def test_a_change_that_shows_itself_late_is_found_by_the_overlap(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    rillet_id = rillet_invoice(connection, "invo_a")["id"]
    system.advance(HOUR)
    swept(system)
    connection.organisation.pay(rillet_id)
    record = connection.organisation.invoices.get(rillet_id)
    record.updated -= 300 * 1_000_000
    record.document["updated_at"] = write_timestamp(record.updated)
    system.advance(900)

    assert swept(system) == {"payments": 1}
    assert state(connection, "invo_a") == PAID


def test_what_was_seen_already_is_no_news_however_often_it_is_read(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    swept(system)
    system.advance(2 * HOUR)
    long_ago = int(system.clock.now()) - 24 * HOUR
    put(system, {"pk": "default#sweep#payments", "sk": "RECORD", "reached": long_ago})

    assert swept(system) == {}
