"""Whatever becomes of a refresh, the connection recovers or says reconnect, and messages wait."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

import pytest

from local import sample_data
from local.aws.runtime import Killed
from local.system import Connection, LocalSystem
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.rillet_tokens import RilletTokens
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.rillet.oauth import RilletOAuth
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    Heard,
    add_connection,
    ask,
    bearer,
    connect,
    connected,
    die,
    oauth,
    process,
    secret,
    whoami,
)
from tests.support.arrange import finalise, until
from tests.support.assertions import dead_letters, invoice_posts, record, rillet_invoices, waiting

pytestmark = pytest.mark.slow

SOME = tuple(sample_data.invoice_id(name) for name in ("first", "discount"))


@pytest.fixture
def ended(system: LocalSystem, working: Connection) -> Connection:
    """A connection whose access token has ended."""
    system.advance(2 * HOUR)
    return working


@contextmanager
def death_at(owner: type, step: str) -> Iterator[None]:
    """The process ends before a step: it gives nothing back either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RilletTokens, "_release_lease", lambda *_: None)
        patch.setattr(owner, step, die)
        yield


@contextmanager
def nothing(_: LocalSystem) -> Iterator[None]:
    """Whatever went wrong went wrong at Rillet."""
    yield


@contextmanager
def secrets_manager_down(system: LocalSystem) -> Iterator[None]:
    """The new tokens cannot be written."""
    put = Configuration.store_tokens
    with pytest.MonkeyPatch.context() as patch:

        def unwritable(self: Configuration, *given: object, **more: object) -> None:
            with system.aws.outage("secretsmanager"):
                put(self, *given, **more)  # type: ignore[arg-type]

        patch.setattr(Configuration, "store_tokens", unwritable)
        yield


LOST: dict[str, Callable[[LocalSystem], AbstractContextManager[None]]] = {
    "the process dies before it saves": lambda _: death_at(Configuration, "store_tokens"),
    "the process dies while it saves": lambda _: death_at(Configuration, "_put_secret"),
    "the answer is lost": nothing,
    "the answer is cut off": nothing,
    "Secrets Manager does not take it": secrets_manager_down,
}
ORDERS = {"the answer is lost": "commit_then_drop", "the answer is cut off": "malformed"}


def lose_new_tokens(system: LocalSystem, connection: Connection, how: str) -> None:
    """Rillet replaces the refresh token for the first message, and the new one is lost."""
    before = secret(system)
    finalise(system, connection, SOME[0])
    if order := ORDERS.get(how):
        system.rillet.state.misbehave(order, "POST", "/oauth2/token")
    with LOST[how](system):
        system.deliver(rounds=1)
    assert oauth(system).counts.refreshes == 1
    assert secret(system) == before
    finalise(system, connection, *SOME[1:])


def all_exported_once(system: LocalSystem, connection: Connection) -> None:
    """Every invoice is in Rillet once, and nothing waits or was set aside."""
    assert [record(system, i, connection.name)["state"] for i in SOME] == ["exported"] * len(SOME)
    assert [len(rillet_invoices(connection, i)) for i in SOME] == [1] * len(SOME)
    assert len(invoice_posts(system)) == len(SOME)
    assert (waiting(system).total, dead_letters(system)) == (0, [])


@pytest.mark.parametrize("how", LOST)
def test_new_tokens_that_are_lost_end_in_reconnect_and_everything_waits(
    system: LocalSystem, ended: Connection, how: str
) -> None:
    lose_new_tokens(system, ended, how)
    for _ in range(4):
        system.advance(600)
        system.settle()
    status, in_between = (
        ask(system, action="status"),
        (waiting(system).total, dead_letters(system), invoice_posts(system)),
    )

    connected(system, ended)
    system.advance(300)
    system.settle()

    assert status["action_needed"] == "reconnect"
    assert in_between == (len(SOME), [], [])
    all_exported_once(system, ended)


@pytest.mark.parametrize("how", LOST)
def test_new_tokens_that_are_lost_do_no_harm_where_rillet_takes_the_old_one_a_little_longer(
    system: LocalSystem, ended: Connection, how: str
) -> None:
    oauth(system).refresh_grace_seconds = HOUR
    lose_new_tokens(system, ended, how)

    until(system, lambda: waiting(system).total == 0)

    assert oauth(system).counts.refreshes == 2
    assert "action_needed" not in ask(system, action="status")
    all_exported_once(system, ended)


