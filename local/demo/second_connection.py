"""The world of the demo's second connection: Acme Group, with two companies and three invoices of its own.

It is a part of the demo's world under other names and ids, so that nothing of one connection can pass for
something of the other.
"""

import re
from typing import Any

from local import sample_data
from local.sample_data.identity import Json, rillet_id, solvimon_id

NAME = "acme"
"""The connection."""

_ENTITY_NAMES = ("tideway-us", "tideway-ca")
INVOICE_NAMES = ("us-sales-tax", "long-note", "gst-with-pst")
"""Their names, as in the demo's world."""
_SOLVIMON = re.compile(r"([a-z]{4})_[A-Za-z0-9]{20}")
_RILLET_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def acme_solvimon_seed() -> dict[str, list[Json]]:
    """Return Solvimon's side: what the invoices need, and the invoices as drafts without a number."""
    seed = sample_data.solvimon_seed()
    chosen = {sample_data.invoice_id(name) for name in INVOICE_NAMES}
    invoices = [invoice for invoice in seed["invoices"] if invoice["id"] in chosen]
    customers = {invoice["customer"]["id"] for invoice in invoices}
    picked = {
        "billing_entities": [one for one in seed["billing_entities"] if one["reference"] in _ENTITY_NAMES],
        "customers": [one for one in seed["customers"] if one["id"] in customers],
        "invoices": invoices,
    }
    return {name: [_renamed(record) for record in records] for name, records in (seed | picked).items()}


def acme_rillet_seed() -> Json:
    """Return Rillet's side: an organisation of its own with its subsidiaries, products and customers."""
    seed = sample_data.rillet_seed()
    subsidiaries = {sample_data.rillet_id("subsidiary", name) for name in _ENTITY_NAMES}
    linked = str(acme_solvimon_seed()["customers"])
    picked = {
        "organization": seed["organization"] | {"currency": "USD", "timezone": "America/New_York"},
        "subsidiaries": [one for one in seed["subsidiaries"] if one["id"] in subsidiaries],
        "bank_accounts": [one for one in seed["bank_accounts"] if one["subsidiary_id"] in subsidiaries],
        "customers": [one for one in seed["customers"] if _renamed(one["id"]) in linked],
    }
    renamed: Json = _renamed(seed | picked)
    return renamed


def acme_fallback_products() -> dict[str, str]:
    """Return the setting `fallback_products`."""
    renamed: dict[str, str] = _renamed(sample_data.fallback_products())
    return renamed


def features() -> dict[str, str]:
    """Return what each invoice shows, by its Solvimon id."""
    facts = sample_data.expected()
    return {
        _renamed(facts_id): facts[facts_id]["feature"]
        for facts_id in map(sample_data.invoice_id, INVOICE_NAMES)
    }


def acme_invoice_id(name: str) -> str:
    """Return the Solvimon id of one of the invoices, such as `long-note`."""
    return str(_renamed(sample_data.invoice_id(name)))


def _renamed(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return the same with other ids and names."""
    if isinstance(value, dict):
        return {name: _renamed(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner) for inner in value]
    if not isinstance(value, str):
        return value
    if found := _SOLVIMON.fullmatch(value):
        return solvimon_id(found[1], f"{NAME}/{value}")
    if _RILLET_ID.fullmatch(value):
        return rillet_id(NAME, value)
    return value.replace("Tideway", "Acme").replace("tideway", NAME)
