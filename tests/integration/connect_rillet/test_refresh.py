"""Tokens are refreshed ahead of their end and after a 401, by one worker at a time."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

from local import sample_data
from local.system import Connection, LocalSystem
from solvimon_rillet.connections.rillet_tokens import RilletTokens
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.rillet.oauth import Grant, RilletOAuth
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    Heard,
    add_connection,
    add_to_secret,
    ask,
    bearer,
    connected,
    grant,
    oauth,
    open_page,
    process,
    secret,
    start,
    whoami,
)
from tests.support.arrange import finalise, until
from tests.support.assertions import rillet_invoices, waiting

pytestmark = pytest.mark.slow

SOME = tuple(sample_data.invoice_id(name) for name in ("first", "discount", "usage-tiers", "yen"))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for another worker looks again at once."""
    monkeypatch.setattr("solvimon_rillet.connections.rillet_tokens._POLL_SECONDS", 0.005)


def refreshes(system: LocalSystem) -> tuple[int, int]:
    """How often Rillet refreshed, and how often it saw a token that was used up."""
    counts = oauth(system).counts
    return counts.refreshes, counts.reuses


def all_at_once(*work: Callable[[], object]) -> list[Any]:
    """Do everything at the same moment, each in a thread of its own."""
    ready, done = threading.Barrier(len(work)), list[Any]()

    def one(do: Callable[[], object]) -> None:
        ready.wait()
        try:
            done.append(do())
        except RetryLater as error:
            done.append(error)

    threads = [threading.Thread(target=one, args=(do,)) for do in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


@pytest.mark.parametrize(("passed", "refreshed"), [(0, 0), (3400, 0), (3500, 1), (3595, 1), (5 * HOUR, 1)])
def test_a_token_is_refreshed_ahead_of_its_end(
    system: LocalSystem, working: Connection, passed: int, refreshed: int
) -> None:
    call = whoami(process(system))
    call()

    system.advance(passed)
    call()
    call()

    assert refreshes(system) == (refreshed, 0)


def test_new_tokens_are_written_before_they_are_used(
    system: LocalSystem, working: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bool] = []
    runtime, taken = process(system), type(system.rillet.state.oauth).access_token

    def looking(self: Any, value: str) -> Any:  # noqa: ANN401 - the fake's own types
        written.append(secret(system)["access_token"] == value)
        return taken(self, value)

    system.advance(2 * HOUR)
    monkeypatch.setattr(type(system.rillet.state.oauth), "access_token", looking)
    whoami(runtime)()

    assert written == [True]


def test_twenty_threads_with_an_expired_token_refresh_once(system: LocalSystem, working: Connection) -> None:
    runtime = process(system)
    bearer(runtime)
    system.advance(2 * HOUR)

    tokens = all_at_once(*[lambda: bearer(runtime)] * 20)

    assert refreshes(system) == (1, 0)
    assert set(tokens) == {secret(system)["access_token"]}


def test_twenty_processes_with_an_expired_token_refresh_once(
    system: LocalSystem, working: Connection
) -> None:
    processes = [process(system) for _ in range(20)]
    for runtime in processes:
        bearer(runtime)
    system.advance(2 * HOUR)

    tokens = all_at_once(*[lambda runtime=runtime: bearer(runtime) for runtime in processes])

    assert refreshes(system) == (1, 0)
    assert set(tokens) == {secret(system)["access_token"]}


@pytest.mark.parametrize("processes", [1, 2])
def test_twenty_threads_that_get_a_401_refresh_once(
    system: LocalSystem, working: Connection, processes: int
) -> None:
    calls = [whoami(process(system)) for _ in range(processes)]
    for call in calls:
        call()
    oauth(system).expire_access_tokens()

    found = all_at_once(*calls * (20 // processes))

    assert refreshes(system) == (1, 0)
    assert found == ["org-acme"] * 20


def test_twenty_messages_at_once_refresh_once(system: LocalSystem, working: Connection) -> None:
    finalise(system, working, *SOME)
    oauth(system).expire_access_tokens()

    system.start_workers(5)
    system.stop_workers()
    until(system, lambda: waiting(system).total == 0)

    assert refreshes(system) == (1, 0)
    assert len(rillet_invoices(working)) == len(SOME)


def test_who_finds_another_worker_refreshing_waits_for_its_token(
    system: LocalSystem, working: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one's call to Rillet lasts until the second one has found the lease taken."""
    second_waits, refresh, take_lease = threading.Event(), RilletOAuth.refresh, RilletTokens._acquire_lease
    first, second = process(system), process(system)
    system.advance(2 * HOUR)

    def slow(self: RilletOAuth, token: str) -> Grant:
        assert second_waits.wait(10)
        return refresh(self, token)

    def noticed(self: RilletTokens, owner: str) -> bool:
        taken = take_lease(self, owner)
        if not taken:
            second_waits.set()
        return taken

    monkeypatch.setattr(RilletOAuth, "refresh", slow)
    monkeypatch.setattr(RilletTokens, "_acquire_lease", noticed)

    tokens = all_at_once(lambda: bearer(first), lambda: bearer(second))

    assert refreshes(system) == (1, 0)
    assert set(tokens) == {secret(system)["access_token"]}


def test_who_has_a_token_with_some_time_left_does_not_wait(
    system: LocalSystem, working: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = process(system), process(system)
    before = bearer(first)
    system.advance(3500)
    refresh, seen = RilletOAuth.refresh, list[str]()

    def meanwhile(self: RilletOAuth, token: str) -> Grant:
        seen.append(bearer(second))
        return refresh(self, token)

    monkeypatch.setattr(RilletOAuth, "refresh", meanwhile)

    after = bearer(first)

    assert seen == [before]
    assert after != before
    assert bearer(second) == after
    assert refreshes(system) == (1, 0)


def test_who_waits_too_long_hands_its_message_back(
    system: LocalSystem, working: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = process(system), process(system)
    refresh, seen = RilletOAuth.refresh, list[RetryLater]()
    monkeypatch.setattr("solvimon_rillet.connections.rillet_tokens._MAX_WAIT_SECONDS", 0.02)
    system.advance(2 * HOUR)

    def meanwhile(self: RilletOAuth, token: str) -> Grant:
        with pytest.raises(RetryLater, match="Another worker is refreshing") as caught:
            bearer(second)
        seen.append(caught.value)
        return refresh(self, token)

    monkeypatch.setattr(RilletOAuth, "refresh", meanwhile)

    bearer(first)

    assert not isinstance(seen[0], ConnectionBroken)
    assert seen[0].after == 5
    assert refreshes(system) == (1, 0)


def test_connections_refresh_apart(system: LocalSystem, working: Connection) -> None:
    connected(system, add_connection(system, "other", "Other Ltd"))
    runtime = process(system)
    system.advance(2 * HOUR)

    found = all_at_once(whoami(runtime), whoami(runtime, "other"))

    assert sorted(found) == ["org-acme", "org-other"]
    assert refreshes(system) == (2, 0)


def test_rillet_may_keep_the_refresh_token(system: LocalSystem, acme: Connection) -> None:
    """Whether Rillet replaces it at every refresh is not documented."""
    oauth(system).refresh_rotation = False
    connected(system, acme)
    before, runtime = secret(system), process(system)

    for _ in range(3):
        system.advance(2 * HOUR)
        whoami(runtime)()

    after = secret(system)
    assert refreshes(system) == (3, 0)
    assert after["refresh_token"] == before["refresh_token"]
    assert after["access_token"] != before["access_token"]


def test_scopes_and_organisation_outlive_a_refresh(system: LocalSystem, working: Connection) -> None:
    before = secret(system)
    system.advance(2 * HOUR)

    bearer(process(system))

    after = secret(system)
    kept = ("auth", "scope", "organisation_id", "organisation_name", "lifetime", "token_in")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert int(after["expires_at"]) > system.clock.now() + 3500


class Stale:
    """Secrets Manager shows the version before for a number of reads of one secret."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, reads: int) -> None:
        self.left = reads
        call = vars(BaseClient)["_make_api_call"]

        def calling(client: BaseClient, operation: str, asked: dict[str, Any]) -> Any:  # noqa: ANN401
            if operation == "GetSecretValue" and asked["SecretId"].endswith("acme/rillet") and self.left:
                self.left -= 1
                asked = {**asked, "VersionStage": "AWSPREVIOUS"}
            return call(client, operation, asked)

        monkeypatch.setattr(BaseClient, "_make_api_call", calling)


@pytest.mark.parametrize("reads", [1, 2, 3])
@pytest.mark.parametrize("passed", [60, 2 * HOUR])
def test_a_stale_read_never_uses_an_old_refresh_token(
    system: LocalSystem, working: Connection, monkeypatch: pytest.MonkeyPatch, reads: int, passed: int
) -> None:
    """An old one would revoke the whole family at Rillet."""
    runtime = process(system)
    system.advance(2 * HOUR)
    bearer(process(system))
    system.advance(passed)
    stale = Stale(monkeypatch, reads)

    for _ in range(3):
        with contextlib.suppress(RetryLater):
            bearer(runtime)
        system.advance(5)

    assert oauth(system).counts.reuses == 0
    assert whoami(runtime)() == "org-acme"
    assert "action_needed" not in ask(system, action="status")
    assert stale.left <= 1


def test_an_old_copy_of_the_secret_that_somebody_saved_ends_in_reconnect(
    system: LocalSystem, working: Connection
) -> None:
    """As when a person adds the webhook's token to what the console showed an hour before."""
    old, runtime = secret(system), process(system)
    system.advance(2 * HOUR)
    bearer(runtime)
    system.put_secret(ACME, "rillet", old)
    system.advance(2 * HOUR)

    with pytest.raises(RetryLater, match="not visible everywhere yet"):
        bearer(process(system))
    system.advance(300)
    with pytest.raises(ConnectionBroken, match="must be connected again"):
        bearer(process(system))

    assert ask(system, action="status")["action_needed"] == "reconnect"


def test_an_old_copy_of_the_secret_does_no_harm_where_refresh_tokens_stay(
    system: LocalSystem, acme: Connection
) -> None:
    oauth(system).refresh_rotation = False
    connected(system, acme)
    old = secret(system)
    system.advance(2 * HOUR)
    bearer(process(system))
    add_to_secret(system, "rillet", **old)
    system.advance(2 * HOUR)
    with pytest.raises(RetryLater, match="not visible everywhere yet"):
        bearer(process(system))
    system.advance(300)

    assert whoami(process(system))() == "org-acme"


def test_a_refusal_of_a_token_that_was_replaced_meanwhile_is_no_broken_connection(
    system: LocalSystem, working: Connection, monkeypatch: pytest.MonkeyPatch, heard: Heard
) -> None:
    """Between the read of the token and Rillet's refusal a person connects again."""
    monkeypatch.setattr("solvimon_rillet.connections.rillet_tokens._MAX_WAIT_SECONDS", 0.0)
    refresh = RilletOAuth.refresh
    system.advance(2 * HOUR)

    def overtaken(self: RilletOAuth, token: str) -> Grant:
        monkeypatch.setattr(RilletOAuth, "refresh", refresh)
        oauth(system).revoke_all(working.organisation)
        assert open_page(grant(system, start(system), working.organisation)).status_code == 200
        return refresh(self, token)

    monkeypatch.setattr(RilletOAuth, "refresh", overtaken)

    token = bearer(process(system))

    assert token == secret(system)["access_token"]
    assert "action_needed" not in ask(system, action="status")
    assert "rillet connection broken" not in [line.get("message") for line in heard.lines]


def test_a_refusal_of_our_client_is_no_refused_grant(
    system: LocalSystem, working: Connection, heard: Heard
) -> None:
    """The person who mends the client's secret need not connect anything again."""
    client = secret(system, "rillet-oauth-client")
    system.configuration.put_secret("rillet-oauth-client", {**client, "client_secret": "mistyped-0123"})
    system.advance(2 * HOUR)
    runtime = process(system)

    with pytest.raises(ConnectionBroken, match="rillet-oauth-client"):
        bearer(runtime)
    during = ask(system, action="status")
    system.configuration.put_secret("rillet-oauth-client", client)
    system.advance(300)

    assert whoami(runtime)() == "org-acme"
    assert "action_needed" not in during
    assert "rillet connection broken" not in [line.get("message") for line in heard.lines]
    assert refreshes(system) == (1, 0)


@pytest.mark.parametrize("error", ["invalid_request", "invalid_scope", "unsupported_grant_type"])
def test_another_refusal_is_no_refused_grant_either(
    system: LocalSystem, working: Connection, error: str
) -> None:
    system.advance(2 * HOUR)
    system.rillet.state.misbehave("status", "POST", "/oauth2/token", status=400, body={"error": error})

    with pytest.raises(ConnectionBroken, match=error):
        bearer(process(system))

    assert whoami(process(system))() == "org-acme"


@pytest.mark.parametrize(
    ("status", "body"), [(500, None), (503, "busy"), (429, None), (400, "?"), (200, "null")]
)
def test_an_answer_that_says_nothing_about_the_token_is_tried_again(
    system: LocalSystem, working: Connection, status: int, body: str | None
) -> None:
    system.advance(2 * HOUR)
    runtime = process(system)
    system.rillet.state.misbehave("status", "POST", "/oauth2/token", status=status, body=body)
    finalise(system, working)

    system.settle()
    waited = waiting(system).total
    until(system, lambda: waiting(system).total == 0)

    assert waited == 1
    assert whoami(runtime)() == "org-acme"
    assert refreshes(system) == (1, 0)
    assert len(rillet_invoices(working)) == 1
