"""The end of a reconciliation: compare, write the report down, export what is missing, tell."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from solvimon_rillet import money
from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.aws.s3_sns import ReportBucket, Topic
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import (
    CREDIT_NOTE_FINALISED,
    INVOICE_FINALISED,
    INVOICE_PAYMENT_UPDATED,
    RILLET,
    SOLVIMON,
    BusEvent,
    is_id,
)
from solvimon_rillet.ledger.ledger import FINISHED, Document, Ledger
from solvimon_rillet.reconciliation.comparison import Comparison, compare
from solvimon_rillet.reconciliation.documents import CREDIT_MEMO, RilletDocument, SolvimonDocument
from solvimon_rillet.reconciliation.findings import FindingType
from solvimon_rillet.reconciliation.matching import ReconciliationContext
from solvimon_rillet.reconciliation.report.csv_tables import figures_csv, findings_csv
from solvimon_rillet.reconciliation.report.html import as_html
from solvimon_rillet.reconciliation.report.report import Report, UnmappedRecord
from solvimon_rillet.reconciliation.report.sns_summary import summary_text
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.durable_steps import Json

LISTED = 20
"""Differences that the answer lists; the report has all."""
_UNREADY = ("products", "billing-entities", "customers")


class ReportStep:
    """Makes the report of one connection."""

    def __init__(
        self,
        connection: str,
        settings: Settings,
        ledger: Ledger,
        bucket: ReportBucket,
        bus: Bus,
        topic: Topic,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._ledger = ledger
        self._bucket = bucket
        self._bus = bus
        self._topic = topic

    def run(self, begun: Json, run: str, counts: Mapping[str, int], *, redrive: bool) -> Json:
        """Compare and report.

        Args:
            begun: what the first step fixed.
            run: names the parts.
            counts: parts by kind.
            redrive: put what is missing onto the bus.
        """
        report = self._report(begun, run, counts)
        if redrive:
            report = replace(report, redriven=self._redrive(report.comparison))
        places = self._write(report, begun)
        subject, body = summary_text(report, places["html"])
        try:
            self._topic.publish(subject, body)
        except RetryLater as error:  # the report is there; who waits for the message finds it
            places["message"] = str(error)
        return _answer(report, places)

    def _report(self, begun: Json, run: str, counts: Mapping[str, int]) -> Report:
        billed, links = self._billed(run, counts)
        booked, gone, unreadable = self._booked(run, counts)
        known = ReconciliationContext(
            first=begun["from"],
            last=begun["to"],
            customers=links["customers"],
            subsidiaries=links["subsidiaries"],
            booked_ids=self._ours(billed, booked, begun),
            deleted_ids=gone,
            unreadable_ids=unreadable,
            compare_payments=self._settings.workflows.mark_invoice_paid,
        )
        unready = [
            UnmappedRecord(**row)
            for what in _UNREADY
            for part in self._bucket.parts(run, what, counts.get(what, 0))
            for row in part
        ]
        return Report(
            connection=self._connection,
            first=begun["from"],
            last=begun["to"],
            made_at=begun["made_at"],
            comparison=compare(billed, booked, known),
            subsidiaries=begun["subsidiaries"],
            unmapped=unready,
            link=self._settings.solvimon.invoice_link,
            remarks=[f"Rillet's {one} cannot be read." for one in sorted(unreadable)],
        )

    def _billed(
        self, run: str, counts: Mapping[str, int]
    ) -> tuple[list[SolvimonDocument], dict[str, dict[str, str]]]:
        documents: dict[str, SolvimonDocument] = {}
        links: dict[str, dict[str, str]] = {"customers": {}, "subsidiaries": {}}
        for part in self._bucket.parts(run, "bills", counts.get("Solvimon's documents", 0)):
            documents |= {row["id"]: SolvimonDocument.from_row(row) for row in part["billed"]}
            for name, found in links.items():
                found |= part[name]
        return list(documents.values()), links

    def _booked(
        self, run: str, counts: Mapping[str, int]
    ) -> tuple[list[RilletDocument], frozenset[str], frozenset[str]]:
        """Rillet's documents, the ids that it does not have, and those of documents that cannot be read."""
        documents: dict[str, RilletDocument] = {}
        gone, unreadable = set[str](), set[str]()
        for kind in ("invoices", "credit-memos", "absent"):
            for part in self._bucket.parts(run, kind, counts.get(kind, 0)):
                documents |= {row["id"]: RilletDocument.from_row(row) for row in part["booked"]}
                gone |= {*part.get("gone", ())}
                unreadable |= {*part.get("unreadable", ())}
        return list(documents.values()), frozenset(gone), frozenset(unreadable)

    def _ours(
        self, billed: Iterable[SolvimonDocument], booked: Iterable[RilletDocument], begun: Json
    ) -> frozenset[str]:
        """Ids that documents of the period refer to, that are ours, and that Solvimon's list has not."""
        listed = {one.id for one in billed}
        wanted = [
            Document(self._connection, one.kind, identifier)
            for one in booked
            if begun["from"] <= one.day <= begun["to"]
            for identifier in one.references
            if identifier not in listed and is_id(identifier)
        ]
        return frozenset(
            document.id
            for document, record in self._ledger.read_many(wanted).items()
            if record.get("state") in FINISHED
            and begun["from"] <= str(record.get("dated", begun["from"])) <= begun["to"]
        )

    def _redrive(self, comparison: Comparison) -> int:
        """Put what is missing on the bus, and what Solvimon does not know to be paid, behind live work."""
        events = [
            BusEvent(
                SOLVIMON,
                CREDIT_NOTE_FINALISED if one.kind == CREDIT_MEMO else INVOICE_FINALISED,
                self._connection,
                one.id,
                "",
                "",
                bulk=True,
            )
            for one in comparison.missing
        ]
        unpaid = [
            BusEvent(RILLET, INVOICE_PAYMENT_UPDATED, self._connection, rillet_id, "", "", bulk=True)
            for one in comparison.findings
            if one.kind is FindingType.PAYMENT_DIFFERS
            for rillet_id in one.rillet_ids[:1]
        ]
        self._bus.publish(*events, *unpaid)
        return len(events) + len(unpaid)

    def _write(self, report: Report, begun: Json) -> dict[str, str]:
        moment = datetime.fromisoformat(begun["made_at"]).strftime("%Y%m%dT%H%M%SZ")
        place = f"{self._connection}/{report.first}_{report.last}/{moment}"
        files = {
            "html": ("report.html", as_html(report)),
            "findings": ("findings.csv", findings_csv(report)),
            "figures": ("figures.csv", figures_csv(report)),
            "json": ("report.json", json.dumps(report.as_json(), ensure_ascii=False, indent=1)),
        }
        return {name: self._bucket.put_report(place, *file) for name, file in files.items()}


def _answer(report: Report, places: Mapping[str, str]) -> Json:
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
        "findings": [finding.as_row() for finding in comparison.findings[:LISTED]],
        "not_mapped_yet": len(report.unmapped),
        "redriven": report.redriven,
        "report": dict(places),
    }
