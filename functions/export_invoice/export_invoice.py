"""Lambda function ``export_invoice``: finalised Solvimon invoices into Rillet.

Takes an SQS batch of ``Invoice Finalised`` events, or a direct invocation::

    {"connection": "default", "invoice_ids": ["invo_..."], "dry_run": true}
    {"retry": {"code": "product_not_linked"}}      (or "all", or {"from": "2026-10-01", "to": "2026-10-31"})
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.lambda_handler import Handler, lazily
from solvimon_rillet.entrypoints.queue_function import build_export
from solvimon_rillet.events import INVOICE_FINALISED


def build(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    return build_export(
        environment,
        clock,
        name="export_invoice",
        id_name="invoice_id",
        detail_type=INVOICE_FINALISED,
        exporter=lambda runtime, *given: runtime.export_invoice(*given),
        retries="invoice",
    )


handler = lazily(build)
