"""Lambda function ``sync_status``: how documents stand, and a person's word about those booked by hand.

Takes a direct invocation::

    {}                               counts, failures by cause, what is stuck
    {"invoice_id": "invo_..."}       the story of one document (or "credit_note_id", "customer_id")
    {"resolve": {"invoice_id": "invo_...", "rillet_id": "...", "note": "booked by hand"}}
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.lambda_handler import Handler, lazily
from solvimon_rillet.entrypoints.status_function import build_status


def build(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    return build_status(environment, clock)


handler = lazily(build)
