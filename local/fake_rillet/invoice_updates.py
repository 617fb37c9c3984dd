"""Replacing an invoice by `PUT /invoices/{id}`, in the two scopes that can be replaced."""

from datetime import date

from local.fake_rillet.balances import credited, decimal_of, paid, update_balance
from local.fake_rillet.books import Books
from local.fake_rillet.document_requests import (
    FULL,
    REVENUE_RECOGNITION_ONLY,
    InvoiceRequest,
    read_exchange_rate,
)
from local.fake_rillet.document_rules import (
    check_bank_account,
    check_number,
    check_period,
    check_products,
    check_references,
    check_rev_rec,
)
from local.fake_rillet.documents import invoice_document, item_revenue
from local.fake_rillet.invoice_lines import read_field_assignments, read_full_line, read_revenue
from local.fake_rillet.problems import refused
from local.fake_rillet.store import Json, Record
from local.fake_rillet.validation import Fields, read_references

_KEPT = ("subsidiary_id", "customer_id", "customer_address", "shipping_address", "sent_at")
_MONEY = ("subtotal", "total_discount", "net_amount", "taxed_amount", "total", "amount_due", "status")


def replace_invoice(books: Books, invoice: Record, body: Fields) -> None:
    """Replace an invoice with what a body says; what it leaves out is gone.

    Raises:
        Problem: 400; the body is wrong, its scope is not the invoice's own, or a rule is broken. AR_ONLY
            invoices cannot be replaced at all.
    """
    scope = body.choice("scope", (FULL, REVENUE_RECOGNITION_ONLY)) or FULL
    body.checks.finish()
    if scope != invoice.private["scope"]:
        raise refused("invoice_scope_mismatch", f"The invoice does not have the scope {scope}")
    read = _update_full if scope == FULL else _update_recorded
    document = read(books, invoice, body)
    check_period(books, invoice.document["invoice_date"], document["invoice_date"])
    settled = paid(books, invoice.id) + credited(books, invoice.id)
    if settled and decimal_of(document["total"]) < settled:
        raise refused("invoice_over_settled", f"The total is less than the {settled} paid or credited")
    books.invoices.replace(invoice.id, document)
    update_balance(books, invoice, "updated")


def _update_full(books: Books, invoice: Record, body: Fields) -> Json:
    """Read an `UpdateFullInvoiceRequest`; number, customer, subsidiary, exchange rate and currency stay."""
    shown = invoice.document
    lines = [read_full_line(line) for line in body.required_objects("items")]
    invoice_date = body.require("invoice_date", body.date, date.min)
    request = InvoiceRequest(
        scope=FULL,
        customer_id=shown["customer_id"],
        subsidiary_id=shown["subsidiary_id"],
        invoice_number=shown["invoice_number"],
        invoice_date=invoice_date,
        due_date=body.date("due_date") or invoice_date,
        currency=shown["total"]["currency"],
        lines=lines,
        purchase_order_number=body.text("purchase_order_number"),
        memo=body.text("memo"),
        bank_account_id=body.require("bank_account_id", body.uuid, ""),
        exchange_rate=shown.get("exchange_rate"),
        external_references=read_references(body),
    )
    body.checks.currencies.add(request.currency)
    body.checks.finish_in_one_currency()
    check_products(books, lines)
    check_bank_account(books, request.bank_account_id)
    check_references(books, request.external_references)
    document = invoice_document(books, request, shown["invoice_number"], shown["subsidiary_id"])
    return document | {name: shown[name] for name in _KEPT if name in shown}


def _update_recorded(books: Books, invoice: Record, body: Fields) -> Json:
    """Read an `UpdateRevenueRecognitionOnlyInvoiceRequest`, which leaves all money as it is."""
    shown = invoice.document
    rows = body.required_objects("items")
    invoice_date = body.require("invoice_date", body.date, date.min)
    due_date = body.date("due_date") or invoice_date
    number = body.filled_text("invoice_number") or shown["invoice_number"]
    references = read_references(body)
    items = _recorded_items(books, shown, rows, body, invoice_date)
    exchange_rate = read_exchange_rate(body)
    body.checks.finish()
    if number != shown["invoice_number"]:
        check_number(books, books.invoices, "invoice_number", number)
    parts = [references, *(item["external_references"] for item in items)]
    check_references(books, (reference for part in parts for reference in part))
    check_rev_rec(books, parts)
    return {name: shown[name] for name in (*_KEPT, *_MONEY) if name in shown} | {
        "invoice_number": number,
        "items": items,
        "invoice_date": invoice_date.isoformat(),
        "due_date": due_date.isoformat(),
        "payment_terms": max(0, (due_date - invoice_date).days),
        "exchange_rate": exchange_rate,
        "external_references": references,
    }


def _recorded_items(
    books: Books, shown: Json, rows: list[Fields], body: Fields, invoice_date: date
) -> list[Json]:
    """Read the items by their ids. All must be there: what leaving one out does is not documented."""
    given = {row.require("id", row.uuid, ""): row for row in rows}
    if given.keys() != {item["id"] for item in shown["items"]}:
        body.wrong("items", "must be the invoice's own items, each once")
        return []
    return [_recorded_item(books, item, given[item["id"]], invoice_date) for item in shown["items"]]


def _recorded_item(books: Books, item: Json, row: Fields, invoice_date: date) -> Json:
    """Replace what may change of an item; a description cannot be null and stays when it is left out."""
    kept = {name: value for name, value in item.items() if name != "fields"}
    changed = {
        "description": row.text("description") or item["description"],
        "revenue": item_revenue(books, item["product_id"], invoice_date, read_revenue(row)),
    }
    assignments = read_field_assignments(row)
    return kept | changed | ({} if assignments is None else {"fields": assignments})
