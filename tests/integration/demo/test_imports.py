"""The part of the demo that imports, and what it would notice."""

import pytest

from local.demo import new_customers
from local.demo.console import Console
from local.demo.context import Json
from local.demo.sections import imports, one_invoice
from local.system import LocalSystem
from solvimon_rillet.ledger.import_state import ImportState
from tests.integration.demo.support import Terminal, figures, in_one_line, run_demo

pytestmark = pytest.mark.slow


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


def test_a_progress_bar_moves_on_a_terminal() -> None:
    terminal = Terminal()

    with Console(terminal, 80).progress("import_customers", 10) as show:
        show(5)
        show(10)

    assert "10/10" in terminal.getvalue()
