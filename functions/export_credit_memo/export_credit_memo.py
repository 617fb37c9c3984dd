"""Lambda function ``export_credit_memo``: finalised Solvimon credit notes into Rillet.

Takes an SQS batch of ``Credit Note Finalised`` events, or a direct invocation::

    {"connection": "default", "credit_note_ids": ["invo_..."], "dry_run": true}
    {"retry": {"code": "product_not_linked"}}      (or "all", or {"from": "2026-10-01", "to": "2026-10-31"})
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from solvimon_rillet.entrypoints.early_waits import recorded_wait
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.queue_function import (
    CreditNotesRequest,
    answer_request,
    answer_retry,
    reopener,
)
from solvimon_rillet.entrypoints.queue_processor import QueueProcessor, priority_of
from solvimon_rillet.entrypoints.requested_documents import finder
from solvimon_rillet.entrypoints.services import Services, run_id
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.events import CREDIT_NOTE_FINALISED, INVOICE_FINALISED, SOLVIMON, BusEvent
from solvimon_rillet.ledger.document_types import CREDIT_MEMO, INVOICE
from solvimon_rillet.rate_limit.send_times import Priority
from solvimon_rillet.workflows.outcome import Result

if TYPE_CHECKING:
    from solvimon_rillet.workflows.export.credit_memo import ExportCreditMemo


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "export_credit_memo")
    services = Services(environment, clock, telemetry.count)

    def publish(event: BusEvent, result: Result) -> None:
        services.outcomes.document_done(CREDIT_MEMO.name, event, result)

    processor = QueueProcessor(lambda: services.queue, telemetry, clock, publish)

    def workflow(name: str, priority: Priority) -> "ExportCreditMemo":
        from solvimon_rillet.workflows.export.credit_memo import ExportCreditMemo
        from solvimon_rillet.workflows.export.invoice import ExportInvoice

        connection = services.connections.open(name, priority, unless_backing_off=True)
        invoices = ExportInvoice(connection)

        def export_original(invoice_id: str) -> Result:
            result = invoices.run(invoice_id, run_id())
            original = BusEvent(SOLVIMON, INVOICE_FINALISED, connection.name, invoice_id, "", "")
            services.outcomes.document_done(INVOICE.name, original, result)
            return result

        return ExportCreditMemo(connection, export_original)

    def export(event: BusEvent) -> Result:
        with recorded_wait(services, event, CREDIT_MEMO):
            workflow_of_one = workflow(event.connection, priority_of(event))
        return workflow_of_one.run(event.id, run_id(), on_request=event.requested)

    def dry_run(connection: str, credit_note_id: str) -> Result:
        return workflow(connection, Priority.LIVE).dry_run(credit_note_id)

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        if "Records" in event:
            return processor.process_batch(event["Records"], export, context)
        if "retry" in event:
            return answer_retry(
                event, context, services=services, kind=CREDIT_MEMO, detail_type=CREDIT_NOTE_FINALISED
            )
        return answer_request(
            event,
            context,
            model=CreditNotesRequest,
            detail_type=CREDIT_NOTE_FINALISED,
            processor=processor,
            do_one=export,
            dry_run_one=dry_run,
            find=finder(services, CREDIT_MEMO),
            before=reopener(services, CREDIT_MEMO),
        )

    return handle


handler = on_first_call(create_handler)
