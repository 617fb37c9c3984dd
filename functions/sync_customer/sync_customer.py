"""Lambda function ``sync_customer``: edits of Solvimon customers into Rillet.

Takes an SQS batch of ``Customer Updated`` events, or a direct invocation::

    {"connection": "default", "customer_ids": ["cust_..."], "dry_run": true}
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.lambda_handler import Handler, lazily
from solvimon_rillet.entrypoints.queue_function import build_export
from solvimon_rillet.events import CUSTOMER_UPDATED


def build(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    return build_export(
        environment,
        clock,
        name="sync_customer",
        id_name="customer_id",
        detail_type=CUSTOMER_UPDATED,
        exporter=lambda runtime, *given: runtime.sync_customer(*given),
    )


handler = lazily(build)
