"""Steps of a run whose record in the ledger says how far it is and how it ended."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.connections.names import is_connection_name
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.ledger.actor import UNKNOWN_ACTOR
from solvimon_rillet.ledger.run_log import EVERY_CONNECTION, RunLog
from solvimon_rillet.workflows.durable.steps import Json, Steps

logger = logging.getLogger(__name__)


class RecordedRun:
    """Implements ``durable.steps.Steps``: runs the steps of a run and records its progress.

    A step records it where its work is done, so a replay records nothing again. A record that cannot be
    written does not stop the run.

    Args:
        log: the records of all runs.
        kind: the function.
        execution: ARN of the durable execution.
        event: the request, which may be invalid.
        connection: the request's connection where it names none.
        steps: runs the steps.
        by: who started it, as far as this invocation knows; the record keeps what the first one knew.
    """

    def __init__(
        self,
        log: RunLog,
        kind: str,
        execution: str,
        event: object,
        connection: str,
        steps: Steps,
        by: str = UNKNOWN_ACTOR,
    ) -> None:
        self._log = log
        self._steps = steps
        self._rows: Counter[str] = Counter()
        named = event.get("connection") if isinstance(event, Mapping) else None
        name = named if is_connection_name(named) else connection if named is None else EVERY_CONNECTION
        request = {key: event[key] for key in event if key != "by"} if isinstance(event, Mapping) else event
        self._begin: Callable[[], Item] = partial(log.begin, name, kind, execution, request, by)
        self._run: Item | None = None
        self._record(lambda run: run)

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        """Run the work and record the progress, or return its checkpointed result."""

        def recorded() -> Json:
            result = work()
            rows = self._rows + Counter(result.get("counts", {}))
            progress: dict[str, Any] = {"step": name, **({"rows": dict(rows)} if rows else {})}
            if "why" in result:
                progress["waits_for"] = result["why"]
            self._record(lambda run: self._log.record_progress(run, progress))
            return result

        result = self._steps.step(name, recorded)
        self._rows.update(result.get("counts", {}))
        return result

    def wait(self, name: str, seconds: int) -> None:
        """Wait, as the steps do."""
        self._steps.wait(name, seconds)

    def end(self, answer: Json) -> Json:
        """Record the answer, and return it."""
        parts = answer.get("connections", [answer])
        state = "stopped" if any("error" in part for part in parts) else "completed"
        self._record(lambda run: self._log.end(run, state, answer))
        return answer

    def fail(self) -> None:
        """Record that the run ended with an unexpected error; the function's log has it."""
        result = {
            "error": "It ended with an unexpected error.",
            "remedy": "Fix what the function's log names, then start it again; see docs/runbook.md, "
            "Execution failed.",
        }
        self._record(lambda run: self._log.end(run, "failed", result))

    def _record(self, write: Callable[[Item], Item]) -> None:
        try:
            self._run = write(self._run or self._begin())
        except RetryLater as error:
            logger.warning("run not recorded", extra={"reason": str(error)})
