"""The note of what a vendor answered to our writes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from solvimon_rillet.connections.write_evidence import WriteEvidence, WriteOutcome
from solvimon_rillet.errors import RetryLater


class KeptTable:
    """A table that keeps what is written, and may fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.notes: list[dict[str, Any]] = []
        self.fails = fails

    def put(self, _key: str, facts: dict[str, Any]) -> None:
        self.notes.append(facts)
        if self.fails:
            raise RetryLater("DynamoDB does not answer.")


def evidence(table: KeptTable) -> WriteEvidence:
    return WriteEvidence(table, clock=lambda: 1_000.0)  # type: ignore[arg-type]


SAME = ("default", "solvimon", "key", WriteOutcome("/products/prod_1", allowed=True))


def test_rows_that_are_written_at_the_same_time_are_noted_once() -> None:
    table = KeptTable()
    noting, start = evidence(table), Barrier(8)

    def write(_number: int) -> None:
        start.wait()
        noting.note(*SAME)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))

    assert len(table.notes) == 1


def test_a_note_that_could_not_be_written_is_written_with_the_next_write() -> None:
    table = KeptTable(fails=True)
    noting = evidence(table)

    noting.note(*SAME)
    table.fails = False
    noting.note(*SAME)
    noting.note(*SAME)

    assert len(table.notes) == 2
