"""Whatever becomes of a refresh, the connection recovers or says reconnect, and messages wait."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

import pytest

from local import demo_data
from local.stack import Connection, LocalStack
from solvimon_rillet.configuration import Configuration
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.rillet.oauth import RilletOAuth
from solvimon_rillet.tokens import Tokens
from tests.connect.support import (
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
from tests.export.support import Killed, dead, finalise, record, rillet_invoices, sent, until, waiting

pytestmark = pytest.mark.slow

SOME = tuple(demo_data.invoice_id(name) for name in ("first", "discount"))


@pytest.fixture
def ended(stack: LocalStack, working: Connection) -> Connection:
    """A connection whose access token has ended."""
    stack.advance(2 * HOUR)
    return working


@contextmanager
def death_at(owner: type, step: str) -> Iterator[None]:
    """The process ends before a step: it gives nothing back either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Tokens, "_give_lease_back", lambda *_: None)
        patch.setattr(owner, step, die)
        yield


@contextmanager
def nothing(_: LocalStack) -> Iterator[None]:
    """Whatever went wrong went wrong at Rillet."""
    yield


@contextmanager
def secrets_manager_down(stack: LocalStack) -> Iterator[None]:
    """The new tokens cannot be written."""
    put = Configuration.keep_grant
    with pytest.MonkeyPatch.context() as patch:

        def unwritable(self: Configuration, *given: object, **more: object) -> None:
            with stack.aws.outage("secretsmanager"):
                put(self, *given, **more)  # type: ignore[arg-type]

        patch.setattr(Configuration, "keep_grant", unwritable)
        yield


LOST: dict[str, Callable[[LocalStack], AbstractContextManager[None]]] = {
    "the process dies before it saves": lambda _: death_at(Configuration, "keep_grant"),
    "the process dies while it saves": lambda _: death_at(Configuration, "_put_secret"),
    "the answer is lost": nothing,
    "the answer is cut off": nothing,
    "Secrets Manager does not take it": secrets_manager_down,
}
ORDERS = {"the answer is lost": "commit_then_drop", "the answer is cut off": "malformed"}


def lose_new_tokens(stack: LocalStack, connection: Connection, how: str) -> None:
    """Rillet replaces the refresh token for the first message, and the new one is lost."""
    before = secret(stack)
    finalise(stack, connection, SOME[0])
    if order := ORDERS.get(how):
        stack.rillet.state.misbehave(order, "POST", "/oauth2/token")
    with LOST[how](stack):
        stack.deliver(rounds=1)
    assert oauth(stack).counts.refreshes == 1
    assert secret(stack) == before
    finalise(stack, connection, *SOME[1:])


def all_exported_once(stack: LocalStack, connection: Connection) -> None:
    """Every invoice is in Rillet once, and nothing waits or was set aside."""
    assert [record(stack, i, connection.name)["state"] for i in SOME] == ["exported"] * len(SOME)
    assert [len(rillet_invoices(connection, i)) for i in SOME] == [1] * len(SOME)
    assert len(sent(stack)) == len(SOME)
    assert (waiting(stack).total, dead(stack)) == (0, [])


@pytest.mark.parametrize("how", LOST)
def test_new_tokens_that_are_lost_end_in_reconnect_and_everything_waits(
    stack: LocalStack, ended: Connection, how: str
) -> None:
    lose_new_tokens(stack, ended, how)
    for _ in range(4):
        stack.advance(600)
        stack.settle()
    status, in_between = ask(stack, action="status"), (waiting(stack).total, dead(stack), sent(stack))

    connected(stack, ended)
    stack.advance(300)
    stack.settle()

    assert status["action_needed"] == "reconnect"
    assert in_between == (len(SOME), [], [])
    all_exported_once(stack, ended)


@pytest.mark.parametrize("how", LOST)
def test_new_tokens_that_are_lost_do_no_harm_where_rillet_takes_the_old_one_a_little_longer(
    stack: LocalStack, ended: Connection, how: str
) -> None:
    oauth(stack).refresh_grace_seconds = HOUR
    lose_new_tokens(stack, ended, how)

    until(stack, lambda: waiting(stack).total == 0)

    assert oauth(stack).counts.refreshes == 2
    assert "action_needed" not in ask(stack, action="status")
    all_exported_once(stack, ended)


