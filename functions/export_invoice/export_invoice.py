"""Lambda function ``export_invoice``: finalised Solvimon invoices into Rillet.

Takes an SQS batch of ``Invoice Finalised`` events, or a direct invocation::

    {"connection": "default", "invoice_ids": ["invo_..."], "dry_run": true}
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from solvimon_rillet.errors import NeedsAttention, Recoverable
from solvimon_rillet.events import INVOICE_FINALISED
from solvimon_rillet.inbox import Inbox, summary
from solvimon_rillet.lambda_handler import Handler, lazily
from solvimon_rillet.runtime import Runtime, run_id
from solvimon_rillet.telemetry import Telemetry
from solvimon_rillet.workflows.results import Result

EXAMPLE = {"connection": "default", "invoice_ids": ["invo_AbC123"], "dry_run": True}


class DirectRequest(BaseModel):
    """What a person may ask for."""

    model_config = ConfigDict(extra="forbid")

    connection: str = "default"
    invoice_ids: list[str] = Field(min_length=1, max_length=500)
    dry_run: bool = False


def build(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "export_invoice")
    runtime = Runtime(environment, clock, telemetry.count)

    def export(connection: str, invoice_id: str) -> Result:
        return runtime.export_invoice(connection).run(invoice_id, run_id())

    def dry_run(connection: str, invoice_id: str) -> Result:
        try:
            return runtime.export_invoice(connection).dry_run(invoice_id)
        except Recoverable as error:
            return Result(invoice_id, "try_again", {"reason": str(error)})

    inbox = Inbox(lambda: runtime.queue, export, telemetry)

    def direct(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            request = DirectRequest.model_validate(event)
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors()]
            return {"error": "; ".join(wrong), "example": EXAMPLE}
        try:
            results = [
                dry_run(request.connection, invoice_id)
                if request.dry_run
                else inbox.document(request.connection, invoice_id, INVOICE_FINALISED, context)
                for invoice_id in request.invoice_ids
            ]
        except NeedsAttention as error:
            return {"error": error.message, "remedy": error.remedy}
        return {
            "connection": request.connection,
            "dry_run": request.dry_run,
            "summary": summary(results),
            "results": [result.as_answer("invoice_id") for result in results],
        }

    @telemetry.logger.inject_lambda_context(clear_state=True)
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            return inbox.batch(event, context) if "Records" in event else direct(event, context)
        finally:
            telemetry.flush()

    return handle


handler = lazily(build)
