"""The kinds of documents that the ledger knows, and how a person asks for them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A kind of document.

    Attributes:
        name: the ledger's word.
        id_name: what a document's id is called in requests and answers.
        function: the function that works on it.
        states: the states that its records may have.
        retries_by_code: whether its function retries by cause.
    """

    name: str
    id_name: str
    function: str
    states: tuple[str, ...]
    retries_by_code: bool = False

    def invocation(self, connection: str, *document_ids: str, dry_run: bool = False) -> dict[str, Any]:
        """A ready-made invocation for some documents."""
        event = {"connection": connection, f"{self.id_name}s": list(document_ids)}
        return {"function": self.function, "event": {**event, **({"dry_run": True} if dry_run else {})}}

    def retry_invocation(self, connection: str, code: str) -> dict[str, Any]:
        """A ready-made invocation that retries a cause."""
        return {"function": self.function, "event": {"connection": connection, "retry": {"code": code}}}


_EXPORT = ("claimed", "sending", "exported", "differs", "rejected", "skipped")
INVOICE = DocumentType("invoice", "invoice_id", "export_invoice", _EXPORT, retries_by_code=True)
CREDIT_MEMO = DocumentType(
    "credit_memo", "credit_note_id", "export_credit_memo", _EXPORT, retries_by_code=True
)
CUSTOMER = DocumentType(
    "customer", "customer_id", "sync_customer", ("claimed", "synced", "rejected", "skipped")
)
PAYMENT = DocumentType(
    "payment", "invoice_id", "mark_invoice_paid", ("claimed", "sending", "marked", "rejected", "skipped")
)
DOCUMENT_TYPES = (INVOICE, CREDIT_MEMO, CUSTOMER, PAYMENT)
CREDIT_PREFIX = "credit_"
"""Facts of an invoice's record: what each of our memos has taken off it."""
