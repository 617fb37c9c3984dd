"""Lambda function ``import_subsidiaries``: Rillet's subsidiaries into Solvimon, as a durable execution.

Takes a direct invocation, or a schedule's::

    {"connection": "default", "dry_run": true}
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.import_function import import_handler
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    return import_handler("subsidiaries", environment, clock)


handler = on_first_call(create_handler)
