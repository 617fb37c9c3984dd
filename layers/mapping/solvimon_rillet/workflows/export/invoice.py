"""Export a finalised invoice to Rillet: exactly once and to the cent."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import NeedsAttention, Skip
from solvimon_rillet.ledger.document_types import INVOICE
from solvimon_rillet.ledger.ledger import Claim, Document
from solvimon_rillet.mapping.eligibility import check_eligible
from solvimon_rillet.mapping.invoices import to_rillet_invoice
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export import preparation
from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
from solvimon_rillet.workflows.export.export_lease import export_under_lease
from solvimon_rillet.workflows.export.link_resolver import LinkResolver
from solvimon_rillet.workflows.export.preparation import Prepared, WrongDocumentType
from solvimon_rillet.workflows.export.send_once import find_open_attempt, send_once
from solvimon_rillet.workflows.export.verification import Sent, number_warning, verify_totals
from solvimon_rillet.workflows.outcome import Result


class ExportInvoice:
    """Exports the invoices of one connection.

    The steps, from top to bottom: claim, read, check eligibility, accounting period, links, map, send once,
    verify totals, record.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rillet = connection.rillet
        self._settings = connection.settings

    def run(self, invoice_id: str, owner: str) -> Result:
        """Export one invoice, or record why not.

        Args:
            invoice_id: Solvimon's id.
            owner: names this run; it holds the lease.

        Raises:
            RetryLater: nothing happened; a later run continues.
            OutcomeUnknown: Rillet may have the invoice; a later run checks before it sends another.
        """
        return export_under_lease(self._connection, self._document(invoice_id), owner, self._export)

    def dry_run(self, invoice_id: str) -> Result:
        """The payload that ``run`` would send for an invoice, and its origins; writes nothing anywhere."""
        prepare = partial(self._prepare, dry_run=True)
        return preparation.dry_run(self._connection, self._document(invoice_id), prepare, _customer_to_create)

    def _export(self, claim: Claim) -> Result:
        """Read and prepare the claimed invoice, send it once, verify and record it."""
        try:
            invoice = preparation.read_document(self._connection, claim)
            prepared = self._prepare(invoice, claim.record)
        except (NeedsAttention, Skip):
            # It must not be sent, but an earlier attempt may have created it in Rillet.
            if earlier := find_open_attempt(self._connection, claim, self._rillet.invoices_of_customer):
                return self._record(claim, earlier, [])
            raise
        sent = send_once(
            self._connection,
            claim,
            prepared,
            create=self._rillet.create_invoice,
            find=self._rillet.invoices_of_customer,
        )
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
        resolved = LinkResolver(self._connection, dry_run=dry_run).resolve(invoice)
        mapped = to_rillet_invoice(invoice, resolved.links, self._settings, booked_on)
        return Prepared(invoice, resolved, mapped)

    def _record(self, claim: Claim, sent: Sent, warnings: Sequence[str]) -> Result:
        """Verify the totals that Rillet booked, and record the result."""
        ledger = self._connection.ledger
        state, facts = verify_totals(ledger, claim, sent, warnings)
        kept = {
            "scope": self._settings.invoice_scope.value,
            "open_amount": sent.totals["gross"],
            "exported_at": int(self._connection.clock()),
        }
        ledger.finish(claim, state, {**facts, **kept})
        return Result(claim.document.id, state, facts)

    def _document(self, invoice_id: str) -> Document:
        return Document(self._connection.name, INVOICE.name, invoice_id)


def _customer_to_create(prepared: Prepared) -> Mapping[str, Any]:
    customer = prepared.resolved.new_customer
    return {"customer_to_create": customer.payload} if customer else {}
