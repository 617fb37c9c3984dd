"""Workers in simulated time take send times like the rate limiter; the fake's limiter is the judge."""

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from local.fake_rillet.calls import RateLimiter
from solvimon_rillet.rate_limit.limiter import RETRY_EARLY_SECONDS
from solvimon_rillet.rate_limit.send_times import Priority, RateLimit, RequestWindow, next_send_time

LIMIT, WINDOW, MARGIN = 60, 60.0, 1.0


@dataclass
class Simulation:
    """Runs workers until their calls are made.

    Attributes:
        done: moment at which Rillet got each call, and its priority.
        skew: seconds by which each worker's clock is ahead or behind at most.
        refused: calls that Rillet answered 429.
        handed_back: how often a message went back to its queue.
    """

    seed: int
    todo: dict[Priority, int]
    window: RequestWindow = field(default_factory=RequestWindow)
    done: list[tuple[float, Priority]] = field(default_factory=list)
    refused: int = 0
    handed_back: int = 0
    now: float = 0.0
    skew: float = 0.0

    def run(self, workers: dict[Priority, int]) -> None:
        """Let so many workers of each priority work all calls off."""
        self._random = random.Random(self.seed)  # noqa: S311 - a simulation
        self._limiter = RateLimiter()
        rate_limit = RateLimit(LIMIT, WINDOW + MARGIN)
        ready: list[tuple[float, int, Iterator[float]]] = []
        for priority, count in workers.items():
            for _ in range(count):
                heapq.heappush(ready, (self._between(0, 0.5), len(ready), self._worker(priority, rate_limit)))
        while ready:
            self.now, number, worker = heapq.heappop(ready)
            pause = next(worker, None)
            if pause is not None:
                heapq.heappush(ready, (self.now + pause, number, worker))

    def share(self) -> float:
        """The share of what the limit allows: a window's worth at once, and then the rate."""
        moments = [moment for moment, _ in self.done]
        return len(moments) / (LIMIT * (1 + (max(moments) - min(moments)) / WINDOW))

    def _between(self, least: float, most: float) -> float:
        return self._random.uniform(least, most)

    def _worker(self, priority: Priority, rate_limit: RateLimit) -> Iterator[float]:
        ahead = self._between(-self.skew, self.skew)
        while self.todo[priority] > 0:
            self.todo[priority] -= 1
            yield from self._call(priority, rate_limit, ahead)

    def _call(self, priority: Priority, rate_limit: RateLimit, ahead: float) -> Iterator[float]:
        while True:
            yield self._between(0.002, 0.008)  # reading the window
            read, asked = self.window, self.now + ahead
            slot = next_send_time(read, asked, priority, rate_limit)
            if not slot.granted:
                self.window = (
                    replace(slot.window, version=self.window.version + 1)
                    if self.window == read
                    else self.window
                )
                self.handed_back += 1
                # A message comes back after whole seconds, and a moment later.
                yield math.ceil(slot.at - asked - RETRY_EARLY_SECONDS) + self._between(0, 0.3)
                continue
            yield self._between(0.003, 0.012)  # replacing it
            if self.window.version == read.version:
                self.window = replace(slot.window, version=read.version + 1)
                break
            yield self._between(0.002, 0.03)
        yield max(0.0, slot.at - ahead - self.now)
        yield self._between(0.01, 0.4)  # the latency to Rillet
        if self._limiter.admit("org", self.now, limit=LIMIT, window=WINDOW):
            self.done.append((self.now, priority))
        else:
            self.refused += 1
        yield self._between(0.05, 0.5)  # the answer
