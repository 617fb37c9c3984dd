"""Send times: never more than the limit in any window, live before bulk, no caller starves."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.rate_limit.limiter import (
    RETRY_EARLY_SECONDS,
    RateLimited,
    RequestWindowStore,
    SlidingWindowRateLimiter,
    move_window,
)
from solvimon_rillet.rate_limit.send_times import (
    MAX_WAIT_SECONDS,
    Priority,
    RateLimit,
    RequestWindow,
    next_send_time,
)
from tests.support.examples import examples

RATE_LIMIT = RateLimit(limit=60, window_seconds=61.0)
LIVE, BULK = Priority.LIVE, Priority.BULK


class Store:
    """Stores windows in memory, and can refuse to replace them; what has no name of its own is one window."""

    def __init__(
        self, window: RequestWindow | None = None, refusals: int = 0, **named: RequestWindow
    ) -> None:
        self.window = window or RequestWindow()
        self.named = named
        self.refusals = refusals
        self.writes = 0

    def read(self, name: str) -> RequestWindow:
        return self.named.get(name, self.window)

    def replace(self, name: str, window: RequestWindow) -> bool:
        if self.refusals or window.version != self.read(name).version:
            self.refusals = max(0, self.refusals - 1)
            return False
        self.writes += 1
        written = replace(window, version=window.version + 1)
        if name in self.named:
            self.named[name] = written
        else:
            self.window = written
        return True


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds


def limiter(
    store: RequestWindowStore,
    time: Time,
    priority: Priority = LIVE,
    counted: list[tuple[str, str]] | None = None,
) -> SlidingWindowRateLimiter:
    """A limiter of a connection; what it counts is collected."""
    kept = [] if counted is None else counted
    count = lambda *what: kept.append(what)  # noqa: E731
    return SlidingWindowRateLimiter(
        "acme", store, RATE_LIMIT, priority, time, time.sleep, count, lambda _: "org"
    )


def most_in_a_window(send_times: list[float], window_seconds: float) -> int:
    """The largest number of send times in any window, by brute force."""
    return max(
        (
            sum(start < send_time <= start + window_seconds for send_time in send_times)
            for start in (t - window_seconds for t in send_times)
        ),
        default=0,
    )


@examples(300)
@given(
    limit=st.integers(1, 20),
    window_seconds=st.floats(1.0, 100.0),
    steps=st.lists(st.tuples(st.floats(0.0, 5.0), st.sampled_from([LIVE, BULK])), min_size=1, max_size=150),
)
def test_no_window_ever_holds_more_calls_than_the_limit(
    limit: int, window_seconds: float, steps: list[tuple[float, Priority]]
) -> None:
    rate_limit, window, now = RateLimit(limit, window_seconds), RequestWindow(), 1000.0
    send_times: list[float] = []

    for pause, priority in steps:
        now += pause
        slot = next_send_time(window, now, priority, rate_limit)
        window = slot.window
        if slot.granted:
            assert now <= slot.at <= now + MAX_WAIT_SECONDS
            send_times.append(slot.at)

    assert most_in_a_window(send_times, window_seconds - 1e-5) <= limit


def test_live_calls_may_come_all_at_once_up_to_the_limit() -> None:
    window = RequestWindow()

    for _ in range(60):
        slot = next_send_time(window, 1000.0, LIVE, RATE_LIMIT)
        assert slot.granted
        assert slot.at == 1000.0
        window = slot.window
    last = next_send_time(window, 1000.0, LIVE, RATE_LIMIT)

    assert not last.granted
    assert last.at == 1061.0


def test_bulk_work_is_spread_over_the_window() -> None:
    window, at = RequestWindow(), []

    for second in range(61):
        for _ in range(3):
            slot = next_send_time(window, 1000.0 + second, BULK, RATE_LIMIT)
            window = slot.window
            if slot.granted and slot.at < 1061.0:
                at.append(slot.at)

    assert len(at) == 60
    assert most_in_a_window(at, 6.1 - 1e-5) <= 7


def test_a_live_call_in_the_middle_of_bulk_work_waits_a_tenth_of_the_window_at_most() -> None:
    window = RequestWindow()
    for moment in range(1000, 1180):
        window = next_send_time(window, float(moment), BULK, RATE_LIMIT).window

    slot = next_send_time(window, 1180.0, LIVE, RATE_LIMIT)

    assert slot.at - 1180.0 <= 6.1


def test_while_live_work_waits_bulk_work_gets_its_reserve_only() -> None:
    window = RequestWindow(live_waits_until=2000.0)
    granted = 0

    for moment in range(1000, 1061):
        slot = next_send_time(window, float(moment), BULK, RATE_LIMIT)
        window = slot.window
        granted += slot.granted and slot.at < 1061.0

    assert granted == RATE_LIMIT.reserve


def test_while_bulk_work_waits_live_work_leaves_its_reserve_free() -> None:
    window = RequestWindow(bulk_waits_until=2000.0)
    granted = 0

    for _ in range(61):
        slot = next_send_time(window, 1000.0, LIVE, RATE_LIMIT)
        window = slot.window
        granted += slot.granted

    assert granted == 60 - RATE_LIMIT.reserve


def test_a_send_time_within_two_seconds_is_slept_for() -> None:
    time, store = Time(), Store(RequestWindow(live=(940.5,) * 60))
    caller = limiter(store, time)

    caller.acquire()

    assert time.now == 1001.5
    assert store.window.live[-1] == 1001.5


def test_a_later_send_time_refuses_the_caller_and_refuses_it_again_without_a_read() -> None:
    time, store = Time(), Store(RequestWindow(live=(990.0,) * 60))
    caller = limiter(store, time)

    with pytest.raises(RateLimited) as first:
        caller.acquire()
    store.window = RequestWindow()
    time.now += 10
    with pytest.raises(RateLimited) as again:
        caller.raise_if_backing_off()
    time.now += 41
    caller.acquire()

    assert first.value.after == 51.0 - RETRY_EARLY_SECONDS
    assert again.value.after == 41.0 - RETRY_EARLY_SECONDS
    assert store.window.live == (1051.0,)


def test_a_window_that_another_worker_replaced_is_read_again() -> None:
    time, store = Time(), Store(refusals=5)
    caller = limiter(store, time)

    caller.acquire()

    assert store.writes == 1


def test_endless_contention_hands_the_message_back() -> None:
    time, store = Time(), Store(refusals=1000)
    caller = limiter(store, time)

    with pytest.raises(RetryLater) as error:
        caller.acquire()

    assert error.value.after == 1


def test_each_granted_send_time_is_counted_and_a_refused_one_is_not() -> None:
    time, store, counted = Time(), Store(refusals=3), list[tuple[str, str]]()
    caller = limiter(store, time, counted=counted)

    caller.acquire()
    store.window = RequestWindow(live=(990.0,) * 60)
    with pytest.raises(RateLimited):
        caller.acquire()

    assert counted == [("RilletCalls", "acme")]


def test_a_429_blocks_all_callers_for_a_window_and_is_counted() -> None:
    time, store, counted = Time(), Store(refusals=2), list[tuple[str, str]]()
    caller = limiter(store, time, counted=counted)

    seconds = caller.on_throttled()
    with pytest.raises(RateLimited) as refused:
        limiter(store, time, BULK).acquire()

    assert seconds == 61.0
    assert refused.value.after == 61.0 - RETRY_EARLY_SECONDS
    assert counted == [("RateLimited", "acme")]


def test_a_moved_window_counts_the_calls_of_both_and_leads_workers_on() -> None:
    time = Time()
    store = Store(
        own=RequestWindow(live=(970.0, 980.0), blocked_until=1001.0, version=3),
        theirs=RequestWindow(live=(980.0, 990.0), bulk=(985.0,), version=7),
    )
    limiter = SlidingWindowRateLimiter("own", store, RATE_LIMIT, LIVE, time, time.sleep)

    move_window(store, "own", "theirs")
    move_window(store, "own", "theirs")  # a second worker learns it too
    limiter.acquire()

    assert store.named["own"] == RequestWindow(moved_to="theirs", version=4)
    assert store.named["theirs"].live == (970.0, 980.0, 990.0, 1001.0)
    assert store.named["theirs"].bulk == (985.0,)
    assert store.writes == 3


def test_a_call_that_is_granted_while_its_window_moves_is_counted() -> None:
    store = Store(own=RequestWindow(live=(990.0,)), theirs=RequestWindow())
    original = store.replace

    def replace_slowly(name: str, window: RequestWindow) -> bool:
        if name == "own" and store.named["own"].live == (990.0,):  # another worker is faster
            original("own", replace(store.named["own"], live=(990.0, 995.0)))
        return original(name, window)

    store.replace = replace_slowly  # type: ignore[method-assign]

    move_window(store, "own", "theirs")

    assert store.named["theirs"].live == (990.0, 995.0)


def test_a_window_that_moves_again_takes_the_calls_along() -> None:
    """Whose calls the first ones were is not known, so they count in both."""
    store = Store(own=RequestWindow(moved_to="old"), old=RequestWindow(live=(990.0,)), new=RequestWindow())

    move_window(store, "own", "new")

    assert store.named["new"].live == (990.0,)
    assert store.named["own"].moved_to == "new"


def test_a_window_that_cannot_be_moved_now_is_moved_later() -> None:
    store = Store(own=RequestWindow(live=(990.0,)), theirs=RequestWindow(), refusals=1000)

    with pytest.raises(RateLimited):
        move_window(store, "own", "theirs")

    assert store.named["own"].live == (990.0,)
