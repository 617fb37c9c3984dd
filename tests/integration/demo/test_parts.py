"""The longer parts of the demo: what each of them shows, and that it notices what is wrong."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from local import sample_data
from local.demo import new_customers
from local.demo.context import Context, Json, Section
from local.demo.sections import (
    all_invoices,
    credit_notes,
    customer_edits,
    imports,
    one_invoice,
    payments,
    request_budget,
)
from local.sample_data.identity import rillet_id
from local.system import LocalSystem
from solvimon_rillet.ledger.import_state import ImportState
from solvimon_rillet.mapping.payments import PaymentState
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.payments import rillet_balance
from tests.integration.demo.support import exported, figures, in_one_line, run_demo

pytestmark = pytest.mark.slow

Plant = Callable[[Context, Json], None]

BILLED = exported(payments.FULL, payments.PART, payments.UNDONE)
CREDITED = exported(*sample_data.credits_to_expect(), *credit_notes.GOODWILL_FOR)
CREDIT_NOTE = "CRE-"
PACED = (one_invoice.SECTION, all_invoices.SECTION, request_budget.SECTION)


def test_everything_comes_over_once_and_the_second_time_for_nothing(system: LocalSystem) -> None:
    code, screen = run_demo(system, imports.SECTION, one_invoice.SECTION)

    found = figures(screen)
    assert code == 0, screen
    assert len(new_customers.customers()) == 120
    assert found["customers_imported"] == 116
    assert found["products_imported"] == 4  # with the fallback products
    assert found["subsidiaries_imported"] == 1
    assert (found["proposed"], found["linked"], found["doubled"]) == (4, 4, 0)
    assert "131/131" in screen
    text = in_one_line(screen)
    assert "Anchor Shipping looks like ANCHOR SHIPPING B.V. in Solvimon (same name)." in text
    assert f"Left out: The customer {new_customers.NAMELESS} has no name." in text
    assert "nothing of it went back to Rillet" in text


def test_an_import_that_forgets_what_it_did_is_noticed(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImportState, "imported_rows", lambda *_: {})
    original = system.invoke

    def invoke(function: str, event: Json) -> object:
        answer = original(function, event)
        if function == "import_products":  # somebody makes a second one of the first product
            products = system.connections["default"].platform.records["products"]
            copy = {**next(iter(products.values())), "id": f"prod_{len(products)}"}
            products[copy["id"]] = copy
        return answer

    monkeypatch.setattr(system, "invoke", invoke)

    code, screen = run_demo(system, imports.SECTION)

    assert code == 1
    assert "is in Solvimon twice, among the products." in in_one_line(screen)


def row(screen: str, name: str) -> list[str]:
    """The first row of that name, as words."""
    return next(line.split()[1:] for line in screen.splitlines() if line.startswith(f"{name} "))


def test_edited_customers_arrive_and_keep_what_only_rillet_knows(system: LocalSystem) -> None:
    code, screen = run_demo(system, customer_edits.SECTION)

    assert code == 0, screen
    assert figures(screen)["customers_synced"] == 2
    after = system.connections["default"].organisation.customers.get(rillet_id("customer", "maasvlakte-quay"))
    assert after.document["name"] == after.document["name_on_invoice"] == "Maasvlakte Quay Group N.V."
    assert {"email": "controller@maasvlakte-quay.example", "type": "CC"} in after.document["emails"]
    assert row(screen, "References") == ["7741002", "hubspot_company_id"] * 2
    assert row(screen, "Payment") == ["terms", "14", "14"]
    names = [line.split()[1:] for line in screen.splitlines() if line.startswith("Name  ")]
    assert names[1] == ["Jelle", "de", "Boer-Visser", "Jelle", "de", "Boer", "Jelle", "de", "Boer-Visser"]
    assert "Saved once more without a change: 2 webhooks, 0 calls to Rillet." in screen


def test_a_sync_that_forgets_what_only_rillet_knows_makes_the_demo_fail(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = RilletClient.replace_customer

    def forget(client: RilletClient, customer_id: str, payload: dict[str, Any]) -> object:
        emails = [one for one in payload["emails"] if one["type"] != "CC"]
        return replace(client, customer_id, payload | {"emails": emails})

    monkeypatch.setattr(RilletClient, "replace_customer", forget)

    code, screen = run_demo(system, customer_edits.SECTION)

    assert code == 1
    assert figures(screen)["customers_synced"] == 1
    lost = f"NOT RIGHT: Rillet's customer {rillet_id('customer', 'maasvlakte-quay')} lost its emails"
    assert lost in in_one_line(screen)


def test_an_edit_that_never_arrives_makes_the_demo_fail(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RilletClient, "replace_customer", lambda *_: None)

    code, screen = run_demo(system, customer_edits.SECTION)

    assert code == 1
    assert figures(screen)["customers_synced"] == 0
    assert "NOT RIGHT: Rillet's Jelle de Boer is not what Solvimon says of it." in in_one_line(screen)


def test_payments_mark_the_invoices_and_their_undoing_opens_them(system: LocalSystem) -> None:
    code, screen = run_demo(system, BILLED, payments.SECTION)

    found = figures(screen)
    assert code == 0, screen
    assert (found["paid"], found["partially_paid"], found["reopened"]) == (1, 1, 1)
    marked = [line.split() for line in screen.splitlines() if "paid in " in line or "payment is" in line]
    assert marked[0][-3:] == ["PAID", "UNPAID", "PAID"]
    assert marked[1][-3:] == ["PARTIALLY_PAID", "UNPAID", "PARTIALLY_PAID"]
    assert marked[2][-3:] == ["UNPAID", "PAID", "UNPAID"]
    assert "paid in full: 4,700.37 EUR" in screen
    assert "3,372.87 EUR open" in screen
    assert "Solvimon charged nobody." in in_one_line(screen)


def test_a_deleted_payment_that_leaves_the_invoice_paid_makes_the_demo_fail(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = SolvimonClient.update

    def only_paid(client: SolvimonClient, kind: str, record_id: str, body: dict[str, Any]) -> object:
        return None if body.get("payment_status") == "UNPAID" else change(client, kind, record_id, body)

    monkeypatch.setattr(SolvimonClient, "update", only_paid)

    code, screen = run_demo(system, BILLED, payments.SECTION)

    found = figures(screen)
    assert code == 1
    assert (found["paid"], found["partially_paid"], found["reopened"]) == (2, 1, 0)
    assert "should be UNPAID in Solvimon, and is PAID." in in_one_line(screen)


def test_a_part_that_passes_for_the_whole_makes_the_demo_fail(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rillet_balance, "to_solvimon_payment_state", lambda _: PaymentState(True, "PAID"))

    code, screen = run_demo(system, BILLED, payments.SECTION)

    assert code == 1
    assert figures(screen)["partially_paid"] == 0
    assert "should be PARTIALLY_PAID in Solvimon, and is PAID." in in_one_line(screen)


def test_a_customer_who_is_charged_makes_the_demo_fail(system: LocalSystem) -> None:
    def charge(context: Context) -> dict[str, int | str]:
        context.system.solvimon.state.charged.append("invo_1")
        return dict(payments.SECTION.run(context))

    code, screen = run_demo(system, BILLED, type(payments.SECTION)("Money", charge))

    assert code == 1
    assert "NOT RIGHT: Customers were charged by Solvimon's /pay: ['invo_1']" in in_one_line(screen)


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


def test_a_backlog_is_paced_and_another_connection_does_not_wait_for_it(system: LocalSystem) -> None:
    code, screen = run_demo(system, *PACED)

    found = figures(screen)
    assert code == 0, screen
    assert found["refused_429"] == 0
    assert found["paced_calls"] >= 2 * request_budget.INVOICE_COUNT, "each is created and marked as sent"
    assert found["budget_used_percent"] >= 75  # a busy machine takes longer over the calls themselves
    [waiting] = re.findall(r"(\d+) invoices, after 10 calls", screen)
    assert 20 <= int(waiting) < request_budget.INVOICE_COUNT
    assert "10 of 10" in screen
    assert "here, and acme's settings say so" in in_one_line(screen)
    assert (system.rillet.state.rate_limit, system.rillet.state.rate_window) == (60, 60.0)
    settings = system.aws.ssm.get_parameter(Name="/solvimon-rillet/acme/settings")["Parameter"]["Value"]
    assert "pacing" not in settings


def test_a_budget_that_is_overdrawn_makes_the_demo_fail(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget_the_settings(context: Context) -> dict[str, int | str]:
        monkeypatch.setattr(context.system, "put_settings", lambda *_: None)
        return {}

    monkeypatch.setattr(request_budget, "INVOICE_COUNT", 12)

    code, screen = run_demo(system, Section("A slip", forget_the_settings), request_budget.SECTION)

    assert code == 1
    assert figures(screen)["refused_429"] > 0
    assert "calls for their pace" in in_one_line(screen)
