"""The credit memo that Rillet's API shows, calculated from a request."""

import uuid
from decimal import Decimal

from local.fake_rillet.balances import decimal_of
from local.fake_rillet.books import Books
from local.fake_rillet.credit_memo_requests import CreditMemoRequest
from local.fake_rillet.invoice_documents import item_revenue
from local.fake_rillet.invoice_lines import Line
from local.fake_rillet.money import to_wire
from local.fake_rillet.store import Json

_NO_ADDRESS = {"line1": "", "city": "", "state": "", "zip_code": "", "country": ""}
"""The contract requires an address on every credit memo and none on a customer; what Rillet shows of a
customer without one is not documented."""


def credit_memo_document(
    books: Books, request: CreditMemoRequest, number: str, subsidiary: str, applications: list[Json]
) -> Json:
    """Calculate the `CreditMemo` of API v4, which carries neither tax rates nor unit prices."""
    customer = books.customers.get(request.customer_id).document
    net = sum((line.gross for line in request.lines), Decimal(0))
    tax = sum((line.tax or Decimal(0) for line in request.lines), Decimal(0))
    amounts = {"net_amount": net, "taxed_amount": tax, "total": net + tax}
    document: Json = {
        "subsidiary_id": subsidiary,
        "credit_memo_number": number,
        "customer_id": request.customer_id,
        "items": [_memo_item(books, request, line) for line in request.lines],
        "credit_memo_date": request.credit_memo_date.isoformat(),
        "address": customer.get("address") or _NO_ADDRESS,
        **{name: to_wire(value, request.currency) for name, value in amounts.items()},
        "applications": applications,
        "exchange_rate": request.exchange_rate,
        "external_references": request.external_references,
    }
    update_memo_balance(document)
    return document


def own_memo_document(invoice: Json, number: str, amount: Json) -> Json:
    """Make a memo that a user enters for an invoice, without tax and without references."""
    item = invoice["items"][0]
    zero = to_wire(Decimal(0), amount["currency"])
    document: Json = {
        **{name: invoice[name] for name in ("subsidiary_id", "customer_id")},
        "credit_memo_number": number,
        "items": [
            {
                "id": str(uuid.uuid4()),
                "description": "Written off",
                **{name: item[name] for name in ("revenue", "product_id")},
                "net_amount": amount,
                "taxed_amount": zero,
                "total_amount": amount,
                "quantity": 1,
            }
        ],
        "credit_memo_date": invoice["invoice_date"],
        "address": invoice.get("customer_address") or _NO_ADDRESS,
        "net_amount": amount,
        "taxed_amount": zero,
        "total": amount,
        "applications": [],
        "exchange_rate": None,
        "external_references": [],
    }
    update_memo_balance(document)
    return document


def update_memo_balance(memo: Json) -> None:
    """Calculate the applied and the remaining amount and the status, in place.

    A memo that was never refunded is never REFUNDED: the API has no call for that.
    """
    total, currency = decimal_of(memo["total"]), memo["total"]["currency"]
    applied = sum((decimal_of(application["amount"]) for application in memo["applications"]), Decimal(0))
    memo["applied_amount"] = to_wire(applied, currency)
    memo["remaining_amount"] = to_wire(total - applied, currency)
    memo["status"] = "UNAPPLIED" if not applied else "APPLIED" if applied >= total else "PARTIALLY_APPLIED"


def _memo_item(books: Books, request: CreditMemoRequest, line: Line) -> Json:
    """Calculate an item; by its name, `total_amount` is the net amount and the tax together."""
    tax = line.tax or Decimal(0)
    item = {
        "id": str(uuid.uuid4()),
        "description": line.description,
        "revenue": item_revenue(books, line.product_id, request.credit_memo_date, line.revenue),
        "net_amount": to_wire(line.gross, line.currency),
        "taxed_amount": to_wire(tax, line.currency),
        "total_amount": to_wire(line.gross + tax, line.currency),
        "quantity": line.quantity,
        "product_id": line.product_id,
    }
    return item if line.fields is None else item | {"fields": line.fields}
