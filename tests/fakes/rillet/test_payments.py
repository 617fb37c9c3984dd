"""Payments of invoices in the Rillet fake, by call and by users, and what else people do to documents."""

from collections.abc import Callable

import pytest
import requests

from local.fake_rillet.problems import Problem
from local.fake_vendor.faults import Fault
from tests.fakes.rillet.support import (
    CASH,
    CUSTOMER,
    SUBSIDIARY,
    UNKNOWN_ID,
    Json,
    Rillet,
    application,
    fields_of,
    full_item,
    kind_of,
    money,
    payment,
)


@pytest.fixture
def invoice(rillet: Rillet) -> Json:
    return rillet.invoice()


def post(rillet: Rillet, invoice: Json, body: Json) -> requests.Response:
    return rillet.post(f"/invoices/{invoice['id']}/payments", body)


def test_a_payment_by_call_is_uncleared_and_still_makes_the_invoice_paid(
    rillet: Rillet, invoice: Json
) -> None:
    created = post(rillet, invoice, payment("100.00")).json()

    assert created.pop("id")
    assert created == {
        "status": "UNCLEARED",
        "invoice_id": invoice["id"],
        "amount": money("100.00"),
        "date": "2026-03-09",
        "account_code": CASH,
        "updated_at": "2026-03-10T12:00:00.000000Z",
    }
    assert rillet.balance(invoice) == ("PAID", "0.00")
    assert rillet.read(f"/invoices/{invoice['id']}")["updated_at"] > invoice["updated_at"]


@pytest.mark.parametrize("create", [Rillet.invoice, Rillet.recorded])
def test_parts_add_up_until_the_invoice_is_paid(rillet: Rillet, create: Callable[[Rillet], Json]) -> None:
    invoice = create(rillet)
    post(rillet, invoice, payment("40.00"))
    partly = rillet.balance(invoice)
    post(rillet, invoice, payment("60.00"))

    assert (partly, rillet.balance(invoice)) == (("PARTIALLY_PAID", "60.00"), ("PAID", "0.00"))
    listed = rillet.read(f"/invoices/{invoice['id']}/payments")
    assert [row["amount"]["amount"] for row in listed["payments"]] == ["40.00", "60.00"]
    assert "pagination" not in listed


def test_paying_more_than_is_open_is_a_switch(rillet: Rillet, invoice: Json) -> None:
    rillet.switch(overpayment="accept")

    post(rillet, invoice, payment("100.01"))

    assert rillet.balance(invoice) == ("PAID", "-0.01")


def test_cash_accounts_are_those_of_bank_accounts(rillet: Rillet, invoice: Json) -> None:
    account = {"id": UNKNOWN_ID, "name": "Savings", "bank_name": "First", "status": "ACTIVE"}
    linked = account | {"currency": "EUR", "account_code": "10200", "subsidiary_id": SUBSIDIARY}
    rillet.state.load({"organization": {"id": rillet.organisation.id}, "bank_accounts": [linked]})

    everything = rillet.read("/bank-accounts")["accounts"]
    mine = rillet.read("/bank-accounts", subsidiary_id=SUBSIDIARY)["accounts"]

    assert [account["account_code"] for account in everything] == [CASH, "10200"]
    assert mine == [linked]
    assert post(rillet, invoice, payment(account_code="10200")).status_code == 200


def test_an_uncleared_payment_is_replaced_whole(rillet: Rillet, invoice: Json) -> None:
    made = post(rillet, invoice, payment("40.00")).json()
    path = f"/invoices/{invoice['id']}/payments/{made['id']}"

    replaced = rillet.put(path, payment("100.00", date="2026-03-08")).json()
    incomplete = rillet.put(path, {"amount": money("1.00")})

    assert (replaced["id"], replaced["date"], replaced["status"]) == (made["id"], "2026-03-08", "UNCLEARED")
    assert rillet.balance(invoice) == ("PAID", "0.00")
    assert fields_of(incomplete) == ["date", "account_code"]


