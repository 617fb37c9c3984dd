"""The pages that a reconciliation reads: what is kept of them, and what the workflow decides by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.aws.s3_sns import ReportBucket
from solvimon_rillet.workflows.durable.steps import Json

# What is read, in order. Step names in the console and parts in the bucket are made of these.
SOLVIMON_DOCUMENTS = "Solvimon's documents"
INVOICES, CREDIT_MEMOS = "invoices", "credit-memos"
UNLISTED = "absent"
"""Documents that the ledger has as exported and Rillet's lists do not have."""
CUSTOMER_PAGES = "customers"
UNMAPPED_RECORDS = ("products", "billing-entities", CUSTOMER_PAGES)
CURRENT_LINKS = {CUSTOMER_PAGES: "customer-links", "billing-entities": "billing-entity-links"}
"""Rillet's id by Solvimon's, as the records have it now; pages as of Solvimon's list of each."""
EDITED_CUSTOMERS = "edited-customers"
"""Linked customers that were edited in Solvimon in the period; pages as of its list of customers."""
CHANGED_CUSTOMERS = "changed-customers"
"""Rillet's customers that changed in the period, as far as they are among them."""
_PART_NAMES = {SOLVIMON_DOCUMENTS: "bills"}


class PageStore:
    """The pages that one execution has read, in the bucket of reports; a repeated step replaces its page.

    Args:
        bucket: the bucket.
        run: name of the execution and the connection.
    """

    def __init__(self, bucket: ReportBucket, run: str) -> None:
        self._bucket = bucket
        self._run = run

    def put(self, what: str, number: int, page: object) -> None:
        """Keep a page; raises ``RetryLater``."""
        self._bucket.put_part(self._run, _PART_NAMES.get(what, what), number, page)

    def read(self, what: str, counts: Mapping[str, int]) -> Iterator[Any]:
        """All pages in order; ``counts`` is their number by what was read; raises ``RetryLater``."""
        return self._bucket.parts(self._run, _PART_NAMES.get(what, what), counts.get(what, 0))


@dataclass(frozen=True, slots=True)
class ReconcileStart:
    """The values that the first step fixes for the whole reconciliation of a connection.

    Attributes:
        first: first day of the period (YYYY-MM-DD).
        last: last day of the period.
        since: RFC 3339; Rillet's documents that changed later are read.
        made_at: when the reconciliation started (ISO 8601, UTC).
        subsidiaries: names by Rillet id.
    """

    first: str
    last: str
    since: str
    made_at: str
    subsidiaries: Mapping[str, str]

    def to_json(self) -> Json:
        """The value as it is checkpointed; ``from_json`` reads it."""
        return {
            "from": self.first,
            "to": self.last,
            "since": self.since,
            "made_at": self.made_at,
            "subsidiaries": self.subsidiaries,
        }

    @classmethod
    def from_json(cls, value: Json) -> "ReconcileStart":
        """A checkpointed value."""
        return cls(value["from"], value["to"], value["since"], value["made_at"], value["subsidiaries"])


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """The result of a page that is read by its number.

    Attributes:
        rows: how many rows were kept.
        more: whether there is another page.
        earliest: an hour before the first export of the page's documents (RFC 3339), if there is one.
        edited: how many customers of the page were edited in the period.
        linked: how many pages of current links were kept: one, or none.
    """

    rows: int
    more: bool
    earliest: str | None = None
    edited: int = 0
    linked: int = 0

    def to_json(self) -> Json:
        """The result as it is checkpointed; ``from_json`` reads it."""
        more = {"earliest": self.earliest, "edited": self.edited, "linked": self.linked}
        return {
            "rows": self.rows,
            "more": self.more,
            **{name: value for name, value in more.items() if value},
        }

    @classmethod
    def from_json(cls, value: Json) -> "NumberedPage":
        """A checkpointed result; earlier versions counted the rows under other names."""
        counted = [int(value.get(name, 0)) for name in ("edited", "linked")]
        return cls(int(value.get("rows", 0)), bool(value["more"]), value.get("earliest"), *counted)


@dataclass(frozen=True, slots=True)
class CursorPage:
    """The result of a page that is read by a cursor.

    Attributes:
        rows: how many rows were kept.
        first: id of the first row; a repeated one shows that the list has restarted.
        cursor: of the next page; ``None`` after the last one.
    """

    rows: int
    first: str
    cursor: str | None
