"""The last step of a reconciliation: compare, export what is missing, write the report, publish a summary."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from solvimon_rillet import money
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
    ComparedCustomer,
    EditedCustomer,
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
from solvimon_rillet.reconciliation.report.report import Report, UnmappedRecord
from solvimon_rillet.reconciliation.report.sns_summary import summary_text
from solvimon_rillet.reconciliation.report.xlsx import as_xlsx
from solvimon_rillet.workflows.durable_steps import Json
from solvimon_rillet.workflows.reconcile.adoption import Adoption
from solvimon_rillet.workflows.reconcile.pages import (
    CHANGED_CUSTOMERS,
    CREDIT_MEMOS,
    CURRENT_LINKS,
    EDITED_CUSTOMERS,
    INVOICES,
    SOLVIMON_DOCUMENTS,
    UNLISTED,
    UNMAPPED_RECORDS,
    PageStore,
    ReconcileStart,
)
from solvimon_rillet.workflows.status.error_catalog import entry_for

MAX_LISTED_FINDINGS = 20  # the report has all


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
        solvimon, links = self._solvimon_documents(page_counts)
        rillet, gone, unreadable = self._rillet_documents(page_counts)
        adoption = Adoption(self._opened)
        adopted = 0
        if adopt:
            solvimon, adopted = adoption.after_restore(solvimon, rillet, links)
        report = self._compare(start, page_counts, solvimon, links, rillet, gone, unreadable, late)
        self._publish_doubles(report.comparison)
        adoption.record_changes(report.comparison.findings, gone)
        adoption.clear_corrected(solvimon, rillet, report.comparison.findings)
        entered = adoption.entered_again(report.comparison.findings, rillet, gone)
        if redrive:
            report = replace(report, redriven=self._redrive(report.comparison, page_counts))
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
        answer = _answer(report, addresses)
        return answer | ({"adopted": adopted} if adopt else {}) | _entered_count(len(entered))

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
        page_counts: Mapping[str, int],
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
            comparison=self._with_customers(compare(solvimon, rillet, context, earlier, late), page_counts),
            subsidiaries=start.subsidiaries,
            unmapped=[
                UnmappedRecord(**row)
                for what in UNMAPPED_RECORDS
                for page in self._pages.read(what, page_counts)
                for row in page
            ],
            link=self._settings.solvimon.invoice_link,
            remarks=[f"Rillet's {identifier} cannot be read." for identifier in sorted(unreadable)],
        )

    def _with_customers(self, comparison: Comparison, page_counts: Mapping[str, int]) -> Comparison:
        """The comparison with the customers whose data differ."""
        for edited, compared in self._customers(page_counts):
            if finding := customer_finding(edited, compared):
                comparison.findings.append(finding)
        for edited, other_id in self._doubled_customers(page_counts):
            comparison.findings.insert(0, doubled_finding(edited, other_id))
        return comparison

    def _doubled_customers(self, page_counts: Mapping[str, int]) -> list[tuple[EditedCustomer, str]]:
        """The customers that Rillet has twice, each with the id that is not linked."""
        edited = {customer.id: customer for customer, _ in self._customers(page_counts)}
        pages = self._pages.read(CHANGED_CUSTOMERS, page_counts)
        others = {(row["id"], row["other_id"]) for page in pages for row in page if row.get("other_id")}
        return [(edited[each], other_id) for each, other_id in sorted(others)]

    def _customers(
        self, page_counts: Mapping[str, int]
    ) -> Iterator[tuple[EditedCustomer, ComparedCustomer | None]]:
        """The customers that were edited, each with the comparison if it has changed in Rillet."""
        compared = {
            row["id"]: ComparedCustomer(**row)
            for page in self._pages.read(CHANGED_CUSTOMERS, page_counts)
            for row in page
            if not row.get("other_id")
        }
        for page in self._pages.read(EDITED_CUSTOMERS, page_counts):
            for row in page:
                yield EditedCustomer(**row), compared.get(row["id"])

    def _solvimon_documents(
        self, page_counts: Mapping[str, int]
    ) -> tuple[list[SolvimonDocument], dict[str, dict[str, str]]]:
        """Solvimon's documents, and the Rillet ids of their customers and subsidiaries."""
        documents: dict[str, SolvimonDocument] = {}
        links: dict[str, dict[str, str]] = {"customers": {}, "subsidiaries": {}}
        for page in self._pages.read(SOLVIMON_DOCUMENTS, page_counts):
            documents |= {row["id"]: SolvimonDocument.from_row(row) for row in page["billed"]}
            for name, rillet_ids in links.items():
                rillet_ids |= page[name]
        for what, name in (("customers", "customers"), ("billing-entities", "subsidiaries")):
            for current in self._pages.read(CURRENT_LINKS[what], page_counts):
                links[name] |= current
        return list(documents.values()), links

    def _rillet_documents(
        self, page_counts: Mapping[str, int]
    ) -> tuple[list[RilletDocument], frozenset[str], frozenset[str]]:
        """Rillet's documents, the ids that it does not have, and those of documents that cannot be read."""
        documents: dict[str, RilletDocument] = {}
        gone, unreadable = set[str](), set[str]()
        for what in (INVOICES, CREDIT_MEMOS, UNLISTED):
            for page in self._pages.read(what, page_counts):
                documents |= {row["id"]: RilletDocument.from_row(row) for row in page["booked"]}
                gone |= {*page.get("gone", ())}
                unreadable |= {*page.get("unreadable", ())}
        return list(documents.values()), frozenset(gone), frozenset(unreadable)

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

    def _redrive(self, comparison: Comparison, page_counts: Mapping[str, int]) -> int:
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
            for edited, compared in self._customers(page_counts)
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
            "json": ("report.json", json.dumps(_as_json(report), ensure_ascii=False, indent=1)),
        }
        return {name: self._bucket.put_report(folder, *file) for name, file in files.items()}


def _period_text(first: str, last: str) -> str:
    """A period as its month, where it is one, or as its two days."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    is_month = begin.day == 1 and end.month == begin.month and (end + timedelta(days=1)).day == 1
    return f"{begin:%Y-%m}" if is_month and begin.year == end.year else f"{first} to {last}"


def _entered_count(count: int) -> Json:
    return {"entered_again": count} if count else {}


def _as_json(report: Report) -> Json:
    return {**report.as_json(), "bridge": bridges(report)}


def _answer(report: Report, addresses: Mapping[str, str]) -> Json:
    comparison = report.comparison
    kinds = Counter(finding.kind.value for finding in comparison.findings)
    return {
        "from": report.first,
        "to": report.last,
        "tied_out": comparison.tied_out,
        "differences": report.differences,
        "documents": comparison.documents,
        "by_kind": dict(kinds),
        "totals": {
            currency: {
                "solvimon": money.format_amount(line.solvimon.gross, currency),
                "rillet": money.format_amount(line.rillet.gross, currency),
                "difference": money.format_amount(line.difference.gross, currency),
            }
            for currency, line in comparison.totals.by_currency().items()
        },
        "bridge": bridges(report),
        "findings": [finding.as_row() for finding in comparison.findings[:MAX_LISTED_FINDINGS]],
        "not_mapped_yet": len(report.unmapped),
        "redriven": report.redriven,
        "report": dict(addresses),
    }
