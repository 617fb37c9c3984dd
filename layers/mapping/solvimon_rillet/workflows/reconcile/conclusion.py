"""The last step of a reconciliation: compare, export what is missing, write the report, publish a summary."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.aws.s3_sns import ReportBucket, Topic
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import (
    CREDIT_NOTE_FINALISED,
    CUSTOMER_UPDATED,
    INVOICE_FINALISED,
    INVOICE_PAYMENT_UPDATED,
    RILLET,
    SOLVIMON,
    BusEvent,
    double_booking_event,
    is_id,
)
from solvimon_rillet.ledger.ledger import FINISHED, Document
from solvimon_rillet.ledger.reconciliations import LastReconciliation
from solvimon_rillet.reconciliation.comparison import Comparison, compare
from solvimon_rillet.reconciliation.customers import (
    customer_finding,
    doubled_finding,
    is_repaired_by_sync,
)
from solvimon_rillet.reconciliation.documents import (
    CREDIT_MEMO,
    RilletDocument,
    SolvimonDocument,
    recorded_document,
)
from solvimon_rillet.reconciliation.findings import FindingType
from solvimon_rillet.reconciliation.matching import ReconciliationContext
from solvimon_rillet.reconciliation.report.bridge import bridges
from solvimon_rillet.reconciliation.report.csv_tables import figures_csv, findings_csv
from solvimon_rillet.reconciliation.report.html import as_html
from solvimon_rillet.reconciliation.report.report import Report
from solvimon_rillet.reconciliation.report.sns_summary import summary_text
from solvimon_rillet.reconciliation.report.xlsx import as_xlsx
from solvimon_rillet.workflows.durable.steps import Json
from solvimon_rillet.workflows.reconcile.adoption import Adoption
from solvimon_rillet.workflows.reconcile.collected import CollectedRecords
from solvimon_rillet.workflows.reconcile.pages import (
    PageStore,
    ReconcileStart,
)
from solvimon_rillet.workflows.reconcile.report_answer import report_answer
from solvimon_rillet.workflows.status.error_catalog import entry_for


class ReportStep:
    """Makes the report of one connection."""

    def __init__(
        self,
        connection: Connection,
        pages: PageStore,
        bucket: ReportBucket,
        bus: Bus,
        topic: Topic,
    ) -> None:
        self._opened = connection
        self._connection = connection.name
        self._settings = connection.settings
        self._ledger = connection.ledger
        self._pages = pages
        self._bucket = bucket
        self._bus = bus
        self._topic = topic

    def run(
        self,
        start: ReconcileStart,
        page_counts: Mapping[str, int],
        late: Sequence[SolvimonDocument] = (),
        *,
        redrive: bool,
        adopt: bool = False,
    ) -> Json:
        """Compare, report, and return the answer for people.

        Args:
            start: what the first step fixed.
            page_counts: number of pages by what was read.
            late: documents that were made in the period and are dated outside of it, not exported yet.
            redrive: publish an event for everything that is missing.
            adopt: take over what Rillet has and the ledger does not know, before the comparison.
        """
        records = CollectedRecords(self._pages, page_counts)
        solvimon, links = records.solvimon_documents()
        rillet, gone, unreadable = records.rillet_documents()
        adoption = Adoption(self._opened)
        adopted = 0
        if adopt:
            solvimon, adopted = adoption.after_restore(solvimon, rillet, links)
        report = self._compare(start, records, solvimon, links, rillet, gone, unreadable, late)
        self._publish_doubles(report.comparison)
        adoption.record_changes(report.comparison.findings, gone)
        adoption.clear_corrected(solvimon, rillet, report.comparison.findings)
        entered = adoption.entered_again(report.comparison.findings, rillet, gone)
        if redrive:
            report = replace(report, redriven=self._redrive(report.comparison, records))
        self._bus.publish(*entered)
        addresses = self._write(report)
        causes = {finding.code: entry_for(finding.code) for finding in report.comparison.findings}
        subject, body = summary_text(
            report, addresses["html"], {code: (one.meaning, one.remedy) for code, one in causes.items()}
        )
        try:
            self._topic.publish(subject, body)
        except RetryLater as error:  # the report is written; a lost summary is no reason to repeat it
            addresses["message"] = str(error)
        if adopt:
            adoption.record_restore()
        self._record_result(report, addresses)
        answer = report_answer(report, addresses) | ({"adopted": adopted} if adopt else {})
        return answer | ({"entered_again": len(entered)} if entered else {})

    def _record_result(self, report: Report, addresses: Mapping[str, str]) -> None:
        """Remember the result, for the status of the connection."""
        unlinked = Counter(record.kind for record in report.unmapped)
        LastReconciliation(self._connection, self._opened.table).record(
            {
                "period": _period_text(report.first, report.last),
                "at": int(self._opened.clock()),
                "tied_out": report.comparison.tied_out,
                "documents": report.comparison.documents,
                "differences": report.differences,
                "redriven": report.redriven,
                "report": addresses["html"].removeprefix("s3://").partition("/")[2],
                "unlinked": {
                    "products": unlinked["product"],
                    "customers": unlinked["customer"],
                    "subsidiaries": unlinked["billing entity"],
                },
            }
        )

    def _compare(
        self,
        start: ReconcileStart,
        records: CollectedRecords,
        solvimon: list[SolvimonDocument],
        links: Mapping[str, Mapping[str, str]],
        rillet: list[RilletDocument],
        gone: frozenset[str],
        unreadable: frozenset[str],
        late: Sequence[SolvimonDocument],
    ) -> Report:
        earlier, in_period = self._earlier(solvimon, rillet, start)
        context = ReconciliationContext(
            first=start.first,
            last=start.last,
            customers=links["customers"],
            subsidiaries=links["subsidiaries"],
            booked_ids=in_period,
            deleted_ids=gone,
            unreadable_ids=unreadable,
            compare_payments=self._settings.workflows.mark_invoice_paid,
            mark_credits=self._settings.credits_in_rillet == "mark",
            known_memos=self._known_memos(rillet),
            connection=self._connection,
        )
        return Report(
            connection=self._connection,
            first=start.first,
            last=start.last,
            made_at=start.made_at,
            comparison=_with_customers(compare(solvimon, rillet, context, earlier, late), records),
            subsidiaries=start.subsidiaries,
            unmapped=records.unmapped_records(),
            link=self._settings.solvimon.invoice_link,
            remarks=[f"Rillet's {identifier} cannot be read." for identifier in sorted(unreadable)],
        )

    def _earlier(
        self, solvimon: Iterable[SolvimonDocument], rillet: Iterable[RilletDocument], start: ReconcileStart
    ) -> tuple[list[SolvimonDocument], frozenset[str]]:
        """Exported documents that Rillet's lists have and Solvimon's list of the period has not.

        Returns:
            Those of other periods, as the ledger has them, and the Solvimon ids of those of this period.
        """
        listed, documents = {document.id for document in solvimon}, list(rillet)
        links = self._ledger.read_many(
            Document(self._connection, f"link-rillet-{document.kind}", document.id) for document in documents
        )
        named = {key.id: str(link["solvimon_id"]) for key, link in links.items()}
        referred = {
            Document(self._connection, document.kind, identifier)
            for document in documents
            for identifier in (*document.references, named.get(document.id, ""))
            if identifier not in listed and is_id(identifier)
        }
        earlier, in_period = list[SolvimonDocument](), set[str]()
        for document, record in self._ledger.read_many(referred).items():
            if record.get("state") not in FINISHED:
                continue
            if start.first <= str(record.get("dated", start.first)) <= start.last:
                in_period.add(document.id)
            else:
                earlier.append(recorded_document(document.kind, document.id, record))
        return earlier, frozenset(in_period)

    def _known_memos(self, rillet: Iterable[RilletDocument]) -> frozenset[str]:
        """Rillet ids of the memos that the ledger records."""
        kind = f"link-rillet-{CREDIT_MEMO}"
        memos = [Document(self._connection, kind, each.id) for each in rillet if each.kind == CREDIT_MEMO]
        return frozenset(document.id for document in self._ledger.read_many(memos))

    def _publish_doubles(self, comparison: Comparison) -> None:
        """Publish the double bookings, so that the ledger has them as well; the first id is the ledger's."""
        self._bus.publish(
            *(
                double_booking_event(self._connection, finding.document, rillet_id, finding.solvimon_id)
                for finding in comparison.doubled
                for rillet_id in finding.rillet_ids[1:]
            )
        )

    def _redrive(self, comparison: Comparison, records: CollectedRecords) -> int:
        """Publish what is missing in Rillet or was not reported, with lower priority than live events."""
        exports = [
            BusEvent(
                SOLVIMON,
                CREDIT_NOTE_FINALISED if document.kind == CREDIT_MEMO else INVOICE_FINALISED,
                self._connection,
                document.id,
                "",
                "",
                bulk=True,
            )
            for document in comparison.missing
        ]
        payments = [
            BusEvent(RILLET, INVOICE_PAYMENT_UPDATED, self._connection, rillet_id, "", "", bulk=True)
            for finding in comparison.findings
            if finding.kind is FindingType.PAYMENT_DIFFERS
            for rillet_id in finding.rillet_ids[:1]
        ]
        customers = [
            BusEvent(SOLVIMON, CUSTOMER_UPDATED, self._connection, edited.id, "", "", bulk=True)
            for edited, compared in records.customers()
            if is_repaired_by_sync(edited, compared)
        ]
        self._bus.publish(*exports, *payments, *customers)
        return len(exports) + len(payments) + len(customers)

    def _write(self, report: Report) -> dict[str, str]:
        """Write the report's files, and return their addresses."""
        made_at = datetime.fromisoformat(report.made_at).strftime("%Y%m%dT%H%M%SZ")
        folder = f"{self._connection}/{report.first}_{report.last}/{made_at}"
        files: dict[str, tuple[str, str | bytes]] = {
            "html": ("report.html", as_html(report)),
            "workbook": ("report.xlsx", as_xlsx(report)),
            "findings": ("findings.csv", findings_csv(report)),
            "figures": ("figures.csv", figures_csv(report)),
            "json": (
                "report.json",
                json.dumps({**report.as_json(), "bridge": bridges(report)}, ensure_ascii=False, indent=1),
            ),
        }
        return {name: self._bucket.put_report(folder, *file) for name, file in files.items()}


def _with_customers(comparison: Comparison, records: CollectedRecords) -> Comparison:
    """The comparison with the customers whose data differ."""
    for edited, compared in records.customers():
        if finding := customer_finding(edited, compared):
            comparison.findings.append(finding)
    for edited, other_id in records.doubled_customers():
        comparison.findings.insert(0, doubled_finding(edited, other_id))
    return comparison


def _period_text(first: str, last: str) -> str:
    """A period as its month, where it is one, or as its two days."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    is_month = begin.day == 1 and end.month == begin.month and (end + timedelta(days=1)).day == 1
    return f"{begin:%Y-%m}" if is_month and begin.year == end.year else f"{first} to {last}"
