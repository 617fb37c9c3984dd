"""Connections whose webhooks are lost."""

import pytest

from local.system import LocalSystem
from tests.integration.sweep.support import Silent, silent


@pytest.fixture
def connection(system: LocalSystem) -> Silent:
    """The connection ``default`` with the demo's records, whose webhooks are all lost."""
    return silent(system)


@pytest.fixture
def exported(connection: Silent) -> Silent:
    """The same, with the invoice ``invo_a`` exported by a sweep."""
    connection.finalise("invo_a")
    connection.swept()
    return connection
