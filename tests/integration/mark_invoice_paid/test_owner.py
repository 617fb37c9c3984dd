"""A payment state that Solvimon has of its own is never lowered: we undo only what we set."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import OPEN, PAID, PARTLY, Invoice, connected, exported
from tests.support.arrange import configure

UPDATES = {
    "the payout net of fees": lambda invoice: invoice.pay("117.80"),
    "a mistaken payment that is deleted": lambda invoice: invoice.change_payment(invoice.pay()["id"]),
    "one that bounces": lambda invoice: invoice.change_payment(invoice.pay()["id"], "fail_payment"),
    "nothing but an edit": lambda invoice: invoice.edit(memo="Checked."),
}


@pytest.mark.parametrize("rillet_has", UPDATES)
def test_a_state_that_solvimon_set_itself_is_never_lowered(invoice: Invoice, rillet_has: str) -> None:
    invoice.platform.collect("invo_original")

    UPDATES[rillet_has](invoice)
    asked = invoice.mark()

    assert invoice.state == PAID
    assert invoice.patches == []
    assert asked["outcome"] == "unchanged"
    assert invoice.record()["owner"] == "solvimon"
    invoice.no_trouble()


def test_the_result_says_what_is_due_in_rillet_why_and_what_is_safe(invoice: Invoice) -> None:
    invoice.platform.collect("invo_original")
    invoice.pay("117.80")

    dry, done = invoice.mark(dry_run=True), invoice.mark()

    assert dry["outcome"] == done["outcome"] == "unchanged"
    [note] = done["warnings"]
    assert dry["warnings"] == [note] == invoice.record()["warnings"]
    assert "Solvimon says PAID of its own, and keeps it; in Rillet 3.20 EUR are due." in note
    assert "117.80 EUR: most likely the payout, less the fee" in note
    assert "book the fee in Rillet" in note


def test_a_mark_that_a_person_set_in_solvimon_is_not_lowered_either(invoice: Invoice) -> None:
    invoice.platform.charge("invo_original")  # sets ``paid`` alone
    invoice.pay("20.00")

    assert invoice.state == PAID
    assert invoice.patches == []


def test_what_we_set_is_undone(invoice: Invoice) -> None:
    payment = invoice.pay()
    owner = invoice.record()["owner"]

    invoice.change_payment(payment["id"])

    assert owner == "rillet"
    assert invoice.state == OPEN
    assert invoice.record()["written"] == ["UNPAID"]


@pytest.mark.parametrize(
    ("collected", "result", "left"),
    [("50.00", "AUTHORIZED", PARTLY), ("121.00", "AUTHORIZED", PAID), ("121.00", "PENDING", PAID)],
)
def test_what_we_set_is_undone_down_to_what_solvimon_collected_itself(
    invoice: Invoice, collected: str, result: str, left: tuple[bool, str]
) -> None:
    payment = invoice.pay()
    invoice.platform.collect("invo_original", collected, result=result, method="DIRECT_DEBIT")
    invoice.platform.records["invoices"]["invo_original"] |= {"paid": True, "payment_status": "PAID"}

    invoice.change_payment(payment["id"])

    assert invoice.state == left


def test_a_record_without_an_owner_counts_as_ours_unless_solvimon_collected(
    system: LocalSystem, connection: Connection
) -> None:
    invoice = exported(system, connection)
    payment = invoice.pay()
    table = system.deployment.outputs["LedgerTableName"]
    system.aws.dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": "default#payment#invo_original"}, "sk": {"S": "RECORD"}},
        UpdateExpression="REMOVE #owner, written",
        ExpressionAttributeNames={"#owner": "owner"},
    )

    invoice.change_payment(payment["id"])

    assert invoice.state == OPEN


def test_a_higher_state_is_written_whoever_set_the_lower_one(invoice: Invoice) -> None:
    invoice.platform.collect("invo_original", "21.00")
    before = invoice.state

    invoice.pay()

    assert (before, invoice.state) == (PARTLY, PAID)
    assert invoice.record()["owner"] == "rillet"


def test_a_payout_is_not_recorded_beside_the_payment_that_solvimon_took(system: LocalSystem) -> None:
    invoice = exported(system, connected(system, payments="record_each"))
    taken = invoice.platform.collect("invo_original")

    invoice.pay("117.80")

    assert [payment["id"] for payment in invoice.recorded] == [taken["id"]]
    assert invoice.record()["warnings"][-1] == (
        "Rillet's payments (1) are not recorded in Solvimon, which took the money itself."
    )


def test_a_payment_in_another_currency_counts_and_is_not_recorded_with_a_warning(
    system: LocalSystem,
) -> None:
    invoice = exported(system, connected(system, payments="record_each"))

    invoice.organisation.pay_in(invoice.rillet_id, "140.00", "USD", covers="121.00")
    invoice.settle()

    assert invoice.state == PAID
    assert invoice.recorded == []
    assert "140.00 USD is not recorded in Solvimon: the invoice is in EUR." in invoice.record()["warnings"][0]
    invoice.no_trouble()


def test_a_switched_setting_does_not_make_solvimons_payments_ours(invoice: Invoice) -> None:
    invoice.platform.collect("invo_original")
    configure(invoice.system, invoice.connection, payments="record_each")

    invoice.change_payment(invoice.pay()["id"])

    assert invoice.state == PAID
    assert [payment["result"] for payment in invoice.recorded] == ["AUTHORIZED"]
