"""Small Solvimon documents: one line, 21 % VAT."""

from decimal import Decimal
from typing import Any

from local.sample_data.identity import solvimon_id

Json = dict[str, Any]

FIRST, SECOND, NOTE = "invo_faultsfirst", "invo_faultssecond", "invo_faultsnote"


def invoice(document_id: str = FIRST, net: str = "100.00", **more: object) -> Json:
    """An invoice of 31 January 2040, still a draft and without a number.

    Args:
        document_id: Solvimon's id.
        net: its net amount in euros.
        more: other fields.
    """
    base = Decimal(net)
    tax = (base * 21 / 100).quantize(Decimal("0.01"))
    category = {
        "base_amount": _euros(base),
        "tax_amount": _euros(tax),
        "percentage": "21",
        "name": "BTW",
        "category": "STANDARD",
    }
    group = {
        "type": "PRICING",
        "amount_excluding_tax": _euros(base),
        "tax_categories": [category],
        "products": [{"id": solvimon_id("prod", "harbour-planner"), "name": "Harbour Planner"}],
    }
    return {
        "id": document_id,
        "invoice_number": None,
        "status": "DRAFT",
        "type": "STANDARD",
        "invoice_date": "2040-01-31T09:00:00Z",
        "due_date": "2040-02-14T09:00:00Z",
        "timezone": "Europe/Amsterdam",
        "billing_currency": "EUR",
        "invoice_amount_including_tax": _euros(base + tax),
        "tax_summary": {
            "base_amount": _euros(base),
            "tax_amount": _euros(tax),
            "total_amount": _euros(base + tax),
            "country_code": "NL",
        },
        "customer_id": solvimon_id("cust", "maasvlakte-quay"),
        "billing_entity_id": solvimon_id("bile", "tideway-nl"),
        "periods": [{"groups": [group]}],
        **more,
    }


def credit_note(net: str = "-100.00", of: str = FIRST) -> Json:
    """A credit note of an invoice, one day younger than it."""
    more = {"type": "CREDIT", "invoice_date": "2040-02-01T09:00:00Z", "credit": {"original_invoice_id": of}}
    return invoice(NOTE, net, **more)


def rillet_customer(number: int) -> Json:
    """A customer of Rillet, to be imported."""
    return {
        "id": _rillet_id(number),
        "name": f"Customer {number}",
        "emails": [{"email": f"books{number}@customer.example", "type": "MAIN_SENDER"}],
        "address": {
            "line1": f"Kade {number}",
            "city": "Rotterdam",
            "state": "ZH",
            "zip_code": "3011 XD",
            "country": "NL",
        },
        "external_references": [],
    }


def rillet_product(number: int) -> Json:
    """A product of Rillet, to be imported."""
    return {"id": _rillet_id(number), "name": f"Product {number}", "description": f"What {number} is"}


def rillet_subsidiary(number: int) -> Json:
    """A subsidiary of Rillet, to be imported."""
    entity = {"trade_name": f"Tideway {number} B.V.", "currency": "EUR", "timezone": "Europe/Amsterdam"}
    return {"id": _rillet_id(number), **entity}


def _rillet_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def _euros(quantity: Decimal) -> Json:
    return {"quantity": f"{quantity:.2f}", "currency": "EUR"}
