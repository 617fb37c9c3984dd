"""Lambda function ``sync_status``: the status of documents, and manual resolutions.

Takes a direct invocation::

    {}                               counts, failures by cause, stalled work
    {"invoice_id": "invo_..."}       the history of one document (or "credit_note_id", "customer_id")
    {"runs": true}                   imports and reconciliations under way and finished, with their results
    {"resolve": {"invoice_id": "invo_...", "rillet_id": "...", "note": "booked by hand"}}
"""

import time
from collections.abc import Callable, Mapping

from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call
from solvimon_rillet.entrypoints.status_function import status_handler


def create_handler(environment: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> Handler:
    """A handler for a function with this environment."""
    return status_handler(environment, clock)


handler = on_first_call(create_handler)
