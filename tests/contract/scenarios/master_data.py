"""Master data: imports that send every kind of request, and customers that are created and edited."""

from local.system import LocalSystem
from tests.contract.scenarios.documents import SETTINGS
from tests.contract.scenarios.setup import expect, outcomes, renew
from tests.integration.imports.support import (
    Json,
    connect,
    customer,
    customers,
    definition,
    product,
    rillet_id,
    run,
    subsidiary,
    value,
)
from tests.integration.imports.support import edit as edit_in_rillet
from tests.support.arrange import edit
from tests.support.builders import DEMO_CUSTOMER, DEMO_PERSON, STATELESS, UNLINKED, named, organization


def everything(system: LocalSystem) -> None:
    """Import into a platform that has some of it already, then changes, then nothing new."""
    old: dict[str, list[Json]] = {
        "custom_fields": [definition("customers"), definition("subsidiaries")],
        "customers": [
            {
                "id": "cust_1",
                "type": "ORGANIZATION",
                "reference": "mine",
                "organization": {"legal_name": "Old", "tax_ids": [{"id": "t", "type": "GENERIC_TAX_ID"}]},
                "custom_fields": value(1),
            }
        ],
        "billing_entities": [{"id": "bile_1", "reference": "mine", "legal_name": "Mine"}],
    }
    connection = connect(
        system,
        solvimon=old,
        settings={"subsidiaries": {rillet_id(1): "bile_1"}},
        customers=[*customers(3), customer(4, address=None, emails=[])],
        products=[product(1), product(2, description="")],
        subsidiaries=[subsidiary(1), subsidiary(2)],
    )
    for kind in ("customers", "products", "subsidiaries"):
        run(system, kind, dry_run=True)
        expect(run(system, kind)["failures"], [], f"import of {kind}")
    edit_in_rillet(connection, 1, "products", status="INACTIVE")
    edit_in_rillet(connection, 2, "products", name="Renamed")
    run(system, "products")
    edit_in_rillet(connection, 1, "products", status="ACTIVE")
    run(system, "products")
    run(system, "customers", updated_since="2026-01-01T00:00:00Z")
    for kind in ("customers", "products", "subsidiaries"):
        run(system, kind, recheck=True)


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
