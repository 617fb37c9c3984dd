"""Applying credit memos in the Rillet fake: the whole set at once, and what it does to invoices."""

import pytest
import requests

from tests.fakes.rillet.support import (
    CUSTOMER,
    UNKNOWN_ID,
    Json,
    Rillet,
    application,
    balance,
    fields_of,
    full_item,
    kind_of,
    money,
    recorded_item,
    tax_rate,
)


def invoice_of(rillet: Rillet, amount: str = "100.00", **more: object) -> Json:
    return rillet.invoice(full_item(amount), **more)


def memo_of(rillet: Rillet, amount: str = "100.00", **more: object) -> Json:
    return rillet.memo(full_item(amount), **more)


def apply(rillet: Rillet, memo: Json, *applications: Json, key: str | None = None) -> requests.Response:
    body = {"applications": list(applications)}
    return rillet.post(f"/credit-memos/{memo['id']}/applications", body, key)


def test_a_memo_that_covers_the_invoice_settles_both(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)

    applied = apply(rillet, memo, application(invoice, "100.00")).json()

    assert (applied["status"], applied["applied_amount"]) == ("APPLIED", money("100.00"))
    assert applied["remaining_amount"] == money("0.00")
    [row] = applied["applications"]
    assert row.pop("id")
    assert row == {
        "credit_memo_id": memo["id"],
        "invoice_id": invoice["id"],
        "invoice_number": invoice["invoice_number"],
        "amount": money("100.00"),
        "application_date": "2026-03-05",
    }
    assert balance(rillet, invoice) == ("CREDITED", "0.00")
    assert applied["updated_at"] > memo["updated_at"]
    assert rillet.read(f"/invoices/{invoice['id']}")["updated_at"] > invoice["updated_at"]


def test_a_partial_application_leaves_both_partly_open(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet, "80.00")

    applied = apply(rillet, memo, application(invoice, "30.00")).json()

    assert (applied["status"], applied["remaining_amount"]) == ("PARTIALLY_APPLIED", money("50.00"))
    assert balance(rillet, invoice) == ("PARTIALLY_CREDITED", "70.00")


@pytest.mark.parametrize("scope", ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"])
def test_recorded_invoices_can_be_credited_too(rillet: Rillet, scope: str) -> None:
    item = recorded_item("100.00", tax_amount=money("21.00"))
    invoice = rillet.recorded(item, scope=scope)
    memo = rillet.memo(full_item("100.00", tax_rate=tax_rate(21)))

    apply(rillet, memo, application(invoice, "121.00"))

    assert balance(rillet, invoice) == ("CREDITED", "0.00")


def test_the_body_is_the_whole_set_so_what_it_leaves_out_is_removed(rillet: Rillet) -> None:
    first, second, third = (invoice_of(rillet) for _ in range(3))
    memo = memo_of(rillet)
    before = apply(rillet, memo, application(first, "40.00"), application(second, "30.00")).json()

    after = apply(rillet, memo, application(second, "35.00"), application(third, "20.00")).json()

    assert [(row["invoice_id"], row["amount"]["amount"]) for row in after["applications"]] == [
        (second["id"], "35.00"),
        (third["id"], "20.00"),
    ]
    assert after["applications"][0]["id"] == before["applications"][1]["id"]
    assert balance(rillet, first) == ("UNPAID", "100.00")
    assert balance(rillet, second) == ("PARTIALLY_CREDITED", "65.00")
    assert balance(rillet, third) == ("PARTIALLY_CREDITED", "80.00")


def test_the_same_set_again_changes_and_announces_nothing(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)
    first = apply(rillet, memo, application(invoice, "40.00")).json()
    announced = len(rillet.organisation.announced())

    assert apply(rillet, memo, application(invoice, "40.00")).json() == first
    assert len(rillet.organisation.announced()) == announced


def test_an_old_idempotency_key_replays_the_old_set(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)
    first = apply(rillet, memo, application(invoice, "40.00"), key="k").json()

    replayed = apply(rillet, memo, application(invoice, "50.00"), key="k").json()

    assert replayed == first
    assert balance(rillet, invoice) == ("PARTIALLY_CREDITED", "60.00")


def test_two_memos_share_an_invoice(rillet: Rillet) -> None:
    invoice, one, other = invoice_of(rillet), memo_of(rillet), memo_of(rillet)
    apply(rillet, one, application(invoice, "70.00"))

    refused = apply(rillet, other, application(invoice, "30.01"))
    apply(rillet, other, application(invoice, "30.00"))

    assert kind_of(refused) == "credit_memo_over_application"
    assert balance(rillet, invoice) == ("CREDITED", "0.00")


def test_a_memos_own_earlier_application_does_not_count_against_it(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)
    apply(rillet, memo, application(invoice, "80.00"))

    again = apply(rillet, memo, application(invoice, "100.00"))

    assert again.status_code == 200
    assert balance(rillet, invoice) == ("CREDITED", "0.00")


def test_crediting_more_than_is_open_is_a_switch(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)
    rillet.organisation.pay(invoice["id"], "60.00")

    refused = apply(rillet, memo, application(invoice, "40.01"))
    rillet.switch(over_application="accept")
    accepted = apply(rillet, memo, application(invoice, "100.00"))

    assert kind_of(refused) == "credit_memo_over_application"
    assert accepted.status_code == 200
    assert balance(rillet, invoice) == ("PAID", "-60.00")


def test_the_applications_together_never_exceed_the_memo(rillet: Rillet) -> None:
    first, second, memo = invoice_of(rillet), invoice_of(rillet), memo_of(rillet)
    rillet.switch(over_application="accept")

    response = apply(rillet, memo, application(first, "60.00"), application(second, "40.01"))

    assert kind_of(response) == "credit_memo_over_applied"
    assert balance(rillet, first) == ("UNPAID", "100.00")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"invoice_id": None}, "invoice_id"),
        ({"invoice_id": "no-uuid"}, "invoice_id"),
        ({"amount": None}, "amount"),
        ({"amount": money("1.005")}, "amount"),
        ({"amount": money("1")}, "amount"),
        ({"amount": money("0.00")}, "amount"),
        ({"amount": money("-1.00")}, "amount"),
        ({"application_date": None}, "application_date"),
    ],
)
def test_a_wrong_application_is_refused_and_the_field_is_named(
    rillet: Rillet, change: Json, field: str
) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)

    response = apply(rillet, memo, application(invoice, "1.00") | change)

    assert fields_of(response) == [f"applications[0].{field}"]


