"""No token, code, state, verifier, key or secret is in any log line or metric (see ``conftest``)."""

import logging
from collections.abc import Callable

import pytest
import requests

from local import sample_data
from local.system import Connection, LocalSystem
from tests.integration.connect_rillet.support import (
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
from tests.support.arrange import finalise

pytestmark = pytest.mark.slow

SPEAKERS: dict[str, Callable[[str], object]] = {
    "a line of the product": lambda told: logging.getLogger("solvimon_rillet.x").debug(told),
    "a field of a line": lambda told: logging.getLogger("connect_rillet").info("x", extra={"y": {"z": told}}),
    "a line of a library": lambda told: logging.getLogger("authlib").warning(told),
    "a metric": lambda told: print(f'{{"_aws": {{}}, "connection": "{told}"}}'),  # noqa: T201
}


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_these_tests_would_notice(
    system: LocalSystem, working: Connection, heard: Heard, speaker: str
) -> None:
    """And so do all others here, since they listen in the same way."""
    SPEAKERS[speaker](secret(system)["access_token"])

    told = heard.leaks()

    heard.secrets.clear()
    assert len(told) == 1


def test_they_know_every_kind_of_secret(system: LocalSystem, acme: Connection, heard: Heard) -> None:
    query = query_of(grant(system, start(system), acme.organisation))
    [state] = [item for item in system.ledger() if "#oauth-state#" in item["pk"]]
    callback(system, query)
    add_to_secret(system, "rillet", webhook_token="from-rillet-0123")
    system.advance(2 * HOUR)
    ask(system, action="status")

    kept = secret(system)
    assert heard.secrets >= {
        query["state"],
        query["code"],
        state["verifier"],
        kept["access_token"],
        kept["refresh_token"],
        secret(system, "rillet-oauth-client")["client_secret"],
        acme.solvimon_api_key,
        acme.webhook_secret,
        "from-rillet-0123",
        *oauth(system).tokens,
        *oauth(system).codes,
    }
    assert len(oauth(system).tokens) == 4


def test_the_state_is_not_in_the_table_and_the_verifier_not_in_the_url(
    system: LocalSystem, acme: Connection
) -> None:
    url = start(system)

    [kept] = [item for item in system.ledger() if "#oauth-state#" in item["pk"]]
    assert query_of(url)["state"] not in str(kept)
    assert kept["verifier"] not in url
    assert kept["expires_at"] == kept["ends"]


def test_a_day_of_success_and_failure_is_told_without_any(
    system: LocalSystem, working: Connection, heard: Heard
) -> None:
    """Whatever can go wrong goes wrong once, at the most talkative log level."""
    fake = system.rillet.state
    finalise(system, working)
    for kind in ("status", "malformed", "drop"):
        system.advance(2 * HOUR)
        fake.misbehave(kind, "POST", "/oauth2/token")
        system.settle()
    for kind in ("status", "malformed", "drop"):
        fake.misbehave(kind, "POST", "/oauth2/token")
        callback(system, query_of(grant(system, start(system), working.organisation)))
    callback(system, query_of(grant(system, start(system), working.organisation, "deny")))
    connected(system, working)
    fake.misbehave("status", "*", "/", status=401, times=3)
    finalise(system, working, sample_data.invoice_id("discount"))
    system.settle()
    oauth(system).revoke_all(working.organisation)
    system.advance(900)
    system.settle()
    ask(system, action="status")
    ask(system, action="disconnect")
    system.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": "mistyped-key-0123"})
    system.put_secret(ACME, "solvimon", {"api_key": "mistyped-key-4567", "webhook_secret": "s" * 20})
    ask(system, action="status")
    system.aws.secretsmanager.put_secret_value(
        SecretId=f"solvimon-rillet/{ACME}/rillet", SecretString="{half a secret-0123"
    )
    heard.secrets.add("half a secret-0123")
    ask(system, action="status")
    requests.post(
        f"{system.gateway.url}/webhooks/rillet/{ACME}", data=b"{}", headers={"x-rillet-id": "1"}, timeout=5
    )

    levels = {line.get("level") for line in heard.lines}
    assert heard.leaks() == []
    assert levels >= {"INFO", "WARNING", "ERROR"}
    assert heard.counted[("ConnectionBroken", "export_invoice", ACME)] > 0
    assert len(all_secrets(system)) >= 3


def test_a_request_is_logged_by_its_path_without_its_query(
    system: LocalSystem, working: Connection, heard: Heard
) -> None:
    finalise(system, working)
    system.settle()

    calls = [line for line in heard.lines if line.get("message") == "call"]
    assert {line["vendor"] for line in calls} == {"Solvimon", "Rillet"}
    assert all("?" not in line["path"] for line in calls)
