"""Customers in both directions: the requests that write them to Rillet and to Solvimon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.errors import Code, Culprit, NeedsAttention
from solvimon_rillet.fingerprint import fingerprint_of
from solvimon_rillet.mapping.customer_addresses import (
    MAIN_SENDER,
    email_addresses,
    has_moved_abroad,
    merged_emails,
    repair_stored_addresses,
    rillet_address,
    solvimon_address,
    solvimon_email,
    typed_emails,
)
from solvimon_rillet.mapping.field_table import Row, fill
from solvimon_rillet.mapping.solvimon_fields import MappedRecord, custom_field, one_line, truncate
from solvimon_rillet.rillet.models import Customer as RilletCustomer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer


@dataclass(frozen=True, slots=True)
class MappedCustomer:
    """A customer's request body, with notes for the user."""

    payload: dict[str, object]
    warnings: tuple[str, ...]


def to_new_rillet_customer(customer: Customer, settings: Settings) -> MappedCustomer:
    """Map a customer that is not in Rillet yet.

    Rillet takes only a complete address (line1, city, state, zip_code, country); an incomplete one is left
    out. Rillet must not mail invoices that Solvimon has sent, so ``send_invoices_automatically`` is off.

    Raises:
        NeedsAttention: the customer has no name.
    """
    name = one_line(customer.name)
    if not name:
        raise NeedsAttention(
            Code.CUSTOMER_INCOMPLETE,
            f"The customer {customer.id} has no name, which Rillet requires.",
            "Give the customer a legal name in Solvimon, then retry.",
            about=Culprit("customer", str(customer.id)),
        )
    payload: dict[str, object] = {"name": name, "name_on_invoice": name}
    address, missing = rillet_address(customer, settings, {})
    if address:
        payload["address"] = address
    addresses, warnings = email_addresses(customer)
    if addresses:
        payload["emails"] = typed_emails(addresses)
    payload["external_references"] = [{"type": settings.reference_types.customer, "id": customer.id}]
    payload |= {"send_invoices_automatically": False, "send_payment_reminders": False}
    if missing:
        warnings.append(f"The address of {name} is without {missing}; Rillet's stays empty.")
    return MappedCustomer(payload, tuple(warnings))


@dataclass(frozen=True, slots=True)
class _CustomerImport:
    """The input of the import rows: a Rillet customer with its cleaned name and addresses."""

    customer: RilletCustomer
    settings: Settings
    name: str
    email: str | None
    address: Mapping[str, str]


# The guide's table "Import Customers", row by row.
IMPORT_ROWS: tuple[Row[_CustomerImport], ...] = (
    Row("id", "reference", lambda i: i.customer.id, rule="an existing reference stays"),
    Row(
        "emails (MAIN_SENDER)",
        "email",
        lambda i: i.email,
        rule="the first one; left out if it is no e-mail address",
    ),
    Row("name", "organization.legal_name", lambda i: i.name, rule="one line, at most 256 characters"),
    Row("address.line1", "organization.registered_address.line1", lambda i: i.address.get("line1")),
    Row("address.line2", "organization.registered_address.line2", lambda i: i.address.get("line2")),
    Row("address.city", "organization.registered_address.city", lambda i: i.address.get("city")),
    Row(
        "address.zip_code",
        "organization.registered_address.postal_code",
        lambda i: i.address.get("zip_code"),
    ),
    Row(
        "address.country",
        "organization.registered_address.country",
        lambda i: i.address.get("country"),
        rule="left out if it is no code of two letters",
    ),
    Row(
        "id",
        "custom_fields",
        lambda i: custom_field(i.settings.custom_fields.customer, i.customer.id),
        rule='the custom field "Rillet Customer ID"; other fields stay',
    ),
    # Beyond the guide: other fields that Solvimon needs or takes.
    Row("address.state", "organization.registered_address.state", lambda i: i.address.get("state")),
    Row("(always ORGANIZATION)", "type", lambda _: "ORGANIZATION", rule="when it is created"),
    Row("(always ACTIVE)", "status", lambda _: "ACTIVE", rule="when it is created"),
)


def to_solvimon_customer(customer: RilletCustomer, settings: Settings | None = None) -> MappedRecord:
    """Map a Rillet customer to the request that creates it in Solvimon.

    Raises:
        NeedsAttention: it has no name.
    """
    name = one_line(customer.name)
    if not name:
        raise NeedsAttention(
            Code.ROW_INCOMPLETE,
            f"The customer {customer.id} has no name.",
            "Name it in Rillet, then import again.",
        )
    notes = []
    if name != truncate(name):
        notes.append("The name is longer than the 256 characters that Solvimon takes, and was cut.")
    email, notes_on_email = solvimon_email(customer)
    address, notes_on_address = solvimon_address(customer)
    subject = _CustomerImport(customer, settings or Settings(), truncate(name), email, address)
    return MappedRecord(fill(IMPORT_ROWS, subject)[0], (*notes, *notes_on_email, *notes_on_address))


def rillet_customer_hash(customer: RilletCustomer) -> str:
    """Fingerprint of a Rillet customer's fields that are synchronised from Solvimon.

    As long as it stays the same, an update with the same values need not be sent.
    """
    address = customer.address.model_dump(exclude_none=True) if customer.address else {}
    senders = [email.email for email in customer.emails if email.type == MAIN_SENDER]
    return fingerprint_of([customer.name, customer.name_on_invoice, address, senders[:1]])


