"""The postal and e-mail addresses of customers, in the form of either side."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from solvimon_rillet.mapping.solvimon_fields import one_line, truncate
from solvimon_rillet.mapping.texts import addresses_in, iso_country
from solvimon_rillet.rillet.models import Customer as RilletCustomer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer

MAIN_SENDER = "MAIN_SENDER"
_COPY = "CC"
_EMAIL_FORM = re.compile(r"\S+@\S+\.\S+")  # a little stricter than Solvimon's own pattern
_REQUIRED = ("line1", "city", "state", "zip_code", "country")


def rillet_address(
    customer: Customer, settings: Settings, stored: Mapping[str, Any]
) -> tuple[dict[str, str] | None, str]:
    """The address in Rillet's form, or its missing parts.

    A missing state or zip code is the one that Rillet has stored, as long as the country is the same, else
    the settings': some countries have none, and Rillet requires both.
    """
    address = customer.address
    parts = {name: one_line(part) for name, part in (address.model_dump() if address else {}).items()}
    if not any(parts.values()):
        return None, ""
    country = iso_country(parts["country"])
    known = stored if country and iso_country(stored.get("country")) == country else {}
    in_rillet = {
        "line1": parts["line1"],
        "line2": parts["line2"],
        "city": parts["city"],
        "state": parts["state"] or known.get("state"),
        "zip_code": parts["postal_code"] or known.get("zip_code"),
        "country": country,
    }
    return _completed(in_rillet, settings)


def _completed(parts: Mapping[str, Any], settings: Settings) -> tuple[dict[str, str] | None, str]:
    """An address with the settings' state and zip code where it has none, or its missing parts."""
    filled = {name: one_line(str(value)) for name, value in parts.items() if value}
    fallbacks = {"state": settings.address_state, "zip_code": settings.address_zip_code}
    filled |= {name: value for name, value in fallbacks.items() if value and not filled.get(name)}
    missing = ", ".join(name for name in _REQUIRED if not filled.get(name))
    return (None, missing) if missing else ({name: value for name, value in filled.items() if value}, "")


def email_addresses(customer: Customer) -> tuple[list[str], list[str]]:
    """The e-mail addresses in a customer's one field, each once, and a note on a text that has none."""
    text = one_line(customer.email)
    found = addresses_in(text)
    if text and not found:
        return [], [f"The e-mail of the customer {customer.id} is no address, and was left out."]
    return found, []


def typed_emails(addresses: Sequence[str]) -> list[dict[str, str]]:
    """Rillet's entries: the first address is the main sender, the others get copies."""
    return [
        {"email": email, "type": _COPY if position else MAIN_SENDER}
        for position, email in enumerate(addresses)
    ]


def merged_emails(
    stored: Sequence[Mapping[str, Any]], addresses: Sequence[str]
) -> list[Mapping[str, Any]] | None:
    """Rillet's addresses, with Solvimon's as the first MAIN_SENDER; ``None`` leaves them unchanged."""
    if not addresses:
        return None
    own, *copies = typed_emails(addresses)
    first = next((i for i, email in enumerate(stored) if email.get("type") == MAIN_SENDER), None)
    merged = [*stored, own] if first is None else [*stored[:first], own, *stored[first + 1 :]]
    known = {str(email.get("email")).lower() for email in merged}
    merged += [copy for copy in copies if copy["email"].lower() not in known]
    return [email for i, email in enumerate(merged) if email not in merged[:i]]


def has_moved_abroad(customer: Customer, stored: Mapping[str, Any]) -> bool:
    """Whether the customer's address is in another country than the one that Rillet has."""
    country = iso_country(customer.address.country if customer.address else None)
    return bool(country and stored and iso_country(stored.get("country")) != country)


def repair_stored_addresses(
    payload: dict[str, object], current: Mapping[str, Any], settings: Settings
) -> list[str]:
    """Complete an address of Rillet's own that lacks what Rillet requires, or leave it out, with a note.

    Rillet's users may store an incomplete one; put back as it is, it would fail every sync.
    """
    notes = []
    for field in ("address", "shipping_address"):
        stored = current.get(field)
        if not isinstance(stored, Mapping) or payload.get(field) is not stored:
            continue
        if all(stored.get(name) for name in _REQUIRED):
            continue
        completed, missing = _completed(stored, settings)
        payload[field] = completed
        if missing:
            notes.append(
                f"Rillet's own {field} is without {missing}, which Rillet requires; it was left out."
            )
    return notes


def solvimon_email(customer: RilletCustomer) -> tuple[str | None, list[str]]:
    """The first main sender that Solvimon takes, and notes on the others."""
    senders = [one_line(email.email) for email in customer.emails if email.type == MAIN_SENDER]
    usable = [
        email for email in dict.fromkeys(senders) if _EMAIL_FORM.fullmatch(email) and email == truncate(email)
    ]
    notes = []
    if len(dict.fromkeys(senders)) > 1:
        notes.append("Several MAIN_SENDER addresses: Solvimon takes one, and got the first.")
    if len(usable) < len(dict.fromkeys(senders)):
        notes.append("A MAIN_SENDER address is no e-mail address to Solvimon, and was left out.")
    return next(iter(usable), None), notes


def solvimon_address(customer: RilletCustomer) -> tuple[Mapping[str, str], list[str]]:
    """The parts of Rillet's address that are filled, and a note on a country that Solvimon does not take."""
    address = customer.address.model_dump() if customer.address else {}
    parts = {name: one_line(part) for name, part in address.items() if one_line(part)}
    country = iso_country(parts.pop("country", None))
    if country:
        return parts | {"country": country}, []
    named = bool(customer.address and one_line(customer.address.country))
    return parts, ["A country that is no code of two letters was left out."] if named else []
