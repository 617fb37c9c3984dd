"""A document of Rillet that carries our reference under another id than the ledger's is reported at once."""

import pytest

from tests.integration.mark_invoice_paid.support import Invoice
from tests.integration.reconcile.support import reconcile
from tests.support.arrange import booked_by_hand, until
from tests.support.assertions import calls_to, invoice_posts, memo_posts
from tests.support.builders import ORIGINAL

TWICE = ("differs", "exported_twice")


def book_again(invoice: Invoice) -> str:
    """Book the invoice a second time in Rillet, with our reference; webhooks are not delivered yet."""
    made = booked_by_hand(invoice.system, invoice.connection, invoice_posts(invoice.system)[0].request_body)
    return str(made["id"])


def test_a_webhook_about_a_second_invoice_is_recorded_at_once(invoice: Invoice) -> None:
    double = book_again(invoice)

    invoice.settle()

    kept = invoice.record("invoice")
    assert invoice.verdict() == TWICE
    assert kept["message"] == f"Rillet has 2 documents for it: {invoice.rillet_id}, {double}."
    assert kept["remedy"] == f"Delete all but {invoice.rillet_id} in Rillet."
    invoice.no_trouble()


def test_a_known_double_costs_no_call_and_a_third_one_is_added(invoice: Invoice) -> None:
    double = book_again(invoice)
    invoice.settle()
    reads = len(calls_to(invoice.system, "GET"))

    invoice.organisation.pay(double)
    invoice.settle()
    known = len(calls_to(invoice.system, "GET"))
    third = book_again(invoice)
    invoice.settle()

    assert known == reads
    assert invoice.record("invoice")["message"] == (
        f"Rillet has 3 documents for it: {invoice.rillet_id}, {double}, {third}."
    )


def test_an_old_event_of_a_deleted_double_changes_nothing(invoice: Invoice) -> None:
    invoice.hold_back()
    double = book_again(invoice)
    created = invoice.events("invoice-created")[-1]
    invoice.organisation.delete_invoice(double)

    invoice.send(created)

    assert invoice.record("invoice")["state"] == "exported"
    invoice.no_trouble()


def test_a_second_invoice_after_the_first_was_deleted_is_a_deletion(invoice: Invoice) -> None:
    invoice.hold_back()
    book_again(invoice)
    created = invoice.events("invoice-created")[-1]
    invoice.organisation.delete_invoice(invoice.rillet_id)

    invoice.send(created)

    assert invoice.verdict() == ("differs", "deleted_in_rillet")


def test_the_webhook_of_our_own_creation_changes_nothing_and_costs_no_call(invoice: Invoice) -> None:
    before, calls = invoice.record("invoice"), len(invoice.system.rillet.state.calls)

    invoice.send(invoice.events("invoice-created")[-1])

    assert invoice.record("invoice") == before
    assert len(invoice.system.rillet.state.calls) == calls


def test_a_webhook_about_a_second_memo_is_recorded_at_once(invoice: Invoice) -> None:
    invoice.credit()
    memo = invoice.memo["id"]
    double = booked_by_hand(
        invoice.system, invoice.connection, memo_posts(invoice.system)[0].request_body, "/credit-memos"
    )["id"]

    invoice.settle()

    assert invoice.verdict("credit_memo") == TWICE
    assert invoice.record("credit_memo")["message"] == f"Rillet has 2 documents for it: {memo}, {double}."


@pytest.mark.parametrize("payments", [True, False])
def test_a_sweep_finds_a_second_invoice_without_any_webhook(invoice: Invoice, payments: bool) -> None:
    invoice.hold_back()
    book_again(invoice)
    if not payments:
        settings = {**invoice.connection.settings, "workflows": {"mark_invoice_paid": False}}
        invoice.system.put_settings("default", settings)
        invoice.system.runtime.reset()

    [swept] = invoice.system.invoke("sweep", {"connection": "default"})["connections"]
    invoice.system.settle()
    [again] = invoice.system.invoke("sweep", {"connection": "default"})["connections"]

    assert (swept["found"], again["found"]) == ({"doubled": 1}, {})
    assert invoice.verdict() == TWICE


def test_a_reconciliation_that_finds_a_double_records_it(invoice: Invoice) -> None:
    invoice.hold_back()
    double = book_again(invoice)

    answer = reconcile(invoice.system, invoice.connection)
    invoice.system.settle()

    assert ("doubled", ORIGINAL) in [(one["kind"], one["solvimon_id"]) for one in answer["findings"]]
    until(invoice.system, lambda: invoice.verdict() == TWICE, most=120)
    assert double in invoice.record("invoice")["message"]
