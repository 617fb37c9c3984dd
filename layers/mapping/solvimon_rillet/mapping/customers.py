"""Customers: a Solvimon one as Rillet takes it, and a Rillet one as Solvimon takes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.fingerprint import hash_of
from solvimon_rillet.mapping.field_table import Row, fill
from solvimon_rillet.mapping.solvimon_fields import MappedRecord, custom_field, one_line, truncate
from solvimon_rillet.rillet.models import Customer as RilletCustomer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Customer

MAIN_SENDER = "MAIN_SENDER"
_EMAIL = re.compile(r"\S+@\S+\.\S+")  # a little stricter than Solvimon's own pattern
_COUNTRY = re.compile("[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class MappedCustomer:
    """A customer's request body, and what a person should know about it."""

    payload: dict[str, object]
    warnings: tuple[str, ...]


def to_new_rillet_customer(customer: Customer, settings: Settings) -> MappedCustomer:
    """Map a customer that Rillet does not have yet.

    Rillet takes an address only whole (line1, city, state, zip_code, country); one that lacks a part is left
    out. Rillet must not mail invoices that Solvimon has sent, so ``send_invoices_automatically`` is off.

    Raises:
        NeedsAttention: the customer has no name.
    """
    name = " ".join((customer.name or "").split())
    if not name:
        raise NeedsAttention(
            Code.CUSTOMER_INCOMPLETE,
            f"The customer {customer.id} has no name, which Rillet demands.",
            "Give the customer a legal name in Solvimon, then retry.",
        )
    payload: dict[str, object] = {"name": name, "name_on_invoice": name}
    address, missing = _address(customer, settings)
    if address:
        payload["address"] = address
    if customer.email:
        payload["emails"] = [{"email": customer.email, "type": "MAIN_SENDER"}]
    payload["external_references"] = [{"type": settings.reference_types.customer, "id": customer.id}]
    payload |= {"send_invoices_automatically": False, "send_payment_reminders": False}
    warnings = (f"The address of {name} is without {missing}; Rillet's stays empty.",) if missing else ()
    return MappedCustomer(payload, warnings)


def _address(
    customer: Customer, settings: Settings, known_state: str = ""
) -> tuple[dict[str, str] | None, str]:
    """The address in Rillet's words, or what it lacks; a state that Rillet knows fills a missing one."""
    given = customer.address
    if given is None or not any(given.model_dump().values()):
        return None, ""
    parts = {
        "line1": given.line1,
        "line2": given.line2,
        "city": given.city,
        "state": given.state or known_state or settings.address_state,
        "zip_code": given.postal_code,
        "country": given.country,
    }
    missing = ", ".join(name for name, value in parts.items() if not value and name != "line2")
    return (None, missing) if missing else ({name: value for name, value in parts.items() if value}, "")


@dataclass(frozen=True, slots=True)
class _Imported:
    """A Rillet customer, with what the rules make of its name, e-mail address and postal address."""

    customer: RilletCustomer
    settings: Settings
    name: str
    email: str | None
    address: Mapping[str, str]