def test_deleting_an_uncleared_payment_opens_the_invoice_again(rillet: Rillet, invoice: Json) -> None:
    made = post(rillet, invoice, payment()).json()

    deleted = rillet.delete(f"/invoices/{invoice['id']}/payments/{made['id']}")

    assert deleted.status_code == 204
    assert rillet.balance(invoice) == ("UNBILLED", "100.00")
    assert rillet.read("/invoice-payments")["payments"] == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("clear_payment", "payment_not_uncleared"),
        ("fail_payment", "payment_not_uncleared"),
        ("close_period", "period_closed"),
    ],
)
def test_only_an_uncleared_payment_of_an_open_period_can_be_changed_by_call(
    rillet: Rillet, invoice: Json, change: str, kind: str
) -> None:
    made = post(rillet, invoice, payment()).json()
    arguments = ("2026-03-01", "2026-03-31") if change == "close_period" else (made["id"],)
    getattr(rillet.organisation, change)(*arguments)
    path = f"/invoices/{invoice['id']}/payments/{made['id']}"

    refusals = [rillet.put(path, payment(date="2026-04-01")), rillet.delete(path)]

    assert {kind_of(response) for response in refusals} == {kind}


def test_a_payment_is_found_only_under_its_own_invoice(rillet: Rillet, invoice: Json) -> None:
    other = rillet.invoice()
    made = post(rillet, invoice, payment()).json()

    for path in (
        f"/invoices/{other['id']}/payments/{made['id']}",
        f"/invoices/{UNKNOWN_ID}/payments/{made['id']}",
    ):
        assert rillet.delete(path).status_code == 404
    assert rillet.get(f"/invoices/{UNKNOWN_ID}/payments").status_code == 404


def test_all_payments_are_listed_by_creation_or_by_update(rillet: Rillet, invoice: Json) -> None:
    made = []
    for _ in range(3):
        rillet.clock.advance(1)
        made.append(post(rillet, invoice, payment("10.00")).json())
    rillet.clock.advance(1)
    rillet.organisation.clear_payment(made[0]["id"])

    def ids(**query: str) -> list[str]:
        return [row["id"] for row in rillet.read("/invoice-payments", **query)["payments"]]

    first, second, third = (row["id"] for row in made)
    assert ids() == [third, second, first]
    assert ids(sort_by="updated") == [first, third, second]
    assert ids(sort_by="updated", **{"updated.gt": made[1]["updated_at"]}) == [first, third]
    page = rillet.read("/invoice-payments", limit="2")
    assert ids(cursor=page["pagination"]["next_cursor"]) == [first]


def test_users_clear_payments_and_let_them_bounce(rillet: Rillet, invoice: Json) -> None:
    books = rillet.organisation
    made = books.pay(invoice["id"], "100.00", cleared=False, date="2026-03-07")
    cleared = books.clear_payment(made["id"])
    paid = rillet.balance(invoice)

    failed = books.fail_payment(made["id"])
    reopened = rillet.balance(invoice)
    books.unclear_payment(made["id"])

    assert (made["date"], made["status"]) == ("2026-03-07", "UNCLEARED")
    assert (cleared["status"], failed["status"]) == ("SUCCESSFUL", "FAILED")
    assert (paid, reopened) == (("PAID", "0.00"), ("UNBILLED", "100.00"))
    assert rillet.balance(invoice) == ("PAID", "0.00")
    assert len(rillet.read(f"/invoices/{invoice['id']}/payments")["payments"]) == 1


def test_users_pay_what_is_open_today_and_delete_cleared_payments(rillet: Rillet, invoice: Json) -> None:
    books = rillet.organisation
    books.pay(invoice["id"], "30.00")

    rest = books.pay(invoice["id"])
    books.delete_payment(rest["id"])

    assert (rest["amount"], rest["date"], rest["status"]) == (money("70.00"), "2026-03-10", "SUCCESSFUL")
    assert rillet.balance(invoice) == ("PARTIALLY_PAID", "70.00")
    with pytest.raises(Problem, match="exceeds the amount due"):
        books.pay(invoice["id"], "70.01")
    books.pay(invoice["id"])
    with pytest.raises(ValueError, match=r"must be positive, not 0\.00"):
        books.pay(invoice["id"])


