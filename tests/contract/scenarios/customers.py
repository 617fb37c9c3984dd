"""Customers: edited, created, found by their reference."""

from local.system import LocalSystem
from tests.contract.scenarios.exports import SETTINGS
from tests.contract.scenarios.setup import expect, outcomes, renew
from tests.support.arrange import edit
from tests.support.builders import DEMO_CUSTOMER, DEMO_PERSON, STATELESS, UNLINKED, named, organization


def created_and_edited(system: LocalSystem) -> None:
    """Sync every customer of the demo as it is, then edits of organisations and persons."""
    for settings in (SETTINGS[0], SETTINGS[-1]):
        connection = renew(system, **settings)
        everybody = list(connection.platform.records["customers"])
        found = outcomes(system, "sync_customer", {"customer_ids": everybody})
        expect(set(found) <= {"synced", "unchanged", "skipped"}, True, f"customers with {settings}")
        edit(connection, DEMO_CUSTOMER, **organization(legal_name="Quay", address={"line1": "Kade 1"}))
        edit(connection, DEMO_PERSON, email="jelle@boer.example")
        edit(connection, STATELESS, **named("Straits"))
        edit(connection, UNLINKED, email="ap@offshore.example")
        system.settle()
        found = outcomes(system, "sync_customer", {"customer_ids": [DEMO_CUSTOMER, "cust_nobody"]})
        expect(len(found), 2, "customers asked for by id")
        field = connection.platform.records["customers"][DEMO_CUSTOMER]["custom_fields"][0]
        field["value"] = "0198c1d2-0000-4000-8000-000000000001"
        found = outcomes(system, "sync_customer", {"customer_ids": [DEMO_CUSTOMER]})
        expect(list(found), ["rejected"], "a customer that was merged away")
