"""However a refresh ends, the connection recovers or asks to reconnect, and messages wait."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import NoReturn

import pytest

from local import sample_data
from local.aws.runtime import Killed
from local.system import LocalSystem
from solvimon_rillet.connections.refresh_lease import RefreshLease
from solvimon_rillet.connections.token_storage import TokenStorage
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.rillet.oauth import RilletOAuth
from tests.integration.connect_rillet.captured_logs import Logs
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    STEP_SECONDS,
    WAIT_SECONDS,
    OAuthConnection,
    add_connection,
    organisation_id,
)
from tests.support.arrange import die
from tests.support.assertions import invoice_posts, record

pytestmark = pytest.mark.slow

SOME = tuple(sample_data.invoice_id(name) for name in ("first", "discount"))


@pytest.fixture
def ended(working: OAuthConnection) -> OAuthConnection:
    """A connection whose access token has ended."""
    working.advance(2 * HOUR)
    return working


@contextmanager
def death_at(owner: type, step: str) -> Iterator[None]:
    """The process ends before a step: it gives nothing back either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RefreshLease, "release", lambda *_: None)
        patch.setattr(owner, step, die)
        yield


@contextmanager
def nothing(_: LocalSystem) -> Iterator[None]:
    """The fault is Rillet's."""
    yield


LOST: dict[str, Callable[[LocalSystem], AbstractContextManager[None]]] = {
    "the process dies before it saves": lambda _: death_at(TokenStorage, "write"),
    "the process dies while it saves": lambda _: death_at(TokenStorage, "_put_secret"),
    "the answer is lost": nothing,
    "the answer is cut off": nothing,
}
RILLET_FAULTS = {"the answer is lost": "commit_then_drop", "the answer is cut off": "malformed"}


def lose_new_tokens(connection: OAuthConnection, how: str) -> None:
    """Rillet replaces the refresh token for the first message, and the new one is lost."""
    before = connection.secret
    connection.finalise(SOME[0])
    if fault := RILLET_FAULTS.get(how):
        connection.rillet.misbehave(fault, "POST", "/oauth2/token")
    with LOST[how](connection.system):
        connection.system.deliver(rounds=1)
    assert connection.oauth.counts.refreshes == 1
    assert connection.secret == before
    connection.finalise(*SOME[1:])


def all_exported_once(connection: OAuthConnection) -> None:
    """Assert that every invoice is in Rillet once, and nothing waits or is in the dead-letter queue."""
    assert [record(connection.system, i, connection.name)["state"] for i in SOME] == ["exported"] * len(SOME)
    assert [len(connection.rillet_invoices(i)) for i in SOME] == [1] * len(SOME)
    assert len(invoice_posts(connection.system)) == len(SOME)
    assert (connection.waiting, connection.dead) == (0, [])


@pytest.mark.parametrize("how", LOST)
def test_lost_new_tokens_end_in_reconnect_and_everything_waits(ended: OAuthConnection, how: str) -> None:
    lose_new_tokens(ended, how)
    ended.pass_time(4, 600)
    status, in_between = ended.status(), (ended.waiting, ended.dead, invoice_posts(ended.system))

    ended.connected()
    ended.pass_time(1, 300)

    assert status["action_needed"] == "reconnect"
    assert in_between == (len(SOME), [], [])
    all_exported_once(ended)


@pytest.mark.parametrize("how", LOST)
def test_lost_new_tokens_do_no_harm_while_the_old_one_is_accepted(ended: OAuthConnection, how: str) -> None:
    ended.oauth.refresh_grace_seconds = HOUR
    lose_new_tokens(ended, how)

    ended.finish()

    assert ended.oauth.counts.refreshes == 2
    assert "action_needed" not in ended.status()
    all_exported_once(ended)


def test_a_dead_workers_lease_still_holds(ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WAIT_SECONDS, 0.0)
    with death_at(RilletOAuth, "refresh"), pytest.raises(Killed):
        ended.next_token()

    with pytest.raises(RetryLater, match="Another worker is refreshing"):
        ended.next_token()
    ended.advance(46)
    token = ended.next_token()

    assert token == ended.secret["access_token"]
    assert ended.refreshes == (1, 0)


def test_a_worker_that_dies_before_it_asks_rillet_loses_nothing(ended: OAuthConnection) -> None:
    ended.finalise(*SOME)
    with death_at(RilletOAuth, "refresh"):
        ended.system.deliver(rounds=1)

    ended.finish()

    assert ended.refreshes == (1, 0)
    all_exported_once(ended)


