"""Rillet's event about our own export: one write records it, and it orders what comes later."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import OPEN, PAID, Invoice
from tests.support.arrange import configure, load
from tests.support.assertions import rillet_invoice
from tests.support.builders import original

UPDATED = "invoice-updated"


@pytest.fixture
def fresh(system: LocalSystem, connection: Connection) -> Invoice:
    """An invoice of 121.00 EUR that is exported, and no event of Rillet has arrived."""
    load(connection, original())
    system.deliver_webhooks()
    system.settle()
    invoice = Invoice(system, connection, rillet_invoice(connection)["id"])
    invoice.hold_back()
    return invoice


def writes(invoice: Invoice) -> int:
    """The writes to the table by the function that handles Rillet's events, so far."""
    written = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
    counted = invoice.system.aws.permissions.counted.items()
    return sum(n for (name, action), n in counted if name.endswith("mark-invoice-paid") and action in written)


def test_the_event_about_an_unpaid_invoice_is_recorded_with_one_write(fresh: Invoice) -> None:
    before, calls = writes(fresh), fresh.rillet_calls

    fresh.send(*fresh.events(UPDATED))

    kept = fresh.record()
    assert writes(fresh) == before + 1
    assert (kept["state"], kept["payment_status"]) == ("marked", "UNPAID")
    assert kept["seen_at"] == fresh.document["updated_at"]
    assert (fresh.state, fresh.patches, fresh.rillet_calls) == (OPEN, [], calls)
    fresh.no_trouble()


def test_an_older_payment_that_arrives_after_its_deletion_stays_unseen(fresh: Invoice) -> None:
    paid, _ = fresh.pay_and_undo()
    fresh.send_document(fresh.shown(), happened="UPDATED")

    fresh.send(paid)

    assert (fresh.state, fresh.patches) == (OPEN, [])
    fresh.no_trouble()


def test_the_event_about_the_export_that_arrives_after_a_payment_changes_nothing(fresh: Invoice) -> None:
    [echo] = fresh.events(UPDATED)
    fresh.pay(deliver=False)
    fresh.send(*fresh.events())
    kept = fresh.record()

    fresh.send(echo)

    assert fresh.state == PAID
    assert {n: v for n, v in fresh.record().items() if n != "updated_at"} == {
        n: v for n, v in kept.items() if n != "updated_at"
    }


def test_an_unpaid_invoice_whose_total_was_edited_is_marked(fresh: Invoice) -> None:
    fresh.edit(amount_by="1.00", deliver=False)

    fresh.send_document(fresh.shown(), happened="UPDATED")

    assert fresh.verdict() == ("differs", "total_differs")


def test_a_connection_without_the_workflow_records_why_nothing_was_done(fresh: Invoice) -> None:
    configure(fresh.system, fresh.connection, workflows={"mark_invoice_paid": False})

    fresh.send(*fresh.events(UPDATED))

    assert fresh.verdict("payment")[0] == "skipped"
