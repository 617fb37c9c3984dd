"""Lambda function ``export_invoice``: finalised Solvimon invoices into Rillet.

Takes an SQS batch of ``Invoice Finalised`` events, or a direct invocation::

    {"connection": "default", "invoice_ids": ["invo_..."], "dry_run": true}
    {"retry": {"code": "product_not_linked"}}      (or "all", or {"from": "2026-10-01", "to": "2026-10-31"})
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from solvimon_rillet.entrypoints.early_waits import recorded_wait
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.queue_function import (
    InvoicesRequest,
    answer_request,
    answer_retry,
    reopener,
)
from solvimon_rillet.entrypoints.queue_processor import QueueProcessor, priority_of
from solvimon_rillet.entrypoints.requested_documents import finder
from solvimon_rillet.entrypoints.services import Services, run_id
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.events import INVOICE_FINALISED, BusEvent
from solvimon_rillet.ledger.document_types import INVOICE
from solvimon_rillet.rate_limit.send_times import Priority
from solvimon_rillet.workflows.outcome import Result

if TYPE_CHECKING:
    from solvimon_rillet.workflows.export.invoice import ExportInvoice


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "export_invoice")
    services = Services(environment, clock, telemetry.count)

    def publish(event: BusEvent, result: Result) -> None:
        services.outcomes.document_done(INVOICE.name, event, result)

    processor = QueueProcessor(lambda: services.queue, telemetry, clock, publish)

    def workflow(connection: str, priority: Priority) -> "ExportInvoice":
        from solvimon_rillet.workflows.export.invoice import ExportInvoice

        return ExportInvoice(services.connections.open(connection, priority, unless_backing_off=True))

    def export(event: BusEvent) -> Result:
        with recorded_wait(services, event, INVOICE):
            workflow_of_one = workflow(event.connection, priority_of(event))
        return workflow_of_one.run(event.id, run_id(), on_request=event.requested)

    def dry_run(connection: str, invoice_id: str) -> Result:
        return workflow(connection, Priority.LIVE).dry_run(invoice_id)

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        if "Records" in event:
            return processor.process_batch(event["Records"], export, context)
        if "retry" in event:
            return answer_retry(
                event, context, services=services, kind=INVOICE, detail_type=INVOICE_FINALISED
            )
        return answer_request(
            event,
            context,
            model=InvoicesRequest,
            detail_type=INVOICE_FINALISED,
            processor=processor,
            do_one=export,
            dry_run_one=dry_run,
            find=finder(services, INVOICE),
            before=reopener(services, INVOICE),
        )

    return handle


handler = on_first_call(create_handler)
