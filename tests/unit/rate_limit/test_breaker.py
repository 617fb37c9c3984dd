"""The circuit breaker: when it opens, how long, who probes, and what closes it."""

import random
from collections.abc import Callable
from unittest.mock import Mock

import pytest

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.rate_limit.breaker import (
    FAILURE_POINTS,
    HEALTHY,
    TIME_OUT_POINTS,
    CircuitBreaker,
    VendorHealth,
    VendorUnavailable,
    after_failure,
)
from tests.support.memory_table import MemoryTable

NOW = 1000.0
RILLET, SOLVIMON = "Rillet", "Solvimon"


class World:
    """Processes that share a table and a clock."""

    def __init__(self) -> None:
        self.table, self.now = MemoryTable(), NOW

    def process(self, connection: str = "acme") -> CircuitBreaker:
        return CircuitBreaker(connection, self.table, lambda: self.now)

    def opened(self) -> CircuitBreaker:
        """A process that has seen two time-outs in a row."""
        breaker = self.process()
        for _ in range(2):
            breaker.record(RILLET, TIME_OUT_POINTS)
        return breaker


@pytest.fixture
def world() -> World:
    return World()


def refusal(check: Callable[[], None]) -> float | None:
    """Seconds that a check asks to wait; ``None`` if it passes."""
    try:
        check()
    except VendorUnavailable as error:
        return error.after
    return None


@pytest.mark.parametrize(("points", "failures"), [(TIME_OUT_POINTS, 2), (FAILURE_POINTS, 4)])
def test_two_time_outs_or_four_failures_in_a_row_open_it(world: World, points: int, failures: int) -> None:
    breaker = world.process()
    for _ in range(failures - 1):
        breaker.record(RILLET, points)
    before = refusal(lambda: breaker.check(RILLET))

    breaker.record(RILLET, points)

    assert before is None
    assert refusal(lambda: breaker.check(RILLET)) is not None


def test_an_answer_between_failures_begins_the_count_again(world: World) -> None:
    breaker = world.process()
    for points in (TIME_OUT_POINTS, 0, TIME_OUT_POINTS):
        breaker.record(RILLET, points)

    assert refusal(lambda: breaker.check(RILLET)) is None


@pytest.mark.parametrize(("seconds", "opens"), [(120, True), (121, False)])
def test_failures_add_up_within_two_minutes_and_no_longer(world: World, seconds: int, opens: bool) -> None:
    breaker = world.process()
    breaker.record(RILLET, TIME_OUT_POINTS)
    world.now += seconds
    breaker.record(RILLET, TIME_OUT_POINTS)

    assert (refusal(lambda: breaker.check(RILLET)) is not None) is opens


def test_all_processes_know_that_it_is_open_and_no_other_connection_waits(world: World) -> None:
    world.opened()

    assert refusal(lambda: world.process().check(RILLET)) is not None
    assert refusal(lambda: world.process().check(SOLVIMON)) is None
    assert refusal(lambda: world.process("globex").check(RILLET)) is None
    assert list(world.table.items) == ["acme#pacer#breaker"]


def test_a_process_that_has_just_looked_does_not_read_again_for_five_seconds(world: World) -> None:
    breaker = world.process()
    for seconds in (0, 4.9, 0.1):
        world.now += seconds
        breaker.check(RILLET)

    assert len(world.table.reads) == 2


def test_what_waits_comes_back_after_the_opening_spread_over_its_half_and_five_seconds(world: World) -> None:
    world.opened()
    waits = [refusal(lambda: world.process().check(RILLET)) or 0 for _ in range(200)]

    assert min(waits) >= 15
    assert max(waits) <= 15 * 1.5 + 5
    assert max(waits) - min(waits) > 8


def test_it_opens_twice_as_long_each_time_and_five_minutes_at_most() -> None:
    health, now, seconds = HEALTHY, NOW, []
    for _ in range(7):
        health = after_failure(health, now, 4)
        seconds.append(health.open_until - now)
        now = health.open_until

    assert seconds == [15, 30, 60, 120, 240, 300, 300]


