"""Imports of customers, products and subsidiaries."""

from collections.abc import Callable

from local.books_check.checks import FindingType
from local.system import LocalSystem
from tests.fault_injection.scenarios.scenario import Scenario
from tests.fault_injection.setups import Setup, set_up
from tests.integration.imports import support


def _two_of_each(system: LocalSystem) -> Setup:
    rillet = {
        "customers": support.customers(2),
        "products": [support.product(number) for number in (1, 2)],
        "subsidiaries": [support.subsidiary(number) for number in (1, 2)],
    }
    return set_up(system, solvimon={}, rillet=rillet)


def _one_renamed_one_new(system: LocalSystem) -> Setup:
    """One customer has another name since the first import, and a third one is new."""
    setup = _two_of_each(system)
    system.invoke("import_customers", {})
    organisation = setup.connection.organisation
    organisation.edit_customer(support.rillet_id(1), name="Renamed N.V.")
    organisation.customers.add(support.customer(3))
    return setup


def _import(what: str, prepare: Callable[[LocalSystem], Setup] = _two_of_each, name: str = "") -> Scenario:
    return Scenario(
        name=name or f"import {what}",
        workflow=f"import_{what}",
        prepare=prepare,
        start=lambda setup: setup.invoke(f"import_{what}"),
        by_person=True,
        succeeded=lambda answer: bool(answer.get("complete")) and not answer.get("failed"),
        compared=lambda answer: [answer.get("complete"), answer.get("failed")],
        # The customers that are there too are not imported.
        findings=frozenset() if what == "customers" else frozenset({FindingType.CUSTOMER}),
    )


IMPORTS = (
    _import("customers"),
    _import("customers", _one_renamed_one_new, "import customers again"),
    _import("products"),
    _import("subsidiaries"),
)
