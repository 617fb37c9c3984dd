"""The invoice and the credit memo that Rillet's API shows: calculated from a request, or edited by users.

Users edit them in Rillet's own screens, without the rules of its API.
"""

import uuid
from copy import deepcopy
from datetime import date
from decimal import Decimal

from local.fake_rillet.balances import UNPAID, decimal_of
from local.fake_rillet.books import Books
from local.fake_rillet.document_requests import CreditMemoRequest, InvoiceRequest
from local.fake_rillet.invoice_lines import Line
from local.fake_rillet.store import Json
from local.fake_rillet.wire import to_wire

_INVOICING_BANK_ACCOUNT = (
    *("id", "ach_account", "ach_routing", "bank_name", "bank_address", "swift_code"),
    "payment_instructions",
)
"""What an invoice shows of one (`InvoicingBankAccount`)."""
INVOICE_STATUSES = ("UNPAID", "PAID", "PARTIALLY_PAID", "UNBILLED", "CREDITED", "PARTIALLY_CREDITED")
_NO_ADDRESS = {"line1": "", "city": "", "state": "", "zip_code": "", "country": ""}
"""The contract requires an address on every credit memo and none on a customer; what Rillet shows of a
customer without one is not documented."""
_INVOICE_FIELDS = frozenset(
    {
        *("invoice_number", "customer_id", "subsidiary_id", "invoice_date", "due_date", "items", "memo"),
        *("purchase_order_number", "exchange_rate", "external_references", "payment_terms"),
        *("subtotal", "total_discount", "net_amount", "taxed_amount", "total"),
    }
)
_MEMO_FIELDS = frozenset(
    {
        *("credit_memo_number", "customer_id", "subsidiary_id", "credit_memo_date", "items", "address"),
        *("exchange_rate", "external_references", "net_amount", "taxed_amount", "total"),
    }
)


def invoice_document(books: Books, request: InvoiceRequest, number: str, subsidiary: str) -> Json:
    """Calculate the `Invoice` of API v4.

    It carries neither scope, tax rates, discount objects nor unrounded unit prices, so that it cannot be
    turned back into a request.
    """
    customer = books.customers.get(request.customer_id).document
    return {
        "subsidiary_id": subsidiary,
        "invoice_number": number,
        "customer_id": request.customer_id,
        "items": [_invoice_item(books, request, line) for line in request.lines],
        "invoice_date": request.invoice_date.isoformat(),
        "due_date": request.due_date.isoformat(),
        "customer_address": customer.get("address"),
        "shipping_address": customer.get("shipping_address"),
        "bank_account": _bank_account(books, request),
        "status": UNPAID,
        **_invoice_totals(request),
        "payment_terms": max(0, (request.due_date - request.invoice_date).days),
        "purchase_order_number": request.purchase_order_number,
        "exchange_rate": request.exchange_rate,
        "memo": request.memo,
        "overdue": False,
        "external_references": request.external_references,
    }


def item_revenue(books: Books, product_id: str, day: date, given: Json) -> Json:
    """Complete an item's revenue: by default all of it on the document's day, as the product says."""
    product = books.products.get(product_id).document
    default = {
        "period": {"start": day.isoformat(), "end": day.isoformat()},
        "pattern": product["revenue_pattern"],
        "account_code": product["account_code"],
    }
    return default | given


def _invoice_totals(request: InvoiceRequest) -> Json:
    """Add up the lines.

    Tax is the lines' own; a recorded invoice whose lines have no tax has its header's.
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


def _invoice_item(books: Books, request: InvoiceRequest, line: Line) -> Json:
    item = {
        "id": str(uuid.uuid4()),
        "description": line.description,
        "revenue": item_revenue(books, line.product_id, request.invoice_date, line.revenue),
        "gross_rate": to_wire(line.gross_rate, line.currency),
        "total_amount": to_wire(line.gross - line.discount, line.currency),
        "total_discount": to_wire(line.discount, line.currency),
        "taxed_amount": to_wire(line.tax or Decimal(0), line.currency),
        "quantity": line.quantity,
        "product_id": line.product_id,
        "external_references": line.external_references,
    }
    return item if line.fields is None else item | {"fields": line.fields}


def _bank_account(books: Books, request: InvoiceRequest) -> Json | None:
    if request.bank_account_id is None:
        return None
    account = books.bank_accounts.get(request.bank_account_id).document
    return {name: account[name] for name in _INVOICING_BANK_ACCOUNT if name in account}


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


def edited_invoice(invoice: Json, amount_by: str | Decimal | None, changes: Json) -> Json:
    """Return an invoice with some fields replaced, and its first line dearer by a net amount.

    Raises:
        ValueError: a field does not exist, or follows from others.
    """
    edited = _edited(invoice, _INVOICE_FIELDS, changes)
    return _raised(edited, amount_by, ("total_amount",), ("subtotal", "net_amount", "total"))


def edited_memo(memo: Json, amount_by: str | Decimal | None, changes: Json) -> Json:
    """Return a credit memo with some fields replaced, and its first line raised by a net amount.

    Raises:
        ValueError: a field does not exist, or follows from others.
    """
    edited = _edited(memo, _MEMO_FIELDS, changes)
    return _raised(edited, amount_by, ("net_amount", "total_amount"), ("net_amount", "total"))


def _edited(document: Json, known: frozenset[str], changes: Json) -> Json:
    if unknown := changes.keys() - known:
        raise ValueError(f"cannot edit {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return deepcopy(document) | deepcopy(changes)


def _raised(
    document: Json, by: str | Decimal | None, of_item: tuple[str, ...], of_header: tuple[str, ...]
) -> Json:
    places = [(document["items"][0], of_item), (document, of_header)] if by is not None else []
    for place, names in places:
        for name in names:
            money = place[name]
            place[name] = to_wire(Decimal(money["amount"]) + Decimal(by or 0), money["currency"])
    return document
