"""Imports of customers, products and subsidiaries."""

from collections.abc import Callable
from dataclasses import replace

from local.books_check.checks import FindingType
from local.sample_data.identity import solvimon_id
from local.system import LocalSystem
from tests.fault_injection.acts import rename_customer
from tests.fault_injection.scenarios.scenario import Scenario, first_exported, invoked
from tests.fault_injection.setups import LINKED, Setup, set_up
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


def _renamed_by_the_accountant(system: LocalSystem) -> Setup:
    """A customer that is the same on both sides was renamed in Rillet."""
    setup = first_exported(system)
    system.invoke("import_customers", {})
    setup.work_off()
    organisation = setup.connection.organisation
    [customer] = organisation.customers.documents()
    name = "Quay of the accountant N.V."
    organisation.edit_customer(customer["id"], name=name, name_on_invoice=name)
    return setup


def _rename_and_synchronise(setup: Setup) -> None:
    """A person renames the customer in Solvimon, and its synchronisation begins."""
    rename_customer(setup)
    setup.invoke("sync_customer", customer_ids=[solvimon_id("cust", LINKED)])


_RENAMED = replace(
    _import("customers", _renamed_by_the_accountant, "import a customer that a person renames"),
    start=invoked("import_customers"),
    acts=("rename the customer",),
    # The import has read the customer, and its own PATCH follows.
    unprotected=("PutItem default#link-customer", "PATCH /customers"),
)
IMPORTS = (
    _RENAMED,
    replace(
        _RENAMED,
        name="import and synchronise a customer at once",
        again=_rename_and_synchronise,
        acts=(),
        judged_by_audit=True,
    ),
    _import("customers"),
    _import("customers", _one_renamed_one_new, "import customers again"),
    _import("products"),
    _import("subsidiaries"),
)
