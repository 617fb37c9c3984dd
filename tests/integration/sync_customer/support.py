"""What the tests of the customer sync share."""

from copy import deepcopy
from typing import Any

from local.fake_rillet.calls import Call
from local.fake_solvimon.resources.definitions import CUSTOMERS
from local.sample_data.identity import rillet_id, solvimon_id
from local.system import Connection, LocalSystem
from tests.integration.export_invoice.support import until

Json = dict[str, Any]

CUSTOMER = solvimon_id("cust", "maasvlakte-quay")
IN_RILLET = rillet_id("customer", "maasvlakte-quay")
PERSON = solvimon_id("cust", "marina-de-boer")
PERSON_IN_RILLET = rillet_id("customer", "marina-de-boer")
STATELESS = solvimon_id("cust", "straits-bunker")
STATELESS_IN_RILLET = rillet_id("customer", "straits-bunker")
UNLINKED = solvimon_id("cust", "zeeland-offshore")


def organization(address: Json | None = None, **changes: object) -> Json:
    """A change of the customer's organisation; ``address`` changes parts of its registered one."""
    parts: Json = {
        "line1": "Amaliahavenweg 12",
        "city": "Rotterdam",
        "postal_code": "3199 KD",
        "state": "Zuid-Holland",
        "country": "NL",
    }
    parts |= address or {}
    registered = {name: value for name, value in parts.items() if value is not None}
    return {
        "organization": {
            "legal_name": "Maasvlakte Quay Services B.V.",
            "registered_address": registered,
            **changes,
        }
    }


def edit(connection: Connection, customer_id: str = CUSTOMER, **changes: object) -> None:
    """Edit a customer in Solvimon, which announces it."""
    platform = connection.platform
    platform.change(CUSTOMERS, platform.records["customers"][customer_id], dict(changes))


def sync(system: LocalSystem, *customer_ids: str, **more: object) -> list[Json]:
    """Invoke ``sync_customer`` directly and return its results."""
    asked = {"customer_ids": list(customer_ids or (CUSTOMER,)), **more}
    results: list[Json] = system.invoke("sync_customer", asked)["results"]
    return results


def in_rillet(connection: Connection, customer_id: str = IN_RILLET) -> Json:
    """A customer as Rillet has it now."""
    return deepcopy(connection.organisation.customers.get(customer_id).document)


def record(system: LocalSystem, customer_id: str = CUSTOMER) -> Json:
    """The ledger's record of a customer's sync."""
    found = system.ledger_item(f"default#customer#{customer_id}", "RECORD")
    assert found is not None, f"the ledger has no record of {customer_id}"
    return found


def puts(system: LocalSystem) -> list[Call]:
    """The requests to replace a customer that reached Rillet."""
    return [call for call in system.rillet.state.calls if call.method == "PUT"]


def named(name: str) -> Json:
    """A change of the customer's legal name."""
    return organization(legal_name=name)


def settled(system: LocalSystem, connection: Connection, name: str) -> None:
    """Time passes; then the customer in Rillet has this name."""
    until(system, lambda: record(system)["state"] == "synced")
    system.advance(3600)
    system.settle()
    assert in_rillet(connection)["name"] == name
    assert record(system)["state"] == "synced"
    assert "lease_until" not in record(system)
