"""Each number of the rate limiter, at its edge."""

from dataclasses import replace

import pytest

from solvimon_rillet.rate_limit.dynamodb_store import DynamoDBRequestWindowStore
from solvimon_rillet.rate_limit.limiter import RateLimited, SlidingWindowRateLimiter
from solvimon_rillet.rate_limit.send_times import RateLimit, RequestWindow, next_send_time
from tests.support.memory_table import MemoryTable
from tests.unit.rate_limit.test_limiter import BULK, LIVE, Store, Time, limiter
from tests.unit.rate_limit.test_limiter import RATE_LIMIT as LIMIT

NOW = 1000.0


@pytest.mark.parametrize(("limit", "reserve"), [(60, 6), (59, 5), (10, 1), (5, 1), (2, 1), (1, 0)])
def test_a_tenth_is_reserved_at_least_one_and_never_all(limit: int, reserve: int) -> None:
    assert RateLimit(limit, 61.0).reserve == reserve


def test_seven_bulk_calls_may_come_at_once_and_the_eighth_a_tenth_of_the_window_later() -> None:
    window = RequestWindow(bulk=(NOW,) * 6)

    seventh = next_send_time(window, NOW, BULK, LIMIT)
    eighth = next_send_time(seventh.window, NOW, BULK, LIMIT)

    assert (seventh.at, seventh.granted) == (NOW, True)
    assert eighth.at == pytest.approx(NOW + 6.1)
    assert not eighth.granted


def test_bulk_calls_reach_the_whole_rate_and_no_more() -> None:
    window, sent = RequestWindow(), []
    for tenth in range(1220):
        slot = next_send_time(window, NOW + tenth / 10, BULK, LIMIT)
        window = slot.window
        sent += [slot.at] if slot.granted else []

    assert sum(at < NOW + 61.0 for at in sent) == 60
    assert sum(NOW + 61.0 <= at < NOW + 122.0 for at in sent) == pytest.approx(60, abs=2)


def test_a_call_leaves_the_window_when_its_length_has_passed_and_not_before() -> None:
    full = RequestWindow(live=(NOW,) * 60)

    early = next_send_time(full, NOW + 60.9, LIVE, LIMIT)
    on_time = next_send_time(full, NOW + 61.0, LIVE, LIMIT)

    assert early.at == pytest.approx(NOW + 61.0)
    assert on_time.at == NOW + 61.0
    assert on_time.window.live == (NOW + 61.0,), "what has passed is forgotten"


def test_live_and_bulk_calls_fill_one_window() -> None:
    window = RequestWindow(live=(NOW,) * 30, bulk=(NOW - 10.0,) * 30)

    assert next_send_time(window, NOW, LIVE, LIMIT).at == pytest.approx(NOW - 10.0 + 61.0)
    assert next_send_time(window, NOW, BULK, LIMIT).at == pytest.approx(NOW - 10.0 + 61.0)


def test_a_call_squeezed_in_before_later_ones_does_not_overfill_their_window() -> None:
    window = RequestWindow(live=(NOW + 1.0,) * 60)

    assert next_send_time(window, NOW, LIVE, LIMIT).at == pytest.approx(NOW + 62.0)


@pytest.mark.parametrize(("ahead", "granted"), [(2.0, True), (2.01, False), (30.0, False)])
def test_a_call_waits_for_two_seconds_and_no_longer(ahead: float, granted: bool) -> None:
    blocked = RequestWindow(blocked_until=NOW + ahead)

    slot = next_send_time(blocked, NOW, LIVE, LIMIT)

    assert (slot.at, slot.granted) == (NOW + ahead, granted)


def test_a_block_that_is_over_holds_nothing_back() -> None:
    assert next_send_time(RequestWindow(blocked_until=NOW - 1), NOW, LIVE, LIMIT).at == NOW


def test_a_refused_caller_has_room_until_two_seconds_after_its_send_time() -> None:
    full = RequestWindow(live=(NOW,) * 60)

    live, bulk = (next_send_time(full, NOW + 1, priority, LIMIT) for priority in (LIVE, BULK))

    assert live.window.live_waits_until == pytest.approx(live.at + 2.0)
    assert bulk.window.bulk_waits_until == pytest.approx(bulk.at + 2.0)
    assert (live.window.bulk_waits_until, bulk.window.live_waits_until) == (0.0, 0.0)
    assert live.window.live == full.live, "a refused call takes no slot"


def test_a_waiting_priority_holds_the_other_back_until_then_and_not_longer() -> None:
    live_waits = RequestWindow(bulk=(NOW,) * 6, live_waits_until=NOW + 30.0)
    bulk_waits = RequestWindow(live=(NOW,) * 54, bulk_waits_until=NOW + 30.0)

    assert next_send_time(live_waits, NOW + 10, BULK, LIMIT).at == pytest.approx(NOW + 30.0)
    assert next_send_time(bulk_waits, NOW + 10, LIVE, LIMIT).at == pytest.approx(NOW + 30.0)
    assert next_send_time(replace(bulk_waits, live=(NOW,) * 53), NOW + 10, LIVE, LIMIT).at == NOW + 10


