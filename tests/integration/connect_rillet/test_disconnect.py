"""Disconnecting revokes the tokens at Rillet and forgets them here, and touches nothing else."""

import threading
from typing import Any

import pytest

from local import sample_data
from local.fake_rillet.oauth.grants import REFRESH
from local.system import Connection, LocalSystem
from solvimon_rillet.connections.rillet_tokens import RilletTokens
from solvimon_rillet.rillet.oauth import Grant, RilletOAuth
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    STACK,
    Heard,
    add_connection,
    add_to_secret,
    all_parameters,
    all_secrets,
    ask,
    check,
    connected,
    everything,
    oauth,
    secret,
)
from tests.support.arrange import finalise
from tests.support.assertions import dead_letters, record, rillet_invoices, waiting
from tests.support.builders import FIRST


def alive(system: LocalSystem) -> list[str]:
    """The kinds of the tokens that Rillet still takes."""
    return [token.kind for token in oauth(system).tokens.values() if token.alive(system.clock.now())]


@pytest.mark.parametrize("lifetime", [3600, 300])
def test_tokens_are_revoked_at_rillet_and_forgotten_here(
    system: LocalSystem, acme: Connection, lifetime: int
) -> None:
    oauth(system).access_token_seconds = lifetime
    connected(system, acme)
    add_to_secret(system, "rillet", webhook_token="from-rillet-0123")

    answer = ask(system, action="disconnect")

    kept = str(all_secrets(system)) + str(all_parameters(system))
    assert answer == {
        "connection": ACME,
        "disconnected": True,
        "revoked": True,
        "note": "The tokens are revoked and forgotten.",
    }
    assert alive(system) == []
    assert [token for token in oauth(system).tokens if token in kept] == []
    assert secret(system)["webhook_token"] == "from-rillet-0123"
    assert f"/{STACK}/{ACME}/rillet-token" not in all_parameters(system)


def test_a_public_client_is_told_that_rillet_was_not(system: LocalSystem, acme: Connection) -> None:
    oauth(system).add_client(STACK, None, redirect_uris=[system.deployment.outputs["OAuthRedirectUri"]])
    system.configuration.put_secret("rillet-oauth-client", {"client_id": STACK})
    connected(system, acme)

    answer = ask(system, action="disconnect")

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert "a client without a secret may not revoke" in answer["note"]
    assert "Remove the app's access in Rillet" in answer["note"]
    assert "access_token" not in secret(system)
    assert REFRESH in alive(system)


def test_a_client_that_rillet_does_not_know_is_told_to_remove_the_access_by_hand(
    system: LocalSystem, working: Connection
) -> None:
    del oauth(system).clients[STACK]

    answer = ask(system, action="disconnect")

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert "without a secret" not in answer["note"]
    assert "Remove the app's access in Rillet" in answer["note"]


def test_disconnecting_twice_says_that_there_was_nothing(system: LocalSystem, working: Connection) -> None:
    ask(system, action="disconnect")

    answer = ask(system, action="disconnect")

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert answer["note"] == "There was no token to revoke."


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_nothing_is_forgotten_while_rillet_is_down(
    system: LocalSystem, working: Connection, kind: str
) -> None:
    system.rillet.state.misbehave(kind, "POST", "/oauth2/revoke", status=503)
    before = secret(system)

    failed = ask(system, action="disconnect")
    kept = secret(system)
    again = ask(system, action="disconnect")

    assert set(failed) == {"error", "remedy"}
    assert kept == before
    assert again["revoked"] is True


def test_an_api_key_stays_in_its_secret(system: LocalSystem) -> None:
    system.connect(ACME)
    before = everything(system)["secrets"]

    answer = ask(system, action="disconnect")

    assert answer["disconnected"] is False
    assert "API key" in answer["note"]
    assert everything(system)["secrets"] == before


