"""With ``record_each`` every successful payment of Rillet is in Solvimon once, with amount and date."""

import re
from datetime import UTC, datetime

import pytest

from local.aws.runtime import Killed
from solvimon_rillet.ledger.ledger import Ledger
from tests.integration.mark_invoice_paid.support import FUNCTION, PAID, PARTLY, Invoice
from tests.support.arrange import configure, patched
from tests.support.builders import ORIGINAL, Json


@pytest.fixture
def settings() -> Json:
    """The connection records each payment."""
    return {"payments": "record_each"}


def references(invoice: Invoice) -> list[str]:
    """The references of the payments in Solvimon, oldest first."""
    return [payment["external_reference"] for payment in invoice.recorded]


def test_a_payment_is_recorded_with_amount_date_and_an_alphanumeric_reference(invoice: Invoice) -> None:
    payment = invoice.pay("21.50", date="2026-02-14")

    [made] = invoice.recorded
    assert re.fullmatch("[a-zA-Z0-9]+", made["external_reference"])
    assert made["external_reference"] == payment["id"].replace("-", "")
    assert made["amount"] == {"quantity": "21.50", "currency": "EUR"}
    assert made["timestamp"] == "2026-02-14T00:00:00Z"
    assert (made["invoice_id"], made["result"]) == (ORIGINAL, "AUTHORIZED")
    assert invoice.state == PARTLY
    invoice.no_trouble()


def test_each_payment_is_recorded_once_however_often_its_webhook_comes(invoice: Invoice) -> None:
    ids = []
    for amount in ("20.00", "20.00", None):
        ids.append(invoice.pay(amount, deliver=False)["id"].replace("-", ""))
        for event in invoice.events():
            invoice.organisation.webhooks.send(event)
        invoice.settle()
    invoice.mark()

    assert references(invoice) == ids
    assert invoice.record()["recorded"] == ids
    assert invoice.state == PAID


def test_neither_uncleared_nor_failed_payments_are_recorded_until_they_succeed(invoice: Invoice) -> None:
    failed = invoice.pay("20.00", deliver=False)
    invoice.change_payment(failed["id"], "fail_payment", deliver=False)
    uncleared = invoice.pay("30.00", cleared=False)
    before = references(invoice)

    invoice.change_payment(uncleared["id"], "clear_payment")

    assert before == []
    assert references(invoice) == [uncleared["id"].replace("-", "")]


@pytest.mark.parametrize("fault", ["commit_then_drop", "status_after", "malformed", "drop"])
@pytest.mark.parametrize("unique", [True, False])
def test_a_lost_answer_does_not_record_a_payment_twice(invoice: Invoice, fault: str, unique: bool) -> None:
    invoice.platform.payment_references_unique = unique
    invoice.system.solvimon.state.misbehave(fault, method="POST", path="/payments", times=1)  # type: ignore[arg-type]

    invoice.pay()
    invoice.settle_slowly()

    assert len(references(invoice)) == 1
    assert len(invoice.record()["recorded"]) == 1
    invoice.no_trouble()


def test_a_death_after_recording_records_once(invoice: Invoice) -> None:
    invoice.pay(deliver=False)
    invoice.organisation.deliver_webhooks()
    with patched(Ledger, "finish"):
        deaths = invoice.system.deliver(FUNCTION)
    invoice.system.pollers.errors.clear()

    invoice.settle_slowly()

    assert Killed in [type(death.error) for death in deaths]
    assert len(references(invoice)) == 1
    assert invoice.record()["payment_status"] == "PAID"


def test_a_payment_that_solvimon_has_already_is_not_recorded(invoice: Invoice) -> None:
    payment = invoice.pay(deliver=False)
    reference = payment["id"].replace("-", "")
    invoice.platform.create_payment({"external_reference": reference, "result": "AUTHORIZED"})

    invoice.settle()

    assert references(invoice) == [reference]
    assert invoice.state == PAID


def test_a_payment_without_a_date_is_of_today(invoice: Invoice) -> None:
    payment = invoice.pay(deliver=False)
    invoice.organisation.payments.get(payment["id"]).document.pop("date")
    invoice.system.advance(40 * 24 * 3600)
    invoice.system.runtime.reset()

    invoice.mark()

    today = datetime.fromtimestamp(invoice.system.clock.now(), UTC).date()
    assert invoice.recorded[0]["timestamp"] == f"{today}T00:00:00Z"


def test_a_refused_payment_is_recorded_with_its_remedy_and_done_on_request(invoice: Invoice) -> None:
    invoice.system.solvimon.state.misbehave(
        "status", method="POST", path="/payments", times=1, status=400, code="INVALID_FIELD"
    )

    invoice.pay()
    refused = invoice.record()
    again = invoice.mark()

    assert (refused["state"], refused["code"]) == ("rejected", "refused_by_solvimon")
    assert "record the payment" in refused["message"]
    assert "mark_invoice_paid" in refused["remedy"]
    assert again["outcome"] == "marked"
    assert len(references(invoice)) == 1


def test_by_default_only_the_state_is_written(invoice: Invoice) -> None:
    configure(invoice.system, invoice.connection, payments="state")

    invoice.pay()

    assert invoice.state == PAID
    assert invoice.recorded == []
    assert invoice.system.solvimon.state.calls.find("*", "/v1/payments*") == []
