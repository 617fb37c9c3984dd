"""Every test here captures the functions' logs, and fails if a secret is in them."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.system import LocalSystem
from tests.integration.connect_rillet.captured_logs import Logs, capture_logs
from tests.integration.connect_rillet.support import HOUR, OAuthConnection, add_connection


@pytest.fixture(autouse=True)
def logs(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Logs]:
    """What the functions log during the test: never a token, code, state, verifier, key or secret."""
    with capture_logs(system, monkeypatch, capsys) as logs:
        yield logs
    assert logs.leaks() == []


@pytest.fixture(scope="session")
def clients(running_system: LocalSystem) -> Any:  # noqa: ANN401 - a function
    """AWS's own clients, which take a while to make; they try once, so that an outage is one at once."""

    @cache
    def client(service: str, caller: str | None) -> Any:  # noqa: ANN401 - the client's type is the service's
        config = Config(  # type: ignore[call-arg]
            max_pool_connections=50, retries={"total_max_attempts": 1}, user_agent_appid=caller
        )
        return boto3.client(service, config=config)  # type: ignore[call-overload]

    return client


@pytest.fixture(autouse=True)
def _shared_clients(clients: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401 - a function
    monkeypatch.setattr("solvimon_rillet.entrypoints.services.create_aws_client", clients)


@pytest.fixture
def acme(system: LocalSystem) -> OAuthConnection:
    """The connection ``acme``, which nobody has authorised yet."""
    return add_connection(system)


@pytest.fixture
def working(system: LocalSystem) -> OAuthConnection:
    """The connection ``acme``, authorised, with the demo's records on both sides."""
    return add_connection(system, records=True).connected()


@pytest.fixture(params=[3600, 300], ids=["in the secret", "in the parameter"])
def ended(request: pytest.FixtureRequest, acme: OAuthConnection) -> OAuthConnection:
    """A connection whose access token has ended; its tokens are kept in either place."""
    acme.oauth.access_token_seconds = request.param
    acme.connected()
    acme.advance(2 * HOUR)
    return acme
