"""Applying credit memos in the Rillet fake: the whole set at once, and what it does to invoices."""

import pytest
import requests

from tests.fakes.rillet.support import (
    CUSTOMER,
    RECORDED,
    UNKNOWN_ID,
    Json,
    Rillet,
    application,
    fields_of,
    full_item,
    kind_of,
    money,
    recorded_item,
    tax_rate,
)

SETTLED, OPEN = ("CREDITED", "0.00"), ("UNBILLED", "100.00")


@pytest.fixture
def invoice(rillet: Rillet) -> Json:
    return rillet.invoice()


@pytest.fixture
def memo(rillet: Rillet) -> Json:
    return rillet.memo()


def test_a_memo_that_covers_the_invoice_settles_both(rillet: Rillet, invoice: Json, memo: Json) -> None:
    applied = rillet.apply(memo, application(invoice, "100.00")).json()

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
    assert rillet.balance(invoice) == SETTLED
    assert applied["updated_at"] > memo["updated_at"]
    assert rillet.read(f"/invoices/{invoice['id']}")["updated_at"] > invoice["updated_at"]


def test_a_partial_application_leaves_both_partly_open(rillet: Rillet, invoice: Json) -> None:
    memo = rillet.memo(full_item("80.00"))

    applied = rillet.apply(memo, application(invoice, "30.00")).json()

    assert (applied["status"], applied["remaining_amount"]) == ("PARTIALLY_APPLIED", money("50.00"))
    assert rillet.balance(invoice) == ("PARTIALLY_CREDITED", "70.00")


@pytest.mark.parametrize("scope", RECORDED)
def test_recorded_invoices_can_be_credited_too(rillet: Rillet, scope: str) -> None:
    invoice = rillet.recorded(recorded_item("100.00", tax_amount=money("21.00")), scope=scope)
    memo = rillet.memo(full_item("100.00", tax_rate=tax_rate(21)))

    rillet.apply(memo, application(invoice, "121.00"))

    assert rillet.balance(invoice) == SETTLED


def test_the_body_is_the_whole_set_so_what_it_leaves_out_is_removed(rillet: Rillet, memo: Json) -> None:
    first, second, third = (rillet.invoice() for _ in range(3))
    before = rillet.apply(memo, application(first, "40.00"), application(second, "30.00")).json()

    after = rillet.apply(memo, application(second, "35.00"), application(third, "20.00")).json()

    assert [(row["invoice_id"], row["amount"]["amount"]) for row in after["applications"]] == [
        (second["id"], "35.00"),
        (third["id"], "20.00"),
    ]
    assert after["applications"][0]["id"] == before["applications"][1]["id"]
    assert [rillet.balance(one) for one in (first, second, third)] == [
        OPEN,
        ("PARTIALLY_CREDITED", "65.00"),
        ("PARTIALLY_CREDITED", "80.00"),
    ]


def test_the_same_set_again_changes_and_announces_nothing(rillet: Rillet, invoice: Json, memo: Json) -> None:
    first = rillet.apply(memo, application(invoice, "40.00")).json()
    announced = len(rillet.organisation.announced())

    assert rillet.apply(memo, application(invoice, "40.00")).json() == first
    assert len(rillet.organisation.announced()) == announced


def test_an_old_idempotency_key_replays_the_old_set(rillet: Rillet, invoice: Json, memo: Json) -> None:
    first = rillet.apply(memo, application(invoice, "40.00"), key="k").json()

    replayed = rillet.apply(memo, application(invoice, "50.00"), key="k").json()

    assert replayed == first
    assert rillet.balance(invoice) == ("PARTIALLY_CREDITED", "60.00")


def test_two_memos_share_an_invoice(rillet: Rillet, invoice: Json, memo: Json) -> None:
    other = rillet.memo()
    rillet.apply(memo, application(invoice, "70.00"))

    refused = rillet.apply(other, application(invoice, "30.01"))
    rillet.apply(other, application(invoice, "30.00"))

    assert kind_of(refused) == "credit_memo_over_application"
    assert rillet.balance(invoice) == SETTLED


def test_a_memos_own_earlier_application_does_not_count_against_it(
    rillet: Rillet, invoice: Json, memo: Json
) -> None:
    rillet.apply(memo, application(invoice, "80.00"))

    again = rillet.apply(memo, application(invoice, "100.00"))

    assert again.status_code == 200
    assert rillet.balance(invoice) == SETTLED


def test_crediting_more_than_is_open_is_a_switch(rillet: Rillet, invoice: Json, memo: Json) -> None:
    rillet.organisation.pay(invoice["id"], "60.00")

    refused = rillet.apply(memo, application(invoice, "40.01"))
    rillet.switch(over_application="accept")
    accepted = rillet.apply(memo, application(invoice, "100.00"))

    assert kind_of(refused) == "credit_memo_over_application"
    assert accepted.status_code == 200
    assert rillet.balance(invoice) == ("PAID", "-60.00")


