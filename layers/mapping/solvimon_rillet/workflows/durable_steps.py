"""Long work in steps: each is done once, and what must wait ends the invocation instead of sleeping.

Everything that such work decides by comes out of steps, so that a run that was cut off comes to the same
point again when it is replayed.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

from solvimon_rillet.errors import ConnectionBroken, NeedsAttention, Recoverable
from solvimon_rillet.http import CountingRateLimiter

Json = dict[str, Any]

MAX_STEP_WAIT = 6 * 3600  # seconds that one step may wait in all
MAX_OPERATIONS = 2900  # steps and waits of one run; Lambda allows 3,000
MIN_WAIT, MAX_WAIT = 1, 900  # seconds of one wait
_FIRST_PAUSE = 15
P = TypeVar("P")


class Steps(Protocol):
    """Runs steps so that each is done once, and waits without anybody paying for it."""

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        """Do the work, or answer what it came to when it was done."""

    def wait(self, name: str, seconds: int) -> None:
        """Let time pass."""


class Patience:
    """Does steps, and each once more after every wait that it asks for.

    Args:
        steps: runs the steps.
        note: is told what each attempt came to.

    Attributes:
        operations: steps and waits so far.
    """

    def __init__(self, steps: Steps, note: Callable[[Json], None] = lambda _result: None) -> None:
        self._steps = steps
        self._note = note
        self.operations = 0

    @property
    def exhausted(self) -> bool:
        """Whether the run has used up what Lambda allows it."""
        return self.operations > MAX_OPERATIONS

    def do(self, name: str, work: Callable[[int], Json]) -> Json:
        """Do a step until it says nothing of ``later``.

        Args:
            name: of the step.
            work: answers small JSON: ``later`` (seconds, or ``None``) with ``why``, ``stop``, or what it came
                to; it is told how often it was ``failing`` before.
        """
        waited, attempt, failing, pause = 0, 1, 0, _FIRST_PAUSE
        while True:
            title = name if attempt == 1 else f"{name}, attempt {attempt}"
            result = self._steps.step(title, partial(work, failing))
            self.operations += 1
            self._note(result)
            if "later" not in result:
                return result
            if waited >= MAX_STEP_WAIT:
                return {"stop": stop(str(result["why"]), "Nothing else has changed for hours; run it again.")}
            seconds = pause if result["later"] is None else result["later"]
            seconds = min(max(MIN_WAIT, -int(-seconds // 1)), MAX_WAIT)
            self._steps.wait(f"{name}: {result['why']}", seconds)
            self.operations += 1
            waited += seconds
            attempt += 1
            failing += bool(result.get("failing"))
            pause = min(pause * 2, MAX_WAIT)


def stop(what: str, remedy: str) -> Json:
    """Why work ends before its end, and what to do about it."""
    return {"what": what, "remedy": remedy}


def guarded(
    parts: Callable[[], tuple[P, CountingRateLimiter]], work: Callable[[P], Json], broken: Callable[[], None]
) -> Json:
    """Do a step's work; what goes wrong becomes its result, so that it is decided upon only once.

    Args:
        parts: makes what the work needs, and the gate that counts its calls to Rillet.
        work: the work.
        broken: is told where a credential is refused.
    """
    gate: CountingRateLimiter | None = None
    try:
        made, gate = parts()
        result = work(made)
    except ConnectionBroken as error:
        broken()
        mend = "Mend it (connect_rillet with action status says how), then invoke it again."
        result = {"stop": stop(str(error), mend)}
    except NeedsAttention as error:
        result = {"stop": stop(error.message, error.remedy)}
    except Recoverable as error:
        result = {"later": error.after, "why": str(error)}
    return {"rillet_calls": gate.calls if gate else 0, **result}
