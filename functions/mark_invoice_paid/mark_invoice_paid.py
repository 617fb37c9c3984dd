"""Lambda function ``mark_invoice_paid``: payments confirmed in Rillet, and undone there, to Solvimon.

Takes an SQS batch of Rillet's events, or a direct invocation::

    {"connection": "default", "invoice_ids": ["invo_..."], "dry_run": true}
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.queue_function import InvoicesRequest, answer_request
from solvimon_rillet.entrypoints.queue_processor import QueueProcessor
from solvimon_rillet.entrypoints.requested_documents import finder
from solvimon_rillet.entrypoints.services import Services, run_id
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.events import INVOICE_PAYMENT_UPDATED, BusEvent
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, INVOICE
from solvimon_rillet.workflows.outcome import Result

if TYPE_CHECKING:
    from solvimon_rillet.workflows.payments.mark_invoice_paid import MarkInvoicePaid


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "mark_invoice_paid")
    services = Services(environment, clock, telemetry.count)

    def publish(event: BusEvent, result: Result) -> None:
        kind = INVOICE if event.facts.get("entity", "INVOICE") == "INVOICE" else CREDIT_MEMO
        services.outcomes.document_done(kind.name, event, result)

    processor = QueueProcessor(lambda: services.queue, telemetry, clock, publish)

    def workflow(connection: str) -> "MarkInvoicePaid":
        from solvimon_rillet.workflows.payments.mark_invoice_paid import MarkInvoicePaid

        # Even while Rillet's rate limit is used up: most events need no call to Rillet.
        return MarkInvoicePaid(services.connections.open(connection))

    def mark(event: BusEvent) -> Result:
        return workflow(event.connection).handle_event(event, run_id())

    def dry_run(connection: str, invoice_id: str) -> Result:
        return workflow(connection).dry_run(invoice_id)

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        if "Records" in event:
            return processor.process_batch(event["Records"], mark, context)
        return answer_request(
            event,
            context,
            model=InvoicesRequest,
            detail_type=INVOICE_PAYMENT_UPDATED,
            processor=processor,
            do_one=mark,
            dry_run_one=dry_run,
            find=finder(services, INVOICE),
        )

    return handle


handler = on_first_call(create_handler)
