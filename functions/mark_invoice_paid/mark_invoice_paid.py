"""Lambda function ``mark_invoice_paid``: payments confirmed in Rillet, and undone there, to Solvimon.

Takes an SQS batch of Rillet's events, or a direct invocation::

    {"connection": "default", "invoice_ids": ["invo_..."], "dry_run": true}
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.lambda_handler import Handler, lazily
from solvimon_rillet.entrypoints.queue_function import build_export
from solvimon_rillet.entrypoints.services import Services, run_id
from solvimon_rillet.events import INVOICE_PAYMENT_UPDATED, BusEvent
from solvimon_rillet.workflows.outcome import Result


def build(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""

    def take(runtime: Services, event: BusEvent) -> Result:
        return runtime.mark_invoice_paid(event.connection).take(event, run_id())

    return build_export(
        environment,
        clock,
        name="mark_invoice_paid",
        id_name="invoice_id",
        detail_type=INVOICE_PAYMENT_UPDATED,
        exporter=lambda runtime, *given: runtime.mark_invoice_paid(*given),
        take=take,
    )


handler = lazily(build)