def test_another_connection_goes_on(system: LocalSystem, working: Connection) -> None:
    other = connected(system, add_connection(system, "other", "Other Ltd", world=True))
    finalise(system, other)

    ask(system, action="disconnect")
    system.settle()

    assert check(ask(system, "other", "status"), "Rillet")["ok"]
    assert len(rillet_invoices(other, FIRST)) == 1


def test_messages_wait_while_nothing_is_connected_and_go_on_by_themselves(
    system: LocalSystem, working: Connection, heard: Heard
) -> None:
    ask(system, action="disconnect")
    finalise(system, working)
    system.settle()
    for _ in range(6):
        system.advance(300)
        system.settle()
    in_between = waiting(system).total, dead_letters(system), len(system.rillet.state.calls)
    tries = [line for line in heard.lines if line.get("message") == "document must wait"]

    connected(system, working)
    system.advance(300)
    system.settle()

    assert in_between[:2] == (1, [])
    assert len(tries) == 7
    assert all("connect_rillet" in line["reason"] for line in tries)
    assert record(system, FIRST, ACME)["state"] == "exported"
    assert len(rillet_invoices(working)) == 1
    assert waiting(system).total == 0


def test_a_refresh_under_way_does_not_bring_the_tokens_back(
    system: LocalSystem, working: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refresh waits at Rillet until the disconnect has begun, and writes before it."""
    begun, refresh, take_lease = threading.Event(), RilletOAuth.refresh, RilletTokens._acquire_lease
    answers: list[Any] = []
    person = threading.Thread(target=lambda: answers.append(ask(system, action="disconnect")))

    def slow_refresh(self: RilletOAuth, token: str) -> Grant:
        person.start()
        assert begun.wait(10)
        return refresh(self, token)

    def noticed(self: RilletTokens, owner: str) -> bool:
        taken = take_lease(self, owner)
        if not taken:
            begun.set()
        return taken

    monkeypatch.setattr(RilletOAuth, "refresh", slow_refresh)
    monkeypatch.setattr(RilletTokens, "_acquire_lease", noticed)
    monkeypatch.setattr("solvimon_rillet.connections.rillet_tokens._POLL_SECONDS", 0.01)
    finalise(system, working)
    system.advance(2 * HOUR)
    system.settle()
    person.join()

    assert answers[0]["revoked"] is True
    assert oauth(system).counts.refreshes == 1
    assert alive(system) == []
    assert "refresh_token" not in secret(system)


@pytest.fixture
def warm(system: LocalSystem) -> Connection:
    """A connection of a public client, whose tokens a process of ``export_invoice`` remembers."""
    acme = add_connection(system, world=True)
    oauth(system).add_client(STACK, None, redirect_uris=[system.deployment.outputs["OAuthRedirectUri"]])
    system.configuration.put_secret("rillet-oauth-client", {"client_id": STACK})
    connected(system, acme)
    finalise(system, acme, sample_data.invoice_id("discount"))
    system.settle()
    assert len(rillet_invoices(acme)) == 1
    return acme


def test_a_token_that_rillet_still_takes_is_not_used_for_longer_than_five_minutes(
    system: LocalSystem, warm: Connection
) -> None:
    """A public client cannot revoke, so a process that remembers the token has to forget it by itself."""
    ask(system, action="disconnect")

    system.advance(301)
    finalise(system, warm)
    system.settle()

    assert rillet_invoices(warm, FIRST) == []
    assert waiting(system).total == 1


def test_an_api_key_in_the_place_of_the_tokens_is_used_within_five_minutes(
    system: LocalSystem, warm: Connection
) -> None:
    system.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": "not-a-key-of-it"})

    system.advance(301)
    finalise(system, warm)
    system.settle()

    assert rillet_invoices(warm, FIRST) == []
    assert waiting(system).total == 1


def test_an_api_key_in_the_place_of_revoked_tokens_is_used_at_once(
    system: LocalSystem, warm: Connection
) -> None:
    system.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": warm.rillet_api_key})
    oauth(system).revoke_all(warm.organisation)

    finalise(system, warm)
    system.settle()

    assert len(rillet_invoices(warm, FIRST)) == 1
