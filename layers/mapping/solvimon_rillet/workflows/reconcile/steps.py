"""What the steps of a reconciliation do for one connection. Each may be repeated at any time."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pydantic import ValidationError

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.aws.s3_sns import ReportBucket, Topic
from solvimon_rillet.http import CountingRateLimiter
from solvimon_rillet.ledger.ledger import Ledger
from solvimon_rillet.reconciliation.documents import rillet_credit_memo, rillet_invoice
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.rillet.models import CreditMemo, Invoice
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.durable_steps import Json, guarded
from solvimon_rillet.workflows.reconcile.conclusion import ReportStep
from solvimon_rillet.workflows.reconcile.solvimon_side import SolvimonPage
from solvimon_rillet.workflows.reconcile.unmapped_records import UnmappedRecords
from solvimon_rillet.workflows.reconcile.workflow import ReconcileRequest

logger = logging.getLogger(__name__)

INVOICES, MEMOS = "invoices", "credit-memos"
ASKED_AT_ONCE, ASKED = 30, 300  # documents that Rillet's list has not, by step and in all
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReconcileServices:
    """What a step works with, as the connection's settings are now."""

    connection: str
    settings: Settings
    ledger: Ledger
    solvimon: SolvimonClient
    rillet: RilletClient
    bucket: ReportBucket
    bus: Bus
    topic: Topic


