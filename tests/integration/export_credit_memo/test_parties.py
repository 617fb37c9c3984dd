"""A memo is booked under the customer and in the subsidiary of the invoice that it credits."""

import pytest

from local import sample_data
from local.sample_data.identity import rillet_id, solvimon_id
from local.system import LocalSystem
from tests.support.arrange import edit
from tests.support.assertions import applied, invoice_reads, memos, rillet_invoice
from tests.support.builders import (
    DEMO_CUSTOMER,
    DEMO_CUSTOMER_IN_RILLET,
    NOTE,
    ORIGINAL,
    SECOND,
    Json,
    credit_note,
    one_off,
    original,
)
from tests.support.connected import Connected

DUTCH, AMERICAN = (sample_data.rillet_id("subsidiary", name) for name in ("tideway-nl", "tideway-us"))
DUTCH_ENTITY, AMERICAN_ENTITY = (solvimon_id("bile", name) for name in ("tideway-nl", "tideway-us"))
OTHER_CUSTOMER = rillet_id("customer", "hansekontor")


def link_customer(connection: Connected, rillet_customer: str) -> None:
    """Correct the link of the demo's customer in Solvimon."""
    fields = connection.platform.records["customers"][DEMO_CUSTOMER]["custom_fields"]
    kept = [field for field in fields if field.get("reference") != "rillet_customer_id"]
    edit(
        connection,
        custom_fields=[*kept, {"reference": "rillet_customer_id", "value": rillet_customer}],
    )
    connection.settle()


def older_record(system: LocalSystem) -> None:
    """Take what earlier versions did not record off the invoice's record."""
    system.aws.dynamodb.update_item(
        TableName=system.deployment.outputs["LedgerTableName"],
        Key={"pk": {"S": f"default#invoice#{ORIGINAL}"}, "sk": {"S": "RECORD"}},
        UpdateExpression="REMOVE customer_id, subsidiary_id, billing_entity_id, booked_on, months",
    )


@pytest.mark.parametrize("older", [False, True])
def test_a_memo_follows_the_customer_of_the_invoice_that_it_credits(billed: Connected, older: bool) -> None:
    billed.organisation.customers.get(OTHER_CUSTOMER)
    billed.platform.records["customers"].pop(solvimon_id("cust", "hansekontor"))
    link_customer(billed, OTHER_CUSTOMER)
    if older:
        older_record(billed.system)

    billed.load_and_settle(credit_note())

    memo = billed.assert_memo_exported()
    assert memo["customer_id"] == DEMO_CUSTOMER_IN_RILLET
    assert billed.record(ORIGINAL)["customer_id"] == DEMO_CUSTOMER_IN_RILLET


def test_a_credit_without_an_original_follows_the_new_link(billed: Connected) -> None:
    billed.platform.records["customers"].pop(solvimon_id("cust", "hansekontor"))
    link_customer(billed, OTHER_CUSTOMER)

    billed.load_and_settle(one_off())

    [memo] = memos(billed)
    assert memo["customer_id"] == OTHER_CUSTOMER


def test_a_memo_follows_the_subsidiary_of_the_invoice_whose_entity_was_linked_again(
    billed: Connected,
) -> None:
    billed.configure(subsidiaries={AMERICAN: DUTCH_ENTITY})

    billed.load_and_settle(credit_note())

    assert billed.assert_memo_exported()["subsidiary_id"] == DUTCH


def test_a_memo_follows_an_invoice_that_a_person_moved_to_another_customer(billed: Connected) -> None:
    invoice = rillet_invoice(billed)
    billed.organisation.edit_invoice(invoice["id"], customer_id=OTHER_CUSTOMER)
    billed.system.invoke("mark_invoice_paid", {"invoice_ids": [ORIGINAL]})

    billed.load_and_settle(credit_note())

    assert billed.assert_memo_exported()["customer_id"] == OTHER_CUSTOMER


def test_a_memo_costs_no_further_read_of_rillet(billed: Connected) -> None:
    before = invoice_reads(billed.system)

    billed.load_and_settle(credit_note())

    billed.assert_memo_exported()
    assert invoice_reads(billed.system) == before


def of_another_entity() -> Json:
    return credit_note(NOTE, billing_entity_id=AMERICAN_ENTITY)


@pytest.mark.parametrize("older", [False, True])
def test_a_credit_note_of_another_billing_entity_is_refused_with_the_remedy(
    billed: Connected, older: bool
) -> None:
    if older:
        older_record(billed.system)

    billed.load_and_settle(of_another_entity())

    assert memos(billed) == []
    kept = billed.memo_record()
    assert (kept["state"], kept["code"]) == ("rejected", "credit_of_another_entity")
    assert ORIGINAL in kept["message"]
    assert "under its own billing entity" in kept["remedy"]
    assert billed.credit(dry_run=True)[0]["code"] == "credit_of_another_entity"


def test_the_setting_books_it_in_its_own_subsidiary_and_applies_it_to_nothing(billed: Connected) -> None:
    billed.configure(credit_of_another_entity="book_unapplied")

    billed.load_and_settle(of_another_entity())

    memo = billed.assert_memo_exported(("0.00", "121.00"))
    assert memo["subsidiary_id"] == AMERICAN
    assert rillet_invoice(billed)["amount_due"]["amount"] == "121.00"
    assert (
        f"Not applied to {ORIGINAL}, which Rillet has in the books of another subsidiary."
        in (billed.memo_record()["warnings"])
    )


def test_of_several_invoices_only_those_of_the_own_entity_are_credited(billed: Connected) -> None:
    billed.configure(credit_of_another_entity="book_unapplied")
    billed.load_and_settle(original(SECOND, billing_entity_id=AMERICAN_ENTITY))

    billed.load_and_settle(one_off({"id": SECOND}, {"id": ORIGINAL}))

    memo = billed.assert_memo_exported()
    assert memo["subsidiary_id"] == DUTCH
    assert applied(memo) == {rillet_invoice(billed)["id"]: "121.00"}


def test_two_billing_entities_of_one_subsidiary_are_one_legal_entity(billed: Connected) -> None:
    for field in billed.platform.records["billing-entities"][AMERICAN_ENTITY]["custom_fields"]:
        field["value"] = DUTCH

    billed.load_and_settle(of_another_entity())

    billed.assert_memo_exported()
