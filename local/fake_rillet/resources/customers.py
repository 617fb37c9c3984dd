"""Customers: list, create, read, replace, delete."""

from flask import Blueprint

from local.fake_rillet import listing
from local.fake_rillet.context import body, organisation, state
from local.fake_rillet.document_rules import check_references
from local.fake_rillet.invoice_lines import read_field_assignments
from local.fake_rillet.invoices import is_open
from local.fake_rillet.problems import refused
from local.fake_rillet.store import Json, Record
from local.fake_rillet.validation import Fields, read_references

EMAIL_TYPES = ("MAIN_SENDER", "CC", "BCC")

blueprint = Blueprint("customers", __name__, url_prefix="/customers")


@blueprint.get("")
def list_customers() -> Json:
    """List customers, newest first; `search` looks for the text anywhere in the name."""
    search = listing.text("search")
    reference = listing.together("external_reference_type", "external_reference_id")
    since = listing.timestamp("updated.gt")
    by_update = listing.choice("sort_by", ("created", "updated")) == "updated"

    def passes(customer: Record) -> bool:
        named = search is None or search.casefold() in customer.document["name"].casefold()
        referenced = reference is None or reference in _references(customer)
        return named and referenced and (since is None or customer.updated > since)

    rows = filter(passes, organisation().customers)
    return listing.page("customers", rows, state(), organisation().id, by_update=by_update)


@blueprint.post("")
def create_customer() -> Json:
    """Create a customer."""
    customer = organisation().customers.add(_read_customer())
    organisation().webhooks.emit("customer-created", customer.document)
    return customer.document


@blueprint.get("/<customer_id>")
def retrieve_customer(customer_id: str) -> Json:
    """Return one customer."""
    return organisation().customers.get(customer_id).document


@blueprint.put("/<customer_id>")
def update_customer(customer_id: str) -> Json:
    """Replace a customer whole: what the body leaves out is gone."""
    organisation().customers.get(customer_id)
    customer = organisation().customers.replace(customer_id, _read_customer())
    organisation().webhooks.emit("customer-updated", customer.document)
    return customer.document


@blueprint.delete("/<customer_id>")
def delete_customer(customer_id: str) -> tuple[str, int]:
    """Delete a customer; refused while it has open invoices, which Rillet's text warns about."""
    customer = organisation().customers.get(customer_id)
    for invoice in organisation().invoices:
        if invoice.document["customer_id"] == customer.id and is_open(invoice):
            raise refused("customer_in_use", f"Customer {customer.id} has open invoices")
    organisation().customers.remove(customer_id)
    organisation().webhooks.emit("customer-deleted", customer.id)
    return "", 204


def _references(customer: Record) -> list[tuple[str, str]]:
    references = customer.document.get("external_references", ())
    return [(reference["type"], reference["id"]) for reference in references]


def _read_customer() -> Json:
    fields = body()
    customer: Json = {
        "name": fields.require("name", fields.filled_text, ""),
        "name_on_invoice": fields.text("name_on_invoice"),
        "address": _read_address(fields, "address"),
        "shipping_address": _read_address(fields, "shipping_address"),
        "emails": [_read_email(email) for email in fields.objects("emails", unique=True) or []],
        "external_references": read_references(fields),
        "payment_terms": fields.integer("payment_terms", 0),
        "send_invoices_automatically": fields.boolean("send_invoices_automatically") or False,
        "send_payment_reminders": fields.boolean("send_payment_reminders") or False,
        "fields": read_field_assignments(fields),
    }
    fields.checks.finish()
    check_references(organisation(), customer["external_references"])
    return customer


def _read_address(fields: Fields, name: str) -> Json | None:
    """Read an address, which is all or nothing: even the state is required."""
    address = fields.object(name)
    if address is None:
        return None
    return {
        "line1": address.require("line1", address.text, ""),
        **({"line2": address.text("line2")} if "line2" in address else {}),
        "city": address.require("city", address.text, ""),
        "state": address.require("state", address.text, ""),
        "zip_code": address.require("zip_code", address.text, ""),
        "country": address.require("country", address.country, ""),
    }


def _read_email(email: Fields) -> Json:
    return {
        "email": email.require("email", email.filled_text, ""),
        "type": email.require("type", lambda name: email.choice(name, EMAIL_TYPES), ""),
    }
