"""The part of the demo with credit notes, and what the auditor finds in credit memos."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from local import sample_data
from local.demo.context import Context, Section
from local.demo.sections import credit_notes
from local.system import LocalSystem
from solvimon_rillet.rillet.client import RilletClient
from tests.integration.demo.support import exported, figures, in_one_line, run_demo

pytestmark = pytest.mark.slow

Json = dict[str, Any]
Plant = Callable[[Context, Json], None]

CREDITED = exported(*sample_data.credits_to_expect(), *credit_notes.GOODWILL_FOR)
CREDIT_NOTE = "CRE-"


def one_credit(then: Plant) -> Section:
    """A section in which one credit note, of 450.00 USD net, arrives; then something happens to its memo."""

    def credit(context: Context) -> dict[str, int | str]:
        context.connection.platform.credit(sample_data.invoice_id("long-note"), "450.00")
        context.deliver_webhooks()
        context.until(context.settled, "The export")
        context.deliver_rillet_webhooks()
        [record] = context.connection.organisation.credit_memos
        then(context, record.document)
        return {}

    return Section("Something goes wrong", credit)


def nothing(_: Context, memo: Json) -> None:
    assert memo["status"] == "APPLIED"


def a_cent_less(context: Context, memo: Json) -> None:
    context.connection.organisation.edit_credit_memo(memo["id"], amount_by="-0.01")


def test_every_credit_note_is_a_memo_once_and_takes_its_amount_off_what_it_credits(
    system: LocalSystem,
) -> None:
    code, screen = run_demo(system, CREDITED, credit_notes.SECTION)

    assert code == 0, screen
    found, expected = figures(screen), sample_data.credits_to_expect()
    assert found["credit_memos"] == len(expected) + 1
    assert (found["invoices"], found["exported"]) == (7, 7)  # the notes are none
    assert (found["duplicates"], found["difference"]) == (0, "0.00")
    for credit in expected.values():
        amounts = [f"{Decimal(str(credit[name])):,}" for name in ("net", "tax", "gross")]
        lines = [line.split() for line in screen.splitlines() if line.startswith(CREDIT_NOTE)]
        both = [line for line in lines if line[-5:-1] == [*amounts, credit["currency"]]]
        assert len(both) == 2, f"{amounts} is not there for both sides"
    rows = [line.split()[-5:] for line in screen.splitlines() if line.startswith(CREDIT_NOTE)]
    whole, part = ["1,557.88", "EUR", "1,557.88", "0.00"], ["1,200.00", "EUR", "14,400.00", "13,200.00"]
    assert [row[1:] for row in rows if row[1:] in (whole, part)] == [whole, part]
    several = [row[1:] for row in rows[-2:]]
    assert several == [["598.95", "EUR", "598.95", "0.00"], ["187.55", "EUR", "1,633.50", "1,445.95"]]
    assert "A credit is no payment" in screen
    assert "Credit notes  In Rillet" in screen


def test_a_memo_that_is_never_applied_makes_the_demo_fail(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RilletClient, "apply_credit_memo", lambda *_: None)

    code, screen = run_demo(system, CREDITED, credit_notes.SECTION)

    assert code == 1
    assert figures(screen)["credit_memos"] == 0
    assert "NOT RIGHT: Of CRE-" in screen
    assert ", 0 of 1557.88 is applied, and" in in_one_line(screen)


def test_a_credit_that_passes_for_a_payment_makes_the_demo_fail(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Context.deliver_rillet_webhooks

    def deliver(context: Context) -> object:
        platform = context.connection.platform
        invoice = platform.records["invoices"][sample_data.invoice_id("yen")]
        platform.change_invoice(invoice, {"payment_status": "PAID"})
        return original(context)

    monkeypatch.setattr(Context, "deliver_rillet_webhooks", deliver)

    code, screen = run_demo(system, CREDITED, credit_notes.SECTION)

    assert code == 1
    assert "is PAID, paid in Solvimon; 0 was paid and" in in_one_line(screen)


def test_a_memo_that_is_a_cent_off_is_found_and_named(system: LocalSystem) -> None:
    code, screen = run_demo(system, exported("long-note"), one_credit(a_cent_less))

    assert code == 1
    expected = {"invoices": 1, "exported": 1, "duplicates": 0, "difference": "0.01"}
    assert figures(screen).items() >= expected.items()
    assert "NOT RIGHT: CRE-" in screen
    assert "449.99 + 46.58 = 496.57 USD in Rillet's CRE-" in in_one_line(screen)


def test_a_credit_note_that_was_not_on_the_screen_is_shown_with_the_books(system: LocalSystem) -> None:
    code, screen = run_demo(system, exported("long-note"), one_credit(nothing))

    assert code == 0, screen
    books = screen[screen.index("The books") :]
    [solvimon, rillet] = (line for line in books.splitlines() if line.startswith(CREDIT_NOTE))
    assert solvimon.split()[-5:] == ["450.00", "46.58", "496.58", "USD", "exported"]
    assert rillet.split()[-5:] == ["450.00", "46.58", "496.58", "USD", "0.00"]
