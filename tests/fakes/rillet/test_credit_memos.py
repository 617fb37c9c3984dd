"""Credit memos of the Rillet fake: create, list, read, replace, delete."""

import pytest

from tests.fakes.rillet.support import (
    ADDRESS,
    CUSTOMER,
    SECOND_SUBSIDIARY,
    SUBSIDIARY,
    UNKNOWN_ID,
    Json,
    Rillet,
    application,
    credit_memo,
    fields_of,
    full_item,
    kind_of,
    money,
    reference,
    tax_rate,
)


@pytest.fixture
def applied(rillet: Rillet) -> Json:
    """A memo of 100.00, of which 60.00 are applied."""
    memo = rillet.memo()
    rillet.apply(memo, application(rillet.invoice(), "60.00"))
    return memo


def test_a_credit_memo_is_answered_with_its_totals_and_applied_to_nothing(rillet: Rillet) -> None:
    body = credit_memo(
        full_item("40.00", 2, tax_rate=tax_rate(21, tax_amount=money("16.80"))),
        full_item("10.00", tax_rate=tax_rate(9)),
        external_references=[reference("invo_c")],
        credit_memo_number="CRE-2026-03-000001",
    )

    created = rillet.create("/credit-memos", body)

    assert created["credit_memo_number"] == "CRE-2026-03-000001"
    assert (created["net_amount"], created["taxed_amount"]) == (money("90.00"), money("17.70"))
    assert created["total"] == created["remaining_amount"] == money("107.70")
    assert (created["status"], created["applied_amount"]) == ("UNAPPLIED", money("0.00"))
    assert (created["applications"], created["address"]) == ([], ADDRESS)
    assert (created["subsidiary_id"], created["customer_id"]) == (SUBSIDIARY, CUSTOMER)
    first = created["items"][0]
    assert (first["net_amount"], first["total_amount"]) == (money("80.00"), money("96.80"))
    assert first["revenue"]["period"] == {"start": "2026-03-05", "end": "2026-03-05"}
    assert rillet.read(f"/credit-memos/{created['id']}") == created


def test_the_answer_has_neither_tax_rates_nor_unit_prices(rillet: Rillet) -> None:
    created = rillet.memo(full_item("10.005", tax_rate=tax_rate()))

    assert not {"tax_rate", "price", "amount_per_unit", "gross_rate"} & created["items"][0].keys()


def test_rillet_numbers_the_memos_that_come_without_a_number(rillet: Rillet) -> None:
    rillet.memo(credit_memo_number="CM-0002")

    numbers = [rillet.memo()["credit_memo_number"] for _ in range(2)]

    assert numbers == ["CM-0001", "CM-0003"]


def test_a_customer_without_an_address_shows_an_empty_one_on_its_memos(rillet: Rillet) -> None:
    customer = rillet.create("/customers", {"name": "Nomad"})

    created = rillet.memo(customer_id=customer["id"])

    assert set(created["address"].values()) == {""}


def test_a_total_that_is_not_positive_is_a_switch(rillet: Rillet) -> None:
    rillet.switch(memo_total="any")

    assert rillet.memo(full_item("5.00"), full_item("-6.00"))["total"] == money("-1.00")


def test_a_number_that_another_memo_has_is_a_switch(rillet: Rillet) -> None:
    body = credit_memo(credit_memo_number="CRE-1")
    rillet.create("/credit-memos", body)
    rillet.create("/credit-memos", body)
    rillet.switch(duplicate_numbers="refuse")

    assert kind_of(rillet.post("/credit-memos", body)) == "credit_memo_number_already_exists"


def test_a_discount_which_memos_do_not_know_is_dropped(rillet: Rillet) -> None:
    item = full_item("10.00")
    item["price"]["discount"] = {"type": "PERCENTAGE", "percentage_off": 50}

    assert rillet.memo(item)["total"] == money("10.00")


