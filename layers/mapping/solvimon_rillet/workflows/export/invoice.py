"""Export a finalised invoice to Rillet: exactly once and to the cent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, Conflict, NeedsAttention, Skip
from solvimon_rillet.ledger.document_types import INVOICE
from solvimon_rillet.ledger.ledger import Claim, Document
from solvimon_rillet.mapping.eligibility import check_eligible
from solvimon_rillet.mapping.invoices import to_rillet_invoice
from solvimon_rillet.rillet.client import SENT_STATUS
from solvimon_rillet.settings import InvoiceScope
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export import preparation
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.export_lease import export_under_lease
from solvimon_rillet.workflows.export.link_resolver import LinkResolver
from solvimon_rillet.workflows.export.look_up import lists_of
from solvimon_rillet.workflows.export.preparation import Prepared, WrongDocumentType
from solvimon_rillet.workflows.export.send_once import find_open_attempt, send_once
from solvimon_rillet.workflows.export.verification import (
    Sent,
    booked_facts,
    deleted_in_rillet,
    deleted_meanwhile,
    number_warning,
    verify_totals,
)
from solvimon_rillet.workflows.outcome import CAUSE, Result, error_fields

CREATED_STEP = "invoice_created"
SENT_STEP = "marked_as_sent"
_BOOKED_FACTS = ("rillet_id", "rillet_number", "totals", "warnings")


class ExportInvoice:
    """Exports the invoices of one connection.

    The steps, from top to bottom: claim, read, check eligibility, accounting period, links, map, send once,
    verify totals, record. In ``FULL`` scope an invoice has two effects in Rillet, and the record has a step
    for each: the invoice itself, then its mark as sent. After a crash between them, the next run resumes at
    the second.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rillet = connection.rillet
        self._settings = connection.settings
        self._lists = lists_of(connection.rillet, INVOICE.name)

    def run(self, invoice_id: str, owner: str, *, on_request: bool = False) -> Result:
        """Export one invoice, or record why not.

        Args:
            invoice_id: Solvimon's id.
            owner: names this run; it holds the lease.
            on_request: a person named it; an id that Solvimon does not have is not recorded.

        Raises:
            RetryLater: nothing happened; a later run continues.
            OutcomeUnknown: Rillet may have the invoice; a later run checks before it sends another.
        """
        document = self._document(invoice_id)
        return export_under_lease(self._connection, document, owner, self._export, on_request=on_request)

    def dry_run(self, invoice_id: str) -> Result:
        """The payload that ``run`` would send for an invoice, and its origins; writes nothing anywhere."""
        prepare = partial(self._prepare, dry_run=True)
        return preparation.dry_run(self._connection, self._document(invoice_id), prepare, self._further_calls)

    def _export(self, claim: Claim) -> Result:
        """Read and prepare the claimed invoice, send it once, verify and record it; then mark it as sent."""
        if claim.record.get("step") == CREATED_STEP:
            return self._finish(claim, resumed=True)
        try:
            invoice = preparation.read_document(self._connection, claim)
            prepared = self._prepare(invoice, claim.record)
        except (NeedsAttention, Skip):
            # It must not be sent, but an earlier attempt may have created it in Rillet.
            if earlier := find_open_attempt(self._connection, claim, self._lists):
                return self._record(claim, earlier, [])
            raise
        create = self._rillet.create_invoice
        sent = send_once(self._connection, claim, prepared, create=create, lists=self._lists)
        number = number_warning(invoice.invoice_number, sent.documents[0].number)
        return self._record(claim, sent, [*prepared.warnings, *number])

    def _prepare(self, invoice: Invoice, record: Mapping[str, Any], *, dry_run: bool = False) -> Prepared:
        """Check eligibility, find the accounting period and the links, and map.

        Raises:
            WrongDocumentType: it is a credit note.
            NeedsAttention: a person must act before it can be sent.
            Skip: a rule says that it is not for Rillet.
        """
        if invoice.is_credit_note:
            raise WrongDocumentType("It is a credit note, not an invoice.")
        check_eligible(invoice, self._settings, "export_invoice")
        booked_on = AccountingPeriods(self._connection).booking_day(invoice, record, dry_run=dry_run)
        resolver = LinkResolver(self._connection, dry_run=dry_run)
        resolved = resolver.resolve(invoice)
        try:
            mapped = to_rillet_invoice(invoice, resolved.links, self._settings, booked_on)
        except NeedsAttention as why:
            raise resolver.explain(why, invoice, resolved.links) from why
        return Prepared(invoice, resolved, mapped)

    def _record(self, claim: Claim, sent: Sent, warnings: Sequence[str]) -> Result:
        """Verify and record the first step, the invoice; then continue with the second, if there is one."""
        ledger, scope = self._connection.ledger, self._settings.invoice_scope
        state, facts = verify_totals(ledger, claim, sent, warnings)
        kept = {
            "scope": scope.value,
            "open_amount": sent.totals["gross"],
            "exported_at": int(self._connection.clock()),
            **booked_facts(sent.documents[0]),
        }
        if not self._is_marked_as_sent(scope):
            ledger.finish(claim, state, {**facts, **kept})
            return Result(claim.document.id, state, facts)
        step = {**facts, **kept, "step": CREATED_STEP, "booked_as": state}
        ledger.record_step(claim, step)
        return self._finish(replace(claim, record={**claim.record, **step}), resumed=False)

    def _is_marked_as_sent(self, scope: str) -> bool:
        return self._settings.mark_as_sent and scope == InvoiceScope.FULL

    def _finish(self, claim: Claim, *, resumed: bool) -> Result:
        """The second step: mark the invoice as sent. The export is complete, even if Rillet refuses that."""
        record = claim.record
        state, rillet_id = str(record["booked_as"]), str(record["rillet_id"])
        names = (*_BOOKED_FACTS, *(CAUSE if state == "differs" else ()))
        facts = {name: record[name] for name in names if name in record}
        why = deleted_meanwhile(self._connection.ledger, claim, rillet_id)
        if self._is_marked_as_sent(str(record["scope"])) and not why:
            try:
                if self._mark_as_sent(rillet_id, resumed=resumed):
                    facts["step"] = SENT_STEP
                else:
                    why = deleted_in_rillet("invoice", rillet_id)
            except NeedsAttention as refused:
                facts["warnings"] = [*facts["warnings"], _not_marked(refused)]
        if why:
            state, facts = "differs", {**facts, **error_fields(why)}
        self._connection.ledger.finish(claim, state, facts)
        return Result(claim.document.id, state, {n: value for n, value in facts.items() if n != "step"})

    def _mark_as_sent(self, rillet_id: str, *, resumed: bool) -> bool:
        """Mark an invoice as sent, and return whether Rillet has it.

        Raises:
            Conflict: the first 409; Rillet may answer a later call.
            NeedsAttention: Rillet refuses it, or answers 409 again.
        """
        try:
            return self._connection.rillet.mark_invoice_as_sent(rillet_id)
        except Conflict as conflict:
            if not resumed:
                raise
            raise NeedsAttention(Code.REFUSED_BY_RILLET, str(conflict), "") from conflict

    def _document(self, invoice_id: str) -> Document:
        return Document(self._connection.name, INVOICE.name, invoice_id)

    def _further_calls(self, prepared: Prepared) -> Mapping[str, Any]:
        """The calls that a run sends beside the invoice, for the dry run."""
        customer, facts = prepared.resolved.new_customer, dict[str, Any]()
        if customer:
            facts["customer_to_create"] = customer.payload
        if self._is_marked_as_sent(self._settings.invoice_scope):
            facts["then_sends"] = {"PUT /invoices/{id}/sent-status": SENT_STATUS}
        return facts


def _not_marked(why: NeedsAttention) -> str:
    return (
        f"It is in Rillet, but not marked as sent: {why.message} Open the invoice in Rillet and mark it as "
        "sent; until then Rillet holds it as unbilled, and may mail it."
    )