def test_nobody_refreshes_while_the_lease_of_a_dead_worker_holds(
    stack: LocalStack, ended: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.tokens._WAIT_SECONDS", 0.0)
    with death_at(RilletOAuth, "refresh"), pytest.raises(Killed):
        bearer(process(stack))

    with pytest.raises(RetryLater, match="Another worker is refreshing"):
        bearer(process(stack))
    stack.advance(46)
    token = bearer(process(stack))

    assert token == secret(stack)["access_token"]
    assert (oauth(stack).counts.refreshes, oauth(stack).counts.reuses) == (1, 0)


def test_a_worker_that_dies_before_it_asks_rillet_loses_nothing(stack: LocalStack, ended: Connection) -> None:
    finalise(stack, ended, *SOME)
    with death_at(RilletOAuth, "refresh"):
        stack.deliver(rounds=1)

    until(stack, lambda: waiting(stack).total == 0)

    assert (oauth(stack).counts.refreshes, oauth(stack).counts.reuses) == (1, 0)
    all_exported_once(stack, ended)


def test_a_worker_that_dies_after_it_has_saved_holds_nobody_up(
    stack: LocalStack, ended: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solvimon_rillet.tokens._STEP_SECONDS", 0.001)
    with monkeypatch.context() as patch:
        patch.setattr(Tokens, "_give_lease_back", die)
        with pytest.raises(Killed):
            bearer(process(stack))

    token = bearer(process(stack))

    assert token == secret(stack)["access_token"]
    assert (oauth(stack).counts.refreshes, oauth(stack).counts.reuses) == (1, 0)


def test_a_lease_that_outlived_its_holder_is_not_given_back_by_it(
    stack: LocalStack, ended: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was held up for longer than its lease must not take away the next one's."""
    monkeypatch.setattr("solvimon_rillet.tokens._WAIT_SECONDS", 0.0)
    runtime = process(stack)
    next_one = runtime.tokens(ACME, runtime.configuration.settings(ACME))

    def held_up(self: RilletOAuth, token: str) -> NoReturn:
        stack.advance(46)
        assert next_one._take_lease("the next one")
        raise RetryLater("The first one gives up.")

    with monkeypatch.context() as patch:
        patch.setattr(RilletOAuth, "refresh", held_up)
        with pytest.raises(RetryLater, match="first one"):
            bearer(process(stack))

    with pytest.raises(RetryLater, match="Another worker is refreshing"):
        bearer(process(stack))
    next_one._give_lease_back("the next one")
    assert bearer(process(stack)) == secret(stack)["access_token"]


@pytest.mark.parametrize("revoked", ["ahead of its end", "in its middle"])
def test_a_grant_that_was_taken_back_is_found_out_and_marked_once(
    stack: LocalStack, working: Connection, heard: Heard, revoked: str
) -> None:
    oauth(stack).revoke_all(working.organisation)
    stack.advance(2 * HOUR if revoked == "ahead of its end" else 0)
    finalise(stack, working, *SOME)

    stack.settle()
    with pytest.raises(ConnectionBroken, match=r'invoke connect_rillet with {"connection": "acme"}'):
        whoami(process(stack))()

    asked = [call for call in stack.rillet.state.calls if call.path == "/oauth2/token"]
    marked = [line for line in heard.lines if line.get("message") == "rillet connection broken"]
    assert [(line["level"], line["connection"], line["reason"]) for line in marked] == [
        ("ERROR", ACME, "invalid_grant")
    ]
    assert len([call for call in asked if call.request_body["grant_type"] == "refresh_token"]) == 1
    assert waiting(stack).total == len(SOME)


def test_a_broken_connection_costs_none_of_rillets_requests(stack: LocalStack, working: Connection) -> None:
    """Its messages come back every five minutes; each of them knows without asking."""
    oauth(stack).revoke_all(working.organisation)
    finalise(stack, working, *SOME)
    stack.settle()
    before = len(stack.rillet.state.calls)

    for _ in range(5):
        stack.advance(300)
        stack.settle()

    assert len(stack.rillet.state.calls) == before
    assert waiting(stack).total == len(SOME)


def test_a_broken_connection_is_counted_by_service_for_the_alarm_and_by_connection(
    stack: LocalStack, ended: Connection, heard: Heard
) -> None:
    other = connected(stack, add_connection(stack, "other", "Other Ltd", world=True))
    for connection in (ended, other):
        finalise(stack, connection, *SOME)
    oauth(stack).revoke_all(ended.organisation)

    stack.settle()

    assert heard.counted[("ConnectionBroken", "export_invoice")] == len(SOME)
    assert heard.counted[("ConnectionBroken", "export_invoice", ACME)] == len(SOME)
    assert heard.counted[("ConnectionBroken", "export_invoice", "other")] == 0
    assert heard.counted[("DocumentsExported", "export_invoice", "other")] == len(SOME)
    assert heard.counted[("DocumentsExported", "export_invoice")] == len(SOME)


def test_after_reconnecting_everything_continues_by_itself_within_minutes(
    stack: LocalStack, ended: Connection
) -> None:
    finalise(stack, ended, *SOME)
    oauth(stack).revoke_all(ended.organisation)
    stack.settle()
    for _ in range(6):
        stack.advance(900)
        stack.settle()
    in_between = waiting(stack).total, dead(stack), rillet_invoices(ended)

    page = connect(stack, ended)
    stack.advance(301)
    stack.settle()

    assert in_between == (len(SOME), [], [])
    assert "Documents that were waiting continue by themselves" in page.text
    all_exported_once(stack, ended)


def test_an_outage_of_the_authorization_server_is_no_broken_connection(
    stack: LocalStack, ended: Connection, heard: Heard
) -> None:
    finalise(stack, ended, *SOME)
    stack.rillet.state.misbehave("status", "POST", "/oauth2", times=0, status=503)
    stack.settle()
    for _ in range(4):
        stack.advance(600)
        stack.settle()
    in_between = waiting(stack).total, heard.counted[("ConnectionBroken", "export_invoice")]

    stack.rillet.state.behave()
    until(stack, lambda: waiting(stack).total == 0)

    assert in_between == (len(SOME), 0)
    assert oauth(stack).counts.reuses == 0
    all_exported_once(stack, ended)
