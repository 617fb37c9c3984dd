"""What a credit note credits: one invoice, several, none; in Rillet already, later, or never."""

from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest

from solvimon_rillet.ledger.ledger import Ledger
from tests.support.arrange import HOUR, load, patched, solvimon_invoice, until
from tests.support.assertions import application_posts, applied, memo_posts, memos, rillet_invoice
from tests.support.assertions import record as invoice_record
from tests.support.builders import NOTE, ORIGINAL, SECOND, Json, amount, credit_note, one_off, original
from tests.support.connected import Connected

NOT_APPLIED = "121.00 EUR stay open on the memo: it could not be applied to invo_original."


def linked(invoice_id: str, quantity: str | None = None) -> Json:
    """An invoice that a note is linked to, with how much of the note is for it."""
    return {"id": invoice_id} | ({"amount": amount(quantity)} if quantity else {})


@dataclass(frozen=True)
class OneOff:
    """A one-off credit note, the second invoice, and what becomes of the memo.

    Attributes:
        note: the credit note.
        amounts: what is applied of the memo, and what remains.
        applied: to which Solvimon invoice how much, in this order.
        warnings: in the ledger.
        second: the second invoice.
    """

    note: Json
    amounts: tuple[str, str]
    applied: dict[str, str]
    warnings: tuple[str, ...] = ()
    second: Json = field(default_factory=lambda: original(SECOND))


MORE = {"net": "-150.00", "tax": "-31.50"}
ONE_OFFS = {
    "several invoices with amounts of their own": OneOff(
        one_off(linked(ORIGINAL, "-121.00"), linked(SECOND, "-60.50"), **MORE),
        ("181.50", "0.00"),
        {ORIGINAL: "121.00", SECOND: "60.50"},
    ),
    "invoices without amounts, in the note's order": OneOff(
        one_off(**MORE, linked_invoices_ids=[SECOND, ORIGINAL, SECOND]),
        ("181.50", "0.00"),
        {SECOND: "121.00", ORIGINAL: "60.50"},
    ),
    "one invoice": OneOff(
        one_off(linked(ORIGINAL), net="-10.00", tax="-2.10"), ("12.10", "0.00"), {ORIGINAL: "12.10"}
    ),
    "one of two that is smaller than its amount": OneOff(
        one_off(linked(ORIGINAL, "-60.50"), linked(SECOND, "-60.50")),
        ("72.60", "48.40"),
        {ORIGINAL: "60.50", SECOND: "12.10"},
        ("48.40 EUR stay open on the memo: no more is open on invo_second.",),
        original(SECOND, "10.00", "2.10"),
    ),
    "less for its invoices than the note": OneOff(
        one_off(linked(ORIGINAL, "-60.50")),
        ("60.50", "60.50"),
        {ORIGINAL: "60.50"},
        ("60.50 EUR stay open on the memo: Solvimon credits no more to its invoices.",),
    ),
    "two invoices of which one is in another currency": OneOff(
        one_off(linked(ORIGINAL), linked(SECOND), **MORE),
        ("121.00", "60.50"),
        {ORIGINAL: "121.00"},
        (
            "Not applied to invo_second: it is in USD, not EUR.",
            "60.50 EUR stay open on the memo: no more is open on invo_original.",
        ),
        original(SECOND, currency="USD"),
    ),
}


@pytest.mark.parametrize("name", ONE_OFFS)
def test_a_one_off_credit_is_applied_in_one_call_to_its_invoices_as_solvimon_states(
    default: Connected, name: str
) -> None:
    case = ONE_OFFS[name]

    default.load_and_settle(original(), case.second, case.note)

    memo = default.assert_memo_exported(case.amounts)
    assert len(application_posts(default.system)) == 1
    expected = {rillet_invoice(default, each)["id"]: taken for each, taken in case.applied.items()}
    assert list(applied(memo).items()) == list(expected.items())
    assert default.memo_record()["warnings"] == list(case.warnings)


def test_a_one_off_credit_of_no_invoice_stays_unapplied_with_a_warning(default: Connected) -> None:
    default.load_and_settle(one_off())

    memo = default.assert_memo_exported(("0.00", "121.00"))
    assert memo["status"] == "UNAPPLIED"
    assert application_posts(default.system) == []
    assert default.memo_record()["warnings"] == ["The credit note names no invoice; the memo is not applied."]


@pytest.mark.parametrize("hours", [0, 25])
@pytest.mark.parametrize("dies_at", ["apply", "finish"])
def test_a_set_of_several_is_the_same_after_a_crash(default: Connected, hours: int, dies_at: str) -> None:
    default.load_and_settle(original(), original(SECOND))
    for each, paid in ((ORIGINAL, "61.00"), (SECOND, "21.00")):
        default.organisation.pay(rillet_invoice(default, each)["id"], paid)
    load(default, one_off(linked(ORIGINAL), linked(SECOND)))
    if dies_at == "apply":
        default.system.rillet.state.misbehave("commit_then_drop", path="/credit-memos/")
    with patched(Ledger, "finish") if dies_at == "finish" else nullcontext():
        default.settle()
    default.system.advance(hours * HOUR)

    default.until_finished(NOTE, "credit_memo")

    memo = default.assert_memo_exported()
    assert applied(memo) == {
        rillet_invoice(default)["id"]: "60.00",
        rillet_invoice(default, SECOND)["id"]: "61.00",
    }


