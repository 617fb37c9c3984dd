"""A connection whose Rillet webhook is set up in AWS."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.receive_webhook.rillet import TOKEN
from tests.support.arrange import put_secret


@pytest.fixture
def connection(system: LocalSystem) -> Connection:
    """A connection whose Rillet webhook has a token."""
    made = system.connect()
    put_secret(system, made, "rillet", webhook_token=TOKEN)
    return made
