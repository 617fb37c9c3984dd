"""Reading the bodies of `/invoices`, in three shapes by scope, and of `/credit-memos`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from local.fake_rillet.invoice_lines import Line, read_credit_line, read_full_line, read_recorded_line
from local.fake_rillet.store import Json
from local.fake_rillet.switches import Switches
from local.fake_rillet.validation import Fields, read_references
from local.fake_rillet.wire import Money

FULL = "FULL"
REVENUE_RECOGNITION_ONLY = "REVENUE_RECOGNITION_ONLY"
AR_ONLY = "AR_ONLY"
INVOICE_SCOPES = (FULL, REVENUE_RECOGNITION_ONLY, AR_ONLY)
_NUMBER = re.compile(r"\S+")


@dataclass(frozen=True)
class InvoiceRequest:
    """An invoice as a caller sends it, in any scope; fields that the scope does not have are empty."""

    scope: str
    customer_id: str
    subsidiary_id: str | None
    invoice_number: str | None
    invoice_date: date
    due_date: date
    currency: str
    lines: Sequence[Line]
    header_tax: Money | None = None
    purchase_order_number: str | None = None
    memo: str | None = None
    bank_account_id: str | None = None
    exchange_rate: Json | None = None
    external_references: list[Json] = field(default_factory=list)


def read_invoice(body: Fields, switches: Switches) -> InvoiceRequest:
    """Read and check the body of `POST /invoices`.

    Raises:
        Problem: 400 with all violations.
    """
    scope = body.choice("scope", INVOICE_SCOPES) or FULL
    body.checks.finish()  # the other fields depend on the scope
    lines = body.required_objects("items")
    request = _read_full(body, lines, switches) if scope == FULL else _read_recorded(body, lines, scope)
    body.checks.finish_in_one_currency()
    return request


def _read_full(body: Fields, lines: list[Fields], switches: Switches) -> InvoiceRequest:
    """Read an invoice that Rillet issues; v4 knows no `invoice_number` here."""
    number = None
    if switches.full_scope_number == "kept":
        number = body.filled_text("invoice_number")
    elif switches.full_scope_number == "refused" and "invoice_number" in body:
        body.wrong("invoice_number", "is assigned by Rillet in scope FULL")
    read = [read_full_line(line) for line in lines]
    invoice_date = body.require("invoice_date", body.date, date.min)
    return InvoiceRequest(
        scope=FULL,
        customer_id=body.require("customer_id", body.uuid, ""),
        subsidiary_id=body.uuid("subsidiary_id"),
        invoice_number=number,
        invoice_date=invoice_date,
        due_date=body.date("due_date") or invoice_date,
        currency=_currency(read),
        lines=read,
        purchase_order_number=body.text("purchase_order_number"),
        memo=body.text("memo"),
        bank_account_id=body.uuid("bank_account_id"),
        exchange_rate=read_exchange_rate(body),
        external_references=read_references(body),
    )


def _read_recorded(body: Fields, lines: list[Fields], scope: str) -> InvoiceRequest:
    """Read an invoice that another system issued; AR_ONLY is the same without an exchange rate."""
    if "external_references" not in body:
        body.wrong("external_references", "must not be null")
    read = [read_recorded_line(line) for line in lines]
    invoice_date = body.require("invoice_date", body.date, date.min)
    return InvoiceRequest(
        scope=scope,
        customer_id=body.require("customer_id", body.uuid, ""),
        subsidiary_id=body.uuid("subsidiary_id"),
        invoice_number=body.require("invoice_number", body.filled_text, ""),
        invoice_date=invoice_date,
        due_date=body.date("due_date") or invoice_date,
        currency=_currency(read),
        lines=read,
        header_tax=body.rounded_money("tax_amount"),
        exchange_rate=None if scope == AR_ONLY else read_exchange_rate(body),
        external_references=read_references(body),
    )


def _currency(lines: Sequence[Line]) -> str:
    return lines[0].currency if lines else "USD"


def read_exchange_rate(body: Fields) -> Json | None:
    """Read an `ExchangeRate`: units of `target` for one of `base` on a date."""
    rate = body.object("exchange_rate")
    if rate is None:
        return None
    if rate.require("rate", rate.decimal_text, Decimal(1)) <= 0:
        rate.wrong("rate", "must be greater than 0")
    return {
        "base": rate.require("base", rate.currency, ""),
        "target": rate.require("target", rate.currency, ""),
        "rate": rate.text("rate"),
        "date": rate.require("date", rate.date, date.min).isoformat(),
    }


@dataclass(frozen=True)
class CreditMemoRequest:
    """A credit memo as a caller sends it."""

    customer_id: str
    subsidiary_id: str | None
    credit_memo_number: str | None
    credit_memo_date: date
    lines: Sequence[Line]
    exchange_rate: Json | None = None
    external_references: list[Json] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """The one currency of all lines."""
        return self.lines[0].currency


@dataclass(frozen=True)
class ApplicationRequest:
    """So much of a credit memo for an invoice."""

    invoice_id: str
    amount: Money
    application_date: date


def read_credit_memo(body: Fields) -> CreditMemoRequest:
    """Read a `CreateCreditMemoRequest`.

    Raises:
        Problem: 400 with all violations.
    """
    lines = [read_credit_line(line) for line in body.required_objects("items")]
    request = CreditMemoRequest(
        customer_id=body.require("customer_id", body.uuid, ""),
        subsidiary_id=body.uuid("subsidiary_id"),
        credit_memo_number=_number(body),
        credit_memo_date=body.require("credit_memo_date", body.date, date.min),
        lines=lines,
        exchange_rate=read_exchange_rate(body),
        external_references=read_references(body),
    )
    body.checks.finish_in_one_currency()
    return request


def read_credit_memo_update(body: Fields, memo: Json) -> CreditMemoRequest:
    """Read an `UpdateCreditMemoRequest`: items, date and references; all else stays as the memo has it.

    Raises:
        Problem: 400 with all violations.
    """
    lines = [read_credit_line(line) for line in body.required_objects("items")]
    request = CreditMemoRequest(
        customer_id=memo["customer_id"],
        subsidiary_id=memo["subsidiary_id"],
        credit_memo_number=memo["credit_memo_number"],
        credit_memo_date=body.require("credit_memo_date", body.date, date.min),
        lines=lines,
        exchange_rate=memo.get("exchange_rate"),
        external_references=read_references(body),
    )
    body.checks.finish_in_one_currency()
    return request


def read_applications(body: Fields) -> list[ApplicationRequest]:
    """Read an `ApplyCreditMemoRequest`; an invoice may come once.

    Raises:
        Problem: 400 with all violations.
    """
    rows = body.required_objects("applications")
    requests = [_read_application(row) for row in rows]
    invoice_ids = [request.invoice_id for request in requests]
    for row, request in zip(rows, requests, strict=True):
        if invoice_ids.count(request.invoice_id) > 1:
            row.wrong("invoice_id", "must not come twice")
    body.checks.finish()
    return requests


def _read_application(row: Fields) -> ApplicationRequest:
    request = ApplicationRequest(
        invoice_id=row.require("invoice_id", row.uuid, ""),
        amount=row.require("amount", row.rounded_money, Money(Decimal(1), "USD")),
        application_date=row.require("application_date", row.date, date.min),
    )
    if request.amount.amount <= 0:
        row.wrong("amount", "must be greater than 0")
    return request


def _number(body: Fields) -> str | None:
    """Read the number; the contract's pattern is read as a full match, which is the stricter way."""
    number = body.text("credit_memo_number")
    if number is not None and not _NUMBER.fullmatch(number):
        body.wrong("credit_memo_number", 'must match "\\S+"')
    return number
