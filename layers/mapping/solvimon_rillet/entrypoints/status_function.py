"""The handler of ``sync_status``: the status of a connection or a document, and manual resolutions."""

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from solvimon_rillet.connections.configuration import uses_oauth
from solvimon_rillet.connections.organisations import RilletOrganisations
from solvimon_rillet.entrypoints.direct_request import INVOKE_AGAIN, answer_direct_request
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.requested_documents import finder
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.errors import Recoverable, RetryLater
from solvimon_rillet.events import is_id
from solvimon_rillet.ledger.actor import RequestedBy
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, CUSTOMER, INVOICE, DocumentType
from solvimon_rillet.rate_limit.dynamodb_store import DynamoDBRequestWindowStore
from solvimon_rillet.workflows.outcome import Result
from solvimon_rillet.workflows.status.document_filter import DocumentFilter
from solvimon_rillet.workflows.status.document_history import DocumentHistory
from solvimon_rillet.workflows.status.document_lists import (
    PAGE_DOCUMENTS,
    DocumentLists,
    InvalidToken,
    kind_named,
)
from solvimon_rillet.workflows.status.overview import Around, Overview
from solvimon_rillet.workflows.status.runs import Runs

if TYPE_CHECKING:
    from solvimon_rillet.settings import Settings

STATUS_EXAMPLES: list[dict[str, Any]] = [
    {"connection": "default"},
    {"invoice_id": "invo_AbC123"},
    {"search": "INV-2026-11-000016"},
    {"documents": {"kind": "invoice", "state": "rejected"}},
    {"documents": {"kind": "invoice", "currency": "EUR", "from": "2026-10-01", "to": "2026-10-31"}},
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
    raise ValueError("should be an id such as invo_AbC123; look for anything else with search")


DocumentId = Annotated[str, BeforeValidator(_solvimon_id)]


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

    invoice_id: DocumentId | None = None
    credit_note_id: DocumentId | None = None
    rillet_id: DocumentId | None
    note: str = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _names_document(self) -> Self:
        if not self.document(INVOICE, CREDIT_MEMO):
            raise ValueError("invoice_id or credit_note_id is missing")
        if not self.note.strip():
            raise ValueError("note should say who did what")
        return self


class ListRequest(DocumentFilter):
    """Which documents to list, or among which to search."""

    kind: Literal["invoice", "credit_memo", "customer", "payment"] | None = None
    search: str | None = Field(default=None, min_length=1, max_length=200)
    after: str | None = Field(default=None, max_length=2000)
    limit: int = Field(default=PAGE_DOCUMENTS, ge=1, le=100)

    @model_validator(mode="after")
    def _has_kind_and_state(self) -> Self:
        if not self.kind and not self.search:
            raise ValueError("kind is missing; only a search looks at documents of all kinds")
        states = kind_named(self.kind).states if self.kind else ()
        if self.kind and self.state and self.state not in states:
            raise ValueError(f"state should be one of {', '.join(states)}, or null for all")
        return self


class StatusRequest(_DocumentRequest, RequestedBy):
    """A question about the status, or a manual resolution."""

    connection: str = "default"
    invoice_id: DocumentId | None = None
    credit_note_id: DocumentId | None = None
    customer_id: DocumentId | None = None
    resolve: ResolveRequest | None = None
    runs: bool = False
    documents: ListRequest | None = None
    search: str | None = Field(default=None, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        document = self.document(INVOICE, CREDIT_MEMO, CUSTOMER)
        if document and self.resolve:
            raise ValueError("resolve stands alone; name its document within it")
        asked = {
            "documents": self.documents,
            "search": self.search,
            "resolve": self.resolve,
            "an id": document,
        }
        others = [name for name, value in asked.items() if value]
        if self.runs and others:
            raise ValueError("runs stands alone, or with a connection")
        if len(others) > 1:
            raise ValueError(f"ask one question at a time: {' or '.join(others)}")
        return self


def status_handler(environment: Mapping[str, str], clock: Callable[[], float]) -> Handler:
    """A handler of ``sync_status``."""
    telemetry = Telemetry(environment, "sync_status")
    services = Services(environment, clock, telemetry.count)

    def answer(request: StatusRequest) -> dict[str, Any]:
        name = request.connection
        if request.runs and "connection" not in request.model_fields_set:
            return Runs(services.runs, clock).report(None)
        settings, _ = connection_settings(services, name)  # raises if there is no such connection
        if request.runs:
            return Runs(services.runs, clock).report(name)
        if request.resolve:
            return resolve(name, request.resolve)
        if request.documents:
            listed, lists = request.documents, DocumentLists(name, services.ledger, clock)
            try:
                if listed.search:
                    return lists.search(listed.search, listed, listed.after, listed.limit)
                return lists.page(listed, listed.after, listed.limit)
            except InvalidToken as error:
                return {"error": error.message, "remedy": error.remedy}
        if request.search:
            return DocumentLists(name, services.ledger, clock).search(request.search, DocumentFilter())

        def secret_name(vendor: str) -> str:
            return services.configuration.secret_name(name, vendor)

        if document := request.document(INVOICE, CREDIT_MEMO, CUSTOMER):
            found = finder(services, document[0])(name, document[1])
            if isinstance(found, Result):
                return {"error": found.facts["message"], "remedy": found.facts["remedy"]}
            document = document[0], found
            return DocumentHistory(name, services.ledger, clock, secret_name, settings).describe(*document)
        return connection_report(services, name)

    def resolve(name: str, request: ResolveRequest) -> dict[str, Any]:
        # Only a resolution asks the vendors; a question about the status needs no clients of theirs.
        from solvimon_rillet.workflows.status.manual_resolution import ManualResolution, ResolutionRefused

        resolution = ManualResolution(services.connections.open(name))
        kind, text = request.document(INVOICE, CREDIT_MEMO) or (INVOICE, "")
        document_id = finder(services, kind)(name, text)
        if isinstance(document_id, Result):
            return {"error": document_id.facts["message"], "remedy": document_id.facts["remedy"]}
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


def connection_report(services: Services, name: str) -> dict[str, Any]:
    """The status of a connection.

    Raises:
        UnknownConnection: there is no such connection.
        RetryLater: an AWS service does not answer.
    """
    settings, fault = connection_settings(services, name)
    credentials = credential_problems(services, name)
    broken = [*([fault] if fault else []), *credentials]
    around = Around(
        services.dead_letter_queues,
        broken,
        budget(services, name, settings),
        lambda vendor: services.configuration.secret_name(name, vendor),
    )
    report = Overview(name, services.ledger, services.table, services.clock).report(around)
    return report | ({"credentials": credentials} if credentials else {})


def connection_settings(services: Services, name: str) -> tuple["Settings | None", str]:
    """The settings in force, if there are any, and what is wrong with the current ones.

    Raises:
        UnknownConnection: there is no such connection.
        RetryLater: Parameter Store does not answer.
    """
    try:
        settings = services.configuration.settings(name)
    except RetryLater as error:
        if not error.needs_person:
            raise
        return None, error.message
    fault = services.configuration.settings_error(name)
    return (
        settings,
        f"The settings of {name} cannot be used, the last valid ones apply: {fault}" if fault else "",
    )


def credential_problems(services: Services, name: str) -> list[str]:
    """The problems of the credentials: those that are missing, and a grant that Rillet has refused."""
    problems = services.configuration.credential_problems(name)
    with contextlib.suppress(Recoverable):  # what cannot be read now shows where it is used
        if not problems and uses_oauth(services.configuration.rillet_secret(name).fields):
            # The OAuth client costs import time, which a connection with a key saves.
            from solvimon_rillet.connections.token_refresh import must_reconnect

            tokens = services.connections.tokens(name, services.configuration.settings(name))
            if tokens.is_broken(tokens.current()):
                problems.append(must_reconnect(name).message)
    return problems


def budget(services: Services, name: str, settings: "Settings | None") -> dict[str, Any] | None:
    """The used part of Rillet's rate limit."""
    if settings is None:
        return None
    pacing, now = settings.rillet.pacing, services.clock()
    window_name = RilletOrganisations(services.configuration, services.table, services.clock).window(name)
    window = DynamoDBRequestWindowStore(services.table).read(window_name)
    begin = now - pacing.window_seconds - pacing.margin_seconds
    used = sum(sent > begin for sent in (*window.live, *window.bulk))
    return {"used": used, "limit": pacing.requests, "window_seconds": round(pacing.window_seconds)}


def _wait_remedy(error: Recoverable) -> str:
    return f"Try again in {error.after:.0f} s." if error.after else INVOKE_AGAIN
