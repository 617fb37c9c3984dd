"""A connection whose Rillet webhook works."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import connected


@pytest.fixture
def connection(system: LocalSystem) -> Connection:
    """The connection ``default`` in the demo's world, with Rillet's webhook set up on both sides."""
    return connected(system)
