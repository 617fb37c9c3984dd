"""Export a finalised invoice to Rillet: exactly once and to the cent."""

from collections.abc import Mapping, Sequence
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import NeedsAttention, Skip
from solvimon_rillet.ledger.ledger import Claim, Document
from solvimon_rillet.mapping.eligibility import check_eligible
from solvimon_rillet.mapping.invoices import to_rillet_invoice
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export import preparation
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.link_resolver import LinkResolver
from solvimon_rillet.workflows.export.preparation import Prepared, WrongDocumentType
from solvimon_rillet.workflows.export.send_once import (
    SendRefused,
    find_open_attempt,
    record_refusal,
    send_once,
)
from solvimon_rillet.workflows.export.verification import (
    CreatedDocument,
    deleted_meanwhile,
    number_warning,
    outcome_facts,
)
from solvimon_rillet.workflows.lease import under_lease
from solvimon_rillet.workflows.outcome import Result, error_fields

KIND = "invoice"


class ExportInvoice:
    """The workflow for one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ledger = connection.ledger
        self._settings = connection.settings
        self._find = connection.rillet.invoices_of_customer
        self._periods = AccountingPeriods(connection)

    def run(self, invoice_id: str, owner: str) -> Result:
        """Export one invoice, or record why not.

        Args:
            invoice_id: Solvimon's id.
            owner: names this very run; the lease is held under it.

        Raises:
            RetryLater: nothing happened; a later run goes on.
            OutcomeUnknown: it may be in Rillet; a later run finds out before it sends another.
        """
        try:
            preparation.check_id(invoice_id)
        except NeedsAttention as why:
            return Result(invoice_id[:64], "rejected", error_fields(why))
        document = Document(self._connection.name, KIND, invoice_id)
        return under_lease(self._ledger, document, owner, self._export)

    def dry_run(self, invoice_id: str) -> Result:
        """What ``run`` would send for an invoice, and why; writes nothing anywhere."""
        links = LinkResolver(self._connection, dry_run=True)

        def prepare(invoice: Invoice, record: Mapping[str, Any]) -> Prepared:
            return self._prepare(invoice, record, links, dry_run=True)

        def customer_to_create(prepared: Prepared) -> Mapping[str, Any]:
            customer = prepared.resolved.new_customer
            return {"customer_to_create": customer.payload} if customer else {}

        document = Document(self._connection.name, KIND, invoice_id)
        return preparation.dry_run(self._connection, document, prepare, customer_to_create)

    def _export(self, claim: Claim) -> Result:
        """The steps in order: read, check, find the period and the links, map, send once, verify, record."""
        if claim.done:
            return preparation.already_done(claim)
        links = LinkResolver(self._connection)
        try:
            invoice = preparation.read_document(self._connection, claim)
            prepared = self._prepare(invoice, claim.record, links)
        except WrongDocumentType as other:
            self._ledger.discard_claim(claim)
            return Result(claim.document.id, "not_ours", {"reason": str(other)})
        except (NeedsAttention, Skip):
            # It is not to be sent, but an earlier attempt may have put it into Rillet.
            found = find_open_attempt(self._connection, claim, self._find)
            if found and claim.attempt:
                return self._record(claim, found, claim.attempt.totals, [])
            raise
        try:
            found = send_once(
                self._connection,
                claim,
                prepared.mapped,
                create=self._connection.rillet.create_invoice,
                find=self._find,
            )
        except SendRefused as refused:
            return record_refusal(self._connection, claim, invoice, links, self._periods, refused)
        warnings = [*prepared.warnings, *number_warning(invoice.invoice_number, found[0].number)]
        return self._record(claim, found, prepared.mapped.totals.as_text(), warnings)

    def _prepare(
        self, invoice: Invoice, record: Mapping[str, Any], links: LinkResolver, *, dry_run: bool = False
    ) -> Prepared:
        """Everything up to the payload.

        Raises:
            NotOurs: it is a credit note.
            NeedsAttention: a person must act before it can be sent.
            Skip: it is not for Rillet, by rule.
        """
        if invoice.is_credit_note:
            raise WrongDocumentType("It is a credit note, not an invoice.")
        check_eligible(invoice, self._settings, "export_invoice")
        booked_on = self._periods.booking_day(invoice, record, dry_run=dry_run)
        resolved = links.resolve(invoice)
        mapped = to_rillet_invoice(invoice, resolved.links, self._settings, booked_on)
        return Prepared(invoice, resolved, mapped)

    def _record(
        self,
        claim: Claim,
        found: Sequence[CreatedDocument],
        totals: Mapping[str, str],
        warnings: Sequence[str],
    ) -> Result:
        """Verify the totals of what Rillet has, and record the document with its end."""
        state, facts = outcome_facts(claim.document.id, found, totals, warnings)
        self._ledger.remember(
            self._connection.name, "rillet-invoice", found[0].id, {"solvimon_id": claim.document.id}
        )
        if why := deleted_meanwhile(self._ledger, claim, found[0].id):
            state, facts = "differs", {**facts, **error_fields(why)}
        kept = {"scope": self._settings.invoice_scope.value, "open_amount": totals["gross"]}
        exported_at = int(self._connection.clock())
        self._ledger.finish(claim, state, {**facts, **kept, "exported_at": exported_at})
        return Result(claim.document.id, state, facts)
