"""An import's change of a customer in Solvimon that arrives late, over a person's newer edit.

Solvimon's customers have no version, and its PATCH is carried out whenever it arrives::

    import: PATCH "B" ── answer lost ────────────────── arrives ──▶ Solvimon has "B": that is no edit
        a person renames it to "C" ── Rillet has "C" ──────┘           └─ "C" is taken back from Rillet

The customer's link remembers, before the change is sent, what it would leave of each part that goes both
ways. A part that is found like that was written by the import; any other was edited by a person, and goes to
Rillet.
"""

from collections.abc import Mapping
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.fingerprint import fingerprint_of
from solvimon_rillet.mapping.customers import solvimon_customer_hash
from solvimon_rillet.mapping.solvimon_fields import patch_body
from solvimon_rillet.solvimon.master_data import Customer
from solvimon_rillet.workflows.imports.customers import CUSTOMERS
from solvimon_rillet.workflows.late_writes import LATE_IMPORTS, LateWrites, may_arrive_late

Json = dict[str, Any]
SYNCED_PARTS = ("organization", "email")
"""The parts of a Solvimon customer that an import changes and a synchronisation sends to Rillet."""
_OWN_KEYS = {"pk", "sk", "schema_version", "expires_at"}  # of a ledger item, beside the link's facts


def update_customer(
    connection: Connection, current: Json, body: Json, rillet_id: str
) -> tuple[Json, LateWrites]:
    """Change a customer in Solvimon; the caller holds its lease.

    Args:
        connection: of the customer.
        current: the customer as Solvimon has it.
        body: of the PATCH.
        rillet_id: the Rillet customer that the values come from.

    Returns:
        The changed customer, and the earlier changes that may still arrive.

    Raises:
        NotFound, AlreadyExists: as ``SolvimonClient.update``.
        OutcomeUnknown: the change may still arrive; the link remembers it.
    """
    customer_id, now = str(current["id"]), connection.clock()
    before = connection.ledger.find_link(connection.name, "customer", customer_id) or {}
    earlier = LateWrites.of(before, now, LATE_IMPORTS)
    sent, left = earlier, _parts({**current, **body})
    for part in SYNCED_PARTS:
        sent = sent.plus(left[part], now) if part in body else sent
    if sent == earlier:
        return connection.solvimon.update(CUSTOMERS.collection, customer_id, body), earlier
    facts = {name: value for name, value in before.items() if name not in {*_OWN_KEYS, LATE_IMPORTS}}
    facts.setdefault("rillet_id", rillet_id)
    store = connection.ledger.store_link
    store(connection.name, "customer", customer_id, {**facts, **sent.as_facts()})
    try:
        return connection.solvimon.update(CUSTOMERS.collection, customer_id, body), earlier
    except Exception as error:
        if not may_arrive_late(error):  # Solvimon has not changed it
            store(connection.name, "customer", customer_id, {**facts, **earlier.facts_if_any()})
        raise


def late_parts(connection: Connection, link: Mapping[str, Any], current: Json) -> list[str]:
    """The parts of a customer in Solvimon that are as a late change of an import would leave them.

    Args:
        connection: of the customer.
        link: its link.
        current: the customer as Solvimon has it.
    """
    late = LateWrites.of(link, connection.clock(), LATE_IMPORTS)
    return [part for part, left in _parts(current).items() if late.would_leave(left)] if late.entries else []


def other_parts_changed(before: Json, after: Json, body: Json) -> bool:
    """Whether a customer's PATCH was answered with another value of a part that it did not send.

    Args:
        before: the customer as it was read.
        after: the answer.
        body: of the PATCH.
    """
    read, answered = _parts(before), _parts(after)
    return any(read[part] != answered[part] for part in SYNCED_PARTS if part not in body)


def with_late_imports_undone(
    connection: Connection, customer: Customer, link: Mapping[str, Any], rillet_id: str
) -> Customer:
    """The customer, with what Rillet has instead of what an import wrote late; the caller holds its lease.

    Raises:
        RetryLater, OutcomeUnknown: a vendor does not answer.
    """
    known = link.get("imported_hash") == solvimon_customer_hash(customer)
    if known or LATE_IMPORTS not in link or customer.id is None:
        return customer
    current = connection.solvimon.find(CUSTOMERS.collection, customer.id)
    parts = late_parts(connection, link, current) if current else []
    row = connection.rillet.customer_json(rillet_id) if parts else None
    if current is None or row is None:
        return customer
    try:
        payload, _ = CUSTOMERS.update_payload(CUSTOMERS.map_row(row, connection.settings, ""), current)
    except NeedsAttention:  # an import of it says why
        return customer
    body = patch_body(current, {part: payload[part] for part in parts if part in payload})
    if body:
        current, _ = update_customer(connection, current, body, rillet_id)
    return Customer.model_validate(current)


def _parts(record: Json) -> dict[str, str]:
    """The fingerprint of each part of a customer."""
    customer = Customer.model_validate(record)
    address = customer.address.model_dump(exclude_none=True) if customer.address else {}
    filled = {name: part for name, part in address.items() if part}
    values = {"organization": [customer.name, filled], "email": [customer.email]}
    return {part: f"{part} {fingerprint_of(values[part])}" for part in SYNCED_PARTS}
