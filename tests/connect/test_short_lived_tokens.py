"""Tokens that live under ten minutes are kept out of Secrets Manager, which keeps every version for a day."""

from collections import Counter
from typing import Any

import pytest
from botocore.client import BaseClient

from local.stack import Connection, LocalStack
from tests.connect.support import (
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
from tests.export.support import FIRST, finalise, rillet_invoices

pytestmark = pytest.mark.slow

TOKEN = f"/{STACK}/{ACME}/rillet-token"


@pytest.fixture
def short(stack: LocalStack) -> Connection:
    """A connection whose tokens live for five minutes."""
    oauth(stack).access_token_seconds = 300
    return connected(stack, add_connection(stack, world=True))


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
    stack: LocalStack, acme: Connection, lifetime: int, where: str
) -> None:
    oauth(stack).access_token_seconds = lifetime

    connected(stack, acme)

    assert secret(stack)["token_in"] == where
    assert (TOKEN in all_parameters(stack)) is (where == "parameter")


def test_the_parameter_is_encrypted(stack: LocalStack, short: Connection) -> None:
    [found] = [
        parameter
        for parameter in stack.aws.ssm.describe_parameters()["Parameters"]
        if parameter["Name"] == TOKEN
    ]

    assert found["Type"] == "SecureString"


def test_fifty_refreshes_write_the_secret_no_more(
    stack: LocalStack, short: Connection, written: Counter[str]
) -> None:
    runtime = process(stack)

    for _ in range(50):
        stack.advance(250)
        bearer(runtime)

    assert oauth(stack).counts.refreshes == 50
    assert oauth(stack).counts.reuses == 0
    assert written == {f"PutParameter {TOKEN}": 50}


def test_connecting_again_writes_the_secret_no_more_either(
    stack: LocalStack, short: Connection, written: Counter[str]
) -> None:
    before = bearer(process(stack))

    connected(stack, short)

    assert bearer(process(stack)) != before
    assert written[f"PutSecretValue {STACK}/{ACME}/rillet"] == 0


@pytest.mark.parametrize("passed", [0, 200, 245, 299, 301, HOUR])
def test_every_process_finds_the_newest_token(stack: LocalStack, short: Connection, passed: int) -> None:
    first, second = process(stack), process(stack)
    whoami(first)()
    whoami(second)()

    stack.advance(passed)
    found = {whoami(first)(), whoami(second)(), whoami(process(stack))()}

    assert found == {"org-acme"}
    assert bearer(first) == bearer(second)
    assert oauth(stack).counts.refreshes == (passed > 240)
    assert oauth(stack).counts.reuses == 0


@pytest.mark.parametrize("lifetimes", [(300, 3600), (3600, 300), (300, 3600, 300), (3600, 300, 3600, 300)])
def test_the_lifetime_may_change_at_any_refresh(
    stack: LocalStack, acme: Connection, lifetimes: tuple[int, ...]
) -> None:
    oauth(stack).access_token_seconds = lifetimes[0]
    connected(stack, acme)
    add_to_secret(stack, "rillet", webhook_token="from-rillet-0123")
    warm = process(stack)

    for lifetime in lifetimes[1:]:
        oauth(stack).access_token_seconds = lifetime
        stack.advance(2 * HOUR)
        assert whoami(warm)() == "org-acme"
        assert whoami(process(stack))() == "org-acme"
        assert secret(stack)["token_in"] == ("parameter" if lifetime < 600 else "secret")

    assert oauth(stack).counts.refreshes == len(lifetimes) - 1
    assert oauth(stack).counts.reuses == 0
    assert secret(stack)["webhook_token"] == "from-rillet-0123"


def test_the_status_and_the_export_know_them(stack: LocalStack, short: Connection) -> None:
    stack.advance(HOUR)
    status = ask(stack, action="status")
    finalise(stack, short)
    stack.settle()

    assert status["organisation"] == {"id": "org-acme", "name": "Acme Inc."}
    assert status["scopes"] == ["read", "write"]
    assert "action_needed" not in status
    assert len(rillet_invoices(short, FIRST)) == 1


def test_a_broken_connection_is_mended_by_connecting_again(stack: LocalStack, short: Connection) -> None:
    oauth(stack).revoke_all(short.organisation)
    broken = ask(stack, action="status")

    connect(stack, short)

    assert broken["action_needed"] == "reconnect"
    assert "action_needed" not in ask(stack, action="status")
    assert whoami(process(stack))() == "org-acme"


def test_connections_keep_them_apart(stack: LocalStack, short: Connection) -> None:
    connected(stack, add_connection(stack, "other", "Other Ltd"))

    parameters = all_parameters(stack)

    assert {name for name in parameters if name.endswith("/rillet-token")} == {
        TOKEN,
        f"/{STACK}/other/rillet-token",
    }
    assert whoami(process(stack), "other")() == "org-other"
    assert whoami(process(stack))() == "org-acme"


def test_a_token_that_lives_no_time_at_all_is_used_once(stack: LocalStack, acme: Connection) -> None:
    """A lifetime of zero would be Rillet's mistake; it must not become an endless loop of ours."""
    connected(stack, acme)
    stack.advance(2 * HOUR)
    stack.rillet.state.misbehave(
        "status",
        "POST",
        "/oauth2/token",
        status=200,
        body={"access_token": "of-no-time-0123", "expires_in": 0},
    )
    runtime = process(stack)

    assert bearer(runtime) == "of-no-time-0123"


@pytest.mark.parametrize("expires_in", [None, -5, 3600.5])
def test_a_lifetime_that_rillet_does_not_say_is_taken_for_an_hour(
    stack: LocalStack, working: Connection, expires_in: object
) -> None:
    stack.advance(2 * HOUR)
    body = {"access_token": "of-some-time-0123", "refresh_token": "next-0123", "expires_in": expires_in}
    stack.rillet.state.misbehave("status", "POST", "/oauth2/token", status=200, body=body)

    bearer(process(stack))

    assert secret(stack)["lifetime"] == "3600"
