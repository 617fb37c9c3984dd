"""The handler of a function that exports documents: an SQS batch of bus events, or a person's request."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from solvimon_rillet.connections.names import connection_name
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.queue_processor import NEEDED_MILLISECONDS, QueueProcessor, summary
from solvimon_rillet.entrypoints.services import Services, run_id
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.errors import NeedsAttention, Recoverable
from solvimon_rillet.events import BusEvent
from solvimon_rillet.formatting import validation_problems
from solvimon_rillet.ledger.ledger import Document
from solvimon_rillet.rate_limit.limiter import Priority
from solvimon_rillet.workflows.outcome import Result


class Exporter(Protocol):
    """A workflow for one connection."""

    def run(self, document_id: str, owner: str) -> Result:
        """Export a document."""

    def dry_run(self, document_id: str) -> Result:
        """Say what ``run`` would do."""


class _DirectRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)

    connection: str = "default"
    dry_run: bool = False


def request_model(ids: str) -> type[BaseModel]:
    """What a person may ask for, with the documents' ids under a given name."""
    model: type[BaseModel] = create_model(
        "DirectRequest",
        __base__=_DirectRequest,
        **{ids: (list[str], Field(min_length=1, max_length=500))},  # type: ignore[call-overload]
    )
    return model


def build_export(
    environment: Mapping[str, str],
    clock: Callable[[], float],
    *,
    name: str,
    id_name: str,
    detail_type: str,
    exporter: Callable[[Services, str, Priority], Exporter],
    take: Callable[[Services, BusEvent], Result] | None = None,
    retries: str | None = None,
) -> Handler:
    """A handler of an export.

    Args:
        environment: the function's environment.
        clock: unix seconds.
        name: the function's name.
        id_name: what a document's id is called in requests and answers, such as ``invoice_id``.
        detail_type: the bus event that asks for it.
        exporter: makes the workflow for a connection, with the priority of its calls.
        take: acts on a bus event itself, for a workflow that needs more of it than its id.
        retries: the ledger's kind of its documents, for a workflow that retries them by cause or by day.
    """
    telemetry = Telemetry(environment, name)
    runtime = Services(environment, clock, telemetry.count)
    ids = f"{id_name}s"
    model = request_model(ids)
    example = {
        "connection": "default",
        ids: ["cust_AbC123" if id_name == "customer_id" else "invo_AbC123"],
        "dry_run": True,
    }

    def export(connection: str, document_id: str, priority: Priority) -> Result:
        return exporter(runtime, connection, priority).run(document_id, run_id())

    def dry_run(connection: str, document_id: str) -> Result:
        try:
            return exporter(runtime, connection, Priority.LIVE).dry_run(document_id)
        except Recoverable as error:
            return Result(document_id, "try_again", {"reason": str(error)})

    def reopen(connection: str, document_id: str) -> None:
        if retries:
            runtime.ledger.reopen(Document(connection_name(connection), retries, document_id))

    event_work = (lambda event: take(runtime, event)) if take else None
    inbox = QueueProcessor(lambda: runtime.queue, export, telemetry, event_work, reopen, clock)

    def retry(event: dict[str, Any], kind: str, context: Any) -> dict[str, Any]:  # noqa: ANN401
        # Seldom asked for, and many imports: the batches do without.
        from solvimon_rillet.workflows.export.redrive import Redrive, RedriveTarget
        from solvimon_rillet.workflows.export.redrive_request import EXAMPLES, RetryRequest

        try:
            request = RetryRequest.model_validate(event)
            at = request.connection
            settings = runtime.configuration.settings(at)
            solvimon, workflow = runtime.solvimon(at, settings), RedriveTarget(name, kind, detail_type)
            redrive = Redrive(at, workflow, settings, runtime.ledger, solvimon, runtime.queue, clock)
            return redrive.run(
                request.retry,
                dry_run=request.dry_run,
                has_time=lambda: context.get_remaining_time_in_millis() >= NEEDED_MILLISECONDS,
            )
        except ValidationError as error:
            return {"error": validation_problems(error), "examples": EXAMPLES}
        except NeedsAttention as error:
            return {"error": error.message, "remedy": error.remedy}
        except Recoverable as error:
            return {"error": str(error), "remedy": "Nothing was queued; invoke it again in a minute."}

    def direct(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        if retries and "retry" in event:
            return retry(event, retries, context)
        try:
            request = model.model_validate(event).model_dump()
        except ValidationError as error:
            return {"error": validation_problems(error), "example": example}
        connection = request["connection"]
        try:
            results = [
                dry_run(connection, document_id)
                if request["dry_run"]
                else inbox.document(connection, document_id, detail_type, context)
                for document_id in request[ids]
            ]
        except NeedsAttention as error:
            return {"error": error.message, "remedy": error.remedy}
        return {
            "connection": connection,
            "dry_run": request["dry_run"],
            "summary": summary(results),
            "results": [result.as_answer(id_name) for result in results],
        }

    @telemetry.logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            return inbox.batch(event, context) if "Records" in event else direct(event, context)
        finally:
            telemetry.flush()

    return handle
