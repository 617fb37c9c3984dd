"""Connections whose books are compared."""

from dataclasses import replace

import pytest

from tests.integration.reconcile.support import Books, everything_booked
from tests.support.connected import Connected


@pytest.fixture
def default(default: Connected) -> Books:
    """The connection ``default`` with the demo's records."""
    return Books(**vars(default))


@pytest.fixture
def booked(default: Books) -> Books:
    """The same; all of the demo's invoices are in Rillet."""
    return replace(default, ids=tuple(everything_booked(default.system, default)))
