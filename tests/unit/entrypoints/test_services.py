"""Putting the parts together: lazily, once, and each connection by itself."""

from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from werkzeug.wrappers import Request

from local.system import Connection, LocalSystem
from solvimon_rillet.connections.names import UnknownConnection
from solvimon_rillet.entrypoints.queue_processor import NEEDED_MILLISECONDS
from solvimon_rillet.entrypoints.services import Services, run_id
from solvimon_rillet.errors import NeedsAttention
from solvimon_rillet.rate_limit.send_times import Priority
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.export.invoice import ExportInvoice

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What makes the AWS clients, and counts them."""
    made = Mock(wraps=boto3.client)
    monkeypatch.setattr(boto3, "client", made)
    return made


@pytest.fixture
def services(system: LocalSystem, clients: Mock) -> Services:
    """A services with the environment of ``export_invoice``."""
    environment = system.runtime.functions["export_invoice"].environment
    return Services(environment, system.clock.now)


def solvimon(services: Services) -> SolvimonClient:
    """Solvimon's client of the connection ``default``."""
    return services.connections.solvimon("default", services.configuration.settings("default"))


def rillet(services: Services) -> RilletClient:
    """Rillet's client of the connection ``default``."""
    return services.connections.rillet("default", services.configuration.settings("default"))


def test_nothing_is_made_before_it_is_needed(services: Services, clients: Mock) -> None:
    assert clients.call_count == 0

    _ = services.queue

    assert [call.args for call in clients.call_args_list] == [("sqs",)]


def test_an_environment_without_its_variables_fails_where_they_are_needed() -> None:
    services = Services({})

    with pytest.raises(KeyError, match="STACK"):
        _ = services.configuration


def test_everything_is_made_once(services: Services, clients: Mock) -> None:
    for _ in range(2):
        for name in ("configuration", "bus", "table", "ledger", "queue"):
            getattr(services, name)

    made = sorted(call.args[0] for call in clients.call_args_list)
    assert made == ["dynamodb", "events", "secretsmanager", "sqs", "ssm"]


def test_an_unknown_connection_reaches_nobody(services: Services, system: LocalSystem) -> None:
    for name in ("nobody", "../default", None):
        with pytest.raises(UnknownConnection):
            services.connections.open(name)

    assert len(system.solvimon.state.calls) == 0
    assert system.rillet.state.calls == []


def test_the_settings_that_are_in_force_now_are_used(
    services: Services, system: LocalSystem, default: Connection
) -> None:
    moved = {**default.settings, "solvimon": {"base_url": "http://127.0.0.1:9/v1"}}
    ExportInvoice(services.connections.open("default")).dry_run("invo_1")
    before = len(system.solvimon.state.calls)
    system.put_settings("default", moved)
    system.advance(61)

    moved_to = solvimon(services)

    assert before == 1
    with pytest.raises(Exception, match="cannot be reached"):
        moved_to.invoice("invo_1")


def test_solvimon_is_called_with_the_connections_key(
    services: Services, system: LocalSystem, default: Connection
) -> None:
    with pytest.raises(NeedsAttention):
        solvimon(services).invoice("invo_1")

    [call] = system.solvimon.state.calls
    assert call.api_key == default.solvimon_api_key


@pytest.mark.parametrize(("platform", "sent"), [("plat_1", "plat_1"), (None, None)])
def test_the_platform_is_named_where_a_key_serves_several(
    services: Services,
    system: LocalSystem,
    default: Connection,
    monkeypatch: pytest.MonkeyPatch,
    platform: str | None,
    sent: str | None,
) -> None:
    named = {**default.settings["solvimon"], "platform_id": platform}
    system.put_settings("default", {**default.settings, "solvimon": named})
    seen: list[str | None] = []
    begin = type(system.solvimon.state.calls).begin

    def note(self: Any, request: Request) -> object:  # noqa: ANN401
        seen.append(request.headers.get("X-Platform-Id"))
        return begin(self, request)

    monkeypatch.setattr(type(system.solvimon.state.calls), "begin", note)

    with pytest.raises(NeedsAttention):
        solvimon(services).invoice("invo_1")

    assert seen == [sent]


def test_rillet_is_called_with_the_connections_key_and_version_4(
    services: Services, system: LocalSystem, default: Connection
) -> None:
    found = rillet(services).customer(NOBODY)

    [call] = system.rillet.state.calls
    assert found is None
    assert (call.organisation_id, call.headers["X-Rillet-API-Version"]) == (default.organisation.id, "4")


def test_rillet_is_never_called_twice_behind_the_back_of_whoever_counts(
    services: Services, system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("status", method="GET", path="/customers", status=503, times=0)

    with pytest.raises(Exception, match="503"):
        rillet(services).customer(NOBODY)

    assert len(system.rillet.state.calls) == 1


def test_calls_of_a_connection_share_one_rate_limiter_and_connections_do_not(
    services: Services, system: LocalSystem, default: Connection
) -> None:
    system.connect("acme")
    settings = {name: services.configuration.settings(name) for name in ("default", "acme")}

    limiters = [
        services.connections.rate_limiter(name, settings[name], Priority.LIVE)
        for name in ("default", "default", "acme")
    ]

    assert limiters[0] is limiters[1]
    assert limiters[0] is not limiters[2]
    assert limiters[0] is not services.connections.rate_limiter("default", settings["default"], Priority.BULK)


def test_tokens_of_a_connection_are_one_object(
    services: Services, system: LocalSystem, default: Connection
) -> None:
    system.connect("acme")
    settings = services.configuration.settings("default")

    tokens = services.connections.tokens

    assert tokens("default", settings) is tokens("default", settings)
    assert tokens("default", settings) is not tokens("acme", settings)


@pytest.mark.parametrize("service", ["dynamodb", "secretsmanager", "ssm", "sqs", "events"])
def test_an_aws_service_that_hangs_is_given_up_while_the_function_has_time_left(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """Else the function is cut off, and an outage of AWS uses up the five tries of every message."""
    made: dict[str, Any] = {}
    real: Any = boto3.client

    def client(name: str, **options: object) -> object:
        made[name] = real(name, **options)
        return made[name]

    monkeypatch.setattr(boto3, "client", client)
    services = Services(system.runtime.functions["export_invoice"].environment, system.clock.now)
    for name in ("configuration", "bus", "table", "queue"):
        getattr(services, name)

    config = made[service].meta.config
    attempts = (config.retries or {}).get("total_max_attempts", 10 if service == "dynamodb" else 5)
    assert attempts * (config.connect_timeout + config.read_timeout) * 1000 < NEEDED_MILLISECONDS


def test_no_two_runs_have_the_same_name() -> None:
    assert len({run_id() for _ in range(1000)}) == 1000
