"""The nightly reconciliation of all connections: one durable execution for each, started some at a time."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from solvimon_rillet.aws.durable_executions import DurableExecutions
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows.durable.steps import Done, Json, StepResult, Wait
from solvimon_rillet.workflows.reconcile.request import ReconcileRequest

STARTED_AT_ONCE = 20
"""Executions that are started in one step; each works for about a minute, so no more run at once."""
PAUSE_SECONDS = 60
"""Between two steps: live work keeps its share of the account's executions."""


class FanOut:
    """Starts the reconciliation of each connection, by connection and night.

    Args:
        request: what all of them are asked for.
        list_connections: the names of all connections.
        executions: starts executions.
        clock: unix seconds.
    """

    def __init__(
        self,
        request: ReconcileRequest,
        list_connections: Callable[[], list[str]],
        executions: Callable[[], DurableExecutions],
        clock: Callable[[], float],
    ) -> None:
        self._request = request
        self._list_connections = list_connections
        self._executions = executions
        self._clock = clock

    def connections(self) -> StepResult:
        """Name all connections, and fix the night."""
        try:
            names = self._list_connections()
        except RetryLater as error:
            return Wait(error.after, str(error))
        night = datetime.fromtimestamp(self._clock(), UTC).date().isoformat()
        return Done({"connections": names, "night": night})

    def start(self, names: Sequence[str], night: str) -> StepResult:
        """Start the executions of some connections; a repeated step starts none of them twice."""
        executions, known = self._executions(), list[str]()
        try:
            for name in names:
                event = self._event(name)
                if not executions.start(execution_name(executions.function, event, night), event):
                    known.append(name)
        except RetryLater as error:
            return Wait(error.after, str(error))
        return Done({"already_started": known})

    def _event(self, connection: str) -> Json:
        asked = self._request.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
        return {**asked, "connection": connection}


def execution_name(function: str, event: Json, night: str) -> str:
    """The name of a connection's execution of a night; at most 64 letters, digits, hyphens and underscores.

    It is unique in an account, not in a function, so it depends on the function too.
    """
    digest = hashlib.sha256(f"{function} {json.dumps(event, sort_keys=True)}".encode()).hexdigest()[:12]
    return f"{event['connection']}-{night}-{digest}"