def test_an_invoice_is_deleted_once_only_failed_payments_remain(rillet: Rillet, invoice: Json) -> None:
    made = rillet.organisation.pay(invoice["id"])
    refused = rillet.delete(f"/invoices/{invoice['id']}")
    rillet.organisation.fail_payment(made["id"])

    rillet.organisation.delete_invoice(invoice["id"])

    assert kind_of(refused) == "invoice_has_payments"
    assert rillet.get(f"/invoices/{invoice['id']}").status_code == 404
    assert rillet.read("/invoice-payments")["payments"] == []


def test_a_paid_invoice_is_not_overdue_and_an_open_one_is(rillet: Rillet) -> None:
    invoice = rillet.invoice(full_item(), due_date="2026-03-09")
    made = rillet.organisation.pay(invoice["id"])
    paid = rillet.read("/invoices", overdue="true")["invoices"]
    rillet.organisation.delete_payment(made["id"])

    assert (invoice["overdue"], paid) == (True, [])
    assert len(rillet.read("/invoices", overdue="true", status="UNBILLED")["invoices"]) == 1


def test_two_states_of_an_invoice_never_share_an_update_time(rillet: Rillet, invoice: Json) -> None:
    made = rillet.organisation.pay(invoice["id"])
    rillet.organisation.delete_payment(made["id"])

    stamps = [event.document["updated_at"] for event in rillet.organisation.announced()]

    assert len(stamps) == len(set(stamps)) == 3
    assert stamps == sorted(stamps)


def test_one_receipt_pays_several_invoices(rillet: Rillet) -> None:
    invoices = [rillet.invoice(), rillet.invoice()]

    payments = rillet.organisation.pay_together(*(one["id"] for one in invoices))

    assert [rillet.balance(one) for one in invoices] == [("PAID", "0.00")] * 2
    assert [one["amount"]["amount"] for one in payments] == ["100.00", "100.00"]


def test_a_receipt_in_another_currency_covers_a_part_of_an_invoice(rillet: Rillet) -> None:
    invoice = rillet.invoice()

    payment = rillet.organisation.pay_in(invoice["id"], "66.00", "USD", covers="60.00")

    assert payment["amount"] == money("66.00", "USD")
    assert rillet.balance(invoice) == ("PARTIALLY_PAID", "40.00")


@pytest.mark.parametrize(
    ("amount", "status", "due"), [(None, "CREDITED", "0.00"), ("30.00", "PARTIALLY_CREDITED", "70.00")]
)
def test_a_bad_debt_is_closed_by_a_memo_of_rillets_own(
    rillet: Rillet, amount: str | None, status: str, due: str
) -> None:
    invoice = rillet.invoice()

    memo = rillet.organisation.write_off(invoice["id"], amount)

    assert rillet.balance(invoice) == (status, due)
    assert memo["external_references"] == []
    [applied] = rillet.read(f"/credit-memos/{memo['id']}")["applications"]
    assert (applied["invoice_id"], applied["amount"]["amount"]) == (invoice["id"], amount or "100.00")


def test_a_person_applies_a_memo_to_other_invoices_than_before(rillet: Rillet) -> None:
    first, second, memo = rillet.invoice(), rillet.invoice(), rillet.memo()
    rillet.apply(memo, application(first, "100.00"))

    rillet.organisation.apply_memo(memo["id"], {second["id"]: "25.00"})

    assert [rillet.balance(one)[1] for one in (first, second)] == ["100.00", "75.00"]


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
    assert rillet.balance(invoice) == ("PAID", "0.00")
