"""What AWS leaves of a batch is sent again after a growing wait; only what is left at the end is an error."""

from typing import Any

import pytest

from solvimon_rillet.aws.batches import MAX_SENDS, send_until_taken
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.errors import RetryLater

Json = dict[str, Any]


class DynamoDB:
    """DynamoDB, which takes one record of a batch in a request, beginning with a certain request."""

    def __init__(self, takes_from: int = 0) -> None:
        self._refused = takes_from
        self.taken: list[Json] = []
        self.requests = 0

    def batch_write_item(self, RequestItems: Json) -> Json:
        self.requests += 1
        [(name, pending)] = RequestItems.items()
        taken, left = ([], pending) if self.requests <= self._refused else (pending[:1], pending[1:])
        self.taken += taken
        return {"UnprocessedItems": {name: left} if left else {}}

    def batch_get_item(self, RequestItems: Json) -> Json:
        self.requests += 1
        [(name, request)] = RequestItems.items()
        keys = request["Keys"]
        taken, left = ([], keys) if self.requests <= self._refused else (keys[:1], keys[1:])
        return {"Responses": {name: taken}, "UnprocessedKeys": {name: {"Keys": left}} if left else {}}


def table(dynamodb: DynamoDB, waits: list[float] | None = None) -> Table:
    return Table("ledger", dynamodb, [].append if waits is None else waits.append)  # type: ignore[arg-type]


def records(count: int) -> dict[str, Json]:
    return {f"key-{number}": {"state": "new"} for number in range(count)}


@pytest.mark.parametrize("count", [0, 1, MAX_SENDS])
def test_a_batch_that_is_taken_with_the_last_attempt_is_written(count: int) -> None:
    dynamodb = DynamoDB()

    table(dynamodb).put_many(records(count))

    assert (len(dynamodb.taken), dynamodb.requests) == (count, count)


@pytest.mark.parametrize("count", [0, 1, MAX_SENDS])
def test_a_batch_that_is_answered_with_the_last_attempt_is_read(count: int) -> None:
    dynamodb = DynamoDB()

    found = table(dynamodb).get_many(records(count))

    assert (len(found), dynamodb.requests) == (count, count)


def test_what_is_left_after_the_last_attempt_is_an_error() -> None:
    dynamodb = DynamoDB()

    with pytest.raises(RetryLater, match="does not keep up with the writes"):
        table(dynamodb).put_many(records(MAX_SENDS + 1))
    with pytest.raises(RetryLater, match="does not keep up with the reads"):
        table(dynamodb).get_many(records(MAX_SENDS + 1))


def test_each_repetition_waits_up_to_twice_as_long_and_not_always_the_same() -> None:
    runs = []
    for _ in range(50):
        waits: list[float] = []
        table(DynamoDB(takes_from=MAX_SENDS - 1), waits).put_many(records(1))
        runs.append(waits)

    assert [len(waits) for waits in runs] == [MAX_SENDS - 1] * 50
    for attempt, longest in enumerate((0.1, 0.2, 0.4, 0.8)):
        waited = [waits[attempt] for waits in runs]
        assert 0 <= min(waited) < max(waited) <= longest
        assert max(waited) > longest / 2


def test_a_batch_that_is_taken_at_once_does_not_wait() -> None:
    waits: list[float] = []

    left = send_until_taken(lambda _batch: [], ["a"], waits.append)

    assert (left, waits) == (False, [])
