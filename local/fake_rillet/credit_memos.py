"""Credit memos: what they must obey, and what applying them does to invoices."""

import uuid
from collections.abc import Iterable

from local.fake_rillet.balances import amount_open, decimal_of, update_balance
from local.fake_rillet.books import Books
from local.fake_rillet.document_requests import ApplicationRequest, CreditMemoRequest
from local.fake_rillet.document_rules import (
    check_number,
    check_parties,
    check_period,
    check_products,
    check_references,
)
from local.fake_rillet.documents import credit_memo_document, update_memo_balance
from local.fake_rillet.problems import refused
from local.fake_rillet.store import Json, Record
from local.fake_rillet.wire import to_wire


def create_credit_memo(books: Books, request: CreditMemoRequest) -> Record:
    """Open a credit memo, which touches no invoice yet.

    Raises:
        Problem: 400; a rule of the organisation is broken.
    """
    _check_credit_memo(books, request)
    check_number(books, books.credit_memos, "credit_memo_number", request.credit_memo_number)
    number = request.credit_memo_number or books.next_credit_memo_number()
    subsidiary = request.subsidiary_id or next(iter(books.subsidiaries)).id
    document = credit_memo_document(books, request, number, subsidiary, [])
    _check_total(books, document)
    memo = books.credit_memos.add(document)
    books.webhooks.emit("credit-memo-created", memo.document)
    return memo


def replace_credit_memo(books: Books, memo: Record, request: CreditMemoRequest) -> Record:
    """Replace items, date and references. Its currency stays, and its total covers what is applied.

    Raises:
        Problem: 400; a rule of the organisation is broken.
    """
    shown = memo.document
    _check_credit_memo(books, request)
    check_period(books, shown["credit_memo_date"])
    _check_currency(shown["total"]["currency"], request.currency)
    number, subsidiary = shown["credit_memo_number"], shown["subsidiary_id"]
    document = credit_memo_document(books, request, number, subsidiary, shown["applications"])
    _check_total(books, document)
    if decimal_of(document["remaining_amount"]) < 0:
        applied = shown["applied_amount"]["amount"]
        raise refused("credit_memo_over_applied", f"The total is less than the {applied} that are applied")
    replaced = books.credit_memos.replace(memo.id, document)
    books.webhooks.emit("credit-memo-updated", replaced.document)
    return replaced


def remove_credit_memo(books: Books, memo: Record) -> None:
    """Delete a credit memo that is applied to nothing.

    Raises:
        Problem: 400; it is applied, or its period is closed.
    """
    check_period(books, memo.document["credit_memo_date"])
    if memo.document["applications"]:
        raise refused("credit_memo_applied", f"Credit memo {memo.id} has applications")
    books.credit_memos.remove(memo.id)
    books.webhooks.emit("credit-memo-deleted", memo.id)


def reconcile(books: Books, memo: Record, requests: Iterable[ApplicationRequest]) -> None:
    """Replace the applications of a credit memo by the requested ones: insert, update, remove.

    Nothing happens when they are that already.

    Raises:
        Problem: 400; a rule of the organisation is broken.
    """
    before = {application["invoice_id"]: application for application in memo.document["applications"]}
    after = {request.invoice_id: _apply_to_invoice(books, memo, request, before) for request in requests}
    _check_sum(memo, after.values())
    changed = [id for id in before.keys() | after.keys() if _terms(before.get(id)) != _terms(after.get(id))]
    sides = [side[id] for id in changed for side in (before, after) if id in side]
    check_period(books, *(application["application_date"] for application in sides))
    if not changed:
        return
    memo.document["applications"] = list(after.values())
    update_memo_balance(memo.document)
    books.credit_memos.touch(memo)
    books.webhooks.emit("credit-memo-payment-updated", memo.document)
    for invoice_id in sorted(changed):
        update_balance(books, books.invoices.get(invoice_id), books.switches.credit_event)


def check_uncredited(books: Books, invoice: Record) -> None:
    """Check that no credit memo is applied to an invoice.

    Raises:
        Problem: 400; one is.
    """
    applications = (one for memo in books.credit_memos for one in memo.document["applications"])
    if any(application["invoice_id"] == invoice.id for application in applications):
        raise refused("invoice_has_credits", f"Credit memos are applied to invoice {invoice.id}")


def _apply_to_invoice(
    books: Books, memo: Record, request: ApplicationRequest, before: dict[str, Json]
) -> Json:
    if request.invoice_id not in books.invoices:
        raise refused("invoice_not_found", f"Invoice does not exist: {request.invoice_id}")
    invoice = books.invoices.get(request.invoice_id)
    if invoice.document["customer_id"] != memo.document["customer_id"]:
        raise refused("customer_mismatch", f"Invoice {invoice.id} is another customer's")
    currency = memo.document["total"]["currency"]
    _check_currency(currency, request.amount.currency)
    _check_currency(currency, invoice.document["total"]["currency"])
    still_open = amount_open(books, invoice, but_memo=memo.id)
    if books.switches.over_application == "refuse" and request.amount.amount > still_open:
        detail = f"{request.amount.amount} exceeds the {still_open} {currency} open on {invoice.id}"
        raise refused("credit_memo_over_application", detail)
    existing = before.get(invoice.id)
    return {
        "id": existing["id"] if existing else str(uuid.uuid4()),
        "credit_memo_id": memo.id,
        "invoice_id": invoice.id,
        "invoice_number": invoice.document["invoice_number"],
        "amount": to_wire(request.amount.amount, currency),
        "application_date": request.application_date.isoformat(),
    }


def _terms(application: Json | None) -> tuple[str, str] | None:
    """Return what makes an application another one on the same invoice."""
    return None if application is None else (application["amount"]["amount"], application["application_date"])


def _check_credit_memo(books: Books, request: CreditMemoRequest) -> None:
    check_parties(books, request.customer_id, request.subsidiary_id)
    check_products(books, request.lines)
    check_references(books, request.external_references)
    check_period(books, request.credit_memo_date.isoformat())


def _check_total(books: Books, document: Json) -> None:
    total = document["total"]["amount"]
    if books.switches.memo_total == "positive" and decimal_of(document["total"]) <= 0:
        raise refused("credit_memo_total_not_positive", f"The total must be greater than 0, not {total}")


def _check_sum(memo: Record, applications: Iterable[Json]) -> None:
    applied = sum(decimal_of(application["amount"]) for application in applications)
    if applied > decimal_of(memo.document["total"]):
        total = memo.document["total"]["amount"]
        raise refused(
            "credit_memo_over_applied", f"The applications of {applied} exceed the total of {total}"
        )


def _check_currency(expected: str, given: str) -> None:
    if given != expected:
        raise refused("currency_mismatch", f"The currency must be {expected}, not {given}")