# The guide's table "Import Customers", row by row.
IMPORT_ROWS: tuple[Row[_Imported], ...] = (
    Row("id", "reference", lambda i: i.customer.id, rule="a reference that is there already stays"),
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
    # Beyond the guide: what else Solvimon needs or takes.
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
    email, notes_on_email = _import_email(customer)
    address, notes_on_address = _import_address(customer)
    subject = _Imported(customer, settings or Settings(), truncate(name), email, address)
    return MappedRecord(fill(IMPORT_ROWS, subject)[0], (*notes, *notes_on_email, *notes_on_address))


def synced_hash(customer: RilletCustomer) -> str:
    """Fingerprint of what Rillet has of the fields that travel from Solvimon to Rillet.

    As long as it stays the same, an update that carries these very values need not be sent.
    """
    address = customer.address.model_dump(exclude_none=True) if customer.address else {}
    senders = [email.email for email in customer.emails if email.type == MAIN_SENDER]
    return hash_of([customer.name, customer.name_on_invoice, address, senders[:1]])


def imported_hash(customer: Customer) -> str:
    """Fingerprint of what Solvimon has of the fields that travel to Rillet.

    Taken after an import, it tells an edit in Solvimon from the import's own write: a long name that was
    cut, for instance, must not go back to Rillet.
    """
    address = customer.address.model_dump(exclude_none=True) if customer.address else {}
    return hash_of([customer.name, {name: part for name, part in address.items() if part}, customer.email])


@dataclass(frozen=True, slots=True)
class _Synced:
    """A Solvimon customer beside what Rillet has of it."""

    customer: Customer
    current: Mapping[str, Any]
    settings: Settings
    name: str
    address: Mapping[str, str]


# The guide's table "Sync Customer to Rillet", row by row.
SYNC_ROWS: tuple[Row[_Synced], ...] = (
    Row("organization.legal_name", "name", lambda s: s.name, rule="a person's full name for INDIVIDUAL"),
    Row("organization.legal_name", "name_on_invoice", lambda s: s.name),
    Row("organization.registered_address.line1", "address.line1", lambda s: s.address.get("line1")),
    Row("organization.registered_address.line2", "address.line2", lambda s: s.address.get("line2")),
    Row("organization.registered_address.city", "address.city", lambda s: s.address.get("city")),
    Row(
        "organization.registered_address.state",
        "address.state",
        lambda s: s.address.get("state"),
        rule="else the one that Rillet has, else the setting address_state",
    ),
    Row(
        "organization.registered_address.postal_code", "address.zip_code", lambda s: s.address.get("zip_code")
    ),
    Row("organization.registered_address.country", "address.country", lambda s: s.address.get("country")),
    Row("email", "emails", lambda s: _synced_emails(s), rule="the MAIN_SENDER; CC and BCC stay"),
    Row(
        "id",
        "external_references",
        lambda s: _synced_references(s),
        rule="references of other systems stay",
    ),
)
_ANSWER_ONLY = ("id", "updated_at")


def to_rillet_customer(customer: Customer, current: Mapping[str, Any], settings: Settings) -> MappedCustomer:
    """Map an edited customer onto what Rillet has, for a PUT that replaces the whole customer.

    Everything of Rillet's own is kept as it is: other e-mail addresses, shipping address, terms, flags,
    fields and other systems' references. An address that lacks a part that Rillet demands stays as Rillet
    has it.

    Args:
        customer: the customer as Solvimon has it now.
        current: the customer as Rillet answers it now, as JSON.
        settings: the connection's settings.

    Raises:
        NeedsAttention: the customer has no name.
    """
    name = one_line(customer.name or "")
    if not name:
        raise NeedsAttention(
            Code.CUSTOMER_INCOMPLETE,
            f"The customer {customer.id} has no name, which Rillet demands.",
            "Give the customer a legal name in Solvimon; the sync follows by itself.",
        )
    in_rillet = current.get("address") or {}
    address, missing = _address(customer, settings, str(in_rillet.get("state") or ""))
    subject = _Synced(customer, current, settings, name, address or {})
    filled, _ = fill(SYNC_ROWS, subject)
    payload = {field: value for field, value in current.items() if field not in _ANSWER_ONLY} | filled
    warnings = (f"The address of {name} is without {missing}; Rillet's stays as it is.",) if missing else ()
    return MappedCustomer(payload, warnings)


def _synced_emails(synced: _Synced) -> list[dict[str, str]] | None:
    """Rillet's addresses, with Solvimon's as the (first) MAIN_SENDER; ``None`` leaves them as they are."""
    if not synced.customer.email:
        return None
    ours = {"email": synced.customer.email, "type": MAIN_SENDER}
    current = list(synced.current.get("emails") or [])
    first = next((i for i, email in enumerate(current) if email.get("type") == MAIN_SENDER), None)
    merged = [*current, ours] if first is None else [*current[:first], ours, *current[first + 1 :]]
    return [email for i, email in enumerate(merged) if email not in merged[:i]]


def _synced_references(synced: _Synced) -> list[dict[str, str]]:
    """Rillet's references, with ours among them."""
    current = list(synced.current.get("external_references") or [])
    ours = {"type": synced.settings.reference_types.customer, "id": str(synced.customer.id)}
    there = any((r.get("type"), r.get("id")) == (ours["type"], ours["id"]) for r in current)
    return current if there else [*current, ours]


def _import_email(customer: RilletCustomer) -> tuple[str | None, list[str]]:
    senders = [one_line(email.email) for email in customer.emails if email.type == MAIN_SENDER]
    usable = [
        email for email in dict.fromkeys(senders) if _EMAIL.fullmatch(email) and email == truncate(email)
    ]
    notes = []
    if len(dict.fromkeys(senders)) > 1:
        notes.append("Several MAIN_SENDER addresses: Solvimon takes one, and got the first.")
    if len(usable) < len(dict.fromkeys(senders)):
        notes.append("A MAIN_SENDER address is no e-mail address to Solvimon, and was left out.")
    return next(iter(usable), None), notes


def _import_address(customer: RilletCustomer) -> tuple[Mapping[str, str], list[str]]:
    given = customer.address.model_dump() if customer.address else {}
    parts = {name: one_line(part) for name, part in given.items() if one_line(part)}
    if "country" in parts and not _COUNTRY.fullmatch(parts["country"].upper()):
        del parts["country"]
        return parts, ["A country that is no code of two letters was left out."]
    return parts | ({"country": parts["country"].upper()} if "country" in parts else {}), []
