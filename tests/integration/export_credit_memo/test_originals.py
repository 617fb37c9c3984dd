"""What a credit note credits: one invoice, several, none; in Rillet already, later, or never."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import Ledger
from tests.integration.export_credit_memo.support import (
    NOTE,
    ORIGINAL,
    SECOND,
    Json,
    application_calls,
    applied,
    credit,
    credit_note,
    load,
    memo_calls,
    memos,
    one_off,
    original,
    record,
    rillet_invoice,
    settled,
)
from tests.integration.export_invoice.support import configure, die, export, until
from tests.integration.export_invoice.support import record as invoice_record
from tests.support.builders import amount

HOUR = 3600


def linked(invoice_id: str, quantity: str | None = None) -> Json:
    """An invoice that a note is linked to, with how much of the note is for it."""
    return {"id": invoice_id} | ({"amount": amount(quantity)} if quantity else {})


def test_a_one_off_credit_of_several_invoices_is_applied_to_all_of_them_in_one_call(
    system: LocalSystem, default: Connection
) -> None:
    note = one_off(linked(ORIGINAL, "-121.00"), linked(SECOND, "-60.50"), net="-150.00", tax="-31.50")
    load(default, original(), original(SECOND), note)

    system.settle()

    memo = settled(system, default, ("181.50", "0.00"))
    assert len(application_calls(system)) == 1
    assert applied(memo) == {
        rillet_invoice(default)["id"]: "121.00",
        rillet_invoice(default, SECOND)["id"]: "60.50",
    }


def test_invoices_without_amounts_are_served_in_the_notes_order(
    system: LocalSystem, default: Connection
) -> None:
    note = one_off(net="-150.00", tax="-31.50", linked_invoices_ids=[SECOND, ORIGINAL, SECOND])
    load(default, original(), original(SECOND), note)

    system.settle()

    memo = settled(system, default, ("181.50", "0.00"))
    assert list(applied(memo).items()) == [
        (rillet_invoice(default, SECOND)["id"], "121.00"),
        (rillet_invoice(default)["id"], "60.50"),
    ]


def test_a_one_off_credit_with_one_original_is_applied_to_it(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), one_off(linked(ORIGINAL), net="-10.00", tax="-2.10"))

    system.settle()

    memo = settled(system, default, ("12.10", "0.00"))
    assert applied(memo) == {rillet_invoice(default)["id"]: "12.10"}


def test_a_one_off_credit_of_no_invoice_stays_unapplied_with_a_note(
    system: LocalSystem, default: Connection
) -> None:
    load(default, one_off())

    system.settle()

    memo = settled(system, default, ("0.00", "121.00"))
    assert memo["status"] == "UNAPPLIED"
    assert application_calls(system) == []
    assert record(system)["warnings"] == ["The credit note names no invoice; the memo is not applied."]


def test_what_one_of_several_cannot_take_goes_nowhere_else_than_solvimon_says(
    system: LocalSystem, default: Connection
) -> None:
    note = one_off(linked(ORIGINAL, "-60.50"), linked(SECOND, "-60.50"))
    load(default, original(), original(SECOND, "10.00", "2.10"), note)

    system.settle()

    memo = settled(system, default, ("72.60", "48.40"))
    assert sorted(applied(memo).values()) == ["12.10", "60.50"]
    assert record(system)["warnings"] == ["48.40 EUR stay open on the memo: no more is open on invo_second."]


def test_a_note_of_which_solvimon_says_less_for_its_invoices_keeps_the_rest_open_and_says_so(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), one_off(linked(ORIGINAL, "-60.50")))

    system.settle()

    settled(system, default, ("60.50", "60.50"))
    assert record(system)["warnings"] == [
        "60.50 EUR stay open on the memo: Solvimon credits no more to its invoices."
    ]


def test_a_note_of_two_invoices_of_which_one_cannot_take_it_says_both_causes(
    system: LocalSystem, default: Connection
) -> None:
    note = one_off(linked(ORIGINAL), linked(SECOND), net="-150.00", tax="-31.50")
    load(default, original(), original(SECOND, currency="USD"), note)

    system.settle()

    settled(system, default, ("121.00", "60.50"))
    assert record(system)["warnings"] == [
        "Not applied to invo_second: it is in USD, not EUR.",
        "60.50 EUR stay open on the memo: no more is open on invo_original.",
    ]


@pytest.mark.parametrize("hours", [0, 25])
@pytest.mark.parametrize("dies_at", ["apply", "finish"])
def test_a_set_of_several_is_the_same_after_a_crash(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch, hours: int, dies_at: str
) -> None:
    load(default, original(), original(SECOND))
    system.settle()
    for each, paid in ((ORIGINAL, "61.00"), (SECOND, "21.00")):
        default.organisation.pay(rillet_invoice(default, each)["id"], paid)
    load(default, one_off(linked(ORIGINAL), linked(SECOND)))
    if dies_at == "apply":
        system.rillet.state.misbehave("commit_then_drop", path="/credit-memos/")
        system.settle()
    else:
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "finish", die)
            system.settle()
    system.advance(hours * HOUR)

    until(system, lambda: record(system)["state"] not in {"claimed", "sending"})

    memo = settled(system, default)
    assert applied(memo) == {
        rillet_invoice(default)["id"]: "60.00",
        rillet_invoice(default, SECOND)["id"]: "61.00",
    }


def test_an_original_that_is_not_in_rillet_yet_is_exported_first(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), credit_note())

    [result] = credit(system)

    assert result["outcome"] == "exported"
    writes = [c.path for c in system.rillet.state.calls if c.method == "POST"]
    assert writes == ["/invoices", "/credit-memos", f"/credit-memos/{result['rillet_id']}/applications"]
    assert invoice_record(system, ORIGINAL)["state"] == "exported"
    system.settle()
    settled(system, default)
    rillet_invoice(default)


def test_an_original_whose_answer_was_lost_is_waited_for(system: LocalSystem, default: Connection) -> None:
    system.rillet.state.misbehave("commit_then_drop", path="/invoices")
    load(default, original(), credit_note())

    [result] = credit(system)
    until(system, lambda: record(system)["state"] == "exported")

    assert result["outcome"] == "queued"
    settled(system, default)
    rillet_invoice(default)


def test_an_original_that_another_worker_has_is_waited_for(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(default, original(), credit_note())
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record_attempt", die)
        system.pollers.errors.clear()
        system.deliver_webhooks()
        system.deliver("export_invoice")

    [result] = credit(system)
    until(system, lambda: record(system)["state"] == "exported")

    assert result["outcome"] == "queued"
    assert memo_calls(system)
    settled(system, default)


def test_an_original_from_before_the_start_date_gives_a_memo_without_application(
    system: LocalSystem, default: Connection
) -> None:
    configure(system, default, start_date="2026-02-01")
    load(default, original(), credit_note())

    system.settle()

    settled(system, default, ("0.00", "121.00"))
    assert default.organisation.invoices.documents() == []
    assert application_calls(system) == []
    said = record(system)["warnings"]
    assert said[0] == (
        "Not applied to invo_original, which is not in Rillet: The invoice is dated 2026-01-31, before the "
        "connection's start_date 2026-02-01."
    )
    assert said[1] == "121.00 EUR stay open on the memo: it could not be applied to invo_original."


def test_an_original_that_is_skipped_for_another_reason_is_named_with_it(
    system: LocalSystem, default: Connection
) -> None:
    configure(system, default, workflows={"export_invoice": False})
    load(default, original(), credit_note())

    [result] = credit(system)

    assert result["outcome"] == "exported"
    assert "export_invoice is switched off" in result["warnings"][0]


def test_a_rejected_original_stops_the_note_with_both_remedies_and_a_retry_works(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(invoice_amount_including_tax=amount("999.00")), credit_note())

    [stopped] = credit(system)
    default.platform.records["invoices"][ORIGINAL]["invoice_amount_including_tax"] = amount("121.00")
    [retried] = credit(system)

    assert (stopped["outcome"], stopped["code"]) == ("rejected", "original_not_exported")
    assert stopped["message"].startswith("It credits invo_original, which is rejected itself: ")
    assert "999 EUR" in stopped["message"]
    assert "Compare the invoice with its PDF in Solvimon" in stopped["remedy"]
    assert stopped["remedy"].endswith("Retry the invoice, and this credit note after it.")
    assert retried["outcome"] == "exported"
    settled(system, default)


def test_a_rejected_original_that_was_retried_by_itself_is_found(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(invoice_amount_including_tax=amount("999.00")), credit_note())
    system.settle()
    default.platform.records["invoices"][ORIGINAL]["invoice_amount_including_tax"] = amount("121.00")

    export(system, ORIGINAL)
    credit(system)

    settled(system, default)


def test_an_original_that_solvimon_does_not_have_stops_the_note(
    system: LocalSystem, default: Connection
) -> None:
    load(default, credit_note(of="invo_nowhere"))

    [result] = credit(system)

    assert (result["outcome"], result["code"]) == ("rejected", "original_not_exported")
    assert "invo_nowhere" in result["message"]
    assert memos(default) == []


def test_an_original_that_is_gone_from_rillet_leaves_the_memo_unapplied_and_says_so(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original())
    system.settle()
    default.organisation.delete_invoice(rillet_invoice(default)["id"])
    load(default, credit_note())

    system.settle()

    settled(system, default, ("0.00", "121.00"))
    assert record(system)["warnings"] == [
        "Not applied to invo_original, which is not in Rillet any more.",
        "121.00 EUR stay open on the memo: it could not be applied to invo_original.",
    ]


def test_a_note_and_its_original_in_different_currencies_give_an_unapplied_memo_that_says_so(
    system: LocalSystem, default: Connection
) -> None:
    load(default, original(), credit_note(currency="USD"))

    system.settle()

    settled(system, default, ("0.00", "121.00"))
    assert record(system)["warnings"] == [
        "Not applied to invo_original: it is in EUR, not USD.",
        "121.00 USD stay open on the memo: it could not be applied to invo_original.",
    ]
    assert rillet_invoice(default)["amount_due"]["amount"] == "121.00"
    assert record(system, NOTE)["totals"]["currency"] == "USD"
