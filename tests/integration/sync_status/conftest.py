"""The connection that the tests of the status act on."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import connected
from tests.integration.sync_status.support import Default


@pytest.fixture
def default(system: LocalSystem, default: Connection) -> Default:
    """The connection ``default`` with the demo's records."""
    return Default(**vars(default), system=system)


@pytest.fixture
def connection(system: LocalSystem) -> Default:
    """The connection ``default`` with the demo's records, whose Rillet webhook is set up on both sides."""
    return Default(**vars(connected(system)), system=system)
