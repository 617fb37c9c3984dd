"""The rate limiter under load: simulated time for shares and order, real threads for the table."""

import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
import requests

from local.system import LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.rate_limit.dynamodb_store import DynamoDBRequestWindowStore
from solvimon_rillet.rate_limit.limiter import RateLimited, SlidingWindowRateLimiter
from solvimon_rillet.rate_limit.send_times import Priority, RateLimit, RequestWindow, next_send_time
from tests.unit.rate_limit.simulation import LIMIT, Simulation

pytestmark = pytest.mark.slow

LIVE, BULK = Priority.LIVE, Priority.BULK


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("priority", [LIVE, BULK])
def test_8_workers_with_300_calls_get_no_429_and_use_95_percent_of_the_budget(
    seed: int, priority: Priority
) -> None:
    simulation = Simulation(seed, {priority: 300})

    simulation.run({priority: 8})

    assert simulation.refused == 0
    assert len(simulation.done) == 300
    if priority is LIVE:
        assert simulation.share() >= 0.95
    else:  # bulk work is spread from the start, so it has no first burst to count
        assert 300 / (max(moment for moment, _ in simulation.done)) >= 0.95 * LIMIT / 60


@pytest.mark.parametrize("seed", range(5))
def test_clocks_that_differ_by_less_than_the_margin_cause_no_429(seed: int) -> None:
    """The margin is a second; latencies differ by 0.4 s in the simulation, so 0.6 s are left for clocks."""
    simulation = Simulation(seed, {LIVE: 300}, skew=0.3)

    simulation.run({LIVE: 8})

    assert simulation.refused == 0
    assert len(simulation.done) == 300


@pytest.mark.parametrize("seed", range(5))
def test_live_work_goes_before_bulk_work_and_bulk_work_does_not_starve(seed: int) -> None:
    simulation = Simulation(seed, {LIVE: 300, BULK: 120})

    simulation.run({BULK: 4, LIVE: 8})

    last_live = max(moment for moment, priority in simulation.done if priority is LIVE)
    until_then = [(moment, priority) for moment, priority in simulation.done if moment <= last_live]
    bulk = sum(priority is BULK for _, priority in until_then)
    assert simulation.refused == 0
    assert len(simulation.done) == 420
    assert 3 * last_live / 60 <= bulk <= 10 * last_live / 60 + 10
    assert len(until_then) / (LIMIT * (1 + last_live / 60)) >= 0.9


@pytest.mark.parametrize("asked", [30.0, 90.0, 150.0, 200.0])
def test_a_live_call_in_the_middle_of_bulk_work_comes_within_seconds(asked: float) -> None:
    window = RequestWindow()
    for tenth in range(round(asked) * 10):
        window = next_send_time(window, tenth / 10, BULK, RateLimit(LIMIT, 61.0)).window

    slot = next_send_time(window, asked, LIVE, RateLimit(LIMIT, 61.0))

    assert slot.at - asked <= 9


def test_workers_in_threads_share_one_log_in_the_table(system: LocalSystem) -> None:
    connection = system.connect()
    system.rillet.state.rate_limit, system.rillet.state.rate_window = 20, 2.0
    table = DynamoDBRequestWindowStore(
        Table(system.deployment.outputs["LedgerTableName"], boto3.client("dynamodb"))
    )
    headers = {"Authorization": f"Bearer {connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
    url, statuses, lock = f"{system.rillet.url}/subsidiaries", list[int](), threading.Lock()

    def work(priority: Priority) -> None:
        limiter = SlidingWindowRateLimiter("default", table, RateLimit(20, 3.0), priority)
        for _ in range(8):
            acquire_with_retries(limiter)
            status = requests.get(url, headers=headers, timeout=5).status_code
            with lock:
                statuses.append(status)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, (LIVE, LIVE, LIVE, BULK, LIVE, LIVE)))

    assert statuses == [200] * 48
    assert connection.organisation.counts.refused == 0


def acquire_with_retries(limiter: SlidingWindowRateLimiter) -> None:
    """Retry as SQS does with a message that was returned: when its delay is over."""
    while True:
        try:
            limiter.acquire()
        except RateLimited as error:
            threading.Event().wait(max(0.0, error.after or 0))
        else:
            return
