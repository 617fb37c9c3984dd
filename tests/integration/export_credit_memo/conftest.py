"""An invoice in Rillet, and a credit note of it."""

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import load
from tests.support.builders import credit_note, original


@pytest.fixture
def billed(system: LocalSystem, default: Connection) -> Connection:
    """An invoice of 121.00 EUR in Rillet."""
    load(default, original())
    system.settle()
    return default


@pytest.fixture
def credited(billed: Connection) -> Connection:
    """The same, and a credit note of all of it that is FINAL."""
    load(billed, credit_note())
    return billed
