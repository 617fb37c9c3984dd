"""Lambda function ``reconcile``: compares both sides' documents, as a durable execution.

Takes a direct invocation, or a schedule's (``{}``: all connections, last month and this one)::

    {"connection": "default", "from": "2026-10-01", "to": "2026-10-31"}
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.reconcile_function import reconcile_handler


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    return reconcile_handler(environment, clock)


handler = on_first_call(create_handler)