class ReconcileSteps:
    """Implements ``reconciling.Work`` for one connection.

    Args:
        connection: its name.
        request: what was asked for.
        name: the run's name, the same after a crash.
        parts: makes the parts, with the gate that Rillet's calls pass.
        clock: unix seconds.
        count: notes a metric of a connection.
    """

    def __init__(
        self,
        connection: str,
        request: ReconcileRequest,
        name: str,
        parts: Callable[[], tuple[ReconcileServices, CountingRateLimiter]],
        clock: Callable[[], float],
        count: Callable[[str, str, float], None],
    ) -> None:
        self._connection = connection
        self._request = request
        self._run = f"{name}/{connection}"
        self._parts = parts
        self._clock = clock
        self._count = count

    def begin(self) -> Json:
        """Fix the period, the name of the run and the subsidiaries' names."""
        return self._guarded(self._begin)

    def solvimon_page(self, begun: Json, number: int) -> Json:
        """Read a page of Solvimon's final documents, with what the ledger says of them."""

        def work(parts: ReconcileServices) -> Json:
            first, last = date.fromisoformat(begun["from"]), date.fromisoformat(begun["to"])
            page = SolvimonPage(parts.connection, parts.settings, parts.solvimon, parts.ledger)
            part, told = page.read(first, last, number)
            parts.bucket.put_part(self._run, "bills", number, part)
            return told

        return self._guarded(work)

    def rillet_page(self, begun: Json, kind: str, since: str, cursor: str | None, number: int) -> Json:
        """Read a page of Rillet's invoices or credit memos."""

        def work(parts: ReconcileServices) -> Json:
            read = parts.rillet.invoice_rows if kind == INVOICES else parts.rillet.credit_memo_rows
            page = read(cursor, since)
            rows, unreadable = _booked(kind, page.rows)
            parts.bucket.put_part(self._run, kind, number, {"booked": rows, "unreadable": unreadable})
            first = rows[0]["id"] if rows else f"page {number}"
            return {"rows": len(rows), "first": first, "cursor": page.next_cursor}

        return self._guarded(work)

    def absent(self, begun: Json, counts: Mapping[str, int], number: int) -> Json:
        """Ask Rillet for documents that the ledger has and Rillet's list has not."""

        def work(parts: ReconcileServices) -> Json:
            names = self._missed(parts, counts)
            these = names[(number - 1) * ASKED_AT_ONCE :][:ASKED_AT_ONCE]
            booked, gone = list[Json](), list[str]()
            for kind, rillet_id in these:
                found = _one(parts.rillet, kind, rillet_id)
                if found is None:
                    gone.append(rillet_id)
                else:
                    booked.append(found)
            parts.bucket.put_part(self._run, "absent", number, {"booked": booked, "gone": gone})
            asked = min(number * ASKED_AT_ONCE, len(names))
            return {"asked": len(these), "more": asked < min(len(names), ASKED)}

        return self._guarded(work)

    def unmapped_records(self, begun: Json, what: str, number: int) -> Json:
        """Read a page of what the next invoices need."""

        def work(parts: ReconcileServices) -> Json:
            ready = UnmappedRecords(parts.connection, parts.settings, parts.solvimon, parts.ledger)
            found, more = ready.page(what, number)
            parts.bucket.put_part(self._run, what, number, [one.as_row() for one in found])
            return {"unready": len(found), "more": more}

        return self._guarded(work)

    def conclude(self, begun: Json, counts: Mapping[str, int]) -> Json:
        """Compare, write the report, tell, and export what is missing."""

        def work(parts: ReconcileServices) -> Json:
            concluding = ReportStep(
                parts.connection, parts.settings, parts.ledger, parts.bucket, parts.bus, parts.topic
            )
            redrive = (
                parts.settings.reconcile.redrive if self._request.redrive is None else self._request.redrive
            )
            answer = concluding.run(begun, self._run, counts, redrive=redrive)
            self._count("ReconciliationDifferences", self._connection, answer["differences"])
            self._count("ReconciliationTiedOut", self._connection, int(answer["tied_out"]))
            logger.info(
                "reconciled",
                extra={
                    "connection": self._connection,
                    **{name: answer[name] for name in ("from", "to", "tied_out", "differences")},
                },
            )
            return answer

        return self._guarded(work)

    def fail(self) -> Json:
        """Note that the run came to no result, whatever the reason was."""
        self._count("ReconciliationFailed", self._connection, 1)
        return {}

    def _begin(self, parts: ReconcileServices) -> Json:
        today = datetime.fromtimestamp(self._clock(), UTC).date()
        month_before = (today.replace(day=1) - DAY).replace(day=1)
        first, last = self._request.first or month_before, self._request.last or today
        names = {one.id: one.trade_name for one in parts.rillet.subsidiaries()}
        return {
            "from": first.isoformat(),
            "to": last.isoformat(),
            # A document of the first day may have been booked the day before, by its own time zone.
            "since": f"{(first - DAY).isoformat()}T00:00:00Z",
            "made_at": datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "subsidiaries": names,
        }

    def _missed(self, parts: ReconcileServices, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Kind and Rillet id of what the ledger has as booked and Rillet's lists have not, in order."""
        read = [
            part
            for kind in (INVOICES, MEMOS)
            for part in parts.bucket.parts(self._run, kind, counts.get(kind, 0))
        ]
        # What cannot be read in a list cannot be read by its id either.
        there = {row["id"] for part in read for row in part["booked"]}.union(
            *(part["unreadable"] for part in read)
        )
        return sorted(
            {
                (row["kind"], row["rillet_id"])
                for part in parts.bucket.parts(self._run, "bills", counts.get("Solvimon's documents", 0))
                for row in part["billed"]
                if row.get("rillet_id") and row.get("state") in {"exported", "differs"}
                if row["rillet_id"] not in there
            }
        )

    def _guarded(self, work: Callable[[ReconcileServices], Json]) -> Json:
        return guarded(self._parts, work, lambda: self._count("ConnectionBroken", self._connection, 1))


def _booked(kind: str, rows: Iterable[object]) -> tuple[list[Json], list[str]]:
    """Rows of Rillet's list as documents, and the ids of those that cannot be read."""
    found, unreadable = list[Json](), list[str]()
    for row in rows:
        try:
            one = (
                rillet_invoice(Invoice.model_validate(row))
                if kind == INVOICES
                else rillet_credit_memo(CreditMemo.model_validate(row))
            )
        except ValidationError:
            unreadable.append(str(row.get("id") if isinstance(row, dict) else row)[:64])
            continue
        found.append(one.as_row())
    return found, unreadable


def _one(rillet: RilletClient, kind: str, rillet_id: str) -> Json | None:
    """A document of Rillet by its id."""
    if kind == "invoice":
        invoice = rillet.invoice(rillet_id)
        return rillet_invoice(invoice).as_row() if invoice else None
    memo = rillet.credit_memo(rillet_id)
    return rillet_credit_memo(memo).as_row() if memo else None
