"""What the playground's page shows of a connection: its drafts, invoices and customers, and the addresses."""

from decimal import Decimal
from typing import Any

from local.aws.server import REGION
from local.books_check.customers import customer_name
from local.books_check.records import rillet_documents
from local.playground.acts import money_open, refuses_key, rillet_payments_of
from local.playground.drafts import UNLINKED, choices
from local.sample_data import expected, invoice_id
from local.sample_data.drafts import drafts
from local.sample_data.identity import Json
from local.system import Connection, LocalSystem
from solvimon_rillet.panel.rendering import static_file

NEWEST = 12
"""Final invoices that the page shows."""


def stylesheet() -> bytes:
    """Return the panel's own stylesheet."""
    return static_file("panel.css")


def playground_page(system: LocalSystem, connection: Connection) -> dict[str, Any]:
    """Return what the template shows."""
    with connection.platform.lock, connection.organisation.lock:
        return {
            "connection": connection.name,
            "connections": list(system.connections),
            "drafts": _draft_rows(connection),
            "invoices": _invoices(connection),
            "customers": _customer_rows(connection),
            "rillet_down": any(fault["kind"] == "down" for fault in system.rillet.state.faults.describe()),
            "key_refused": refuses_key(system, connection),
            "addresses": addresses(system, connection),
        }


def addresses(system: LocalSystem, connection: Connection) -> list[tuple[str, str]]:
    """Return where everything is, and with which keys it opens."""
    return [
        ("HTTP API", system.gateway.url),
        ("AWS endpoint", system.aws.url),
        ("Solvimon", system.solvimon.url),
        ("Solvimon X-API-KEY", connection.solvimon_api_key),
        ("Rillet", system.rillet.url),
        ("Rillet bearer token", connection.rillet_api_key),
        ("Webhook for Solvimon", connection.webhook_url),
        ("Webhook for Rillet", connection.webhook_url.replace("/solvimon/", "/rillet/")),
    ]


def exports(system: LocalSystem) -> str:
    """Return the line for a shell with which the commands of all pages work here."""
    return (
        f"export AWS_ENDPOINT_URL={system.aws.url} AWS_REGION={REGION} AWS_ACCESS_KEY_ID=local "
        f"AWS_SECRET_ACCESS_KEY=local STACK={system.deployment.stack}"
    )


def _draft_rows(connection: Connection) -> list[Json]:
    facts = expected()
    features = {draft.name: facts[invoice_id(draft.name)]["feature"] for draft in drafts()}
    features[UNLINKED] = "its product is not linked to Rillet"
    return [
        {
            "name": name,
            "feature": features[name],
            "customer": customer_name(draft["customer"]),
            **_shown_amount(draft["invoice_amount_including_tax"]),
        }
        for name, draft in choices(connection).items()
    ]


def _invoices(connection: Connection) -> list[Json]:
    final = [one for one in connection.platform.records["invoices"].values() if one["status"] == "FINAL"]
    return [_invoice(connection, invoice) for invoice in reversed(final[-NEWEST:])]


def _invoice(connection: Connection, invoice: Json) -> Json:
    booked = next(iter(rillet_documents(connection, invoice["id"])), None)
    return {
        "id": invoice["id"],
        "number": invoice["invoice_number"],
        "customer": customer_name(invoice["customer"]),
        **_shown_amount(invoice["invoice_amount_including_tax"]),
        "is_credit": invoice["type"] in {"CREDIT", "ONE_OFF_CREDIT"},
        "in_rillet": booked and booked["invoice_number"],
        "open": booked and money_open(booked),
        "is_open": bool(booked and Decimal(booked["amount_due"]["amount"]) > 0),
        "payments": len(rillet_payments_of(connection, booked["id"])) if booked else 0,
    }


def _shown_amount(money: Json) -> Json:
    return {"amount": f"{Decimal(money['quantity']):,}".replace("-", "−"), "currency": money["currency"]}


def _customer_rows(connection: Connection) -> list[Json]:
    records = connection.platform.records["customers"].values()
    return sorted(
        ({"id": one["id"], "name": customer_name(one)} for one in records), key=lambda one: one["name"]
    )