def solvimon_customer_hash(customer: Customer) -> str:
    """Fingerprint of a Solvimon customer's fields that are synchronised to Rillet.

    Stored after an import, it distinguishes an edit in Solvimon from the import's own write: a name that
    was cut, for instance, must not go back to Rillet.
    """
    address = customer.address.model_dump(exclude_none=True) if customer.address else {}
    filled = {name: part for name, part in address.items() if part}
    return fingerprint_of([customer.name, filled, customer.email])


@dataclass(frozen=True, slots=True)
class _CustomerSync:
    """The input of the sync rows: a Solvimon customer and the current one in Rillet."""

    customer: Customer
    current: Mapping[str, Any]
    settings: Settings
    name: str
    address: Mapping[str, str]
    emails: list[str]


# The guide's table "Sync Customer to Rillet", row by row.
SYNC_ROWS: tuple[Row[_CustomerSync], ...] = (
    Row("organization.legal_name", "name", lambda s: s.name, rule="a person's full name for INDIVIDUAL"),
    Row(
        "organization.legal_name",
        "name_on_invoice",
        lambda s: _name_on_invoice(s),
        rule="one that was set by hand in Rillet stays, where the setting name_on_invoice says keep",
    ),
    Row("organization.registered_address.line1", "address.line1", lambda s: s.address.get("line1")),
    Row("organization.registered_address.line2", "address.line2", lambda s: s.address.get("line2")),
    Row("organization.registered_address.city", "address.city", lambda s: s.address.get("city")),
    Row(
        "organization.registered_address.state",
        "address.state",
        lambda s: s.address.get("state"),
        rule="else the one that Rillet has (same country), else the setting address_state",
    ),
    Row(
        "organization.registered_address.postal_code",
        "address.zip_code",
        lambda s: s.address.get("zip_code"),
        rule="else the one that Rillet has (same country), else the setting address_zip_code",
    ),
    Row("organization.registered_address.country", "address.country", lambda s: s.address.get("country")),
    Row(
        "email",
        "emails",
        lambda s: merged_emails(s.current.get("emails") or [], s.emails),
        rule="the MAIN_SENDER, further addresses as CC; CC and BCC stay",
    ),
    Row(
        "id",
        "external_references",
        lambda s: _synced_references(s),
        rule="references of other systems stay",
    ),
)
_ANSWER_ONLY = ("id", "updated_at")


def with_references(
    current: Mapping[str, Any], references: Sequence[Mapping[str, Any]], settings: Settings
) -> MappedCustomer:
    """Map a Rillet customer to a PUT that changes nothing but its external references.

    Args:
        current: the customer as it is in Rillet now, as JSON.
        references: all of its references from now on.
        settings: the connection's settings.
    """
    payload = {field: value for field, value in current.items() if field not in _ANSWER_ONLY}
    notes = repair_stored_addresses(payload, current, settings)
    return MappedCustomer({**payload, "external_references": list(references)}, tuple(notes))


def to_rillet_customer(customer: Customer, current: Mapping[str, Any], settings: Settings) -> MappedCustomer:
    """Map an edited customer to a PUT that replaces the whole customer in Rillet.

    Rillet's own values are kept: other e-mail addresses, shipping address, terms, flags, fields and other
    systems' references. If a part that Rillet requires is missing, Rillet's address stays while the country
    is the same. A stored address that breaks Rillet's own schema is completed, or left out.

    Args:
        customer: the customer as Solvimon has it now.
        current: the customer as it is in Rillet now, as JSON.
        settings: the connection's settings.

    Raises:
        NeedsAttention: the customer has no name.
    """
    name = one_line(customer.name or "")
    if not name:
        raise NeedsAttention(
            Code.CUSTOMER_INCOMPLETE,
            f"The customer {customer.id} has no name, which Rillet requires.",
            "Give the customer a legal name in Solvimon; the sync follows automatically.",
            about=Culprit("customer", str(customer.id)),
        )
    stored = current.get("address") or {}
    address, missing = rillet_address(customer, settings, stored)
    emails, warnings = email_addresses(customer)
    subject = _CustomerSync(customer, current, settings, name, address or {}, emails)
    payload = {field: value for field, value in current.items() if field not in _ANSWER_ONLY}
    payload |= fill(SYNC_ROWS, subject)[0]
    if missing and has_moved_abroad(customer, stored):
        payload["address"] = None
        warnings.append(
            f"The address of {name} is without {missing}, and in another country than Rillet's; Rillet's "
            "was removed."
        )
    elif missing:
        warnings.append(f"The address of {name} is without {missing}; Rillet's stays as it is.")
    warnings += repair_stored_addresses(payload, current, settings)
    return MappedCustomer(payload, tuple(warnings))


def _name_on_invoice(synced: _CustomerSync) -> str:
    """The legal name, or the one that was set by hand in Rillet, where the setting keeps it."""
    own, name = synced.current.get("name_on_invoice"), synced.current.get("name")
    keep = synced.settings.name_on_invoice == "keep" and own and own != name
    return str(own) if keep else synced.name


def _synced_references(synced: _CustomerSync) -> list[dict[str, str]]:
    """Rillet's references, including the one to Solvimon's customer."""
    current = list(synced.current.get("external_references") or [])
    own = {"type": synced.settings.reference_types.customer, "id": str(synced.customer.id)}
    present = any((r.get("type"), r.get("id")) == (own["type"], own["id"]) for r in current)
    return current if present else [*current, own]
