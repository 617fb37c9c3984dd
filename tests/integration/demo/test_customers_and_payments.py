"""The parts of the demo with edited customers and with payments, and that they notice what is wrong."""

from typing import Any

import pytest

from local.demo.context import Context
from local.demo.sections import customer_edits, payments
from local.sample_data.identity import rillet_id
from local.system import LocalSystem
from solvimon_rillet.mapping.payments import PaymentState
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.payments import rillet_balance
from tests.integration.demo.support import exported, figures, in_one_line, run_demo

pytestmark = pytest.mark.slow

BILLED = exported(payments.FULL, payments.PART, payments.UNDONE)


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
