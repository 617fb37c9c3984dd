"""Reading what changed in Rillet: many pages, a pace, a list that begins anew."""

import pytest

from local.rillet_twin.timestamps import write_timestamp
from local.stack import Connection, LocalStack
from solvimon_rillet.workflows import sweep_payments
from tests.credit_memos.support import rillet_invoice
from tests.export.support import configure
from tests.payments.support import PAID, state
from tests.sweep.support import finalised, put, rillet_calls, silent, sweep, swept

HOUR = 3600


def _with_strangers(stack: LocalStack, count: int) -> Connection:
    """A connection with one invoice of ours, paid, and many others that changed in Rillet after it."""
    connection = silent(stack)
    stack.rillet.state.rate_limit = 1000
    finalised(stack, connection, "invo_a")
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    stack.advance(600)
    shown = dict(connection.organisation.invoices.get(rillet_invoice(connection, "invo_a")["id"]).document)
    for name in ("id", "updated_at", "external_references"):
        shown.pop(name)
    for _ in range(count):
        connection.organisation.invoices.add({**shown, "external_references": []})
    stack.advance(300)
    return connection


def test_all_pages_are_read(stack: LocalStack) -> None:
    connection = _with_strangers(stack, 250)
    before = len(rillet_calls(stack))

    found = swept(stack)

    assert found == {"payments": 1}
    assert len(rillet_calls(stack)) == before + 3
    assert state(connection, "invo_a") == PAID


def test_a_short_wait_for_a_turn_is_waited_out(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = _with_strangers(stack, 950)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        stack.advance(seconds)

    monkeypatch.setattr(sweep_payments, "sleep", wait)
    found = swept(stack)

    assert found == {"payments": 1}
    assert waits
    assert all(0 < seconds <= 10 for seconds in waits)
    assert state(connection, "invo_a") == PAID


def test_a_list_that_begins_anew_is_an_error_and_the_watermark_stays(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = _with_strangers(stack, 150)
    before = stack.ledger_item("default#sweep#payments", "RECORD")
    with monkeypatch.context() as patch:
        patch.setattr("local.rillet_twin.pagination.CURSOR_SECONDS", 0)
        findings = sweep(stack)

    assert findings["errors"] == ["payments: Rillet's list of invoices began anew."]
    assert stack.ledger_item("default#sweep#payments", "RECORD") == before
    assert swept(stack) == {"payments": 1}  # it is on the page that was never shown
    assert state(connection, "invo_a") == PAID


def test_the_first_sweep_looks_at_a_day_of_changes(stack: LocalStack) -> None:
    connection = silent(stack, workflows={"mark_invoice_paid": False})
    finalised(stack, connection, "invo_a", "invo_b")
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    stack.advance(23 * HOUR)
    connection.organisation.pay(rillet_invoice(connection, "invo_b")["id"])
    stack.advance(2 * HOUR)
    configure(stack, connection, workflows={"mark_invoice_paid": True})

    assert swept(stack) == {"payments": 1}
    assert state(connection, "invo_b") == PAID


def test_nothing_is_asked_of_rillet_while_marking_is_off(stack: LocalStack) -> None:
    silent(stack, workflows={"mark_invoice_paid": False})

    swept(stack)

    assert rillet_calls(stack) == []


def test_days_without_a_sweep_are_made_up_for(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    stack.advance(HOUR)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    stack.advance(5 * 24 * HOUR)

    assert swept(stack) == {"payments": 1}
    assert state(connection, "invo_a") == PAID


def test_an_invoice_whose_link_is_lost_is_known_by_its_reference(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    rillet_id = rillet_invoice(connection, "invo_a")["id"]
    key = {"pk": {"S": f"default#link-rillet-invoice#{rillet_id}"}, "sk": {"S": "RECORD"}}
    stack.aws.dynamodb.delete_item(TableName=stack.deployment.outputs["LedgerTableName"], Key=key)
    connection.organisation.pay(rillet_id)

    assert swept(stack) == {"payments": 1}
    assert state(connection, "invo_a") == PAID


def test_another_invoice_that_names_ours_is_not_ours(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    ours = connection.organisation.invoices.get(rillet_invoice(connection, "invo_a")["id"]).document
    copied = {name: value for name, value in ours.items() if name not in ("id", "updated_at")}
    connection.organisation.invoices.add(copied)
    put(stack, {"pk": "default#payment#unrelated", "sk": "RECORD", "seen_at": "never"})
    stack.advance(900)

    assert swept(stack) == {}


def test_a_change_that_shows_itself_late_is_found_by_the_overlap(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    rillet_id = rillet_invoice(connection, "invo_a")["id"]
    stack.advance(HOUR)
    swept(stack)
    connection.organisation.pay(rillet_id)
    record = connection.organisation.invoices.get(rillet_id)
    record.updated -= 300 * 1_000_000
    record.document["updated_at"] = write_timestamp(record.updated)
    stack.advance(900)

    assert swept(stack) == {"payments": 1}
    assert state(connection, "invo_a") == PAID


def test_what_was_seen_already_is_no_news_however_often_it_is_read(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    swept(stack)
    stack.advance(2 * HOUR)
    long_ago = int(stack.clock.now()) - 24 * HOUR
    put(stack, {"pk": "default#sweep#payments", "sk": "RECORD", "reached": long_ago})

    assert swept(stack) == {}
