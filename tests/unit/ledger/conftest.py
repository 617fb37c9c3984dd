"""A ledger in the local system's table, and a clock that is moved by hand."""

import pytest

from local.system import LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.ledger.ledger import Ledger

NOW = 1_800_000_000


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time: float = NOW

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def table(system: LocalSystem) -> Table:
    return Table(system.deployment.outputs["LedgerTableName"], system.aws.dynamodb)


@pytest.fixture
def ledger(table: Table, clock: Hand) -> Ledger:
    return Ledger(table, clock)
