"""The connection that the tests of the status act on."""

import pytest

from local.system import LocalSystem
from tests.integration.mark_invoice_paid.support import connected
from tests.integration.sync_status.support import Default
from tests.support.connected import Connected


@pytest.fixture
def default(default: Connected) -> Default:
    """The connection ``default`` with the demo's records."""
    return Default(**vars(default))


@pytest.fixture
def connection(system: LocalSystem) -> Default:
    """The connection ``default`` with the demo's records, whose Rillet webhook is set up on both sides."""
    return Default(**vars(connected(system)), system=system)
