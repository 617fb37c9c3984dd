"""Reading the bodies of `/credit-memos`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from local.fake_rillet.invoice_lines import Line, read_credit_line
from local.fake_rillet.invoice_requests import read_exchange_rate
from local.fake_rillet.money import Money
from local.fake_rillet.references import read_references
from local.fake_rillet.store import Json
from local.fake_rillet.validation import Checks, Fields

_NUMBER = re.compile(r"\S+")


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


def read_credit_memo(body: Fields, checks: Checks) -> CreditMemoRequest:
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
    checks.finish_in_one_currency()
    return request


def read_credit_memo_update(body: Fields, checks: Checks, memo: Json) -> CreditMemoRequest:
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
    checks.finish_in_one_currency()
    return request


def read_applications(body: Fields, checks: Checks) -> list[ApplicationRequest]:
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
    checks.finish()
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
