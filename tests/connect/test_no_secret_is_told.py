"""No token, code, state, verifier, key or secret is in any log line or metric (see ``conftest``)."""

import logging
from collections.abc import Callable

import pytest
import requests

from local import demo_data
from local.stack import Connection, LocalStack
from tests.connect.support import (
    ACME,
    HOUR,
    Heard,
    add_to_secret,
    all_secrets,
    ask,
    callback,
    connected,
    grant,
    oauth,
    query_of,
    secret,
    start,
)
from tests.export.support import finalise

pytestmark = pytest.mark.slow

SPEAKERS: dict[str, Callable[[str], object]] = {
    "a line of the product": lambda told: logging.getLogger("solvimon_rillet.x").debug(told),
    "a field of a line": lambda told: logging.getLogger("connect_rillet").info("x", extra={"y": {"z": told}}),
    "a line of a library": lambda told: logging.getLogger("authlib").info(told),
    "a metric": lambda told: print(f'{{"_aws": {{}}, "connection": "{told}"}}'),  # noqa: T201
}


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_these_tests_would_notice(stack: LocalStack, working: Connection, heard: Heard, speaker: str) -> None:
    """And so do all others here, since they listen in the same way."""
    SPEAKERS[speaker](secret(stack)["access_token"])

    told = heard.leaks()

    heard.secrets.clear()
    assert len(told) == 1


def test_they_know_every_kind_of_secret(stack: LocalStack, acme: Connection, heard: Heard) -> None:
    query = query_of(grant(stack, start(stack), acme.organisation))
    [state] = [item for item in stack.ledger() if "#oauth-state#" in item["pk"]]
    callback(stack, query)
    add_to_secret(stack, "rillet", webhook_token="from-rillet-0123")
    stack.advance(2 * HOUR)
    ask(stack, action="status")

    kept = secret(stack)
    assert heard.secrets >= {
        query["state"],
        query["code"],
        state["verifier"],
        kept["access_token"],
        kept["refresh_token"],
        secret(stack, "rillet-oauth-client")["client_secret"],
        acme.solvimon_api_key,
        acme.webhook_secret,
        "from-rillet-0123",
        *oauth(stack).tokens,
        *oauth(stack).codes,
    }
    assert len(oauth(stack).tokens) == 4


def test_the_state_is_not_in_the_table_and_the_verifier_not_in_the_url(
    stack: LocalStack, acme: Connection
) -> None:
    url = start(stack)

    [kept] = [item for item in stack.ledger() if "#oauth-state#" in item["pk"]]
    assert query_of(url)["state"] not in str(kept)
    assert kept["verifier"] not in url
    assert kept["expires_at"] == kept["ends"]


def test_a_day_of_success_and_failure_is_told_without_any(
    stack: LocalStack, working: Connection, heard: Heard
) -> None:
    """Whatever can go wrong goes wrong once, at the most talkative log level."""
    twin = stack.rillet.state
    finalise(stack, working)
    for kind in ("status", "malformed", "drop"):
        stack.advance(2 * HOUR)
        twin.misbehave(kind, "POST", "/oauth2/token")
        stack.settle()
    for kind in ("status", "malformed", "drop"):
        twin.misbehave(kind, "POST", "/oauth2/token")
        callback(stack, query_of(grant(stack, start(stack), working.organisation)))
    callback(stack, query_of(grant(stack, start(stack), working.organisation, "deny")))
    connected(stack, working)
    twin.misbehave("status", "*", "/", status=401, times=3)
    finalise(stack, working, demo_data.invoice_id("discount"))
    stack.settle()
    oauth(stack).revoke_all(working.organisation)
    stack.advance(900)
    stack.settle()
    ask(stack, action="status")
    ask(stack, action="disconnect")
    stack.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": "mistyped-key-0123"})
    stack.put_secret(ACME, "solvimon", {"api_key": "mistyped-key-4567", "webhook_secret": "s" * 20})
    ask(stack, action="status")
    stack.aws.secretsmanager.put_secret_value(
        SecretId=f"solvimon-rillet/{ACME}/rillet", SecretString="{half a secret-0123"
    )
    heard.secrets.add("half a secret-0123")
    ask(stack, action="status")
    requests.post(
        f"{stack.gateway.url}/webhooks/rillet/{ACME}", data=b"{}", headers={"x-rillet-id": "1"}, timeout=5
    )

    levels = {line.get("level") for line in heard.lines}
    assert heard.leaks() == []
    assert levels >= {"INFO", "WARNING", "ERROR"}
    assert heard.counted[("ConnectionBroken", "export_invoice", ACME)] > 0
    assert len(all_secrets(stack)) >= 3


def test_a_request_is_logged_by_its_path_without_its_query(
    stack: LocalStack, working: Connection, heard: Heard
) -> None:
    finalise(stack, working)
    stack.settle()

    calls = [line for line in heard.lines if line.get("message") == "call"]
    assert {line["vendor"] for line in calls} == {"Solvimon", "Rillet"}
    assert all("?" not in line["path"] for line in calls)
