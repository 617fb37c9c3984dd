"""Documents that a person names, by id or by number; and the ids of the sample events, which name none."""

from collections.abc import Callable, Mapping
from typing import Any

from solvimon_rillet.connections.names import connection_name
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.ledger.document_types import CUSTOMER, DocumentType
from solvimon_rillet.workflows.outcome import Result, error_fields

FoundDocument = str | Result
"""The id of a document, or the answer why there is none."""
Find = Callable[[str, str], FoundDocument]
_SAMPLE_MESSAGE = "00000000-0000-4000-8000-000000000001"
_SAMPLE_IDS = {"invo_AbC123", "cust_AbC123", "0198c1d2-0000-4000-8000-000000000001"}
_MAX_NAMED = 10


def finder(services: Services, kind: DocumentType) -> Find:
    """A function that finds the id of a document which a person names by its number, given the connection."""

    def find(connection: str, text: str) -> FoundDocument:
        if text.startswith(prefix_of(kind)):
            return text
        documents = services.ledger.index.with_number(connection_name(connection), text, _MAX_NAMED)
        ids = [document.id for document in documents if document.kind == kind.name]
        if len(ids) <= 1:
            return ids[0] if ids else text
        why = NeedsAttention(
            Code.INVOICE_NOT_FOUND,
            f"Several documents have this number: {', '.join(ids)}.",
            "Give the id of the one that you mean.",
        )
        return Result(text, "not_found", error_fields(why))

    return find


def prefix_of(kind: DocumentType) -> str:
    """The begin of Solvimon's ids of a document type."""
    return "cust_" if kind is CUSTOMER else "invo_"


def unknown_number(result: Result, text: str) -> Result:
    """The answer for what a person named, where neither Solvimon nor the ledger knows it."""
    if result.outcome not in {"not_found", "would_reject"} or text.startswith(("invo_", "cust_")):
        return result
    if result.facts.get("code") not in {Code.INVOICE_NOT_FOUND, Code.SOLVIMON_RECORD_MISSING}:
        return result
    remedy = (
        "If it is a number: the ledger finds a document by its number once it has read it. Give its id until "
        "then, such as invo_AbC123; the Desk shows it in the document's address."
    )
    return Result(text, result.outcome, {**result.facts, "remedy": remedy})


def is_sample(record: Mapping[str, Any], document_id: str) -> bool:
    """Whether a queue's message is that of a sample event as it is in the folder ``events``."""
    return record.get("messageId") == _SAMPLE_MESSAGE and document_id in _SAMPLE_IDS
