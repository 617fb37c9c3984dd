"""One Rillet organisation: its data, its settings and the people who may call it."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from local.rillet_twin.store import Collection, Json
from local.rillet_twin.timestamps import read_date

FULL_SCOPE_NUMBER = ("assigned", "kept", "refused")
DUPLICATE_NUMBERS = ("accept", "refuse")
CLOSED_PERIOD_POLICY = ("refuse", "accept")


@dataclass
class Switches:
    """What the vendor's texts leave open, or an organisation can choose.

    Attributes:
        full_scope_number: an `invoice_number` in a FULL invoice, which v4 does not know: "assigned" drops it
            and gives a number of Rillet's own series, "kept" keeps it, "refused" answers 400.
        duplicate_numbers: "accept" or "refuse" a number that another invoice has.
        closed_period_policy: "refuse" or "accept" documents dated in a closed period.
        strict_scale: rounded amounts must have exactly the currency's decimals.
        rev_rec: revenue recognition is on, so recorded invoices need references on header and items.
    """

    full_scope_number: str = "assigned"
    duplicate_numbers: str = "accept"
    closed_period_policy: str = "refuse"
    strict_scale: bool = True
    rev_rec: bool = False

    def set(self, **values: object) -> None:
        """Change some switches.

        Raises:
            ValueError: a switch does not exist.
        """
        known = {switch.name for switch in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no switch is called {name!r}; there are {', '.join(sorted(known))}")
            setattr(self, name, value)


@dataclass
class ReferenceType:
    """An external reference type, made by hand in Rillet's settings.

    Attributes:
        slug: its name on the wire.
        restricted: at most one per document, header and lines together.
        accepted_for_rev_rec: satisfies an organisation with revenue recognition.
    """

    slug: str
    restricted: bool = False
    accepted_for_rev_rec: bool = True


def _built_in_types() -> dict[str, ReferenceType]:
    return {slug: ReferenceType(slug) for slug in ("CUSTOMER_CUSTOM", "CUSTOMER_HISTORICAL")}


@dataclass
class Counts:
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
    """An invoice that Rillet mailed by itself."""

    invoice_id: str
    emails: list[str]


@dataclass
class Organisation:
    """Everything of one organisation; nothing of it is shared with another.

    Hold `lock` to read or change several things as one. `document` is the API's `Organization`, and
    `closed_periods` are the API's `Book`s.
    """

    document: Json
    clock: Callable[[], float]
    switches: Switches = field(default_factory=Switches)
    counts: Counts = field(default_factory=Counts)
    reference_types: dict[str, ReferenceType] = field(default_factory=_built_in_types)
    closed_periods: list[Json] = field(default_factory=list)
    sent_invoices: list[SentInvoice] = field(default_factory=list)
    invoices_numbered: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.subsidiaries = Collection("Subsidiary", self.clock, stamped=False)
        self.customers = Collection("Customer", self.clock)
        self.products = Collection("Product", self.clock, stamped=False)
        self.invoices = Collection("Invoice", self.clock)
        self.accounts = Collection("Account", self.clock)
        self.bank_accounts = Collection("Bank account", self.clock, stamped=False)
        self.tax_rates = Collection("Tax rate", self.clock, stamped=False)
        self.custom_fields = Collection("Field", self.clock)

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

    def register_reference_type(
        self, slug: str, *, restricted: bool = False, accepted_for_rev_rec: bool = True
    ) -> None:
        """Make an external reference type, as people do in Rillet's settings."""
        self.reference_types[slug] = ReferenceType(slug, restricted, accepted_for_rev_rec)

    def close_period(self, start: str, end: str, closed_on: str | None = None) -> None:
        """Close the books of a period; both days (YYYY-MM-DD) are inclusive."""
        for day in (start, end):
            read_date(day)
        book = {"id": str(uuid.uuid4()), "start": start, "end": end}
        self.closed_periods.append(book | {"status": "CLOSED", "closed_on": closed_on or end})

    def is_closed(self, day: str) -> bool:
        """Tell whether a day (YYYY-MM-DD) lies on or before the end of the last closed period."""
        return any(day <= book["end"] for book in self.closed_periods)

    def next_invoice_number(self) -> str:
        """Take the next free number of Rillet's own series."""
        taken = {invoice.document["invoice_number"] for invoice in self.invoices}
        while True:
            self.invoices_numbered += 1
            number = f"INV-{self.invoices_numbered:04d}"
            if number not in taken:
                return number
