"""The steps of a reconciliation of one connection. Each may be repeated at any time."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta

from pydantic import ValidationError

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.aws.s3_sns import ReportBucket, Topic
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.http.client import CountingRateLimiter
from solvimon_rillet.reconciliation.customers import EditedCustomer
from solvimon_rillet.reconciliation.documents import (
    INVOICE,
    SolvimonDocument,
    rillet_credit_memo,
    rillet_invoice,
)
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.rillet.models import CreditMemo, Invoice
from solvimon_rillet.workflows.durable.steps import Done, Json, StepResult, Stop, as_step_result
from solvimon_rillet.workflows.reconcile.conclusion import ReportStep
from solvimon_rillet.workflows.reconcile.edited_customers import EditedCustomers
from solvimon_rillet.workflows.reconcile.pages import (
    CHANGED_CUSTOMERS,
    CREDIT_MEMOS,
    CURRENT_LINKS,
    CUSTOMER_PAGES,
    EDITED_CUSTOMERS,
    INVOICES,
    SOLVIMON_DOCUMENTS,
    UNLISTED,
    CursorPage,
    NumberedPage,
    PageStore,
    ReconcileStart,
)
from solvimon_rillet.workflows.reconcile.request import ReconcileRequest
from solvimon_rillet.workflows.reconcile.solvimon_side import SolvimonSide
from solvimon_rillet.workflows.reconcile.unmapped_records import UnmappedRecords, current_links

logger = logging.getLogger(__name__)

LOOKUPS_PER_STEP, MAX_LOOKUPS = 30, 300  # of documents that Rillet's lists do not have
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ReconcileServices:
    """The services of a step."""

    connection: Connection
    bucket: ReportBucket
    bus: Bus
    topic: Topic


class ReconcileSteps:
    """The steps for one connection.

    Args:
        connection: its name.
        request: the request.
        run: name of the execution, the same after a crash.
        connect: makes the services, and the limiter that counts the calls to Rillet.
        count: adds to a metric of a connection.
    """

    def __init__(
        self,
        connection: str,
        request: ReconcileRequest,
        run: str,
        connect: Callable[[], tuple[ReconcileServices, CountingRateLimiter]],
        count: Callable[[str, str, float], None],
    ) -> None:
        self._connection = connection
        self._request = request
        self._run = f"{run}/{connection}"
        self._connect = connect
        self._count = count

    def begin(self) -> StepResult:
        """Fix the period, the time of the report and the subsidiaries' names."""

        def work(services: ReconcileServices) -> StepResult:
            now = services.connection.clock()
            today = datetime.fromtimestamp(now, UTC).date()
            last_month = (today.replace(day=1) - _ONE_DAY).replace(day=1)
            first, last = self._request.first or last_month, self._request.last or today
            restored = services.connection.settings.ledger_restored_to
            if self._request.adopt and restored and first > restored.date():
                return Stop(
                    f"from is {first}, after the ledger was restored to {restored.date()}.",
                    "Give a from that is before the date of every document booked since the restore, such as "
                    "a month before it.",
                )
            start = ReconcileStart(
                first.isoformat(),
                last.isoformat(),
                # A document of the first day may have been booked the day before, by its own time zone.
                f"{(first - _ONE_DAY).isoformat()}T00:00:00Z",
                format_timestamp(now),
                {
                    subsidiary.id: subsidiary.trade_name
                    for subsidiary in services.connection.rillet.subsidiaries()
                },
            )
            return Done(start.to_json())

        return self._as_result(work)

    def solvimon_page(self, start: ReconcileStart, number: int) -> StepResult:
        """Read a page of Solvimon's final documents, with their records in the ledger."""

        def work(services: ReconcileServices) -> StepResult:
            first, last = date.fromisoformat(start.first), date.fromisoformat(start.last)
            kept, page = SolvimonSide(services.connection).page(first, last, number)
            self._pages(services).put(SOLVIMON_DOCUMENTS, number, kept)
            return Done(page.to_json())

        return self._as_result(work)

    def rillet_page(self, what: str, since: str, cursor: str | None, number: int) -> StepResult:
        """Read a page of Rillet's ``invoices`` or ``credit-memos``."""

        def work(services: ReconcileServices) -> StepResult:
            rillet = services.connection.rillet
            listed = (rillet.invoice_rows if what == INVOICES else rillet.credit_memo_rows)(cursor, since)
            rows, unreadable = _read_documents(what, listed.rows)
            self._pages(services).put(what, number, {"booked": rows, "unreadable": unreadable})
            first = str(rows[0]["id"]) if rows else f"page {number}"
            return Done(asdict(CursorPage(len(rows), first, listed.next_cursor)))

        return self._as_result(work)

    def unlisted(self, page_counts: Mapping[str, int], number: int) -> StepResult:
        """Look up documents that the ledger has as exported and Rillet's lists do not have.

        A step that must wait in between keeps what it has found, and the next one continues: a share of
        Rillet's rate limit may be smaller than a step.
        """

        def work(services: ReconcileServices) -> StepResult:
            pages = self._pages(services)
            earlier = pages.read(UNLISTED, page_counts)
            first = sum(len(page["booked"]) + len(page["gone"]) for page in earlier)
            unlisted = self._unlisted(services, page_counts)[:MAX_LOOKUPS]
            booked, gone = list[Json](), list[str]()
            for document_type, rillet_id in unlisted[first:][:LOOKUPS_PER_STEP]:
                try:
                    document = _document(services.connection.rillet, document_type, rillet_id)
                except RetryLater:
                    if not booked and not gone:
                        raise
                    break
                if document is None:
                    gone.append(rillet_id)
                else:
                    booked.append(document)
            pages.put(UNLISTED, number, {"booked": booked, "gone": gone})
            found = len(booked) + len(gone)
            return Done(NumberedPage(found, first + found < len(unlisted)).to_json())

        return self._as_result(work)

    def unmapped_records(self, what: str, start: ReconcileStart, number: int) -> StepResult:
        """Read a page of records without which the next invoices cannot be exported.

        Of customers and billing entities, it also keeps the links; of customers, those that were edited in
        the period.
        """

        def work(services: ReconcileServices) -> StepResult:
            found, more, rows = UnmappedRecords(services.connection).page(what, number)
            pages, edited = self._pages(services), list[EditedCustomer]()
            pages.put(what, number, [record.as_row() for record in found])
            if what in CURRENT_LINKS:
                pages.put(CURRENT_LINKS[what], number, current_links(services.connection, what, rows))
            if what == CUSTOMER_PAGES:
                edited = EditedCustomers(services.connection).choose(rows, start.since)
                pages.put(EDITED_CUSTOMERS, number, [customer.as_row() for customer in edited])
            linked = int(what in CURRENT_LINKS)
            return Done(NumberedPage(len(found), more, edited=len(edited), linked=linked).to_json())

        return self._as_result(work)

    def changed_customers(
        self, page_counts: Mapping[str, int], since: str, cursor: str | None, number: int
    ) -> StepResult:
        """Read a page of Rillet's customers that changed, and compare those that were edited in Solvimon."""

        def work(services: ReconcileServices) -> StepResult:
            pages = self._pages(services)
            edited = {
                row["rillet_id"]: EditedCustomer(**row)
                for page in pages.read(EDITED_CUSTOMERS, page_counts)
                for row in page
            }
            listed = services.connection.rillet.customer_rows(cursor, since)
            compared = EditedCustomers(services.connection).compare(listed.rows, edited)
            pages.put(CHANGED_CUSTOMERS, number, [asdict(customer) for customer in compared])
            first = str(listed.rows[0].get("id")) if listed.rows else f"page {number}"
            return Done(asdict(CursorPage(len(compared), first, listed.next_cursor)))

        return self._as_result(work)

    def report(self, start: ReconcileStart, page_counts: Mapping[str, int]) -> StepResult:
        """Compare, write the report, export what is missing, and publish the summary."""

        def work(services: ReconcileServices) -> StepResult:
            step = ReportStep(
                services.connection,
                self._pages(services),
                services.bucket,
                services.bus,
                services.topic,
            )
            requested, setting = self._request.redrive, services.connection.settings.reconcile.redrive
            redrive = setting and not self._request.adopt if requested is None else requested
            late = list[SolvimonDocument]()
            if self._request.first is None:  # no step of its own: a run of an earlier version has none
                period = date.fromisoformat(start.first), date.fromisoformat(start.last)
                late = SolvimonSide(services.connection).back_dated(*period)
            answer = step.run(start, page_counts, late, redrive=redrive, adopt=self._request.adopt)
            self._count("ReconciliationDifferences", self._connection, answer["differences"])
            self._count("ReconciliationTiedOut", self._connection, int(answer["tied_out"]))
            logged = {name: answer[name] for name in ("from", "to", "tied_out", "differences")}
            logger.info("reconciled", extra={"connection": self._connection, **logged})
            return Done(answer)

        return self._as_result(work)

    def fail(self) -> StepResult:
        """Count a reconciliation without result, whatever the reason."""
        self._count("ReconciliationFailed", self._connection, 1)
        return Done({})

    def _unlisted(self, services: ReconcileServices, page_counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Type and Rillet id of the documents, sorted."""
        pages = self._pages(services)
        listed = set[str]()
        for what in (INVOICES, CREDIT_MEMOS):
            for page in pages.read(what, page_counts):
                listed.update(row["id"] for row in page["booked"])
                # What cannot be read in a list cannot be read by its id either.
                listed.update(page["unreadable"])
        return sorted(
            {
                (row["kind"], row["rillet_id"])
                for page in pages.read(SOLVIMON_DOCUMENTS, page_counts)
                for row in page["billed"]
                if row.get("rillet_id") and row.get("state") in {"exported", "differs"}
                if row["rillet_id"] not in listed
            }
        )

    def _pages(self, services: ReconcileServices) -> PageStore:
        return PageStore(services.bucket, self._run)

    def _as_result(self, work: Callable[[ReconcileServices], StepResult]) -> StepResult:
        connection = self._connection
        return as_step_result(self._connect, work, lambda: self._count("ConnectionBroken", connection, 1))


def _read_documents(what: str, rows: Iterable[object]) -> tuple[list[Json], list[str]]:
    """Rows of Rillet's list as documents, and the ids of those that cannot be read."""
    documents, unreadable = list[Json](), list[str]()
    for row in rows:
        try:
            document = (
                rillet_invoice(Invoice.model_validate(row))
                if what == INVOICES
                else rillet_credit_memo(CreditMemo.model_validate(row))
            )
        except ValidationError:
            unreadable.append(str(row.get("id") if isinstance(row, dict) else row)[:64])
            continue
        documents.append(document.as_row())
    return documents, unreadable


def _document(rillet: RilletClient, document_type: str, rillet_id: str) -> Json | None:
    """A document of Rillet by its id."""
    if document_type == INVOICE:
        invoice = rillet.invoice(rillet_id)
        return rillet_invoice(invoice).as_row() if invoice else None
    memo = rillet.credit_memo(rillet_id)
    return rillet_credit_memo(memo).as_row() if memo else None
