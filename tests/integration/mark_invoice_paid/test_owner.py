"""A payment state that Solvimon has of its own is never lowered, and more paid than was due is stated."""

import pytest

from local.system import LocalSystem
from tests.integration.mark_invoice_paid.support import OPEN, PAID, PARTLY, Invoice, connected, exported
from tests.support.arrange import configure
from tests.support.builders import ORIGINAL

UPDATES = {
    "the payout net of fees": lambda invoice: invoice.pay("117.80"),
    "a mistaken payment that is deleted": lambda invoice: invoice.change_payment(invoice.pay()["id"]),
    "one that bounces": lambda invoice: invoice.change_payment(invoice.pay()["id"], "fail_payment"),
    "nothing but an edit": lambda invoice: invoice.edit(memo="Checked."),
}


@pytest.mark.parametrize("rillet_has", UPDATES)
def test_a_state_that_solvimon_set_itself_is_never_lowered(invoice: Invoice, rillet_has: str) -> None:
    invoice.platform.collect(ORIGINAL)

    UPDATES[rillet_has](invoice)
    asked = invoice.mark()

    assert invoice.state == PAID
    assert invoice.patches == []
    assert asked["outcome"] == "unchanged"
    assert invoice.record()["owner"] == "solvimon"
    invoice.no_trouble()


def test_the_result_says_what_is_due_in_rillet_why_and_what_is_safe(invoice: Invoice) -> None:
    invoice.platform.collect(ORIGINAL)
    invoice.pay("117.80")

    dry, done = invoice.mark(dry_run=True), invoice.mark()

    assert dry["outcome"] == done["outcome"] == "unchanged"
    [note] = done["warnings"]
    assert dry["warnings"] == [note] == invoice.record()["warnings"]
    assert "Solvimon says PAID of its own, and keeps it; in Rillet 3.20 EUR are due." in note
    assert "117.80 EUR: most likely the payout, less the fee" in note
    assert "book the fee in Rillet" in note


def test_a_mark_that_a_person_set_in_solvimon_is_not_lowered_either(invoice: Invoice) -> None:
    invoice.platform.charge(ORIGINAL)  # sets ``paid`` alone
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
    invoice.platform.collect(ORIGINAL, collected, result=result, method="DIRECT_DEBIT")
    invoice.platform.records["invoices"][ORIGINAL] |= {"paid": True, "payment_status": "PAID"}

    invoice.change_payment(payment["id"])

    assert invoice.state == left


def test_a_record_without_an_owner_counts_as_ours_unless_solvimon_collected(invoice: Invoice) -> None:
    payment = invoice.pay()
    invoice.system.aws.dynamodb.update_item(
        TableName=invoice.system.deployment.outputs["LedgerTableName"],
        Key={"pk": {"S": "default#payment#invo_original"}, "sk": {"S": "RECORD"}},
        UpdateExpression="REMOVE #owner, written",
        ExpressionAttributeNames={"#owner": "owner"},
    )

    invoice.change_payment(payment["id"])

    assert invoice.state == OPEN


def test_a_higher_state_is_written_whoever_set_the_lower_one(invoice: Invoice) -> None:
    invoice.platform.collect(ORIGINAL, "21.00")
    before = invoice.state

    invoice.pay()

    assert (before, invoice.state) == (PARTLY, PAID)
    assert invoice.record()["owner"] == "rillet"


@pytest.fixture
def recording(system: LocalSystem) -> Invoice:
    """An invoice of a connection that records each payment."""
    return exported(system, connected(system, payments="record_each"))


def test_a_payout_is_not_recorded_beside_the_payment_that_solvimon_took(recording: Invoice) -> None:
    taken = recording.platform.collect(ORIGINAL)

    recording.pay("117.80")

    assert [payment["id"] for payment in recording.recorded] == [taken["id"]]
    assert recording.record()["warnings"][-1] == (
        "Rillet's payments (1) are not recorded in Solvimon, which took the money itself."
    )


def test_a_payment_in_another_currency_counts_and_is_not_recorded_with_a_warning(recording: Invoice) -> None:
    recording.organisation.pay_in(recording.rillet_id, "140.00", "USD", covers="121.00")
    recording.settle()

    assert recording.state == PAID
    assert recording.recorded == []
    assert (
        "140.00 USD is not recorded in Solvimon: the invoice is in EUR." in recording.record()["warnings"][0]
    )
    recording.no_trouble()


def test_a_switched_setting_does_not_make_solvimons_payments_ours(invoice: Invoice) -> None:
    invoice.platform.collect(ORIGINAL)
    configure(invoice.system, invoice.connection, payments="record_each")

    invoice.change_payment(invoice.pay()["id"])

    assert invoice.state == PAID
    assert [payment["result"] for payment in invoice.recorded] == ["AUTHORIZED"]


EXCESS = (
    "379.00 EUR more was paid or credited in Rillet than was due. The invoice counts as paid; match the "
    "excess in Rillet (Match & Adjust), or refund it."
)
OVERPAID_IN_SOLVIMON = {"paid": True, "payment_status": "OVERPAID"}


@pytest.fixture
def overpayable(invoice: Invoice) -> Invoice:
    """An invoice of 121.00 for which Rillet accepts more."""
    invoice.organisation.switches.set(overpayment="accept")
    return invoice


@pytest.fixture
def overpaid(overpayable: Invoice) -> Invoice:
    """The same, paid with 500.00 in Rillet."""
    overpayable.pay("500.00", deliver=False)
    return overpayable


def test_more_paid_in_rillet_than_was_due_is_paid_with_the_excess_in_the_record(overpaid: Invoice) -> None:
    overpaid.settle()

    assert overpaid.state == PAID
    assert overpaid.record()["warnings"] == [EXCESS]


def test_a_request_and_its_dry_run_say_the_excess(overpaid: Invoice) -> None:
    would, did = overpaid.mark(dry_run=True), overpaid.mark()

    assert would["warnings"] == did["warnings"] == [EXCESS]
    assert (would["outcome"], did["outcome"], did["amount_due"]) == ("would_mark", "marked", "-379")


def test_the_excess_is_not_said_any_more_once_it_is_gone(overpayable: Invoice) -> None:
    excess = overpayable.pay("379.00", deliver=False)
    overpayable.pay("121.00")

    overpayable.change_payment(excess["id"])

    assert overpayable.state == PAID
    assert overpayable.record()["warnings"] == []


def test_more_paid_in_solvimon_than_was_due_is_not_lowered_by_rillets_paid(invoice: Invoice) -> None:
    invoice.platform.records["invoices"][ORIGINAL] |= OVERPAID_IN_SOLVIMON

    invoice.pay()

    assert invoice.state == (True, "OVERPAID")
    assert invoice.patches == []
    assert invoice.record()["warnings"] == [
        "Solvimon itself says that more was paid than was due; its OVERPAID stays."
    ]


def test_a_request_leaves_solvimons_overpaid_too(overpaid: Invoice) -> None:
    overpaid.platform.records["invoices"][ORIGINAL] |= OVERPAID_IN_SOLVIMON

    would, did = overpaid.mark(dry_run=True), overpaid.mark()

    assert (would["outcome"], did["outcome"]) == ("unchanged", "unchanged")
    assert overpaid.state == (True, "OVERPAID")
    assert len(did["warnings"]) == 2
