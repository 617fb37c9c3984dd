"""The document types of the ledger, and the invocations that process them."""

from dataclasses import dataclass
from typing import Any

from solvimon_rillet.events import CREDIT_NOTE_FINALISED, CUSTOMER_UPDATED, INVOICE_FINALISED


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A document type.

    Attributes:
        name: its name in the ledger's keys.
        id_name: name of a document's id in requests and answers.
        function: the function that processes it.
        states: the possible states of its records.
        retries_by_code: whether its function can retry all documents with an error code.
    """

    name: str
    id_name: str
    function: str
    states: tuple[str, ...]
    retries_by_code: bool = False

    def invocation(self, connection: str, *document_ids: str, dry_run: bool = False) -> dict[str, Any]:
        """The invocation for some documents, ready to use."""
        event = {"connection": connection, f"{self.id_name}s": list(document_ids)}
        return {"function": self.function, "event": {**event, **({"dry_run": True} if dry_run else {})}}

    def retry_invocation(self, connection: str, code: str) -> dict[str, Any]:
        """The invocation that retries an error code, ready to use."""
        return {"function": self.function, "event": {"connection": connection, "retry": {"code": code}}}


_EXPORT = ("claimed", "sending", "exported", "differs", "rejected", "skipped")
INVOICE = DocumentType("invoice", "invoice_id", "export_invoice", _EXPORT, retries_by_code=True)
CREDIT_MEMO = DocumentType(
    "credit_memo", "credit_note_id", "export_credit_memo", _EXPORT, retries_by_code=True
)
CUSTOMER = DocumentType(
    "customer", "customer_id", "sync_customer", ("claimed", "sending", "synced", "rejected", "skipped")
)
PAYMENT = DocumentType(
    "payment", "invoice_id", "mark_invoice_paid", ("claimed", "sending", "marked", "rejected", "skipped")
)
DOCUMENT_TYPES = (INVOICE, CREDIT_MEMO, CUSTOMER, PAYMENT)
CREDIT_PREFIX = "credit_"
"""Prefix of facts of an invoice's record: the applied amount of each memo."""
EVENT_TYPES = {
    "invoice": INVOICE_FINALISED,
    "credit_memo": CREDIT_NOTE_FINALISED,
    "customer": CUSTOMER_UPDATED,
}
"""The event that starts the work on a document again, by type; a payment's comes from Rillet."""
