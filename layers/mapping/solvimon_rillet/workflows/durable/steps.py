"""Long work in steps: each step runs once, and waiting ends the invocation instead of sleeping.

A step's result is checkpointed as JSON, and a workflow decides by step results only, so that a replayed
execution takes the same path. A step returns its failures instead of raising them: a failure is checkpointed
like any other result, and the console shows it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from solvimon_rillet.errors import ConnectionBroken, NeedsAttention, Recoverable
from solvimon_rillet.http.client import CountingRateLimiter

Json = dict[str, Any]

MAX_STEP_WAIT = 6 * 3600  # seconds that one step may wait in all
MAX_OPERATIONS = 2900  # steps and waits of one execution; Lambda allows 3,000
MIN_WAIT, MAX_WAIT = 1, 900  # seconds of one wait
_FIRST_WAIT = 15
S = TypeVar("S")


class Steps(Protocol):
    """Runs steps once each, and waits at no cost."""

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        """Run the work, or return its checkpointed result."""

    def wait(self, name: str, seconds: int) -> None:
        """End the invocation and continue after so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """The API calls that a step made, whatever its result.

    Attributes:
        rillet_calls: requests to Rillet.
        solvimon_writes: requests that change something in Solvimon.
    """

    rillet_calls: int = 0
    solvimon_writes: int = 0

    def to_json(self) -> Json:
        """The result as it is checkpointed."""
        return {"rillet_calls": self.rillet_calls, "writes": self.solvimon_writes}


@dataclass(frozen=True, slots=True)
class Done(_Result):
    """The step is complete.

    Attributes:
        value: what the workflow continues with, small enough for a checkpoint (256 KB).
    """

    value: Mapping[str, Any]

    def to_json(self) -> Json:
        """The result as it is checkpointed."""
        return {**_Result.to_json(self), **self.value}


@dataclass(frozen=True, slots=True)
class Wait(_Result):
    """The step must run again later.

    Attributes:
        after: seconds; ``None`` leaves it to the back-off.
        reason: shown in the console as the name of the wait.
        failed: whether the attempt counts as a failed one (see ``run_step``).
    """

    after: float | None
    reason: str
    failed: bool = False

    def to_json(self) -> Json:
        """The result as it is checkpointed."""
        return {
            **_Result.to_json(self),
            "later": self.after,
            "why": self.reason,
            "failing": self.failed,
        }


@dataclass(frozen=True, slots=True)
class Stop(_Result):
    """The workflow cannot continue.

    Attributes:
        problem: what is wrong, for people.
        remedy: what to do about it.
    """

    problem: str
    remedy: str

    def to_json(self) -> Json:
        """The result as it is checkpointed."""
        return {**_Result.to_json(self), "stop": {"what": self.problem, "remedy": self.remedy}}


StepResult = Done | Wait | Stop


def from_json(checkpoint: Mapping[str, Any]) -> StepResult:
    """A checkpointed result.

    Its form is the same since the first version, because an execution that is running during a deployment is
    replayed with what the older code wrote. There, counts of zero may be missing.
    """
    value = dict(checkpoint)
    calls, writes = int(value.pop("rillet_calls", 0)), int(value.pop("writes", 0))
    result: StepResult
    if "later" in value:
        result = Wait(value["later"], str(value["why"]), bool(value.get("failing")))
    elif "stop" in value:
        result = Stop(str(value["stop"]["what"]), str(value["stop"]["remedy"]))
    else:
        result = Done(value)
    return replace(result, rillet_calls=calls, solvimon_writes=writes)


class WorkflowStopped(Exception):
    """A step ended with ``stop``, or may not run; the workflow decides what to do before it ends."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.problem)
        self.stop = stop


@dataclass(slots=True)
class StepUsage:
    """The calls and operations that the steps of one execution have used so far.

    Attributes:
        operations: steps and waits.
        rillet_calls: requests to Rillet.
        solvimon_writes: requests that change something in Solvimon.
    """

    operations: int = 0
    rillet_calls: int = 0
    solvimon_writes: int = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the execution has no operations left for more pages."""
        return self.operations > MAX_OPERATIONS


def run_step(steps: Steps, usage: StepUsage, name: str, work: Callable[[int], StepResult]) -> Json:
    """Run a step, and run it again after every wait that it asks for.

    Args:
        steps: runs the steps.
        usage: counts what they use.
        name: of the step, as the console shows it.
        work: does it; its argument is the number of earlier attempts that counted as failed.

    Returns:
        The value of the step.

    Raises:
        WorkflowStopped: the step ended with ``Stop``, or has waited for six hours.
    """
    waited, attempt, failed, back_off = 0, 1, 0, _FIRST_WAIT
    while True:
        title = name if attempt == 1 else f"{name}, attempt {attempt}"
        result = from_json(steps.step(title, partial(_checkpoint, work, failed)))
        usage.operations += 1
        usage.rillet_calls += result.rillet_calls
        usage.solvimon_writes += result.solvimon_writes
        if isinstance(result, Done):
            return dict(result.value)
        if isinstance(result, Stop):
            raise WorkflowStopped(result)
        if waited >= MAX_STEP_WAIT:
            raise WorkflowStopped(Stop(result.reason, "This did not change for six hours. Start it again."))
        seconds = back_off if result.after is None else math.ceil(result.after)
        seconds = min(max(MIN_WAIT, seconds), MAX_WAIT)
        steps.wait(f"{name}: {result.reason}", seconds)
        usage.operations += 1
        waited += seconds
        attempt += 1
        failed += result.failed
        back_off = min(back_off * 2, MAX_WAIT)


def as_step_result(
    connect: Callable[[], tuple[S, CountingRateLimiter]],
    work: Callable[[S], StepResult],
    on_broken_connection: Callable[[], None],
) -> StepResult:
    """Run a step's work, and turn the errors that it raises into results.

    Args:
        connect: makes what the work needs, and the limiter that counts its calls to Rillet.
        work: the work.
        on_broken_connection: called where a vendor refuses the credential.
    """
    limiter: CountingRateLimiter | None = None
    result: StepResult
    try:
        services, limiter = connect()
        result = work(services)
    except ConnectionBroken as error:
        on_broken_connection()
        remedy = "Fix the connection (connect_rillet with action status says how), then start this again."
        result = Stop(error.message, remedy)
    except NeedsAttention as error:
        result = Stop(error.message, error.remedy)
    except Recoverable as error:
        result = Wait(error.after, str(error))
    return replace(result, rillet_calls=limiter.calls if limiter else 0)


def _checkpoint(work: Callable[[int], StepResult], failed: int) -> Json:
    return work(failed).to_json()
