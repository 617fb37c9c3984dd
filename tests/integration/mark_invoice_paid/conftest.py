"""A connection whose Rillet webhook works, and an invoice of it that is exported."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import Invoice, connected, exported, unconfirmed


@pytest.fixture
def settings() -> dict[str, object]:
    """The connection's settings that are not the defaults; a module can give its own."""
    return {}


@pytest.fixture
def connection(system: LocalSystem, settings: dict[str, object]) -> Connection:
    """The connection ``default`` with the demo's records, with Rillet's webhook set up on both sides."""
    return connected(system, **settings)


@pytest.fixture
def invoice(system: LocalSystem, connection: Connection) -> Invoice:
    """An invoice of 121.00 EUR in both systems, not paid yet."""
    return exported(system, connection)


@pytest.fixture(name="unconfirmed")
def _unconfirmed(system: LocalSystem, connection: Connection) -> Invoice:
    """An invoice of 121.00 EUR that is in Rillet, while the answer to its export is lost."""
    return unconfirmed(system, connection)
