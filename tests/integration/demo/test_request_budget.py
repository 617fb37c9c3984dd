"""The demo's part on Rillet's budget: what it shows, and that it notices when the budget is overdrawn."""

import re

import pytest

from local.demo.context import Context, Section
from local.demo.sections import all_invoices, one_invoice, request_budget
from local.system import LocalSystem
from tests.integration.demo.support import figures, in_one_line, run_demo

pytestmark = pytest.mark.slow

PARTS = (one_invoice.SECTION, all_invoices.SECTION, request_budget.SECTION)


def test_a_backlog_is_paced_and_another_connection_does_not_wait_for_it(system: LocalSystem) -> None:
    code, screen = run_demo(system, *PARTS)

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
