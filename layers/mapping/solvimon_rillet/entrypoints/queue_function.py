"""The direct invocations of a function with a queue: documents by id, a dry run, a retry."""

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from solvimon_rillet.connections.names import connection_name
from solvimon_rillet.entrypoints.direct_request import answer_direct_request
from solvimon_rillet.entrypoints.queue_processor import (
    NEEDED_MILLISECONDS,
    DoOne,
    QueueProcessor,
    count_outcomes,
)
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.errors import Recoverable
from solvimon_rillet.events import SOLVIMON, BusEvent
from solvimon_rillet.ledger.document_types import DocumentType
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.workflows.outcome import Result


class DocumentsRequest(BaseModel):
    """A request for documents by their ids, in the field ``{id_name}s``."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    id_name: ClassVar[str]
    sample_id: ClassVar[str] = "invo_AbC123"

    connection: str = "default"
    dry_run: bool = False

    @property
    def ids(self) -> list[str]:
        """The documents' ids."""
        ids: list[str] = getattr(self, f"{self.id_name}s")
        return ids


class InvoicesRequest(DocumentsRequest):
    """``{"invoice_ids": ["invo_..."]}``."""

    id_name = "invoice_id"

    invoice_ids: list[str] = Field(min_length=1, max_length=500)


class CreditNotesRequest(DocumentsRequest):
    """``{"credit_note_ids": ["invo_..."]}``."""

    id_name = "credit_note_id"

    credit_note_ids: list[str] = Field(min_length=1, max_length=500)


class CustomersRequest(DocumentsRequest):
    """``{"customer_ids": ["cust_..."]}``."""

    id_name = "customer_id"
    sample_id = "cust_AbC123"

    customer_ids: list[str] = Field(min_length=1, max_length=500)


def answer_request(
    event: dict[str, Any],
    context: Any,  # noqa: ANN401
    *,
    model: type[DocumentsRequest],
    detail_type: str,
    processor: QueueProcessor,
    do_one: DoOne,
    dry_run_one: Callable[[str, str], Result],
    before: Callable[[str, str], None] = lambda _connection, _document_id: None,
) -> dict[str, Any]:
    """Process documents on a person's request, or show the results of a dry run.

    Args:
        event: the request.
        context: Lambda's.
        model: the request's form.
        detail_type: the bus event of a document that must wait.
        processor: processes the documents.
        do_one: the work, as for a message of the queue.
        dry_run_one: the dry run of a document, from the connection and its id.
        before: runs before the work on each document.
    """

    def do(request: DocumentsRequest, document_id: str) -> Result:
        if request.dry_run:
            return _dry_run(request.connection, document_id, dry_run_one)
        requested = BusEvent(SOLVIMON, detail_type, request.connection, document_id, "", "")
        return processor.process_document(
            requested, do_one, context, lambda: before(request.connection, document_id)
        )

    def answer(request: DocumentsRequest) -> dict[str, Any]:
        results = [do(request, document_id) for document_id in request.ids]
        return {
            "connection": request.connection,
            "dry_run": request.dry_run,
            "summary": count_outcomes(results),
            "results": [result.as_answer(model.id_name) for result in results],
        }

    example = {"connection": "default", f"{model.id_name}s": [model.sample_id], "dry_run": True}
    return answer_direct_request(event, model, answer, {"example": example})


def answer_retry(
    event: dict[str, Any],
    context: Any,  # noqa: ANN401
    *,
    services: Services,
    kind: DocumentType,
    detail_type: str,
) -> dict[str, Any]:
    """Put rejected documents, or those of some days, onto the queue again.

    Args:
        event: the request.
        context: Lambda's, for the time that is left.
        services: the function's.
        kind: type of the documents.
        detail_type: the bus event of such a document.
    """
    # Rare, with many imports: a batch works without them.
    from solvimon_rillet.workflows.export.redrive import Redrive
    from solvimon_rillet.workflows.export.redrive_request import RETRY_EXAMPLES, RetryRequest

    def has_time() -> bool:
        enough: bool = context.get_remaining_time_in_millis() >= NEEDED_MILLISECONDS
        return enough

    def answer(request: RetryRequest) -> dict[str, Any]:
        connection = services.connections.open(request.connection)
        redrive = Redrive(connection, kind, detail_type, services.queue)
        return redrive.run(request.retry, dry_run=request.dry_run, has_time=has_time)

    return answer_direct_request(
        event,
        RetryRequest,
        answer,
        {"examples": RETRY_EXAMPLES},
        lambda _error: "Nothing was queued; invoke it again in a minute.",
    )


def reopener(services: Services, kind: DocumentType) -> Callable[[str, str], None]:
    """A function that reopens a manually resolved document, because a person requests it by its id."""

    def reopen(connection: str, document_id: str) -> None:
        services.ledger.reopen(Document(connection_name(connection), kind.name, document_id))

    return reopen


def _dry_run(connection: str, document_id: str, dry_run_one: Callable[[str, str], Result]) -> Result:
    try:
        return dry_run_one(connection, document_id)
    except Recoverable as error:
        return Result(document_id, "try_again", {"reason": str(error)})
