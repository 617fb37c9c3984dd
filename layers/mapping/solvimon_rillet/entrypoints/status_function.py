"""The handler of ``sync_status``: the status of a connection or a document, and manual resolutions."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from solvimon_rillet.entrypoints.direct_request import INVOKE_AGAIN, answer_direct_request
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.errors import Recoverable
from solvimon_rillet.events import is_id
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, CUSTOMER, INVOICE, DocumentType
from solvimon_rillet.workflows.requested_by import RequestedBy
from solvimon_rillet.workflows.status.document_history import DocumentHistory
from solvimon_rillet.workflows.status.overview import Overview
from solvimon_rillet.workflows.status.runs import Runs

STATUS_EXAMPLES: list[dict[str, Any]] = [
    {"connection": "default"},
    {"invoice_id": "invo_AbC123"},
    {"runs": True},
    {
        "resolve": {
            "invoice_id": "invo_AbC123",
            "rillet_id": "0198c1d2-0000-4000-8000-000000000001",
            "note": "Booked by hand on 3 November, ticket 4711",
        }
    },
]


def _solvimon_id(value: object) -> object:
    if is_id(value):
        return value
    raise ValueError("should be an id such as invo_AbC123")


Id = Annotated[str, BeforeValidator(_solvimon_id)]


class _DocumentRequest(BaseModel):
    """A request that may name a document, in one of several fields."""

    model_config = ConfigDict(extra="forbid")

    def document(self, *kinds: DocumentType) -> tuple[DocumentType, str] | None:
        """The type and the id of the document in the request, if it names one."""
        given = {kind: value for kind in kinds if (value := getattr(self, kind.id_name)) is not None}
        if len(given) > 1:
            raise ValueError(f"name one of {', '.join(kind.id_name for kind in given)}")
        return next(iter(given.items()), None)


class ResolveRequest(_DocumentRequest):
    """A manual resolution; ``rillet_id`` must be given, even if it is null."""

    invoice_id: Id | None = None
    credit_note_id: Id | None = None
    rillet_id: Id | None
    note: str = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _names_document(self) -> Self:
        if not self.document(INVOICE, CREDIT_MEMO):
            raise ValueError("invoice_id or credit_note_id is missing")
        if not self.note.strip():
            raise ValueError("note should say who did what")
        return self


class StatusRequest(_DocumentRequest, RequestedBy):
    """A question about the status, or a manual resolution."""

    connection: str = "default"
    invoice_id: Id | None = None
    credit_note_id: Id | None = None
    customer_id: Id | None = None
    resolve: ResolveRequest | None = None
    runs: bool = False

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if self.document(INVOICE, CREDIT_MEMO, CUSTOMER) and self.resolve:
            raise ValueError("resolve stands alone; name its document within it")
        if self.runs and (self.resolve or self.document(INVOICE, CREDIT_MEMO, CUSTOMER)):
            raise ValueError("runs stands alone, or with a connection")
        return self


def status_handler(environment: Mapping[str, str], clock: Callable[[], float]) -> Handler:
    """A handler of ``sync_status``."""
    telemetry = Telemetry(environment, "sync_status")
    services = Services(environment, clock, telemetry.count)

    def answer(request: StatusRequest) -> dict[str, Any]:
        name = request.connection
        if request.runs and "connection" not in request.model_fields_set:
            return Runs(services.runs, clock).report(None)
        services.configuration.settings(name)  # raises if there is no such connection
        if request.runs:
            return Runs(services.runs, clock).report(name)
        if request.resolve:
            return resolve(name, request.resolve)
        if document := request.document(INVOICE, CREDIT_MEMO, CUSTOMER):
            return DocumentHistory(name, services.ledger, clock).describe(*document)
        report = Overview(name, services.ledger, services.dead_letter_queues, clock).report()
        if problems := services.configuration.credential_problems(name):
            return {**report, "summary": " ".join(problems), "credentials": problems}
        return report

    def resolve(name: str, request: ResolveRequest) -> dict[str, Any]:
        # Only a resolution asks the vendors; a question about the status needs no clients of theirs.
        from solvimon_rillet.workflows.status.manual_resolution import ManualResolution, ResolutionRefused

        resolution = ManualResolution(services.connections.open(name))
        kind, document_id = request.document(INVOICE, CREDIT_MEMO) or (INVOICE, "")
        try:
            return resolution.run(kind, document_id, request.rillet_id, request.note.strip())
        except ResolutionRefused as error:
            return {"error": str(error), "remedy": error.remedy}

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        return answer_direct_request(
            event, StatusRequest, answer, {"examples": STATUS_EXAMPLES}, _wait_remedy, context
        )

    return handle


def _wait_remedy(error: Recoverable) -> str:
    return f"Try again in {error.after:.0f} s." if error.after else INVOKE_AGAIN
