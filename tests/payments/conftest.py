"""A connection whose Rillet webhook works."""

import pytest

from local.stack import Connection, LocalStack
from tests.payments.support import connected


@pytest.fixture
def connection(stack: LocalStack) -> Connection:
    """The connection ``default`` in the demo's world, with Rillet's webhook set up on both sides."""
    return connected(stack)
