"""What people do in the Rillet fake after an invoice is booked: receipts, bad debts, refunds, merges."""

import pytest

from local.fake_vendor.faults import Fault
from tests.fakes.rillet.support import CUSTOMER, Rillet, application, balance, money


def test_one_receipt_pays_several_invoices(rillet: Rillet) -> None:
    invoices = [rillet.invoice(), rillet.invoice()]

    payments = rillet.organisation.pay_together(*(one["id"] for one in invoices))

    assert [balance(rillet, one) for one in invoices] == [("PAID", "0.00")] * 2
    assert [one["amount"]["amount"] for one in payments] == ["100.00", "100.00"]


def test_a_receipt_in_another_currency_covers_a_part_of_an_invoice(rillet: Rillet) -> None:
    invoice = rillet.invoice()

    payment = rillet.organisation.pay_in(invoice["id"], "66.00", "USD", covers="60.00")

    assert payment["amount"] == money("66.00", "USD")
    assert balance(rillet, invoice) == ("PARTIALLY_PAID", "40.00")


@pytest.mark.parametrize(
    ("amount", "status", "due"), [(None, "CREDITED", "0.00"), ("30.00", "PARTIALLY_CREDITED", "70.00")]
)
def test_a_bad_debt_is_closed_by_a_memo_of_rillets_own(
    rillet: Rillet, amount: str | None, status: str, due: str
) -> None:
    invoice = rillet.invoice()

    memo = rillet.organisation.write_off(invoice["id"], amount)

    assert balance(rillet, invoice) == (status, due)
    assert memo["external_references"] == []
    [applied] = rillet.read(f"/credit-memos/{memo['id']}")["applications"]
    assert (applied["invoice_id"], applied["amount"]["amount"]) == (invoice["id"], amount or "100.00")


def test_a_person_applies_a_memo_to_other_invoices_than_before(rillet: Rillet) -> None:
    first, second, memo = rillet.invoice(), rillet.invoice(), rillet.memo()
    rillet.apply(memo, application(first, "100.00"))

    rillet.organisation.apply_memo(memo["id"], {second["id"]: "25.00"})

    assert [balance(rillet, one)[1] for one in (first, second)] == ["100.00", "75.00"]


def test_a_refunded_memo_has_nothing_left(rillet: Rillet) -> None:
    memo = rillet.memo()

    rillet.organisation.refund_memo(memo["id"])

    shown = rillet.read(f"/credit-memos/{memo['id']}")
    assert (shown["status"], shown["remaining_amount"]["amount"]) == ("REFUNDED", "0.00")


def test_the_documents_of_a_merged_customer_move_and_it_is_gone(rillet: Rillet) -> None:
    into = rillet.create("/customers", {"name": "Into"})
    invoice, memo = rillet.invoice(), rillet.memo()

    rillet.organisation.merge_customer(CUSTOMER, into["id"])

    assert rillet.read(f"/invoices/{invoice['id']}")["customer_id"] == into["id"]
    assert rillet.read(f"/credit-memos/{memo['id']}")["customer_id"] == into["id"]
    assert rillet.get(f"/customers/{CUSTOMER}").status_code == 404
    assert rillet.announced()[-1] == "customer-deleted"


def test_somebody_acts_just_before_a_call_is_executed(rillet: Rillet) -> None:
    invoice, memo, acts = rillet.invoice(), rillet.memo(), list[str]()
    path = "/credit-memos/*/applications"

    def pay() -> None:
        acts.append(rillet.organisation.pay(invoice["id"], "90.00")["id"])

    rillet.state.faults.add(Fault("act", "POST", path, 1, {"do": pay}))

    refused = rillet.apply(memo, application(invoice, "100.00"))
    taken = rillet.apply(memo, application(invoice, "10.00"))

    assert (refused.status_code, taken.status_code) == (400, 200)
    assert len(acts) == 1
    assert balance(rillet, invoice) == ("PAID", "0.00")