def test_a_death_after_saving_blocks_nobody(ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STEP_SECONDS, 0.001)
    with monkeypatch.context() as patch:
        patch.setattr(RefreshLease, "release", die)
        with pytest.raises(Killed):
            ended.next_token()

    token = ended.next_token()

    assert token == ended.secret["access_token"]
    assert ended.refreshes == (1, 0)


def test_an_expired_lease_is_not_given_back(ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was held up for longer than its lease must not take away the next one's."""
    monkeypatch.setattr(WAIT_SECONDS, 0.0)
    services = ended.process()
    next_one = services.connections.tokens(ACME, services.configuration.settings(ACME))

    def held_up(self: RilletOAuth, token: str) -> NoReturn:
        ended.advance(46)
        assert next_one._lease.acquire("the next one")
        raise RetryLater("The first one gives up.")

    with monkeypatch.context() as patch:
        patch.setattr(RilletOAuth, "refresh", held_up)
        with pytest.raises(RetryLater, match="first one"):
            ended.next_token()

    with pytest.raises(RetryLater, match="Another worker is refreshing"):
        ended.next_token()
    next_one._lease.release("the next one")
    assert ended.next_token() == ended.secret["access_token"]


@pytest.mark.parametrize("revoked", ["ahead of its end", "in its middle"])
def test_a_revoked_grant_is_found_and_marked_once(working: OAuthConnection, logs: Logs, revoked: str) -> None:
    working.oauth.revoke_all(working.organisation)
    working.advance(2 * HOUR if revoked == "ahead of its end" else 0)
    working.finalise(*SOME)

    working.settle()
    with pytest.raises(ConnectionBroken, match=r'invoke connect_rillet with {"connection": "acme"}'):
        organisation_id(working.process())()

    asked = [call for call in working.rillet.calls if call.path == "/oauth2/token"]
    marked = logs.with_message("rillet connection broken")
    assert [(line["level"], line["connection"], line["reason"]) for line in marked] == [
        ("ERROR", ACME, "invalid_grant")
    ]
    assert len([call for call in asked if call.request_body["grant_type"] == "refresh_token"]) == 1
    assert working.waiting == len(SOME)


def test_a_broken_connection_costs_none_of_rillets_requests(working: OAuthConnection) -> None:
    """Its messages come back every five minutes; each of them knows without asking."""
    working.oauth.revoke_all(working.organisation)
    working.finalise(*SOME)
    working.settle()
    before = len(working.rillet.calls)

    working.pass_time(5, 300)

    assert len(working.rillet.calls) == before
    assert working.waiting == len(SOME)


def test_a_broken_connection_is_counted_by_service_and_connection(ended: OAuthConnection, logs: Logs) -> None:
    other = add_connection(ended.system, "other", "Other Ltd", records=True).connected()
    for connection in (ended, other):
        connection.finalise(*SOME)
    ended.oauth.revoke_all(ended.organisation)

    ended.settle()

    assert logs.metrics[("ConnectionBroken", "all")] == len(SOME)
    assert logs.metrics[("ConnectionBroken", "export_invoice", ACME)] == len(SOME)
    assert logs.metrics[("ConnectionBroken", "export_invoice", "other")] == 0
    assert logs.metrics[("DocumentsExported", "export_invoice", "other")] == len(SOME)
    assert logs.metrics[("DocumentsExported", "all")] == len(SOME)


def test_after_reconnecting_everything_continues_automatically_within_minutes(ended: OAuthConnection) -> None:
    ended.finalise(*SOME)
    ended.oauth.revoke_all(ended.organisation)
    ended.settle()
    ended.pass_time(6, 900)
    in_between = ended.waiting, ended.dead, ended.rillet_invoices()

    page = ended.connect()
    ended.pass_time(1, 301)

    assert in_between == (len(SOME), [], [])
    assert "Waiting documents continue automatically" in page.text
    all_exported_once(ended)


def test_an_authorization_server_outage_is_no_broken_connection(ended: OAuthConnection, logs: Logs) -> None:
    ended.finalise(*SOME)
    ended.rillet.misbehave("status", "POST", "/oauth2", times=0, status=503)
    ended.settle()
    ended.pass_time(4, 600)
    in_between = ended.waiting, logs.metrics[("ConnectionBroken", "all")]

    ended.rillet.behave()
    ended.finish()

    assert in_between == (len(SOME), 0)
    assert ended.oauth.counts.reuses == 0
    all_exported_once(ended)
