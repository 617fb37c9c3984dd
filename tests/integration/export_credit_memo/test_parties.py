"""A memo is booked under the customer and in the subsidiary of the invoice that it credits."""

import pytest

from local import sample_data
from local.sample_data.identity import rillet_id, solvimon_id
from local.system import Connection, LocalSystem
from tests.support.arrange import configure, credit, edit, load
from tests.support.assertions import (
    applied,
    assert_memo_exported,
    invoice_reads,
    memo_record,
    memos,
    record,
    rillet_invoice,
)
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

DUTCH, AMERICAN = (sample_data.rillet_id("subsidiary", name) for name in ("tideway-nl", "tideway-us"))
DUTCH_ENTITY, AMERICAN_ENTITY = (solvimon_id("bile", name) for name in ("tideway-nl", "tideway-us"))
OTHER_CUSTOMER = rillet_id("customer", "hansekontor")


def link_customer(system: LocalSystem, connection: Connection, rillet_customer: str) -> None:
    """Correct the link of the demo's customer in Solvimon."""
    fields = connection.platform.records["customers"][DEMO_CUSTOMER]["custom_fields"]
    kept = [field for field in fields if field.get("reference") != "rillet_customer_id"]
    edit(
        connection,
        custom_fields=[*kept, {"reference": "rillet_customer_id", "value": rillet_customer}],
    )
    system.settle()


def older_record(system: LocalSystem) -> None:
    """Take what earlier versions did not record off the invoice's record."""
    system.aws.dynamodb.update_item(
        TableName=system.deployment.outputs["LedgerTableName"],
        Key={"pk": {"S": f"default#invoice#{ORIGINAL}"}, "sk": {"S": "RECORD"}},
        UpdateExpression="REMOVE customer_id, subsidiary_id, billing_entity_id, booked_on, months",
    )


@pytest.mark.parametrize("older", [False, True])
def test_a_memo_follows_the_customer_of_the_invoice_that_it_credits(
    system: LocalSystem, billed: Connection, older: bool
) -> None:
    billed.organisation.customers.get(OTHER_CUSTOMER)
    billed.platform.records["customers"].pop(solvimon_id("cust", "hansekontor"))
    link_customer(system, billed, OTHER_CUSTOMER)
    if older:
        older_record(system)
    load(billed, credit_note())

    system.settle()

    memo = assert_memo_exported(system, billed)
    assert memo["customer_id"] == DEMO_CUSTOMER_IN_RILLET
    assert record(system, ORIGINAL)["customer_id"] == DEMO_CUSTOMER_IN_RILLET


def test_a_credit_without_an_original_follows_the_new_link(system: LocalSystem, billed: Connection) -> None:
    billed.platform.records["customers"].pop(solvimon_id("cust", "hansekontor"))
    link_customer(system, billed, OTHER_CUSTOMER)
    load(billed, one_off())

    system.settle()

    [memo] = memos(billed)
    assert memo["customer_id"] == OTHER_CUSTOMER


def test_a_memo_follows_the_subsidiary_of_the_invoice_whose_entity_was_linked_again(
    system: LocalSystem, billed: Connection
) -> None:
    configure(system, billed, subsidiaries={AMERICAN: DUTCH_ENTITY})
    load(billed, credit_note())

    system.settle()

    assert assert_memo_exported(system, billed)["subsidiary_id"] == DUTCH


def test_a_memo_follows_an_invoice_that_a_person_moved_to_another_customer(
    system: LocalSystem, billed: Connection
) -> None:
    invoice = rillet_invoice(billed)
    billed.organisation.edit_invoice(invoice["id"], customer_id=OTHER_CUSTOMER)
    system.invoke("mark_invoice_paid", {"invoice_ids": [ORIGINAL]})
    load(billed, credit_note())

    system.settle()

    assert assert_memo_exported(system, billed)["customer_id"] == OTHER_CUSTOMER


def test_a_memo_costs_no_further_read_of_rillet(system: LocalSystem, billed: Connection) -> None:
    before = invoice_reads(system)
    load(billed, credit_note())

    system.settle()

    assert_memo_exported(system, billed)
    assert invoice_reads(system) == before


def of_another_entity() -> Json:
    return credit_note(NOTE, billing_entity_id=AMERICAN_ENTITY)


@pytest.mark.parametrize("older", [False, True])
def test_a_credit_note_of_another_billing_entity_is_refused_with_the_remedy(
    system: LocalSystem, billed: Connection, older: bool
) -> None:
    if older:
        older_record(system)
    load(billed, of_another_entity())

    system.settle()

    assert memos(billed) == []
    kept = memo_record(system)
    assert (kept["state"], kept["code"]) == ("rejected", "credit_of_another_entity")
    assert ORIGINAL in kept["message"]
    assert "under its own billing entity" in kept["remedy"]
    assert credit(system, dry_run=True)[0]["code"] == "credit_of_another_entity"


def test_the_setting_books_it_in_its_own_subsidiary_and_applies_it_to_nothing(
    system: LocalSystem, billed: Connection
) -> None:
    configure(system, billed, credit_of_another_entity="book_unapplied")
    load(billed, of_another_entity())

    system.settle()

    memo = assert_memo_exported(system, billed, ("0.00", "121.00"))
    assert memo["subsidiary_id"] == AMERICAN
    assert rillet_invoice(billed)["amount_due"]["amount"] == "121.00"
    assert (
        f"Not applied to {ORIGINAL}, which Rillet has in the books of another subsidiary."
        in (memo_record(system)["warnings"])
    )


def test_of_several_invoices_only_those_of_the_own_entity_are_credited(
    system: LocalSystem, billed: Connection
) -> None:
    configure(system, billed, credit_of_another_entity="book_unapplied")
    load(billed, original(SECOND, billing_entity_id=AMERICAN_ENTITY))
    system.settle()
    load(billed, one_off({"id": SECOND}, {"id": ORIGINAL}))

    system.settle()

    memo = assert_memo_exported(system, billed)
    assert memo["subsidiary_id"] == DUTCH
    assert applied(memo) == {rillet_invoice(billed)["id"]: "121.00"}


def test_two_billing_entities_of_one_subsidiary_are_one_legal_entity(
    system: LocalSystem, billed: Connection
) -> None:
    for field in billed.platform.records["billing-entities"][AMERICAN_ENTITY]["custom_fields"]:
        field["value"] = DUTCH
    load(billed, of_another_entity())

    system.settle()

    assert_memo_exported(system, billed)