def test_what_bulk_work_has_of_its_reserve_is_not_kept_free_once_more() -> None:
    window = RequestWindow(live=(NOW,) * 53, bulk=(NOW,) * 6, bulk_waits_until=NOW + 30.0)

    assert next_send_time(window, NOW, LIVE, LIMIT).at == NOW


def test_send_times_are_kept_in_order() -> None:
    window = next_send_time(RequestWindow(live=(NOW + 1.5,)), NOW, LIVE, LIMIT).window

    assert window.live == (NOW, NOW + 1.5)


def test_a_caller_sleeps_exactly_until_its_send_time() -> None:
    time, store = Time(), Store(RequestWindow(blocked_until=NOW + 1.25))

    limiter(store, time).acquire()

    assert time.now == NOW + 1.25


def test_39_lost_writes_are_repeated_and_40_are_not() -> None:
    time = Time()
    store, worse = Store(refusals=39), Store(refusals=40)

    limiter(store, time).acquire()
    with pytest.raises(RateLimited) as refused:
        limiter(worse, time).acquire()

    assert store.writes == 1
    assert refused.value.after == 1
    assert time.now - NOW == pytest.approx(79 * 0.016, rel=0.3), "a few milliseconds between two tries"


def test_a_refused_caller_comes_back_a_second_before_its_send_time_and_is_granted() -> None:
    time, store = Time(), Store(RequestWindow(live=(NOW - 31.0,) * 60))
    caller = limiter(store, time)
    with pytest.raises(RateLimited) as refused:
        caller.acquire()

    time.now += refused.value.after or 0
    caller.acquire()

    assert refused.value.after == 29.0
    assert time.now == NOW + 30.0


def test_a_note_of_a_waiting_caller_is_written_once() -> None:
    time, store = Time(), Store(RequestWindow(live=(NOW - 31.0,) * 60))
    for _ in range(3):
        with pytest.raises(RateLimited):
            limiter(store, time).acquire()

    assert store.writes == 1
    assert store.window.live_waits_until == pytest.approx(NOW + 32.0)


def test_a_429_blocks_for_a_window_from_now_and_forgets_nothing() -> None:
    time, store, counted = Time(), Store(RequestWindow(live=(NOW,))), list[tuple[str, str]]()

    seconds = limiter(store, time, counted=counted).on_throttled()

    assert seconds == 61.0
    assert store.window == RequestWindow(live=(NOW,), blocked_until=NOW + 61.0, version=1)
    assert counted == [("RateLimited", "acme")]


def test_bulk_work_needs_no_read_while_nobody_else_writes_and_reads_again_when_somebody_did() -> None:
    table, time = MemoryTable(), Time()
    store = DynamoDBRequestWindowStore(table)
    first, second = limiter(store, time, BULK), limiter(store, time, BULK)

    for _ in range(3):
        first.acquire()
        time.now += 10
    alone = len(table.reads)
    second.acquire()
    first.acquire()

    assert alone == 1
    assert len(table.items["org#pacer#turns"]["bulk"]) == 5, "no call is forgotten"


def test_live_work_always_reads_the_window() -> None:
    table, time = MemoryTable(), Time()
    caller = limiter(DynamoDBRequestWindowStore(table), time)

    for _ in range(3):
        caller.acquire()

    assert table.reads == ["org#pacer#turns"] * 3


def test_bulk_work_that_remembers_a_full_window_reads_it_before_it_gives_up() -> None:
    table, time = MemoryTable(), Time()
    store = DynamoDBRequestWindowStore(table)
    caller = SlidingWindowRateLimiter("acme", store, RateLimit(1, 60.0), BULK, time, time.sleep)
    caller.acquire()
    table.items.clear()

    caller.acquire()

    assert time.now == NOW


def test_a_window_is_stored_and_read_without_loss_and_never_too_early() -> None:
    table = MemoryTable()
    store = DynamoDBRequestWindowStore(table)
    window = RequestWindow((NOW + 0.00001,), (NOW + 0.5,), NOW + 2, NOW + 3, NOW + 4)

    written = store.replace("org", window)

    read = store.read("org")
    assert written
    assert list(table.items) == ["org#pacer#turns"]
    assert read == RequestWindow((NOW + 0.001,), (NOW + 0.5,), NOW + 2, NOW + 3, NOW + 4, version=1)


def test_of_two_writers_of_one_version_the_second_one_is_refused() -> None:
    store = DynamoDBRequestWindowStore(MemoryTable())
    seen = store.read("org")

    assert store.replace("org", seen)
    assert not store.replace("org", seen)
    assert store.replace("org", store.read("org"))
    assert store.read("org").version == 2