def test_nobody_refreshes_while_the_lease_of_a_dead_worker_holds(
    system: LocalSystem, ended: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.connections.rillet_tokens._MAX_WAIT_SECONDS", 0.0)
    with death_at(RilletOAuth, "refresh"), pytest.raises(Killed):
        bearer(process(system))

    with pytest.raises(RetryLater, match="Another worker is refreshing"):
        bearer(process(system))
    system.advance(46)
    token = bearer(process(system))

    assert token == secret(system)["access_token"]
    assert (oauth(system).counts.refreshes, oauth(system).counts.reuses) == (1, 0)


def test_a_worker_that_dies_before_it_asks_rillet_loses_nothing(
    system: LocalSystem, ended: Connection
) -> None:
    finalise(system, ended, *SOME)
    with death_at(RilletOAuth, "refresh"):
        system.deliver(rounds=1)

    until(system, lambda: waiting(system).total == 0)

    assert (oauth(system).counts.refreshes, oauth(system).counts.reuses) == (1, 0)
    all_exported_once(system, ended)


def test_a_worker_that_dies_after_it_has_saved_holds_nobody_up(
    system: LocalSystem, ended: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.connections.rillet_tokens._POLL_SECONDS", 0.001)
    with monkeypatch.context() as patch:
        patch.setattr(RilletTokens, "_release_lease", die)
        with pytest.raises(Killed):
            bearer(process(system))

    token = bearer(process(system))

    assert token == secret(system)["access_token"]
    assert (oauth(system).counts.refreshes, oauth(system).counts.reuses) == (1, 0)


def test_a_lease_that_outlived_its_holder_is_not_given_back_by_it(
    system: LocalSystem, ended: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was held up for longer than its lease must not take away the next one's."""
    monkeypatch.setattr("solvimon_rillet.connections.rillet_tokens._MAX_WAIT_SECONDS", 0.0)
    runtime = process(system)
    next_one = runtime.connections.tokens(ACME, runtime.configuration.settings(ACME))

    def held_up(self: RilletOAuth, token: str) -> NoReturn:
        system.advance(46)
        assert next_one._acquire_lease("the next one")
        raise RetryLater("The first one gives up.")

    with monkeypatch.context() as patch:
        patch.setattr(RilletOAuth, "refresh", held_up)
        with pytest.raises(RetryLater, match="first one"):
            bearer(process(system))

    with pytest.raises(RetryLater, match="Another worker is refreshing"):
        bearer(process(system))
    next_one._release_lease("the next one")
    assert bearer(process(system)) == secret(system)["access_token"]


@pytest.mark.parametrize("revoked", ["ahead of its end", "in its middle"])
def test_a_grant_that_was_taken_back_is_found_out_and_marked_once(
    system: LocalSystem, working: Connection, heard: Heard, revoked: str
) -> None:
    oauth(system).revoke_all(working.organisation)
    system.advance(2 * HOUR if revoked == "ahead of its end" else 0)
    finalise(system, working, *SOME)

    system.settle()
    with pytest.raises(ConnectionBroken, match=r'invoke connect_rillet with {"connection": "acme"}'):
        whoami(process(system))()

    asked = [call for call in system.rillet.state.calls if call.path == "/oauth2/token"]
    marked = [line for line in heard.lines if line.get("message") == "rillet connection broken"]
    assert [(line["level"], line["connection"], line["reason"]) for line in marked] == [
        ("ERROR", ACME, "invalid_grant")
    ]
    assert len([call for call in asked if call.request_body["grant_type"] == "refresh_token"]) == 1
    assert waiting(system).total == len(SOME)


def test_a_broken_connection_costs_none_of_rillets_requests(system: LocalSystem, working: Connection) -> None:
    """Its messages come back every five minutes; each of them knows without asking."""
    oauth(system).revoke_all(working.organisation)
    finalise(system, working, *SOME)
    system.settle()
    before = len(system.rillet.state.calls)

    for _ in range(5):
        system.advance(300)
        system.settle()

    assert len(system.rillet.state.calls) == before
    assert waiting(system).total == len(SOME)


def test_a_broken_connection_is_counted_by_service_for_the_alarm_and_by_connection(
    system: LocalSystem, ended: Connection, heard: Heard
) -> None:
    other = connected(system, add_connection(system, "other", "Other Ltd", world=True))
    for connection in (ended, other):
        finalise(system, connection, *SOME)
    oauth(system).revoke_all(ended.organisation)

    system.settle()

    assert heard.counted[("ConnectionBroken", "export_invoice")] == len(SOME)
    assert heard.counted[("ConnectionBroken", "export_invoice", ACME)] == len(SOME)
    assert heard.counted[("ConnectionBroken", "export_invoice", "other")] == 0
    assert heard.counted[("DocumentsExported", "export_invoice", "other")] == len(SOME)
    assert heard.counted[("DocumentsExported", "export_invoice")] == len(SOME)


def test_after_reconnecting_everything_continues_by_itself_within_minutes(
    system: LocalSystem, ended: Connection
) -> None:
    finalise(system, ended, *SOME)
    oauth(system).revoke_all(ended.organisation)
    system.settle()
    for _ in range(6):
        system.advance(900)
        system.settle()
    in_between = waiting(system).total, dead_letters(system), rillet_invoices(ended)

    page = connect(system, ended)
    system.advance(301)
    system.settle()

    assert in_between == (len(SOME), [], [])
    assert "Waiting documents continue automatically" in page.text
    all_exported_once(system, ended)


def test_an_outage_of_the_authorization_server_is_no_broken_connection(
    system: LocalSystem, ended: Connection, heard: Heard
) -> None:
    finalise(system, ended, *SOME)
    system.rillet.state.misbehave("status", "POST", "/oauth2", times=0, status=503)
    system.settle()
    for _ in range(4):
        system.advance(600)
        system.settle()
    in_between = waiting(system).total, heard.counted[("ConnectionBroken", "export_invoice")]

    system.rillet.state.behave()
    until(system, lambda: waiting(system).total == 0)

    assert in_between == (len(SOME), 0)
    assert oauth(system).counts.reuses == 0
    all_exported_once(system, ended)