def test_an_original_that_is_not_in_rillet_yet_is_exported_first(default: Connected) -> None:
    load(default, original(), credit_note())

    [result] = default.credit()

    assert result["outcome"] == "exported"
    writes = [c.path for c in default.system.rillet.state.calls if c.method == "POST"]
    assert writes == ["/invoices", "/credit-memos", f"/credit-memos/{result['rillet_id']}/applications"]
    assert invoice_record(default.system, ORIGINAL)["state"] == "exported"
    default.settle()
    default.assert_memo_exported()
    rillet_invoice(default)


def test_an_original_whose_answer_was_lost_is_waited_for(default: Connected) -> None:
    default.system.rillet.state.misbehave("commit_then_drop", path="/invoices")
    load(default, original(), credit_note())

    [result] = default.credit()
    until(default.system, lambda: default.memo_record()["state"] == "exported")

    assert result["outcome"] == "queued"
    default.assert_memo_exported()
    rillet_invoice(default)


def test_an_original_that_another_worker_has_is_waited_for(default: Connected) -> None:
    load(default, original(), credit_note())
    with patched(Ledger, "record_attempt"):
        default.system.pollers.errors.clear()
        default.system.deliver_webhooks()
        default.system.deliver("export_invoice")

    [result] = default.credit()
    until(default.system, lambda: default.memo_record()["state"] == "exported")

    assert result["outcome"] == "queued"
    assert memo_posts(default.system)
    default.assert_memo_exported()


def test_an_original_from_before_the_start_date_gives_a_memo_without_application(default: Connected) -> None:
    default.configure(start_date="2026-02-01")

    default.load_and_settle(original(), credit_note())

    default.assert_memo_exported(("0.00", "121.00"))
    assert default.organisation.invoices.documents() == []
    assert application_posts(default.system) == []
    assert default.memo_record()["warnings"][:2] == [
        "Not applied to invo_original, which is not in Rillet: The invoice is dated 2026-01-31, before the "
        "connection's start_date 2026-02-01.",
        NOT_APPLIED,
    ]


def test_an_original_that_is_skipped_for_another_reason_is_named_with_it(default: Connected) -> None:
    default.configure(workflows={"export_invoice": False})
    load(default, original(), credit_note())

    [result] = default.credit()

    assert result["outcome"] == "exported"
    assert "export_invoice is switched off" in result["warnings"][0]


@pytest.mark.parametrize("original_first", [False, True])
def test_a_rejected_original_stops_the_note_with_both_remedies_and_a_retry_works(
    default: Connected, original_first: bool
) -> None:
    load(default, original(invoice_amount_including_tax=amount("999.00")), credit_note())

    [stopped] = default.credit()
    solvimon_invoice(default, ORIGINAL)["invoice_amount_including_tax"] = amount("121.00")
    if original_first:
        default.export(ORIGINAL)
    [retried] = default.credit()

    assert (stopped["outcome"], stopped["code"]) == ("rejected", "original_not_exported")
    assert stopped["message"].startswith("It credits invo_original, which is rejected itself: ")
    assert "999 EUR" in stopped["message"]
    assert "Compare the invoice with its PDF in Solvimon" in stopped["remedy"]
    assert stopped["remedy"].endswith("Retry the invoice, and this credit note after it.")
    assert retried["outcome"] == "exported"
    default.assert_memo_exported()


def test_an_original_that_solvimon_does_not_have_stops_the_note(default: Connected) -> None:
    load(default, credit_note(of="invo_nowhere"))

    [result] = default.credit()

    assert (result["outcome"], result["code"]) == ("rejected", "original_not_exported")
    assert "invo_nowhere" in result["message"]
    assert memos(default) == []


def test_an_original_that_is_gone_from_rillet_leaves_the_memo_unapplied_with_a_warning(
    billed: Connected,
) -> None:
    billed.organisation.delete_invoice(rillet_invoice(billed)["id"])

    billed.load_and_settle(credit_note())

    billed.assert_memo_exported(("0.00", "121.00"))
    assert billed.memo_record()["warnings"] == [
        "Not applied to invo_original, which is not in Rillet any more.",
        NOT_APPLIED,
    ]


def test_a_note_and_its_original_in_different_currencies_give_an_unapplied_memo_with_a_warning(
    default: Connected,
) -> None:
    default.load_and_settle(original(), credit_note(currency="USD"))

    default.assert_memo_exported(("0.00", "121.00"))
    assert default.memo_record()["warnings"] == [
        "Not applied to invo_original: it is in EUR, not USD.",
        NOT_APPLIED.replace("EUR", "USD"),
    ]
    assert rillet_invoice(default)["amount_due"]["amount"] == "121.00"
    assert default.memo_record()["totals"]["currency"] == "USD"
