"""Redrive: put documents onto the queue again, by the cause of their rejection or by their days.

The messages are bulk work, so that live work comes first. Nothing is exported twice: the function that takes
such a message claims the document first, and does nothing if it is done.
"""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from solvimon_rillet import money
from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.events import SOLVIMON, BusEvent
from solvimon_rillet.formatting import format_duration, format_timestamp, parse_timestamp
from solvimon_rillet.ledger.actor import current_actor
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, DocumentType
from solvimon_rillet.ledger.ledger import FINISHED, Document
from solvimon_rillet.mapping.dates import utc_range
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.solvimon.invoice_groups import Amount
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.solvimon.types import CREDIT_TYPES
from solvimon_rillet.workflows.export.redrive_request import ALL, Retry

_BATCH_SIZE = 100  # records that the ledger reads in one request
_RILLET_CALLS = {"invoice": 1, "credit_memo": 2}  # per document whose links are known


@dataclass(frozen=True, slots=True)
class _Batch:
    """Documents to check, with what is known of their money, and the retry that continues after them."""

    documents: Mapping[Document, Item]
    continuation: Any


class Redrive:
    """Retries the documents of one type, for one connection.

    Args:
        connection: of the documents.
        kind: type of the documents.
        detail_type: the bus event of such a document.
        queue: the queue of the export.
    """

    def __init__(self, connection: Connection, kind: DocumentType, detail_type: str, queue: Queue) -> None:
        self._name = connection.name
        self._kind = kind
        self._detail_type = detail_type
        self._settings = connection.settings
        self._ledger = connection.ledger
        self._solvimon = connection.solvimon
        self._queue = queue
        self._clock = connection.clock
        self._counts: Counter[str] = Counter()
        self._sums: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        self._causes: Counter[str] = Counter()

    def run(self, retry: Retry, *, dry_run: bool, has_time: Callable[[], bool]) -> dict[str, Any]:
        """Queue the selected documents that are not done.

        Args:
            retry: selects the documents.
            dry_run: only count.
            has_time: whether there is time for another hundred documents.

        Raises:
            NeedsAttention: Solvimon refuses to list the documents.
            RetryLater: a service does not answer, and nothing is queued yet.
        """
        if not getattr(self._settings.workflows, self._kind.function):
            return {
                "error": f"The workflow {self._kind.function} is switched off in the settings.",
                "remedy": f"Set workflows.{self._kind.function} to true, then invoke it again.",
            }
        remaining, stopped_because = retry.as_event(), "this run had no time left"
        try:
            for batch in self._rejected_batches(retry) if retry.code else self._dated_batches(retry):
                self._queue_batch(batch.documents, retry, dry_run=dry_run)
                remaining = batch.continuation
                if not has_time():
                    break
        except RetryLater as error:
            if not self._counts["queued"]:
                raise
            stopped_because = str(error).rstrip(".")
        if retry.code and not self._counts and remaining is None and not retry.changed_after:
            return self._answer_for_no_match(retry.code)
        return self._answer(remaining, stopped_because, dry_run=dry_run)

    def _rejected_batches(self, retry: Retry) -> Iterator[_Batch]:
        """The rejected documents with the cause, longest unchanged first.

        A document that is rejected again moves to the end; so a run checks only rejections from before the
        first run. A batch ends where the second changes: a continuation names its place by the second.
        """
        after = parse_timestamp(retry.changed_after) if retry.changed_after else -1
        until = parse_timestamp(retry.changed_until) if retry.changed_until else int(self._clock())
        found = dict[Document, Item]()
        latest = after
        for document, item in self._ledger.in_state(self._name, self._kind.name, "rejected"):
            at = int(item["updated_at"])
            if not after < at <= until:
                continue
            self._causes[str(item.get("code", "unknown"))] += 1
            if len(found) >= _BATCH_SIZE and at > latest:
                continuation = retry.as_event(
                    changed_after=format_timestamp(latest), changed_until=format_timestamp(until)
                )
                yield _Batch(found, continuation)
                found = {}
            if _has_code(item, retry):
                found[document] = item
            latest = at
        yield _Batch(found, None)

    def _dated_batches(self, retry: Retry) -> Iterator[_Batch]:
        """Solvimon's final documents of the days, page by page, in an order that new ones do not change."""
        number = retry.page
        while True:
            rows, more = self._solvimon.final_invoices(*self._utc_range(retry), number)
            number += 1
            eligible = [row for row in rows if self._is_eligible(row, retry)]
            documents = {
                Document(self._name, self._kind.name, str(row["id"])): _money_of(row) for row in eligible
            }
            yield _Batch(documents, retry.as_event(page=number) if more else None)
            if not more:
                return

    def _utc_range(self, retry: Retry) -> tuple[datetime, datetime]:
        if retry.first is None or retry.last is None:
            raise ValueError("only a retry by date lists documents")
        return utc_range(retry.first, retry.last)

    def _is_eligible(self, row: Mapping[str, Any], retry: Retry) -> bool:
        """Whether a row is of this kind and these days; the export reports a row that cannot be read."""
        if (str(row.get("type")) in CREDIT_TYPES) != (self._kind is CREDIT_MEMO):
            return False
        day = None
        with contextlib.suppress(NeedsAttention, ValueError):
            day = document_day(Invoice.model_validate(row), self._settings)
        if day is None:
            return True
        if retry.first and retry.last and not retry.first <= day <= retry.last:
            return False
        if self._settings.start_date and day < self._settings.start_date:
            self._counts["before_start_date"] += 1
            return False
        return True

    def _queue_batch(self, documents: Mapping[Document, Item], retry: Retry, *, dry_run: bool) -> None:
        """Queue the documents that are not done, by their current records."""
        counted: Counter[str] = Counter()
        to_queue = []
        records = self._ledger.read_many(documents)
        for document, known in documents.items():
            record = records.get(document, {})
            reason = _skip_reason(record, retry)
            facts = record if "amount" in record else known
            if "amount" in facts:
                self._sums[reason or "queued"][str(facts["currency"])] += Decimal(facts["amount"])
            if reason:
                counted[reason] += 1
            else:
                to_queue.append(document.id)
        if not dry_run:
            bodies = [self._message(document_id) for document_id in to_queue]
            self._queue.put(bodies, [self._name] * len(bodies))
        self._counts += counted + Counter(queued=len(to_queue))

    def _message(self, document_id: str) -> str:
        return BusEvent(
            SOLVIMON, self._detail_type, self._name, document_id, "", "", bulk=True, by=current_actor()
        ).to_queue_message()

    def _answer_for_no_match(self, code: str) -> dict[str, Any]:
        """The answer if no document has the cause."""
        if code != ALL and code not in {each.value for each in Code}:
            return {
                "error": f"retry.code: there is no cause {code!r}.",
                "codes_now": dict(self._causes),
                "example": {"retry": {"code": next(iter(self._causes), "product_not_linked")}},
            }
        summary = "Nothing is rejected now." if code == ALL else f"Nothing is rejected with {code} now."
        return {
            "connection": self._name,
            "queued": 0,
            "codes_now": dict(self._causes),
            "summary": summary,
        }

    def _answer(self, remaining: Any, stopped_because: str, *, dry_run: bool) -> dict[str, Any]:  # noqa: ANN401
        queued, done = self._counts["queued"], self._counts["already_in_rillet"]
        others = {name: n for name, n in self._counts.items() if name not in {"queued", "already_in_rillet"}}
        answer: dict[str, Any] = {
            "connection": self._name,
            "dry_run": dry_run,
            "would_queue" if dry_run else "queued": queued,
            "amounts": self._amounts("queued"),
            "already_in_rillet": done,
            "amounts_already_in_rillet": self._amounts("already_in_rillet"),
            **others,
            "estimate": self._estimate(queued),
        }
        if self._counts["before_start_date"]:
            answer["start_date"] = (
                f"Documents dated before start_date {self._settings.start_date} are not exported. "
                "To back-fill them, set an earlier start_date in the settings."
            )
        if remaining is not None:
            answer["note"] = (
                f"Not all documents are checked: {stopped_because}. To continue, invoke the function with "
                "the event in go_on."
            )
            answer["go_on"] = {"connection": self._name, "dry_run": dry_run, "retry": remaining}
        return answer

    def _amounts(self, reason: str) -> dict[str, str]:
        """The sums of the documents that were counted for a reason, by currency."""
        return {
            currency: money.format_amount(total, currency)
            for currency, total in sorted(self._sums[reason].items())
        }

    def _estimate(self, documents: int) -> str:
        """The time that the queue takes at Rillet's rate limit, as text."""
        if not documents:
            return "Nothing to do."
        pacing, calls = self._settings.rillet.pacing, _RILLET_CALLS[self._kind.name]
        window = pacing.window_seconds + pacing.margin_seconds
        length = format_duration(documents * calls * window / pacing.requests)
        each = "one Rillet call" if calls == 1 else f"{calls} Rillet calls"
        return (
            f"{length[0].upper()}{length[1:]} for {documents} documents, if each takes {each} at "
            f"{pacing.requests} in {window:g} s; live work goes first."
        )


def _has_code(item: Item, retry: Retry) -> bool:
    return retry.code in {ALL, item.get("code")}


def _money_of(row: Mapping[str, Any]) -> Item:
    """Amount and currency of a row of Solvimon's list; empty where they cannot be read."""
    with contextlib.suppress(ValidationError):
        total = Amount.model_validate(row.get("invoice_amount_including_tax"))
        return {"amount": total.quantity, "currency": total.currency}
    return {}


def _skip_reason(record: Item, retry: Retry) -> str:
    """The reason why a document is not queued; empty if it is."""
    if record.get("state") in FINISHED:
        return "already_in_rillet"
    if record.get("by_hand"):
        return "handled_by_hand"
    if retry.code and not (record.get("state") == "rejected" and _has_code(record, retry)):
        return "changed_meanwhile"
    return ""
