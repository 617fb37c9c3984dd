"""The note of what a vendor answered to our writes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from unittest.mock import Mock

from solvimon_rillet.connections.write_evidence import WriteEvidence, WriteOutcome
from solvimon_rillet.errors import RetryLater


def evidence(table: Mock) -> WriteEvidence:
    return WriteEvidence(table, clock=lambda: 1_000.0)


SAME = ("default", "solvimon", "key", WriteOutcome("/products/prod_1", allowed=True))


def test_rows_that_are_written_at_the_same_time_are_noted_once() -> None:
    table = Mock()
    noting, start = evidence(table), Barrier(8)

    def write(_number: int) -> None:
        start.wait()
        noting.note(*SAME)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))

    assert len(table.put.mock_calls) == 1


def test_a_note_that_could_not_be_written_is_written_with_the_next_write() -> None:
    table = Mock(put=Mock(side_effect=[RetryLater("DynamoDB does not answer."), None]))
    noting = evidence(table)

    for _ in range(3):
        noting.note(*SAME)

    assert len(table.put.mock_calls) == 2
