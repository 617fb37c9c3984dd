"""Tokens that live under ten minutes are kept out of Secrets Manager, which keeps every version for a day."""

from collections import Counter
from typing import Any

import pytest
from botocore.client import BaseClient

from local.system import Connection, LocalSystem
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    STACK,
    Json,
    add_connection,
    add_to_secret,
    all_parameters,
    ask,
    bearer,
    connect,
    connected,
    oauth,
    process,
    secret,
    whoami,
)
from tests.support.arrange import finalise
from tests.support.assertions import rillet_invoices
from tests.support.builders import FIRST

pytestmark = pytest.mark.slow

TOKEN = f"/{STACK}/{ACME}/rillet-token"


@pytest.fixture
def short(system: LocalSystem) -> Connection:
    """A connection whose tokens live for five minutes."""
    oauth(system).access_token_seconds = 300
    return connected(system, add_connection(system, world=True))


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often what was written."""
    counted, call = Counter[str](), vars(BaseClient)["_make_api_call"]

    def counting(client: BaseClient, operation: str, asked: Json) -> Any:  # noqa: ANN401 - whatever AWS says
        if operation.startswith(("Put", "Create", "Update", "Delete")) and operation != "PutItem":
            counted[f"{operation} {asked.get('SecretId') or asked.get('Name')}"] += 1
        return call(client, operation, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", counting)
    return counted


@pytest.mark.parametrize(
    ("lifetime", "where"), [(60, "parameter"), (599, "parameter"), (600, "secret"), (3600, "secret")]
)
def test_where_a_token_is_kept_depends_on_how_long_it_lives(
    system: LocalSystem, acme: Connection, lifetime: int, where: str
) -> None:
    oauth(system).access_token_seconds = lifetime

    connected(system, acme)

    assert secret(system)["token_in"] == where
    assert (TOKEN in all_parameters(system)) is (where == "parameter")


def test_the_parameter_is_encrypted(system: LocalSystem, short: Connection) -> None:
    [found] = [
        parameter
        for parameter in system.aws.ssm.describe_parameters()["Parameters"]
        if parameter["Name"] == TOKEN
    ]

    assert found["Type"] == "SecureString"


def test_fifty_refreshes_write_the_secret_no_more(
    system: LocalSystem, short: Connection, written: Counter[str]
) -> None:
    runtime = process(system)

    for _ in range(50):
        system.advance(250)
        bearer(runtime)

    assert oauth(system).counts.refreshes == 50
    assert oauth(system).counts.reuses == 0
    assert written == {f"PutParameter {TOKEN}": 50}


def test_connecting_again_writes_the_secret_no_more_either(
    system: LocalSystem, short: Connection, written: Counter[str]
) -> None:
    before = bearer(process(system))

    connected(system, short)

    assert bearer(process(system)) != before
    assert written[f"PutSecretValue {STACK}/{ACME}/rillet"] == 0


@pytest.mark.parametrize("passed", [0, 200, 245, 299, 301, HOUR])
def test_every_process_finds_the_newest_token(system: LocalSystem, short: Connection, passed: int) -> None:
    first, second = process(system), process(system)
    whoami(first)()
    whoami(second)()

    system.advance(passed)
    found = {whoami(first)(), whoami(second)(), whoami(process(system))()}

    assert found == {"org-acme"}
    assert bearer(first) == bearer(second)
    assert oauth(system).counts.refreshes == (passed > 240)
    assert oauth(system).counts.reuses == 0


@pytest.mark.parametrize("lifetimes", [(300, 3600), (3600, 300), (300, 3600, 300), (3600, 300, 3600, 300)])
def test_the_lifetime_may_change_at_any_refresh(
    system: LocalSystem, acme: Connection, lifetimes: tuple[int, ...]
) -> None:
    oauth(system).access_token_seconds = lifetimes[0]
    connected(system, acme)
    add_to_secret(system, "rillet", webhook_token="from-rillet-0123")
    warm = process(system)

    for lifetime in lifetimes[1:]:
        oauth(system).access_token_seconds = lifetime
        system.advance(2 * HOUR)
        assert whoami(warm)() == "org-acme"
        assert whoami(process(system))() == "org-acme"
        assert secret(system)["token_in"] == ("parameter" if lifetime < 600 else "secret")

    assert oauth(system).counts.refreshes == len(lifetimes) - 1
    assert oauth(system).counts.reuses == 0
    assert secret(system)["webhook_token"] == "from-rillet-0123"


def test_the_status_and_the_export_know_them(system: LocalSystem, short: Connection) -> None:
    system.advance(HOUR)
    status = ask(system, action="status")
    finalise(system, short)
    system.settle()

    assert status["organisation"] == {"id": "org-acme", "name": "Acme Inc."}
    assert status["scopes"] == ["read", "write"]
    assert "action_needed" not in status
    assert len(rillet_invoices(short, FIRST)) == 1


def test_a_broken_connection_is_mended_by_connecting_again(system: LocalSystem, short: Connection) -> None:
    oauth(system).revoke_all(short.organisation)
    broken = ask(system, action="status")

    connect(system, short)

    assert broken["action_needed"] == "reconnect"
    assert "action_needed" not in ask(system, action="status")
    assert whoami(process(system))() == "org-acme"


def test_connections_keep_them_apart(system: LocalSystem, short: Connection) -> None:
    connected(system, add_connection(system, "other", "Other Ltd"))

    parameters = all_parameters(system)

    assert {name for name in parameters if name.endswith("/rillet-token")} == {
        TOKEN,
        f"/{STACK}/other/rillet-token",
    }
    assert whoami(process(system), "other")() == "org-other"
    assert whoami(process(system))() == "org-acme"


def test_a_token_that_lives_no_time_at_all_is_used_once(system: LocalSystem, acme: Connection) -> None:
    """A lifetime of zero would be Rillet's mistake; it must not become an endless loop of ours."""
    connected(system, acme)
    system.advance(2 * HOUR)
    system.rillet.state.misbehave(
        "status",
        "POST",
        "/oauth2/token",
        status=200,
        body={"access_token": "of-no-time-0123", "expires_in": 0},
    )
    runtime = process(system)

    assert bearer(runtime) == "of-no-time-0123"


@pytest.mark.parametrize("expires_in", [None, -5, 3600.5])
def test_a_lifetime_that_rillet_does_not_say_is_taken_for_an_hour(
    system: LocalSystem, working: Connection, expires_in: object
) -> None:
    system.advance(2 * HOUR)
    body = {"access_token": "of-some-time-0123", "refresh_token": "next-0123", "expires_in": expires_in}
    system.rillet.state.misbehave("status", "POST", "/oauth2/token", status=200, body=body)

    bearer(process(system))

    assert secret(system)["lifetime"] == "3600"
