"""An invoice in Rillet, and a credit note of it."""

import pytest

from tests.support.arrange import load
from tests.support.builders import credit_note, original
from tests.support.connected import Connected


@pytest.fixture
def billed(default: Connected) -> Connected:
    """An invoice of 121.00 EUR in Rillet."""
    default.load_and_settle(original())
    return default


@pytest.fixture
def credited(billed: Connected) -> Connected:
    """The same, and a credit note of all of it that is FINAL."""
    load(billed, credit_note())
    return billed
