"""Disconnecting revokes the tokens at Rillet and forgets them here, and touches nothing else."""

import threading

import pytest

from local import sample_data
from local.fake_rillet.oauth.tokens import REFRESH
from local.system import LocalSystem
from tests.integration.connect_rillet.captured_logs import Logs
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    STACK,
    Json,
    OAuthConnection,
    add_connection,
    all_parameters,
    all_secrets,
    ask,
    check,
    hold_refresh_until_lease_is_wanted,
    without_client_secret,
)
from tests.support.assertions import record
from tests.support.builders import FIRST


def alive(connection: OAuthConnection) -> list[str]:
    """The types of the tokens that Rillet still accepts."""
    now = connection.system.clock.now()
    return [token.kind for token in connection.oauth.tokens.values() if token.alive(now)]


@pytest.mark.parametrize("lifetime", [3600, 300])
def test_tokens_are_revoked_at_rillet_and_forgotten_here(acme: OAuthConnection, lifetime: int) -> None:
    acme.oauth.access_token_seconds = lifetime
    acme.connected()
    acme.add_to_secret("rillet", webhook_token="from-rillet-0123")

    answer = acme.disconnect()

    kept = str(all_secrets(acme.system)) + str(all_parameters(acme.system))
    assert answer == {
        "connection": ACME,
        "disconnected": True,
        "revoked": True,
        "note": "The tokens are revoked and forgotten.",
    }
    assert alive(acme) == []
    assert [token for token in acme.oauth.tokens if token in kept] == []
    assert acme.secret["webhook_token"] == "from-rillet-0123"
    assert f"/{STACK}/{ACME}/rillet-token" not in all_parameters(acme.system)


def test_a_public_client_reports_that_rillet_did_not_revoke(acme: OAuthConnection) -> None:
    without_client_secret(acme.system)
    acme.connected()

    answer = acme.disconnect()

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert "a client without a secret may not revoke" in answer["note"]
    assert "Remove the app's access in Rillet" in answer["note"]
    assert "access_token" not in acme.secret
    assert REFRESH in alive(acme)


def test_an_unknown_client_reports_to_remove_the_access_by_hand(working: OAuthConnection) -> None:
    del working.oauth.clients[STACK]

    answer = working.disconnect()

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert "without a secret" not in answer["note"]
    assert "Remove the app's access in Rillet" in answer["note"]


def test_disconnecting_twice_says_that_there_was_nothing(working: OAuthConnection) -> None:
    working.disconnect()

    answer = working.disconnect()

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert answer["note"] == "There was no token to revoke."


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_nothing_is_forgotten_while_rillet_is_down(working: OAuthConnection, kind: str) -> None:
    working.rillet.misbehave(kind, "POST", "/oauth2/revoke", status=503)
    before = working.secret

    failed = working.disconnect()
    kept = working.secret
    again = working.disconnect()

    assert set(failed) == {"error", "remedy"}
    assert kept == before
    assert again["revoked"] is True


def test_an_api_key_stays_in_its_secret(system: LocalSystem) -> None:
    system.connect(ACME)
    before = all_secrets(system)

    answer = ask(system, action="disconnect")

    assert answer["disconnected"] is False
    assert "API key" in answer["note"]
    assert all_secrets(system) == before


def test_another_connection_continues(working: OAuthConnection) -> None:
    other = add_connection(working.system, "other", "Other Ltd", records=True).connected()
    other.finalise()

    working.disconnect()
    working.settle()

    assert check(other.status(), "Rillet")["ok"]
    assert len(other.rillet_invoices(FIRST)) == 1


def test_messages_wait_while_disconnected_and_then_continue(working: OAuthConnection, logs: Logs) -> None:
    working.disconnect()
    working.finalise()
    working.settle()
    working.pass_time(6, 300)
    in_between = working.waiting, working.dead, len(working.rillet.calls)
    tries = logs.with_message("document must wait")

    working.connected()
    working.pass_time(1, 300)

    assert in_between[:2] == (1, [])
    assert len(tries) == 7
    assert all("connect_rillet" in line["reason"] for line in tries)
    assert record(working.system, FIRST, ACME)["state"] == "exported"
    assert len(working.rillet_invoices()) == 1
    assert working.waiting == 0


def test_a_refresh_that_runs_during_the_disconnect_does_not_bring_the_tokens_back(
    working: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Json] = []
    person = threading.Thread(target=lambda: answers.append(working.disconnect()))
    hold_refresh_until_lease_is_wanted(monkeypatch, person)
    working.finalise()
    working.advance(2 * HOUR)

    working.settle()
    person.join()

    assert answers[0]["revoked"] is True
    assert working.refreshes[0] == 1
    assert alive(working) == []
    assert "refresh_token" not in working.secret


@pytest.fixture
def warm(system: LocalSystem) -> OAuthConnection:
    """A connection of a public client, whose tokens a process of ``export_invoice`` remembers."""
    acme = add_connection(system, records=True)
    without_client_secret(acme.system)
    acme.connected()
    acme.finalise(sample_data.invoice_id("discount"))
    acme.settle()
    assert len(acme.rillet_invoices()) == 1
    return acme


@pytest.mark.parametrize("change", ["disconnect", "API key"])
def test_tokens_are_not_used_five_minutes_after_a_change(warm: OAuthConnection, change: str) -> None:
    """Also where Rillet still accepts them, as a public client cannot revoke."""
    if change == "disconnect":
        warm.disconnect()
    else:
        warm.put_secret("rillet", {"auth": "api_key", "api_key": "not-a-key-of-it"})

    warm.advance(301)
    warm.finalise()
    warm.settle()

    assert warm.rillet_invoices(FIRST) == []
    assert warm.waiting == 1


def test_an_api_key_in_the_place_of_revoked_tokens_is_used_at_once(warm: OAuthConnection) -> None:
    warm.put_secret("rillet", {"auth": "api_key", "api_key": warm.rillet_api_key})
    warm.oauth.revoke_all(warm.organisation)

    warm.finalise()
    warm.settle()

    assert len(warm.rillet_invoices(FIRST)) == 1
