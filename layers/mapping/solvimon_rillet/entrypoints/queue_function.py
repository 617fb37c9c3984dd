"""What the functions with a queue answer a person: one document or many, a dry run, a retry."""

from collections.abc import Callable
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solvimon_rillet.connections.configuration import connection_name
from solvimon_rillet.entrypoints.queue_processor import (
    NEEDED_MILLISECONDS,
    DoOne,
    QueueProcessor,
    count_outcomes,
)
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.errors import NeedsAttention, Recoverable
from solvimon_rillet.events import SOLVIMON, BusEvent
from solvimon_rillet.formatting import validation_problems
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.workflows.outcome import Result


class DocumentsRequest(BaseModel):
    """A request for documents by their ids, under the name that ``id_name`` says."""

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
    """Do documents on a person's request, or say what would be done.

    Args:
        event: the request.
        context: Lambda's.
        model: the request's form.
        detail_type: the bus event of a document that must wait.
        processor: does the documents.
        do_one: the work, as for a message of the queue.
        dry_run_one: the dry run of a document, from the connection and its id.
        before: comes before the work on each document.
    """
    try:
        request = model.model_validate(event)
    except ValidationError as error:
        example = {"connection": "default", f"{model.id_name}s": [model.sample_id], "dry_run": True}
        return {"error": validation_problems(error), "example": example}

    def do(document_id: str) -> Result:
        if request.dry_run:
            return _dry_run(request.connection, document_id, dry_run_one)
        asked = BusEvent(SOLVIMON, detail_type, request.connection, document_id, "", "")
        return processor.process_document(
            asked, do_one, context, lambda: before(request.connection, document_id)
        )

    try:
        results = [do(document_id) for document_id in request.ids]
    except NeedsAttention as error:
        return {"error": error.message, "remedy": error.remedy}
    return {
        "connection": request.connection,
        "dry_run": request.dry_run,
        "summary": count_outcomes(results),
        "results": [result.as_answer(model.id_name) for result in results],
    }


def answer_retry(
    event: dict[str, Any],
    context: Any,  # noqa: ANN401
    *,
    services: Services,
    name: str,
    kind: str,
    detail_type: str,
) -> dict[str, Any]:
    """Put rejected documents, or those of some days, onto the queue again.

    Args:
        event: the request.
        context: Lambda's, for the time that is left.
        services: the function's.
        name: the workflow's name, such as ``export_invoice``.
        kind: the ledger's kind of its documents.
        detail_type: the bus event that asks for one.
    """
    # Seldom asked for, and many imports: the batches do without.
    from solvimon_rillet.workflows.export.redrive import Redrive, RedriveTarget
    from solvimon_rillet.workflows.export.redrive_request import RETRY_EXAMPLES, RetryRequest

    try:
        request = RetryRequest.model_validate(event)
        connection = services.connections.open(request.connection)
        redrive = Redrive(connection, RedriveTarget(name, kind, detail_type), services.queue)
        return redrive.run(
            request.retry,
            dry_run=request.dry_run,
            has_time=lambda: context.get_remaining_time_in_millis() >= NEEDED_MILLISECONDS,
        )
    except ValidationError as error:
        return {"error": validation_problems(error), "examples": RETRY_EXAMPLES}
    except NeedsAttention as error:
        return {"error": error.message, "remedy": error.remedy}
    except Recoverable as error:
        return {"error": str(error), "remedy": "Nothing was queued; invoke it again in a minute."}


def reopener(services: Services, kind: str) -> Callable[[str, str], None]:
    """Lets work go on at a document that a person settled by hand, because a person asks for it now."""

    def reopen(connection: str, document_id: str) -> None:
        services.ledger.reopen(Document(connection_name(connection), kind, document_id))

    return reopen


def _dry_run(connection: str, document_id: str, dry_run_one: Callable[[str, str], Result]) -> Result:
    try:
        return dry_run_one(connection, document_id)
    except Recoverable as error:
        return Result(document_id, "try_again", {"reason": str(error)})
