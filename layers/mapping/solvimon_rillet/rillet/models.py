"""Models of the objects in Rillet's answers (Rillet API v4)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

T = TypeVar("T")
UNREADABLE_TIMESTAMP = datetime.min.replace(tzinfo=UTC)
# Bounds within which Python's decimals neither lose a cent nor produce very long texts.
Number = Annotated[Decimal, Field(gt=-(10**18), lt=10**18, max_digits=100)]
Several = Annotated[list[T], BeforeValidator(lambda value: [] if value is None else value)]
# Items are only compared with themselves, so one in an unknown form does not make a document unreadable.
Items = Annotated[list[Any], BeforeValidator(lambda value: value if isinstance(value, list) else [])]


def parse_rillet_timestamp(stamp: str) -> datetime:
    """A time that orders Rillet's updates; for an unreadable stamp the oldest, ``UNREADABLE_TIMESTAMP``."""
    try:
        read = datetime.fromisoformat(stamp)
    except ValueError:
        return UNREADABLE_TIMESTAMP
    return read if read.tzinfo else read.replace(tzinfo=UTC)


class Model(BaseModel):
    """Base of all wire models: tolerant on input."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Money(Model):
    """An amount in major units, rounded to its currency in every answer."""

    amount: Number
    currency: str


class ExternalReference(Model):
    """A record's id in another system."""

    type: str
    id: str
    url: str | None = None


class _Document(Model):
    """The fields that an invoice and a credit memo have in common."""

    id: str
    customer_id: str | None = None
    subsidiary_id: str | None = None
    total: Money
    net_amount: Money
    taxed_amount: Money
    status: str | None = None
    items: Items = Field(default_factory=list)
    external_references: Several[ExternalReference] = Field(default_factory=list)
    updated_at: str | None = None

    def refers_to(self, identifier: str) -> bool:
        """Whether one of its external references, of whatever type, has this id."""
        return any(reference.id == identifier for reference in self.external_references)


class Invoice(_Document):
    """An invoice. ``total`` is gross, ``net_amount`` before tax, ``taxed_amount`` the tax."""

    invoice_number: str
    invoice_date: date | None = None
    amount_due: Money | None = None

    @property
    def number(self) -> str:
        """Rillet's number."""
        return self.invoice_number

    @property
    def day(self) -> str:
        """Its date (YYYY-MM-DD), or an empty text."""
        return str(self.invoice_date or "")


class CreditMemoApplication(Model):
    """The amount of a credit memo that is applied to an invoice."""

    invoice_id: str
    invoice_number: str | None = None
    amount: Money
    application_date: date | None = None


class CreditMemo(_Document):
    """A credit memo; all its amounts are positive."""

    credit_memo_number: str
    credit_memo_date: date | None = None
    applied_amount: Money | None = None
    remaining_amount: Money | None = None
    applications: Several[CreditMemoApplication] = Field(default_factory=list)

    @property
    def number(self) -> str:
        """Rillet's number."""
        return self.credit_memo_number

    @property
    def day(self) -> str:
        """Its date (YYYY-MM-DD), or an empty text."""
        return str(self.credit_memo_date or "")


def revenue_months(items: list[Any]) -> str:
    """The months in which a document's lines are recognised, such as ``2026-10..2026-12, 2027-01``.

    Empty if a line does not state its period.
    """
    months = set[str]()
    for item in items:
        revenue = item.get("revenue") if isinstance(item, dict) else None
        period = revenue.get("period") if isinstance(revenue, dict) else None
        if not isinstance(period, dict):
            return ""
        start, end = (str(period.get(name) or "")[:7] for name in ("start", "end"))
        months.add(start if start == end else f"{start}..{end}")
    return ", ".join(sorted(months))


class Address(Model):
    """A postal address; Rillet requires all parts but ``line2``; older records may lack some."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = None


class CustomerEmail(Model):
    """An e-mail address of a customer: MAIN_SENDER, CC or BCC."""

    email: str
    type: str


class Customer(Model):
    """A customer."""

    id: str
    name: str
    name_on_invoice: str | None = None
    address: Address | None = None
    emails: Several[CustomerEmail] = Field(default_factory=list)
    send_invoices_automatically: bool | None = None
    external_references: Several[ExternalReference] = Field(default_factory=list)
    updated_at: str | None = None


class Product(Model):
    """A product; ``status`` is ACTIVE or INACTIVE. Products have no date of their last change."""

    id: str
    name: str
    description: str | None = None
    status: str = "ACTIVE"


class Organization(Model):
    """The organisation that a credential belongs to."""

    id: str
    trade_name: str
    currency: str | None = None


class AccountingPeriod(Model):
    """An accounting period; both days are inclusive."""

    start: date
    end: date


class Subsidiary(Model):
    """A subsidiary with its accounting currency."""

    id: str
    currency: str
    trade_name: str
    timezone: str | None = None


class Pagination(Model):
    """Keyset paging; no cursor on the last page."""

    next_cursor: str | None = None


class InvoicePayment(Model):
    """A payment of an invoice: SUCCESSFUL, UNCLEARED or FAILED."""

    id: str
    status: str
    amount: Money
    paid_on: date | None = Field(default=None, alias="date")


class PaymentList(Model):
    """All payments of an invoice; this list has no pages."""

    payments: list[InvoicePayment]


class Page(Model):
    """A page of a list."""

    pagination: Pagination = Pagination()


class InvoicePage(Page):
    """A page of invoices, newest first."""

    invoices: list[Invoice]


class CreditMemoPage(Page):
    """A page of credit memos, newest first."""

    credit_memos: list[CreditMemo]


class CustomerPage(Page):
    """A page of customers."""

    customers: list[Customer]


class SubsidiaryList(Model):
    """All subsidiaries; this list has no pages."""

    subsidiaries: list[Subsidiary]
