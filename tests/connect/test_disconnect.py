"""Disconnecting revokes the tokens at Rillet and forgets them here, and touches nothing else."""

import threading
from typing import Any

import pytest

from local import demo_data
from local.rillet_twin.oauth.grants import REFRESH
from local.stack import Connection, LocalStack
from solvimon_rillet.rillet.oauth import Grant, RilletOAuth
from solvimon_rillet.tokens import Tokens
from tests.connect.support import (
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
from tests.export.support import FIRST, dead, finalise, record, rillet_invoices, waiting


def alive(stack: LocalStack) -> list[str]:
    """The kinds of the tokens that Rillet still takes."""
    return [token.kind for token in oauth(stack).tokens.values() if token.alive(stack.clock.now())]


@pytest.mark.parametrize("lifetime", [3600, 300])
def test_tokens_are_revoked_at_rillet_and_forgotten_here(
    stack: LocalStack, acme: Connection, lifetime: int
) -> None:
    oauth(stack).access_token_seconds = lifetime
    connected(stack, acme)
    add_to_secret(stack, "rillet", webhook_token="from-rillet-0123")

    answer = ask(stack, action="disconnect")

    kept = str(all_secrets(stack)) + str(all_parameters(stack))
    assert answer == {
        "connection": ACME,
        "disconnected": True,
        "revoked": True,
        "note": "The tokens are revoked and forgotten.",
    }
    assert alive(stack) == []
    assert [token for token in oauth(stack).tokens if token in kept] == []
    assert secret(stack)["webhook_token"] == "from-rillet-0123"
    assert f"/{STACK}/{ACME}/rillet-token" not in all_parameters(stack)


def test_a_public_client_is_told_that_rillet_was_not(stack: LocalStack, acme: Connection) -> None:
    oauth(stack).add_client(STACK, None, redirect_uris=[stack.deployment.outputs["OAuthRedirectUri"]])
    stack.configuration.put_secret("rillet-oauth-client", {"client_id": STACK})
    connected(stack, acme)

    answer = ask(stack, action="disconnect")

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert "a client without a secret may not revoke" in answer["note"]
    assert "Remove the app's access in Rillet" in answer["note"]
    assert "access_token" not in secret(stack)
    assert REFRESH in alive(stack)


def test_a_client_that_rillet_does_not_know_is_told_to_remove_the_access_by_hand(
    stack: LocalStack, working: Connection
) -> None:
    del oauth(stack).clients[STACK]

    answer = ask(stack, action="disconnect")

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert "without a secret" not in answer["note"]
    assert "Remove the app's access in Rillet" in answer["note"]


def test_disconnecting_twice_says_that_there_was_nothing(stack: LocalStack, working: Connection) -> None:
    ask(stack, action="disconnect")

    answer = ask(stack, action="disconnect")

    assert (answer["disconnected"], answer["revoked"]) == (True, False)
    assert answer["note"] == "There was no token to revoke."


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_nothing_is_forgotten_while_rillet_is_down(stack: LocalStack, working: Connection, kind: str) -> None:
    stack.rillet.state.misbehave(kind, "POST", "/oauth2/revoke", status=503)
    before = secret(stack)

    failed = ask(stack, action="disconnect")
    kept = secret(stack)
    again = ask(stack, action="disconnect")

    assert set(failed) == {"error", "remedy"}
    assert kept == before
    assert again["revoked"] is True


def test_an_api_key_stays_in_its_secret(stack: LocalStack) -> None:
    stack.connect(ACME)
    before = everything(stack)["secrets"]

    answer = ask(stack, action="disconnect")

    assert answer["disconnected"] is False
    assert "API key" in answer["note"]
    assert everything(stack)["secrets"] == before


def test_another_connection_goes_on(stack: LocalStack, working: Connection) -> None:
    other = connected(stack, add_connection(stack, "other", "Other Ltd", world=True))
    finalise(stack, other)

    ask(stack, action="disconnect")
    stack.settle()

    assert check(ask(stack, "other", "status"), "Rillet")["ok"]
    assert len(rillet_invoices(other, FIRST)) == 1


def test_messages_wait_while_nothing_is_connected_and_go_on_by_themselves(
    stack: LocalStack, working: Connection, heard: Heard
) -> None:
    ask(stack, action="disconnect")
    finalise(stack, working)
    stack.settle()
    for _ in range(6):
        stack.advance(300)
        stack.settle()
    in_between = waiting(stack).total, dead(stack), len(stack.rillet.state.calls)
    tries = [line for line in heard.lines if line.get("message") == "document must wait"]

    connected(stack, working)
    stack.advance(300)
    stack.settle()

    assert in_between[:2] == (1, [])
    assert len(tries) == 7
    assert all("connect_rillet" in line["reason"] for line in tries)
    assert record(stack, FIRST, ACME)["state"] == "exported"
    assert len(rillet_invoices(working)) == 1
    assert waiting(stack).total == 0


def test_a_refresh_under_way_does_not_bring_the_tokens_back(
    stack: LocalStack, working: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refresh waits at Rillet until the disconnect has begun, and writes before it."""
    begun, refresh, take_lease = threading.Event(), RilletOAuth.refresh, Tokens._take_lease
    answers: list[Any] = []
    person = threading.Thread(target=lambda: answers.append(ask(stack, action="disconnect")))

    def slow_refresh(self: RilletOAuth, token: str) -> Grant:
        person.start()
        assert begun.wait(10)
        return refresh(self, token)

    def noticed(self: Tokens, owner: str) -> bool:
        taken = take_lease(self, owner)
        if not taken:
            begun.set()
        return taken

    monkeypatch.setattr(RilletOAuth, "refresh", slow_refresh)
    monkeypatch.setattr(Tokens, "_take_lease", noticed)
    monkeypatch.setattr("solvimon_rillet.tokens._STEP_SECONDS", 0.01)
    finalise(stack, working)
    stack.advance(2 * HOUR)
    stack.settle()
    person.join()

    assert answers[0]["revoked"] is True
    assert oauth(stack).counts.refreshes == 1
    assert alive(stack) == []
    assert "refresh_token" not in secret(stack)


@pytest.fixture
def warm(stack: LocalStack) -> Connection:
    """A connection of a public client, whose tokens a process of ``export_invoice`` remembers."""
    acme = add_connection(stack, world=True)
    oauth(stack).add_client(STACK, None, redirect_uris=[stack.deployment.outputs["OAuthRedirectUri"]])
    stack.configuration.put_secret("rillet-oauth-client", {"client_id": STACK})
    connected(stack, acme)
    finalise(stack, acme, demo_data.invoice_id("discount"))
    stack.settle()
    assert len(rillet_invoices(acme)) == 1
    return acme


def test_a_token_that_rillet_still_takes_is_not_used_for_longer_than_five_minutes(
    stack: LocalStack, warm: Connection
) -> None:
    """A public client cannot revoke, so a process that remembers the token has to forget it by itself."""
    ask(stack, action="disconnect")

    stack.advance(301)
    finalise(stack, warm)
    stack.settle()

    assert rillet_invoices(warm, FIRST) == []
    assert waiting(stack).total == 1


def test_an_api_key_in_the_place_of_the_tokens_is_used_within_five_minutes(
    stack: LocalStack, warm: Connection
) -> None:
    stack.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": "not-a-key-of-it"})

    stack.advance(301)
    finalise(stack, warm)
    stack.settle()

    assert rillet_invoices(warm, FIRST) == []
    assert waiting(stack).total == 1


def test_an_api_key_in_the_place_of_revoked_tokens_is_used_at_once(
    stack: LocalStack, warm: Connection
) -> None:
    stack.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": warm.rillet_api_key})
    oauth(stack).revoke_all(warm.organisation)

    finalise(stack, warm)
    stack.settle()

    assert len(rillet_invoices(warm, FIRST)) == 1
