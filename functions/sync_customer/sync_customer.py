"""Lambda function ``sync_customer``: edits of Solvimon customers into Rillet.

Takes an SQS batch of ``Customer Updated`` events, or a direct invocation::

    {"connection": "default", "customer_ids": ["cust_..."], "dry_run": true}
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from solvimon_rillet.entrypoints.early_waits import recorded_wait
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.queue_function import CustomersRequest, answer_request
from solvimon_rillet.entrypoints.queue_processor import QueueProcessor, priority_of
from solvimon_rillet.entrypoints.requested_documents import finder
from solvimon_rillet.entrypoints.services import Services, run_id
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.events import CUSTOMER_UPDATED, BusEvent
from solvimon_rillet.ledger.document_types import CUSTOMER
from solvimon_rillet.rate_limit.send_times import Priority
from solvimon_rillet.workflows.outcome import Result

if TYPE_CHECKING:
    from solvimon_rillet.workflows.customers.sync_customer import SyncCustomer


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    telemetry = Telemetry(environment, "sync_customer")
    services = Services(environment, clock, telemetry.count)
    processor = QueueProcessor(lambda: services.queue, telemetry, clock)

    def workflow(connection: str, priority: Priority) -> "SyncCustomer":
        from solvimon_rillet.workflows.customers.sync_customer import SyncCustomer

        return SyncCustomer(services.connections.open(connection, priority, unless_backing_off=True))

    def synchronize(event: BusEvent) -> Result:
        with recorded_wait(services, event, CUSTOMER):
            workflow_of_one = workflow(event.connection, priority_of(event))
        return workflow_of_one.run(event.id, run_id(), on_request=event.requested)

    def dry_run(connection: str, customer_id: str) -> Result:
        return workflow(connection, Priority.LIVE).dry_run(customer_id)

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        if "Records" in event:
            return processor.process_batch(event["Records"], synchronize, context)
        return answer_request(
            event,
            context,
            model=CustomersRequest,
            detail_type=CUSTOMER_UPDATED,
            processor=processor,
            do_one=synchronize,
            dry_run_one=dry_run,
            find=finder(services, CUSTOMER),
        )

    return handle


handler = on_first_call(create_handler)
