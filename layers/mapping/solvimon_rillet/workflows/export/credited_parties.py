"""The customer and subsidiary of a credited invoice: the memo of its credit note is booked under the same.

Rillet applies a memo only to invoices of its own customer. A link that was corrected after the invoice was
booked would put the memo where it can never be applied.
"""

from collections.abc import Mapping
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.ledger.document_types import INVOICE
from solvimon_rillet.ledger.ledger import FINISHED, Document
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.export.applications import MAX_ORIGINALS
from solvimon_rillet.workflows.export.link_resolver import BookedParties, LinkResolver


class CreditedParties:
    """Finds the parties for the credit notes of one connection.

    Args:
        connection: of the credit notes.
        resolver: knows the subsidiary of a billing entity.
        dry_run: write nothing to the ledger.
    """

    def __init__(self, connection: Connection, resolver: LinkResolver, *, dry_run: bool = False) -> None:
        self._connection = connection
        self._resolver = resolver
        self._dry_run = dry_run

    def of(self, note: Invoice, record: Mapping[str, Any]) -> BookedParties | None:
        """The parties of the first credited invoice of the same billing entity.

        Args:
            note: the credit note.
            record: its ledger record; after a refusal because Rillet lacks one of the ids, the parties are
                read from Rillet, where the invoice may have moved.

        Returns:
            ``None`` if it credits none; then its own links count.

        Raises:
            NeedsAttention: an invoice is of another billing entity, and the settings do not allow that.
            RetryLater: a service does not answer.
        """
        fresh, found = record.get("code") in {Code.RILLET_RECORD_MISSING, Code.CUSTOMER_MERGED}, None
        for credited in note.credited_invoices()[:MAX_ORIGINALS]:
            document = Document(self._connection.name, INVOICE.name, credited.id)
            original = self._connection.ledger.read(document) or {}
            if original.get("state") not in FINISHED:
                continue
            parties = self._parties(document, original, fresh=fresh)
            if not self._of_another_entity(note, document, original, parties):
                found = found or parties
            elif self._connection.settings.credit_of_another_entity == "refuse":
                raise _another_entity(note, credited.id, original)
        return found

    def _parties(self, document: Document, original: Mapping[str, Any], *, fresh: bool) -> BookedParties:
        """The parties of an invoice: from its record, else from Rillet, since older records lack them."""
        names = ("customer_id", "subsidiary_id")
        if not fresh and all(original.get(name) for name in names):
            return BookedParties(*(str(original[name]) for name in names))
        invoice = self._connection.rillet.invoice(str(original["rillet_id"]))
        if invoice is None:
            attempt = original.get("attempt") or {}
            known = str(original.get("customer_id") or attempt.get("customer_id") or "")
            return BookedParties(known, str(original.get("subsidiary_id") or ""))
        parties = BookedParties(invoice.customer_id or "", invoice.subsidiary_id or "")
        facts = {name: value for name in names if (value := getattr(parties, name))}
        if not self._dry_run:
            self._connection.ledger.add_facts(document, facts)
        return parties

    def _of_another_entity(
        self, note: Invoice, document: Document, original: Mapping[str, Any], parties: BookedParties
    ) -> bool:
        """Whether another legal entity billed the invoice; two billing entities may share a subsidiary."""
        entity = original.get("billing_entity_id") or self._connection.solvimon.invoice(document.id).biller_id
        if entity == note.biller_id or not parties.subsidiary_id:
            return False
        return self._resolver.subsidiary(note) != parties.subsidiary_id


def _another_entity(note: Invoice, invoice_id: str, original: Mapping[str, Any]) -> NeedsAttention:
    return NeedsAttention(
        Code.CREDIT_OF_ANOTHER_ENTITY,
        f"The billing entity {note.biller_id} credits {invoice_id} "
        f"({original.get('rillet_number', 'without a number')}), which another billing entity billed.",
        "Credit the invoice in Solvimon under its own billing entity, and resolve this credit note as "
        'handled by hand. Or set credit_of_another_entity to "book_unapplied" and retry: its memo is then '
        "booked in its own subsidiary and applied to nothing.",
    )