def test_the_applications_together_never_exceed_the_memo(rillet: Rillet, invoice: Json, memo: Json) -> None:
    rillet.switch(over_application="accept")

    response = rillet.apply(memo, application(invoice, "60.00"), application(rillet.invoice(), "40.01"))

    assert kind_of(response) == "credit_memo_over_applied"
    assert rillet.balance(invoice) == OPEN


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ([], ["applications"]),
        ([{"invoice_id": None}], ["applications[0].invoice_id"]),
        ([{"invoice_id": "no-uuid"}], ["applications[0].invoice_id"]),
        *[
            ([{"amount": amount}], ["applications[0].amount"])
            for amount in (None, money("1.005"), money("1"), money("0.00"), money("-1.00"))
        ],
        ([{"application_date": None}], ["applications[0].application_date"]),
        ([{}, {"amount": money("2.00")}], ["applications[0].invoice_id", "applications[1].invoice_id"]),
    ],
)
def test_a_wrong_set_is_refused_and_its_fields_are_named(
    rillet: Rillet, invoice: Json, memo: Json, changes: list[Json], fields: list[str]
) -> None:
    response = rillet.apply(memo, *(application(invoice, "1.00") | change for change in changes))

    assert fields_of(response) == fields


def test_the_invoice_must_exist_and_be_the_same_customers_in_the_same_currency(
    rillet: Rillet, invoice: Json, memo: Json
) -> None:
    other = rillet.create("/customers", {"name": "Other"})
    refused = [
        (application({"id": UNKNOWN_ID}, "1.00"), "invoice_not_found"),
        (application(rillet.invoice(customer_id=other["id"]), "1.00"), "customer_mismatch"),
        (application(rillet.invoice(full_item(currency="USD")), "1.00"), "currency_mismatch"),
        (application(invoice, "1.00", currency="USD"), "currency_mismatch"),
    ]

    assert [kind_of(rillet.apply(memo, one)) for one, _ in refused] == [kind for _, kind in refused]
    assert rillet.read(f"/credit-memos/{memo['id']}") == memo
    assert memo["customer_id"] == CUSTOMER


def test_a_closed_period_holds_what_is_applied_in_it(rillet: Rillet, invoice: Json, memo: Json) -> None:
    kept = application(invoice, "10.00", "2026-03-05")
    added = application(rillet.invoice(), "5.00", "2026-04-01")
    rillet.apply(memo, kept)
    rillet.organisation.close_period("2026-03-01", "2026-03-31")

    refusals = [
        rillet.apply(memo, kept | {"amount": money("11.00")}),
        rillet.apply(memo, kept | {"application_date": "2026-04-01"}),
        rillet.apply(memo, kept, added | {"application_date": "2026-03-31"}),
        rillet.apply(memo, added),
        rillet.delete(f"/credit-memos/{memo['id']}/applications"),
    ]
    accepted = rillet.apply(memo, kept, added)

    assert {kind_of(response) for response in refusals} == {"period_closed"}
    assert accepted.json()["applied_amount"] == money("15.00")


def test_deleting_the_applications_opens_the_invoices_again(
    rillet: Rillet, invoice: Json, memo: Json
) -> None:
    rillet.apply(memo, application(invoice, "100.00"))
    refused = rillet.delete(f"/invoices/{invoice['id']}")

    deleted = [rillet.delete(f"/credit-memos/{memo['id']}/applications") for _ in range(2)]

    assert kind_of(refused) == "invoice_has_credits"
    assert [response.status_code for response in deleted] == [204, 204]
    assert rillet.balance(invoice) == OPEN
    assert rillet.read(f"/credit-memos/{memo['id']}")["status"] == "UNAPPLIED"
    rillet.organisation.delete_invoice(invoice["id"])
    assert rillet.get(f"/invoices/{invoice['id']}").status_code == 404


@pytest.mark.parametrize(
    ("named", "credit", "status"),
    [
        ("payment", "40.00", "PAID"),
        ("payment", "30.00", "PARTIALLY_PAID"),
        ("credit", "40.00", "CREDITED"),
        ("credit", "30.00", "PARTIALLY_CREDITED"),
    ],
)
def test_which_word_names_a_mix_of_payment_and_credit_is_a_switch(
    rillet: Rillet, invoice: Json, memo: Json, named: str, credit: str, status: str
) -> None:
    rillet.switch(mixed_status=named)
    rillet.organisation.pay(invoice["id"], "60.00")

    rillet.apply(memo, application(invoice, credit))

    assert rillet.balance(invoice)[0] == status


@pytest.mark.parametrize(
    ("fault", "applied"), [("commit_then_drop", True), ("drop", False), ("malformed", True)]
)
def test_a_fault_between_memo_and_application(
    rillet: Rillet, invoice: Json, memo: Json, fault: str, applied: bool
) -> None:
    rillet.state.misbehave(fault, "POST", f"/credit-memos/{memo['id']}/applications")

    with pytest.raises((requests.ConnectionError, requests.JSONDecodeError)):
        rillet.apply(memo, application(invoice, "100.00"), key="k").json()

    assert (rillet.balance(invoice)[0] == "CREDITED") is applied
    assert rillet.apply(memo, application(invoice, "100.00"), key="k").json()["status"] == "APPLIED"
