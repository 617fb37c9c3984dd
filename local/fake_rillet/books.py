"""The books of one Rillet organisation: its objects, its settings, its webhooks."""

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from local.fake_rillet.store import Collection, Json
from local.fake_rillet.switches import Switches
from local.fake_rillet.webhooks import Webhooks
from local.fake_rillet.wire import day_in_zone, read_date


@dataclass
class ReferenceType:
    """An external reference type, configured by a user in Rillet's settings.

    Attributes:
        slug: its name on the wire.
        restricted: at most one per document, header and lines together.
        accepted_for_rev_rec: satisfies an organisation with revenue recognition: the built-in types do, a
            slug of the organisation's own does not (dossier, additions: reference types).
    """

    slug: str
    restricted: bool = False
    accepted_for_rev_rec: bool = False


def _built_in_types() -> dict[str, ReferenceType]:
    return {
        slug: ReferenceType(slug, accepted_for_rev_rec=True)
        for slug in ("CUSTOMER_CUSTOM", "CUSTOMER_HISTORICAL")
    }


@dataclass
class CallCounts:
    """How often an organisation was called.

    Attributes:
        calls: calls with a valid key, refused ones included.
        refused: calls over the rate limit.
        replays: POSTs answered from the idempotency store.
    """

    calls: int = 0
    refused: int = 0
    replays: int = 0


@dataclass
class SentInvoice:
    """An invoice that Rillet mailed automatically."""

    invoice_id: str
    emails: list[str]


@dataclass
class Books:
    """Everything of one organisation; nothing of it is shared with another.

    Hold `lock` to read or change several things as one. `document` is the API's `Organization`,
    `closed_periods` are the API's `Book`s, and `webhooks_on` tells whether events are emitted.
    """

    document: Json
    clock: Callable[[], float]
    switches: Switches = field(default_factory=Switches)
    counts: CallCounts = field(default_factory=CallCounts)
    reference_types: dict[str, ReferenceType] = field(default_factory=_built_in_types)
    closed_periods: list[Json] = field(default_factory=list)
    sent_invoices: list[SentInvoice] = field(default_factory=list)
    invoices_numbered: int = 0
    credit_memos_numbered: int = 0
    webhooks_on: Callable[[], bool] = field(default=lambda: True, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.subsidiaries = Collection("Subsidiary", self.clock, stamped=False)
        self.customers = Collection("Customer", self.clock)
        self.products = Collection("Product", self.clock, stamped=False)
        self.invoices = Collection("Invoice", self.clock)
        self.payments = Collection("Invoice payment", self.clock)
        self.credit_memos = Collection("Credit memo", self.clock)
        self.accounts = Collection("Account", self.clock)
        self.bank_accounts = Collection("Bank account", self.clock, stamped=False)
        self.tax_rates = Collection("Tax rate", self.clock, stamped=False)
        self.custom_fields = Collection("Field", self.clock)
        self.webhooks = Webhooks(self.clock, self.webhooks_on, self.switches)

    @property
    def id(self) -> str:
        """The organisation's UUID."""
        return str(self.document["id"])

    @property
    def currency(self) -> str:
        """The organisation's own currency."""
        return str(self.document["currency"])

    @property
    def timezone(self) -> str:
        """The organisation's IANA time zone."""
        return str(self.document["timezone"])

    @property
    def today(self) -> date:
        """The calendar day in the organisation's time zone."""
        return day_in_zone(self.clock(), self.timezone)

    @property
    def linked_accounts(self) -> list[Json]:
        """The bank accounts that are tied to an account of the chart, oldest first."""
        return [account for account in self.bank_accounts.documents() if "account_code" in account]

    def is_cash_account(self, account_code: str) -> bool:
        """Tell whether an account of the chart is tied to a bank account; being an asset is not enough."""
        return any(account["account_code"] == account_code for account in self.linked_accounts)

    def register_reference_type(
        self, slug: str, *, restricted: bool = False, accepted_for_rev_rec: bool = False
    ) -> None:
        """Add an external reference type, as users do in Rillet's settings."""
        self.reference_types[slug] = ReferenceType(slug, restricted, accepted_for_rev_rec)

    def close_period(self, start: str, end: str, closed_on: str | None = None) -> None:
        """Close the books of a period; both days (YYYY-MM-DD) are inclusive."""
        for day in (start, end):
            read_date(day)
        book = {"id": str(uuid.uuid4()), "start": start, "end": end}
        self.closed_periods.append(book | {"status": "CLOSED", "closed_on": closed_on or end})

    def reopen_periods(self) -> None:
        """Open all periods again, as accountants do who have forgotten something."""
        self.closed_periods.clear()

    def is_closed(self, day: str) -> bool:
        """Tell whether a day (YYYY-MM-DD) lies on or before the end of the last closed period."""
        return any(day <= book["end"] for book in self.closed_periods)

    def next_invoice_number(self) -> str:
        """Take the next free number of Rillet's own series of invoices."""
        number, self.invoices_numbered = _next_free(
            "INV", self.invoices_numbered, (invoice.document["invoice_number"] for invoice in self.invoices)
        )
        return number

    def next_credit_memo_number(self) -> str:
        """Take the next free number of Rillet's own series of credit memos."""
        number, self.credit_memos_numbered = _next_free(
            "CM",
            self.credit_memos_numbered,
            (memo.document["credit_memo_number"] for memo in self.credit_memos),
        )
        return number


def _next_free(series: str, last: int, taken: Iterable[str]) -> tuple[str, int]:
    used = set(taken)
    while True:
        last += 1
        if (number := f"{series}-{last:04d}") not in used:
            return number, last
