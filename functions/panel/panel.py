"""Lambda function ``panel``: pages for people, ``ANY /panel`` and ``/panel/…``.

Takes requests of browsers from the HTTP API, and a direct invocation, which requires access to this AWS
account::

    {"sign_in": {"as": "controller@example.com", "role": "operator"}}     a link to sign in, for one use
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.panel.function import panel_handler


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    return panel_handler(environment, clock)


handler = on_first_call(create_handler)
