"""The direct invocations of a function with a queue: documents by id, a dry run, a retry."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import simplejson
from pydantic import ConfigDict, Field

from solvimon_rillet.connections.names import connection_name
from solvimon_rillet.entrypoints.direct_request import answer_direct_request
from solvimon_rillet.entrypoints.queue_processor import (
    DoOne,
    QueueProcessor,
    count_outcomes,
    has_time,
)
from solvimon_rillet.entrypoints.requested_documents import Find, unknown_number
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.errors import Code, NeedsAttention, Recoverable
from solvimon_rillet.events import SOLVIMON, BusEvent, is_id
from solvimon_rillet.ledger.actor import RequestedBy
from solvimon_rillet.ledger.document_types import DocumentType
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.workflows.outcome import Result, error_fields

MAX_ANSWER_BYTES = 5_000_000
"""Size of an answer's results; Lambda refuses an answer above 6 MB."""
_LONG_FACTS = ("came_from", "payload")  # in the order in which an answer that is too large goes without them


class DocumentsRequest(RequestedBy):
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
    find: Find = lambda _connection, text: text,
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
        find: the id of what a person named by its number.
    """

    def do(request: DocumentsRequest, text: str) -> Result:
        document_id = find(request.connection, text)
        if isinstance(document_id, Result):
            return document_id
        if not is_id(document_id):
            return _not_an_id(request, document_id, "rejected")
        requested = BusEvent(
            SOLVIMON, detail_type, request.connection, document_id, "", "", by=request.by, requested=True
        )
        result = processor.process_document(
            requested, do_one, context, lambda: before(request.connection, document_id)
        )
        return unknown_number(result, document_id)

    def answer(request: DocumentsRequest) -> dict[str, Any]:
        if request.dry_run:
            results = _dry_runs(request, context, dry_run_one, find)
        else:
            results = [do(request, document_id) for document_id in request.ids]
        return {
            "connection": request.connection,
            "dry_run": request.dry_run,
            "summary": count_outcomes(results),
            "results": [result.as_answer(model.id_name) for result in results],
            **_rest(request, request.ids[len(results) :]),
        }

    example = {"connection": "default", f"{model.id_name}s": [model.sample_id], "dry_run": True}
    return answer_direct_request(event, model, answer, {"example": example}, context=context)


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

    def answer(request: RetryRequest) -> dict[str, Any]:
        connection = services.connections.open(request.connection)
        redrive = Redrive(connection, kind, detail_type, services.queue)
        return redrive.run(request.retry, dry_run=request.dry_run, has_time=partial(has_time, context))

    return answer_direct_request(
        event,
        RetryRequest,
        answer,
        {"examples": RETRY_EXAMPLES},
        lambda _error: "Nothing was queued; invoke it again in a minute.",
        context,
    )


def reopener(services: Services, kind: DocumentType) -> Callable[[str, str], None]:
    """A function that reopens a document, because a person requests it by its id.

    One that was skipped manually is exported again, and a write-back that failed is tried at once.
    """

    def reopen(connection: str, document_id: str) -> None:
        from solvimon_rillet.ledger.write_backs import request_again

        document = Document(connection_name(connection), kind.name, document_id)
        services.ledger.reopen(document)
        request_again(services.ledger, document)

    return reopen


def _dry_runs(
    request: DocumentsRequest,
    context: Any,  # noqa: ANN401
    dry_run_one: Callable[[str, str], Result],
    find: Find,
) -> list[Result]:
    """The dry runs of the first documents: as many as fit into the function's time and into one answer."""
    results: list[Result] = []
    room = MAX_ANSWER_BYTES
    for text in request.ids:
        if not has_time(context):
            break
        found = find(request.connection, text)
        if isinstance(found, Result):
            result = found
        elif is_id(found):
            result = unknown_number(
                _shortened_result(_dry_run(request.connection, found, dry_run_one)), found
            )
        else:
            result = _not_an_id(request, found, "would_reject")
        room -= _size(result.facts)
        if room < 0 and results:
            break
        results.append(result)
    return results


def _not_an_id(request: DocumentsRequest, document_id: str, outcome: str) -> Result:
    """The result for what cannot be an id, before it becomes a key or a path."""
    noun = request.id_name.removesuffix("_id").replace("_", " ")
    why = NeedsAttention(
        Code.SOLVIMON_RECORD_MISSING if noun == "customer" else Code.INVOICE_NOT_FOUND,
        "This is not a Solvimon id.",
        f"Give an id such as {request.sample_id}; the Desk shows it in the {noun}'s address.",
        quoted=repr(document_id[:64]),
    )
    return Result(document_id[:64], outcome, error_fields(why))


def _shortened_result(result: Result) -> Result:
    """The result of a dry run, without its longest facts where it would not fit into an answer."""
    facts, left_out = dict(result.facts), list[str]()
    for name in _LONG_FACTS:
        if name in facts and _size(facts) > MAX_ANSWER_BYTES:
            del facts[name]
            left_out.append(name)
    if left_out:
        facts["left_out"] = f"{' and '.join(left_out)}: too large for an answer of Lambda (6 MB)."
    return replace(result, facts=facts)


def _size(facts: Mapping[str, Any]) -> int:
    """Bytes of facts as Lambda's runtime writes them, ASCII only."""
    return len(simplejson.dumps(facts, use_decimal=True))


def _rest(request: DocumentsRequest, ids: list[str]) -> dict[str, Any]:
    """The documents that an answer does not have, with the request for them."""
    if not ids:
        return {}
    event = {"connection": request.connection, f"{request.id_name}s": ids, "dry_run": request.dry_run}
    remedy = (
        f"{len(ids)} documents are left: there was no more time or room in this answer. Send next_request."
    )
    return {"ids_left": ids, "remedy": remedy, "next_request": event}


def _dry_run(connection: str, document_id: str, dry_run_one: Callable[[str, str], Result]) -> Result:
    try:
        return dry_run_one(connection, document_id)
    except Recoverable as error:
        return Result(document_id, "try_again", {"reason": error.message})