def test_a_call_that_began_before_it_opened_does_not_lengthen_it(world: World) -> None:
    opened = after_failure(HEALTHY, NOW, 4)

    assert after_failure(opened, NOW + 14.9, 2) == opened
    assert after_failure(opened, NOW + 15, 2).openings == 2


def test_of_many_callers_of_a_half_open_one_one_probes(world: World) -> None:
    world.opened()
    world.now += 15.1

    passed = [refusal(lambda: world.process().check(RILLET)) for _ in range(10)].count(None)

    assert passed == 1


def test_two_that_read_at_the_same_moment_do_not_both_probe(world: World) -> None:
    world.opened()
    world.now += 15.1
    first, second = world.process(), world.process()
    read = second._read
    second._read = lambda: (read(), first.check(RILLET))  # type: ignore[assignment, method-assign, func-returns-value]

    after = refusal(lambda: second.check(RILLET))

    assert after is not None
    assert 15 <= after <= 15 * 1.5 + 5


def test_a_probe_that_succeeds_closes_it_for_all(world: World) -> None:
    world.opened()
    world.now += 15.1
    probe = world.process()
    probe.check(RILLET)
    probe.record(RILLET, 0)

    assert refusal(lambda: world.process().check(RILLET)) is None
    assert world.table.items["acme#pacer#breaker"]["vendors"] == {}


def test_a_probe_that_fails_opens_it_for_twice_as_long(world: World) -> None:
    world.opened()
    world.now += 15.1
    probe = world.process()
    probe.check(RILLET)
    probe.record(RILLET, FAILURE_POINTS)
    world.now += 29.9

    assert refusal(lambda: world.process().check(RILLET)) is not None
    world.now += 0.2
    assert refusal(lambda: world.process().check(RILLET)) is None


def test_a_probe_that_dies_is_followed_by_another_after_half_a_minute(world: World) -> None:
    world.opened()
    world.now += 15.1
    world.process().check(RILLET)
    world.now += 29.9
    during = refusal(lambda: world.process().check(RILLET))
    world.now += 0.2

    assert during is not None
    assert refusal(lambda: world.process().check(RILLET)) is None


def test_an_answer_costs_nothing_while_all_is_well(world: World) -> None:
    breaker = world.process()
    breaker.record(RILLET, 0)

    assert world.table.reads == world.table.writes == []


def test_failures_that_two_processes_record_at_the_same_time_both_count(world: World) -> None:
    first, second = world.process(), world.process()
    first.check(RILLET)
    second.check(RILLET)
    first.record(RILLET, TIME_OUT_POINTS)
    second.record(RILLET, TIME_OUT_POINTS)

    assert refusal(lambda: world.process().check(RILLET)) is not None


def test_what_one_vendor_shows_stays_when_another_is_recorded(world: World) -> None:
    world.opened().record(SOLVIMON, TIME_OUT_POINTS)

    assert world.table.items["acme#pacer#breaker"]["vendors"].keys() == {RILLET, SOLVIMON}


def test_a_record_that_cannot_be_written_does_not_fail_the_call(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.table, "put", Mock(side_effect=RetryLater("The ledger does not answer.")))

    world.process().record(RILLET, TIME_OUT_POINTS)


def test_a_record_expires_after_a_day_and_keeps_milliseconds(world: World) -> None:
    world.now = NOW + 0.1234
    world.opened()

    item = world.table.items["acme#pacer#breaker"]
    assert item["expires_at"] == int(NOW) + 86_400
    health = VendorHealth(4, NOW + 0.123, 1, NOW + 15.123, 0.0)
    read = world.process()
    refusal(lambda: read.check(RILLET))
    assert read._known == {RILLET: health}


def test_the_spread_is_random(world: World) -> None:
    random.seed(1)
    world.opened()

    assert len({refusal(lambda: world.process().check(RILLET)) for _ in range(5)}) == 5
