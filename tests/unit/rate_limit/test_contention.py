"""Two hundred workers ask one organisation's limiter at the same moment, in simulated time."""

import random
from typing import Any

import pytest

from solvimon_rillet.aws.dynamodb import Item
from solvimon_rillet.rate_limit.dynamodb_store import DynamoDBRequestWindowStore
from solvimon_rillet.rate_limit.limiter import RateLimited, SlidingWindowRateLimiter
from solvimon_rillet.rate_limit.send_times import Priority, RateLimit
from tests.benchmarks.simulated_time import SimulatedTime
from tests.support.memory_table import MemoryTable

WORKERS = 200
READ, WRITE = (0.001, 0.004), (0.002, 0.006)
"""Seconds that DynamoDB takes within a region."""


class SlowTable(MemoryTable):
    """A table that takes simulated time to answer."""

    def __init__(self, time: SimulatedTime, seed: int) -> None:
        super().__init__()
        self._time = time
        self._random = random.Random(seed)  # noqa: S311 - a simulation

    def get(self, key: str) -> Item | None:
        """A record, or ``None``."""
        self._time.sleep(self._random.uniform(*READ) / 2)
        item = super().get(key)
        self._time.sleep(self._random.uniform(*READ) / 2)
        return item

    def put(self, *written: Any, **more: Any) -> None:
        """Write a record, if the condition holds."""
        self._time.sleep(self._random.uniform(*WRITE) / 2)
        try:
            super().put(*written, **more)
        finally:
            self._time.sleep(self._random.uniform(*WRITE) / 2)


@pytest.mark.parametrize("seed", range(3))
def test_of_200_workers_at_once_nobody_gives_up_and_95_percent_have_their_answer_within_400_ms(
    seed: int,
) -> None:
    random.seed(seed)
    time = SimulatedTime(1000.0)
    table = SlowTable(time, seed)
    seconds, granted, refused = list[float](), list[float](), list[RateLimited]()

    def work() -> None:
        limiter = SlidingWindowRateLimiter(
            "acme",
            DynamoDBRequestWindowStore(table),
            RateLimit(60, 61.0),
            Priority.LIVE,
            time.now,
            time.sleep,
            window_of=lambda _: "org",
        )
        began = time.now()
        try:
            limiter.acquire()
            granted.append(time.now())
        except RateLimited as error:
            refused.append(error)
        seconds.append(time.now() - began)

    for _ in range(WORKERS):
        time.spawn(work)
    time.run()

    assert len(granted) == 60
    assert len(refused) == 140
    assert all("used up" in error.own_words for error in refused), "nobody gave up"
    assert sorted(seconds)[WORKERS * 95 // 100] < 0.4