def test_memos_are_listed_newest_first_by_subsidiary_and_update(rillet: Rillet) -> None:
    first = rillet.memo(subsidiary_id=SECOND_SUBSIDIARY)
    rillet.clock.advance(1)
    second = rillet.memo()

    page = rillet.read("/credit-memos", limit="1")
    rest = rillet.read("/credit-memos", limit="1", cursor=page["pagination"]["next_cursor"])
    abroad = rillet.read("/credit-memos", subsidiary_id=SECOND_SUBSIDIARY)
    newer = rillet.read("/credit-memos", **{"updated.gt": first["updated_at"]})

    assert [memo["id"] for memo in page["credit_memos"] + rest["credit_memos"]] == [second["id"], first["id"]]
    assert rest["pagination"] == {}
    assert [memo["id"] for memo in abroad["credit_memos"]] == [first["id"]]
    assert [memo["id"] for memo in newer["credit_memos"]] == [second["id"]]


def test_put_replaces_items_date_and_references_and_nothing_else(rillet: Rillet) -> None:
    created = rillet.memo(external_references=[reference("invo_c")], credit_memo_number="CRE-1")
    body = credit_memo(full_item("30.00"), credit_memo_date="2026-03-06", credit_memo_number="CRE-2")

    replaced = rillet.put(f"/credit-memos/{created['id']}", body | {"customer_id": UNKNOWN_ID}).json()

    assert replaced["total"] == replaced["remaining_amount"] == money("30.00")
    assert (replaced["credit_memo_date"], replaced["external_references"]) == ("2026-03-06", [])
    assert (replaced["credit_memo_number"], replaced["customer_id"]) == ("CRE-1", CUSTOMER)
    assert replaced["items"][0]["id"] != created["items"][0]["id"]
    assert replaced["updated_at"] > created["updated_at"]


def test_a_replacement_is_complete_keeps_the_currency_and_covers_what_is_applied(
    rillet: Rillet, applied: Json
) -> None:
    path = f"/credit-memos/{applied['id']}"

    empty = rillet.put(path, {})
    dollars = rillet.put(path, credit_memo(full_item(currency="USD")))
    little = rillet.put(path, credit_memo(full_item("59.99")))
    enough = rillet.put(path, credit_memo(full_item("60.00"))).json()

    assert sorted(fields_of(empty)) == ["credit_memo_date", "items"]
    assert (kind_of(dollars), kind_of(little)) == ("currency_mismatch", "credit_memo_over_applied")
    assert (enough["status"], enough["remaining_amount"]) == ("APPLIED", money("0.00"))
    assert len(enough["applications"]) == 1


def test_a_memo_is_deleted_once_it_is_applied_to_nothing(rillet: Rillet, applied: Json) -> None:
    path = f"/credit-memos/{applied['id']}"

    assert kind_of(rillet.delete(path)) == "credit_memo_applied"
    assert rillet.delete(f"{path}/applications").status_code == 204
    deleted = rillet.delete(path)

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert rillet.get(path).status_code == rillet.delete(path).status_code == 404


def test_a_memo_of_a_closed_period_is_neither_replaced_nor_deleted(rillet: Rillet) -> None:
    path = f"/credit-memos/{rillet.memo()['id']}"
    rillet.organisation.close_period("2026-03-01", "2026-03-31")

    replaced = rillet.put(path, credit_memo(credit_memo_date="2026-04-01"))

    assert kind_of(replaced) == kind_of(rillet.delete(path)) == "period_closed"


def test_users_edit_and_delete_memos_past_the_rules_of_the_api(rillet: Rillet) -> None:
    memo = rillet.memo()

    edited = rillet.organisation.edit_credit_memo(memo["id"], amount_by="0.01", credit_memo_number="X 1")

    assert edited["total"] == edited["remaining_amount"] == money("100.01")
    assert edited["items"][0]["total_amount"] == money("100.01")
    assert edited["credit_memo_number"] == "X 1"
    with pytest.raises(ValueError, match="cannot edit status"):
        rillet.organisation.edit_credit_memo(memo["id"], status="APPLIED")
    rillet.organisation.delete_credit_memo(memo["id"])
    assert rillet.get(f"/credit-memos/{memo['id']}").status_code == 404
