"""The sweep's own queue: one message for each connection, so that each has its own time and its own failure.

A message names its connection and when the schedule asked for its sweep; one that waited until a later sweep
of the connection has begun has nothing left to do.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from solvimon_rillet.aws.sqs import Queue
from solvimon_rillet.connections.names import is_connection_name
from solvimon_rillet.workflows.sweep.base import ScanResult

logger = logging.getLogger(__name__)


def fan_out(connections: Sequence[str], queue: Queue, now: float) -> dict[str, Any]:
    """Put a message for each connection onto the queue.

    Raises:
        RetryLater: SQS did not accept all of them; the schedule's event is repeated, which does no harm.
    """
    bodies = [json.dumps({"connection": name, "asked_at": int(now)}) for name in connections]
    queue.put(bodies, connections)
    return {"summary": {"connections": len(connections), "queued": len(bodies)}, "queued": list(connections)}


def sweep_messages(
    records: Iterable[Mapping[str, Any]], sweep_one: Callable[[str, float], ScanResult]
) -> dict[str, Any]:
    """Sweep the connections of an SQS batch side by side.

    What fails is in the result of its connection, and the next schedule sweeps it again; so only a message
    that cannot be read is a failed item, which ends in the dead-letter queue.
    """
    failed, to_sweep = [], dict[str, float]()
    for record in records:
        try:
            message = json.loads(record["body"])
            connection, asked_at = message["connection"], float(message["asked_at"])
            if not is_connection_name(connection):
                raise ValueError("connection: is no name")
        except (ValueError, TypeError, KeyError):
            logger.exception("message failed", extra={"message_id": record["messageId"]})
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            to_sweep[connection] = max(asked_at, to_sweep.get(connection, 0.0))
    with ThreadPoolExecutor(max_workers=max(1, len(to_sweep))) as threads:
        for swept in [threads.submit(sweep_one, *each) for each in to_sweep.items()]:
            swept.result()
    return {"batchItemFailures": failed}