def test_an_empty_set_and_an_invoice_that_comes_twice_are_refused(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)

    empty = apply(rillet, memo)
    twice = apply(rillet, memo, application(invoice, "1.00"), application(invoice, "2.00"))

    assert fields_of(empty) == ["applications"]
    assert fields_of(twice) == [f"applications[{i}].invoice_id" for i in (0, 1)]


def test_the_invoice_must_exist_and_be_the_same_customers_in_the_same_currency(rillet: Rillet) -> None:
    stranger = rillet.create("/customers", {"name": "Stranger"})
    foreign = rillet.invoice(full_item(currency="USD"))
    strangers = invoice_of(rillet, customer_id=stranger["id"])
    invoice, memo = invoice_of(rillet), memo_of(rillet)

    refusals = [
        apply(rillet, memo, application({"id": UNKNOWN_ID}, "1.00")),
        apply(rillet, memo, application(strangers, "1.00")),
        apply(rillet, memo, application(foreign, "1.00")),
        apply(rillet, memo, application(invoice, "1.00", currency="USD")),
    ]

    assert [kind_of(response) for response in refusals] == [
        "invoice_not_found",
        "customer_mismatch",
        "currency_mismatch",
        "currency_mismatch",
    ]
    assert rillet.read(f"/credit-memos/{memo['id']}") == memo
    assert memo["customer_id"] == CUSTOMER


def test_a_closed_period_holds_what_is_applied_in_it(rillet: Rillet) -> None:
    first, second, memo = invoice_of(rillet), invoice_of(rillet), memo_of(rillet)
    apply(rillet, memo, application(first, "10.00", "2026-03-05"))
    rillet.organisation.close_period("2026-03-01", "2026-03-31")
    kept, added = application(first, "10.00", "2026-03-05"), application(second, "5.00", "2026-04-01")

    refusals = [
        apply(rillet, memo, application(first, "11.00", "2026-03-05")),
        apply(rillet, memo, application(first, "10.00", "2026-04-01")),
        apply(rillet, memo, kept, added | {"application_date": "2026-03-31"}),
        apply(rillet, memo, added),
        rillet.delete(f"/credit-memos/{memo['id']}/applications"),
    ]
    accepted = apply(rillet, memo, kept, added)

    assert {kind_of(response) for response in refusals} == {"period_closed"}
    assert accepted.json()["applied_amount"] == money("15.00")


def test_deleting_the_applications_opens_the_invoices_again(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)
    apply(rillet, memo, application(invoice, "100.00"))

    deleted = [rillet.delete(f"/credit-memos/{memo['id']}/applications") for _ in range(2)]

    assert [response.status_code for response in deleted] == [204, 204]
    assert balance(rillet, invoice) == ("UNPAID", "100.00")
    assert rillet.read(f"/credit-memos/{memo['id']}")["status"] == "UNAPPLIED"


def test_a_credited_invoice_cannot_be_deleted(rillet: Rillet) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)
    apply(rillet, memo, application(invoice, "1.00"))

    assert kind_of(rillet.delete(f"/invoices/{invoice['id']}")) == "invoice_has_credits"


@pytest.mark.parametrize(
    ("winner", "credit", "status"),
    [
        ("payment", "40.00", "PAID"),
        ("payment", "30.00", "PARTIALLY_PAID"),
        ("credit", "40.00", "CREDITED"),
        ("credit", "30.00", "PARTIALLY_CREDITED"),
    ],
)
def test_which_word_names_a_mix_of_payment_and_credit_is_a_switch(
    rillet: Rillet, winner: str, credit: str, status: str
) -> None:
    rillet.switch(mixed_status=winner)
    invoice, memo = invoice_of(rillet), memo_of(rillet)
    rillet.organisation.pay(invoice["id"], "60.00")

    apply(rillet, memo, application(invoice, credit))

    assert balance(rillet, invoice)[0] == status


@pytest.mark.parametrize(
    ("kind_of_crash", "applied"), [("commit_then_drop", True), ("drop", False), ("malformed", True)]
)
def test_misbehaviour_between_memo_and_application(rillet: Rillet, kind_of_crash: str, applied: bool) -> None:
    invoice, memo = invoice_of(rillet), memo_of(rillet)
    rillet.state.misbehave(kind_of_crash, "POST", f"/credit-memos/{memo['id']}/applications")

    with pytest.raises((requests.ConnectionError, requests.JSONDecodeError)):
        apply(rillet, memo, application(invoice, "100.00"), key="k").json()

    assert (balance(rillet, invoice)[0] == "CREDITED") is applied
    assert apply(rillet, memo, application(invoice, "100.00"), key="k").json()["status"] == "APPLIED"
