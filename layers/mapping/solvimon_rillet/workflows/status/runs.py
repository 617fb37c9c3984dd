"""Imports and reconciliations: which are under way, how far they are, and how the others ended."""

from collections.abc import Callable
from typing import Any

import simplejson

from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.formatting import format_duration, format_timestamp
from solvimon_rillet.ledger.actor import UNKNOWN_ACTOR
from solvimon_rillet.ledger.run_log import EVERY_CONNECTION, RunLog
from solvimon_rillet.workflows.status.entries import STALLED_SECONDS
from solvimon_rillet.workflows.status.texts import without_email_addresses

EXECUTION_SECONDS = 86_400
"""Time limit of a durable execution, as in the template."""
_MAX_UNDER_WAY, _MAX_FINISHED = 50, 20
_RUN_STATE_TEXTS = {
    "completed": "It has ended; its result says with what.",
    "stopped": "It ended early; its result says why, and what to do.",
    "failed": "It ended with an unexpected error.",
    "lost": "It has no end although its time is over: it crashed or was stopped. Start it again.",
}


class Runs:
    """Reports the runs of one connection or of all.

    Args:
        log: their records.
        clock: unix seconds.
    """

    def __init__(self, log: RunLog, clock: Callable[[], float]) -> None:
        self._log = log
        self._clock = clock

    def report(self, connection: str | None) -> dict[str, Any]:
        """The runs under way and the latest finished ones, newest first.

        Raises:
            RetryLater: the ledger does not answer.
        """
        open_runs = self._log.newest(connection, ended=False, limit=_MAX_UNDER_WAY)
        ended = self._log.newest(connection, ended=True, limit=_MAX_FINISHED)
        under_way = [run for run in open_runs if not self._is_lost(run)]
        lost = [run for run in open_runs if self._is_lost(run)]
        return {
            "connection": connection or "all",
            "at": format_timestamp(self._clock()),
            "summary": f"{len(under_way)} under way, {len(ended)} finished, {len(lost)} without an end.",
            "under_way": [self._fields(run) for run in under_way],
            "without_end": [self._fields(run) for run in lost],
            "finished": [self._fields(run) for run in ended],
        }

    def _is_lost(self, run: Item) -> bool:
        return bool(run["state"] == "running" and self._clock() > int(run["started"]) + EXECUTION_SECONDS)

    def _fields(self, run: Item) -> dict[str, Any]:
        connection = str(run["pk"]).partition("#")[0]
        state = "lost" if self._is_lost(run) else str(run["state"])
        fields: dict[str, Any] = {
            "kind": run["kind"],
            "connection": "all" if connection == EVERY_CONNECTION else connection,
            "request": _from_json(run["request"]),
            "by": str(run.get("by") or UNKNOWN_ACTOR),
            "progress": None,
            "result": None,
            "state": state,
            "in_words": _RUN_STATE_TEXTS.get(state) or self._running_text(run),
            "started": format_timestamp(run["started"]),
        }
        if "progress" in run and "ended" not in run:
            fields["progress"] = _from_json(run["progress"])
            fields["last_progress"] = format_timestamp(run["updated_at"])
        if "ended" in run:
            fields |= {"ended": format_timestamp(run["ended"]), "result": _from_json(run["result"])}
        execution = str(run["execution"])
        command = f"aws lambda get-durable-execution --durable-execution-arn '{execution}'"
        return {**fields, "execution": execution, "every_detail": command}

    def _running_text(self, run: Item) -> str:
        quiet = self._clock() - int(run["updated_at"])
        if quiet <= STALLED_SECONDS:
            return "It is under way."
        return (
            f"It has recorded nothing for {format_duration(quiet)}, so it may have crashed. "
            "Lambda knows: see every_detail."
        )


def _from_json(text: object) -> Any:  # noqa: ANN401 - JSON
    return without_email_addresses(simplejson.loads(str(text), use_decimal=True))
