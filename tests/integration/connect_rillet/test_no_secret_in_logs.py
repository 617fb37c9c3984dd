"""No token, code, state, verifier, key or secret is in any log line or metric (see ``conftest``)."""

import logging
from collections.abc import Callable

import pytest
import requests

from local import sample_data
from tests.integration.connect_rillet.captured_logs import Logs
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    OAuthConnection,
    all_secrets,
    callback,
    query_of,
    secret,
    states,
)

pytestmark = pytest.mark.slow

LEAKS: dict[str, Callable[[str], object]] = {
    "a line of the product": lambda text: logging.getLogger("solvimon_rillet.x").debug(text),
    "a field of a line": lambda text: logging.getLogger("connect_rillet").info("x", extra={"y": {"z": text}}),
    "a line of a library": lambda text: logging.getLogger("authlib").warning(text),
    "a metric": lambda text: print(f'{{"_aws": {{}}, "connection": "{text}"}}'),  # noqa: T201
}


@pytest.mark.parametrize("leak", LEAKS)
def test_these_tests_detect_a_leak(working: OAuthConnection, logs: Logs, leak: str) -> None:
    """And so do all others here, since they capture logs in the same way."""
    LEAKS[leak](working.secret["access_token"])

    found = logs.leaks()

    logs.secrets.clear()
    assert len(found) == 1


def test_they_know_every_kind_of_secret(acme: OAuthConnection, logs: Logs) -> None:
    query = query_of(acme.grant())
    [state] = states(acme.system)
    callback(acme.system, query)
    acme.add_to_secret("webhooks", webhook_token="from-rillet-0123")
    acme.advance(2 * HOUR)
    acme.status()

    kept = acme.secret
    assert logs.secrets >= {
        query["state"],
        query["code"],
        state["verifier"],
        kept["access_token"],
        kept["refresh_token"],
        secret(acme.system, "rillet-oauth-client")["client_secret"],
        acme.solvimon_api_key,
        acme.webhook_secret,
        "from-rillet-0123",
        *acme.oauth.tokens,
        *acme.oauth.codes,
    }
    assert len(acme.oauth.tokens) == 4


def test_the_state_is_not_in_the_table_and_the_verifier_not_in_the_url(acme: OAuthConnection) -> None:
    url = acme.start()

    [kept] = states(acme.system)
    assert query_of(url)["state"] not in str(kept)
    assert kept["verifier"] not in url
    assert kept["expires_at"] == kept["ends"]


def test_a_day_of_success_and_failure_logs_no_secret(working: OAuthConnection, logs: Logs) -> None:
    """Whatever can go wrong goes wrong once, at the most detailed log level."""
    fake = working.rillet
    working.finalise()
    for kind in ("status", "malformed", "drop"):
        working.advance(2 * HOUR)
        fake.misbehave(kind, "POST", "/oauth2/token")
        working.settle()
    for kind in ("status", "malformed", "drop"):
        fake.misbehave(kind, "POST", "/oauth2/token")
        callback(working.system, query_of(working.grant()))
    callback(working.system, query_of(working.grant("deny")))
    working.connected()
    fake.misbehave("status", "*", "/", status=401, times=3)
    working.finalise(sample_data.invoice_id("discount"))
    working.settle()
    working.oauth.revoke_all(working.organisation)
    working.pass_time(1, 900)
    working.status()
    working.disconnect()
    working.put_secret("rillet", {"auth": "api_key", "api_key": "mistyped-key-0123"})
    working.put_secret("solvimon", {"api_key": "mistyped-key-4567"})
    working.status()
    working.system.aws.secretsmanager.put_secret_value(
        SecretId=f"solvimon-rillet/{ACME}/rillet", SecretString="{half a secret-0123"
    )
    logs.secrets.add("half a secret-0123")
    working.status()
    requests.post(
        f"{working.system.gateway.url}/webhooks/rillet/{ACME}",
        data=b"{}",
        headers={"x-rillet-id": "1"},
        timeout=5,
    )

    levels = {line.get("level") for line in logs.lines}
    assert logs.leaks() == []
    assert levels >= {"INFO", "WARNING", "ERROR"}
    assert logs.metrics[("ConnectionBroken", "export_invoice", ACME)] > 0
    assert len(all_secrets(working.system)) >= 3


def test_a_request_is_logged_by_its_path_without_its_query(working: OAuthConnection, logs: Logs) -> None:
    working.finalise()
    working.settle()

    calls = logs.with_message("call")
    assert {line["vendor"] for line in calls} == {"Solvimon", "Rillet"}
    assert all("?" not in line["path"] for line in calls)
