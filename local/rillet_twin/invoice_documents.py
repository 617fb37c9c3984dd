"""Working out the invoice that Rillet's API shows from the one that was asked for."""

import uuid
from decimal import Decimal

from local.rillet_twin.invoice_lines import Line
from local.rillet_twin.invoice_requests import InvoiceRequest
from local.rillet_twin.money import to_wire
from local.rillet_twin.organisation import Organisation
from local.rillet_twin.store import Json

UNPAID = "UNPAID"
STATUSES = ("UNPAID", "PAID", "PARTIALLY_PAID", "UNBILLED", "CREDITED", "PARTIALLY_CREDITED")


def invoice_document(
    organisation: Organisation, request: InvoiceRequest, number: str, subsidiary: str
) -> Json:
    """Work out the `Invoice` of API v4.

    It carries neither scope, tax rates, discount objects nor unrounded unit prices, so that it cannot be
    turned back into a request.
    """
    customer = organisation.customers.get(request.customer_id).document
    return {
        "subsidiary_id": subsidiary,
        "invoice_number": number,
        "customer_id": request.customer_id,
        "items": [_item(organisation, request, line) for line in request.lines],
        "invoice_date": request.invoice_date.isoformat(),
        "due_date": request.due_date.isoformat(),
        "customer_address": customer.get("address"),
        "shipping_address": customer.get("shipping_address"),
        "bank_account": _bank_account(organisation, request),
        "status": UNPAID,
        **_totals(request),
        "payment_terms": max(0, (request.due_date - request.invoice_date).days),
        "purchase_order_number": request.purchase_order_number,
        "exchange_rate": request.exchange_rate,
        "memo": request.memo,
        "overdue": False,
        "external_references": request.external_references,
    }


def amount_due(invoice: Json) -> Decimal:
    """Return what is still open on an invoice that the API shows."""
    return Decimal(invoice["amount_due"]["amount"])


def _totals(request: InvoiceRequest) -> Json:
    """Add up the lines.

    Tax is the lines' own; a recorded invoice whose lines say nothing about tax has its header's.
    """
    subtotal = sum((line.gross for line in request.lines), Decimal(0))
    discount = sum((line.discount for line in request.lines), Decimal(0))
    taxes = [line.tax for line in request.lines if line.tax is not None]
    tax = sum(taxes, Decimal(0))
    if not taxes and request.header_tax is not None:
        tax = request.header_tax.amount
    net = subtotal - discount
    amounts = {
        "subtotal": subtotal,
        "total_discount": discount,
        "net_amount": net,
        "taxed_amount": tax,
        "total": net + tax,
        "amount_due": net + tax,
    }
    return {name: to_wire(amount, request.currency) for name, amount in amounts.items()}


def _item(organisation: Organisation, request: InvoiceRequest, line: Line) -> Json:
    product = organisation.products.get(line.common.product_id).document
    invoice_date = request.invoice_date.isoformat()
    item = {
        "id": str(uuid.uuid4()),
        "description": line.common.description,
        "revenue": {
            "period": {"start": invoice_date, "end": invoice_date},
            "pattern": product["revenue_pattern"],
            "account_code": product["account_code"],
        }
        | line.common.revenue,
        "gross_rate": to_wire(line.gross_rate, line.currency),
        "total_amount": to_wire(line.gross - line.discount, line.currency),
        "total_discount": to_wire(line.discount, line.currency),
        "taxed_amount": to_wire(line.tax or Decimal(0), line.currency),
        "quantity": line.common.quantity,
        "product_id": line.common.product_id,
        "external_references": line.common.external_references,
    }
    return item if line.common.fields is None else item | {"fields": line.common.fields}


def _bank_account(organisation: Organisation, request: InvoiceRequest) -> Json | None:
    if request.bank_account_id is None:
        return None
    return organisation.bank_accounts.get(request.bank_account_id).document
