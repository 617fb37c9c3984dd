"""Steps run once each, wait with back-off, and are replayed from their checkpoints."""

from collections.abc import Callable
from dataclasses import dataclass, field
from unittest.mock import Mock

import pytest

from solvimon_rillet.errors import Code, ConnectionBroken, NeedsAttention, RetryLater
from solvimon_rillet.http.client import CountingRateLimiter, RateLimiter
from solvimon_rillet.workflows.durable.steps import (
    MAX_OPERATIONS,
    MAX_STEP_WAIT,
    Done,
    Json,
    StepResult,
    StepUsage,
    Stop,
    Wait,
    WorkflowStopped,
    as_step_result,
    from_json,
    run_step,
)


@dataclass
class RecordedSteps:
    """Steps that run at once, and are replayed from what was recorded."""

    history: list[tuple[str, Json | int]] = field(default_factory=list)
    position: int = 0

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        """Run the work, or return the recorded result."""
        if self.position == len(self.history):
            self.history.append((name, work()))
        recorded, result = self.history[self.position]
        self.position += 1
        assert recorded == name, "a replay must take the same path"
        assert isinstance(result, dict)
        return result

    def wait(self, name: str, seconds: int) -> None:
        """Record the wait."""
        if self.position == len(self.history):
            self.history.append((name, seconds))
        assert self.history[self.position] == (name, seconds)
        self.position += 1

    @property
    def waits(self) -> list[int]:
        """The recorded waits."""
        return [result for _, result in self.history if isinstance(result, int)]


def run(steps: RecordedSteps, *results: StepResult, usage: StepUsage | None = None) -> Json:
    """Run one step whose attempts have these results, the last one for ever."""
    left: list[StepResult] = list(results)

    def work(_failed: int) -> StepResult:
        return left.pop(0) if len(left) > 1 else left[0]

    return run_step(steps, usage or StepUsage(), "page", work)


@pytest.mark.parametrize(
    ("after", "waits"),
    [
        pytest.param([0, 6.1, 5000], [1, 7, 900], id="whole seconds within bounds"),
        pytest.param([None] * 8, [15, 30, 60, 120, 240, 480, 900, 900], id="growing without a hint"),
    ],
)
def test_a_step_waits_as_long_as_it_asks_or_with_back_off(
    after: list[float | None], waits: list[int]
) -> None:
    steps = RecordedSteps()

    run(steps, *(Wait(each, "busy") for each in after), Done({}))

    assert steps.waits == waits


def test_the_attempts_of_a_step_have_names_of_their_own() -> None:
    steps = RecordedSteps()

    value = run(steps, Wait(1, "too fast"), Done({"rows": 3}))

    assert value == {"rows": 3}
    assert [name for name, _ in steps.history] == ["page", "page: too fast", "page, attempt 2"]


def test_the_work_is_given_the_number_of_failed_attempts_and_not_of_waits() -> None:
    given: list[int] = []
    results: list[StepResult] = [Wait(1, "busy"), Wait(1, "failed", failed=True), Wait(1, "busy"), Done({})]

    def work(failed: int) -> StepResult:
        given.append(failed)
        return results[len(given) - 1]

    run_step(RecordedSteps(), StepUsage(), "page", work)

    assert given == [0, 0, 1, 1]


def test_a_step_gives_up_after_six_hours_with_the_last_reason() -> None:
    steps = RecordedSteps()

    with pytest.raises(WorkflowStopped) as stopped:
        run(steps, Wait(900, "Solvimon answered 503."))

    assert sum(steps.waits) == MAX_STEP_WAIT
    assert stopped.value.stop.problem == "Solvimon answered 503."
    assert stopped.value.stop.remedy


def test_a_stop_ends_the_workflow() -> None:
    with pytest.raises(WorkflowStopped) as stopped:
        run(RecordedSteps(), Stop("It is switched off.", "Switch it on."))

    assert stopped.value.stop == Stop("It is switched off.", "Switch it on.")


def test_the_usage_has_every_attempt_and_is_the_same_after_a_replay() -> None:
    steps, first, second = RecordedSteps(), StepUsage(), StepUsage()
    wait = Wait(None, "busy", rillet_calls=2, solvimon_writes=3)

    run(steps, wait, Done({}, rillet_calls=1), usage=first)
    steps.position = 0
    run(steps, Stop("Nothing runs in a replay.", ""), usage=second)

    assert first == second == StepUsage(operations=3, rillet_calls=3, solvimon_writes=3)


@pytest.mark.parametrize(("operations", "exhausted"), [(MAX_OPERATIONS, False), (MAX_OPERATIONS + 1, True)])
def test_an_execution_is_exhausted_before_lambda_allows_no_more_operations(
    operations: int, exhausted: bool
) -> None:
    assert StepUsage(operations).is_exhausted is exhausted


@pytest.mark.parametrize(
    "result",
    [
        Done({"rows": 3, "cursor": None}, rillet_calls=1, solvimon_writes=2),
        Wait(None, "busy"),
        Wait(40.5, "busy", failed=True, rillet_calls=1, solvimon_writes=2),
        Stop("It is switched off.", "Switch it on.", rillet_calls=1),
    ],
)
def test_a_checkpoint_is_read_as_it_was_written(result: StepResult) -> None:
    assert from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("checkpoint", "result"),
    [
        ({"rillet_calls": 0}, Done({})),
        ({"connections": ["default"]}, Done({"connections": ["default"]})),
        (
            {"rillet_calls": 1, "writes": 2, "ids": ["a"], "cursor": None},
            Done({"ids": ["a"], "cursor": None}, rillet_calls=1, solvimon_writes=2),
        ),
        ({"later": 900, "why": "S3 does not answer."}, Wait(900, "S3 does not answer.")),
        (
            {"rillet_calls": 1, "writes": 2, "later": None, "why": "busy", "failing": True},
            Wait(None, "busy", failed=True, rillet_calls=1, solvimon_writes=2),
        ),
        (
            {"rillet_calls": 0, "stop": {"what": "It is off.", "remedy": "Switch it on."}},
            Stop("It is off.", "Switch it on."),
        ),
    ],
)
def test_what_earlier_versions_wrote_can_be_read(checkpoint: Json, result: StepResult) -> None:
    assert from_json(checkpoint) == result


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (RetryLater("S3 does not answer.", after=30), Wait(30, "S3 does not answer.", rillet_calls=1)),
        (
            NeedsAttention(Code.CONNECTION_UNKNOWN, "There is no such connection.", "Correct the name."),
            Stop("There is no such connection.", "Correct the name.", rillet_calls=1),
        ),
        (
            ConnectionBroken("Rillet refuses the credential."),
            Stop(
                "Rillet refuses the credential.",
                "Fix the connection (connect_rillet with action status says how), then start this again.",
                rillet_calls=1,
            ),
        ),
    ],
)
def test_an_error_becomes_a_result_with_the_calls_that_were_made(
    error: Exception, result: StepResult
) -> None:
    broken: list[bool] = []
    limiter = CountingRateLimiter(Mock(spec=RateLimiter))

    def work(made: CountingRateLimiter) -> StepResult:
        made.acquire()
        raise error

    found = as_step_result(lambda: (limiter, limiter), work, lambda: broken.append(True))

    assert found == result
    assert broken == [True] * isinstance(error, ConnectionBroken)


def test_an_error_before_the_first_call_is_a_result_too() -> None:
    connect = Mock(side_effect=RetryLater("The settings cannot be read."))

    found = as_step_result(connect, lambda _: Done({}), lambda: None)

    assert found == Wait(None, "The settings cannot be read.")
