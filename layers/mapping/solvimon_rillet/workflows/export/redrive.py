"""Put documents onto the queue again: those of one cause once it is mended, or all of some days.

They go as bulk work, so that live work comes first. Nothing is exported twice by it: whoever takes such a
message claims the document first, and finds out that it is done.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.events import SOLVIMON, BusEvent
from solvimon_rillet.formatting import format_duration, format_timestamp, parse_timestamp
from solvimon_rillet.ledger.ledger import FINISHED, Document
from solvimon_rillet.mapping.dates import utc_range
from solvimon_rillet.mapping.document_fields import document_day
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.solvimon.types import CREDIT_TYPES
from solvimon_rillet.workflows.export.redrive_request import ALL, Retry

_BATCH_SIZE = 100  # records that the ledger reads in one request
_RILLET_CALLS = {"invoice": 1, "credit_memo": 2}  # at Rillet, of a document whose links are known


@dataclass(frozen=True, slots=True)
class RedriveTarget:
    """Whose documents they are.

    Attributes:
        name: of the workflow, such as ``export_invoice``.
        kind: the ledger's word for its documents.
        detail_type: the bus event that asks for one.
    """

    name: str
    kind: str
    detail_type: str


@dataclass(frozen=True, slots=True)
class _Batch:
    """Documents that may be wanted, and from where to go on after them; ``None`` after the last ones."""

    documents: list[Document]
    then: Any


class Redrive:
    """Retries of one workflow for one connection."""

    def __init__(self, connection: Connection, target: RedriveTarget, queue: Queue) -> None:
        self._name = connection.name
        self._target = target
        self._settings = connection.settings
        self._ledger = connection.ledger
        self._solvimon = connection.solvimon
        self._queue = queue
        self._clock = connection.clock
        self._counts: Counter[str] = Counter()
        self._causes: Counter[str] = Counter()

    def run(self, retry: Retry, *, dry_run: bool, has_time: Callable[[], bool]) -> dict[str, Any]:
        """Queue what is wanted and not done.

        Args:
            retry: what is wanted.
            dry_run: only count.
            has_time: whether this run may begin with another hundred documents.

        Raises:
            NeedsAttention: Solvimon refuses its list.
            RetryLater: a service did not answer, and nothing is queued yet.
        """
        if not getattr(self._settings.workflows, self._target.name):
            return {
                "error": f"The workflow {self._target.name} is switched off in the settings.",
                "remedy": f"Set workflows.{self._target.name} to true, then invoke it again.",
            }
        left, why = retry.as_event(), "the run's time was over"
        try:
            for batch in self._rejected_batches(retry) if retry.code else self._dated_batches(retry):
                self._queue_batch(batch.documents, retry, dry_run=dry_run)
                left = batch.then
                if not has_time():
                    break
        except RetryLater as error:
            if not self._counts["queued"]:
                raise
            why = str(error).rstrip(".")
        if retry.code and not self._counts and left is None and not retry.changed_after:
            return self._answer_for_no_match(retry.code)
        return self._answer(retry, left, why, dry_run=dry_run)

    def _rejected_batches(self, retry: Retry) -> Iterator[_Batch]:
        """What is rejected with a cause, longest unchanged first.

        A retry that fails again moves to the end; so a run looks only at what was rejected before the first
        one began. It ends where the second changes, because that is all that a place to go on from can name.
        """
        after = parse_timestamp(retry.changed_after) if retry.changed_after else -1
        until = parse_timestamp(retry.changed_until) if retry.changed_until else int(self._clock())
        found: list[Document] = []
        latest = after
        for document, item in self._ledger.in_state(self._name, self._target.kind, "rejected"):
            at = int(item["updated_at"])
            if not after < at <= until:
                continue
            self._causes[str(item.get("code", "unknown"))] += 1
            if len(found) >= _BATCH_SIZE and at > latest:
                then = retry.as_event(
                    changed_after=format_timestamp(latest), changed_until=format_timestamp(until)
                )
                yield _Batch(found, then)
                found = []
            if _has_code(item, retry):
                found.append(document)
            latest = at
        yield _Batch(found, None)

    def _dated_batches(self, retry: Retry) -> Iterator[_Batch]:
        """Solvimon's final documents of some days, page by page, in an order that new ones do not change."""
        number = retry.page
        while True:
            rows, more = self._solvimon.final_invoices(*self._utc_range(retry), number)
            number += 1
            wanted = [row for row in rows if self._is_eligible(row, retry)]
            documents = [Document(self._name, self._target.kind, str(row["id"])) for row in wanted]
            yield _Batch(documents, retry.as_event(page=number) if more else None)
            if not more:
                return

    def _utc_range(self, retry: Retry) -> tuple[datetime, datetime]:
        if retry.first is None or retry.last is None:
            raise ValueError("only a retry by date lists documents")
        return utc_range(retry.first, retry.last)

    def _is_eligible(self, row: Mapping[str, Any], retry: Retry) -> bool:
        """Whether a row is of this kind and these days; what cannot be read is for the workflow to tell."""
        if (str(row.get("type")) in CREDIT_TYPES) != (self._target.kind == "credit_memo"):
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

    def _queue_batch(self, documents: list[Document], retry: Retry, *, dry_run: bool) -> None:
        """Queue those of some documents that are to be done, by what their records say now."""
        counted: Counter[str] = Counter()
        wanted = []
        records = self._ledger.read_many(documents)
        for document in dict.fromkeys(documents):
            record = records.get(document, {})
            if why_not := _skip_reason(record, retry):
                counted[why_not] += 1
            else:
                wanted.append(document.id)
        if not dry_run:
            self._queue.put([self._message(document_id) for document_id in wanted])
        self._counts += counted + Counter(queued=len(wanted))

    def _message(self, document_id: str) -> str:
        kind = self._target.detail_type
        return BusEvent(SOLVIMON, kind, self._name, document_id, "", "", bulk=True).as_message()

    def _answer_for_no_match(self, code: str) -> dict[str, Any]:
        """The answer where no document has the cause."""
        if code != ALL and code not in {known.value for known in Code}:
            return {
                "error": f"retry.code: there is no cause {code!r}.",
                "codes_now": dict(self._causes),
                "example": {"retry": {"code": next(iter(self._causes), "product_not_linked")}},
            }
        told = {"connection": self._name, "queued": 0, "codes_now": dict(self._causes)}
        what = "Nothing is rejected now." if code == ALL else f"Nothing is rejected with {code} now."
        return {**told, "summary": what}

    def _answer(self, retry: Retry, left: Any, why: str, *, dry_run: bool) -> dict[str, Any]:  # noqa: ANN401
        queued, done = self._counts["queued"], self._counts["already_in_rillet"]
        others = {name: n for name, n in self._counts.items() if name not in {"queued", "already_in_rillet"}}
        answer: dict[str, Any] = {
            "connection": self._name,
            "dry_run": dry_run,
            "would_queue" if dry_run else "queued": queued,
            "already_in_rillet": done,
            **others,
            "estimate": self._estimate(queued),
        }
        if self._counts["before_start_date"]:
            answer["start_date"] = (
                f"Documents dated before start_date {self._settings.start_date} are not exported; "
                "set an earlier one in the settings to back-fill them."
            )
        if left is not None:
            answer["note"] = f"Not everything is looked at: {why}. Go on with the event in go_on."
            answer["go_on"] = {"connection": self._name, "dry_run": dry_run, "retry": left}
        return answer

    def _estimate(self, documents: int) -> str:
        """How long the queue takes at Rillet's rate limit, in plain words."""
        if not documents:
            return "Nothing to do."
        pacing, calls = self._settings.rillet.pacing, _RILLET_CALLS[self._target.kind]
        window = pacing.window_seconds + pacing.margin_seconds
        length = format_duration(documents * calls * window / pacing.requests)
        each = "one Rillet call" if calls == 1 else f"{calls} Rillet calls"
        return (
            f"{length[0].upper()}{length[1:]} for {documents} documents, if each takes {each} at "
            f"{pacing.requests} in {window:g} s; live work goes first."
        )


def _has_code(item: Item, retry: Retry) -> bool:
    return retry.code in {ALL, item.get("code")}


def _skip_reason(record: Item, retry: Retry) -> str:
    """Why a document is not queued; an empty text if it is."""
    if record.get("state") in FINISHED:
        return "already_in_rillet"
    if record.get("by_hand"):
        return "handled_by_hand"
    if retry.code and not (record.get("state") == "rejected" and _has_code(record, retry)):
        return "changed_meanwhile"
    return ""
