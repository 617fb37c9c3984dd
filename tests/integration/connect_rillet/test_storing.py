"""A refresh whose new tokens cannot be written does not lose the connection."""

from collections.abc import Callable
from unittest.mock import Mock

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from solvimon_rillet.connections.token_refresh import UNWRITTEN_SECONDS
from solvimon_rillet.connections.token_store import TokenStore
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from tests.integration.connect_rillet.support import (
    HOUR,
    WAIT_SECONDS,
    OAuthConnection,
    access_token,
    organisation_id,
)
from tests.support.builders import FIRST
from tests.support.interposed import before_call

pytestmark = pytest.mark.slow


class Throttled:
    """AWS refuses calls that write tokens, as long as a test says so.

    Attributes:
        refuses: whether a call that writes is refused, given its operation and how many came before.
        writes: the calls that wrote, or tried to.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refuses: Callable[[str, int], bool] = lambda _operation, _before: False
        self.writes: list[str] = []

        def throttle(_: BaseClient, operation: str, _asked: object) -> None:
            if operation in {"PutSecretValue", "PutParameter"}:
                self.writes.append(operation)
                if self.refuses(operation, len(self.writes) - 1):
                    raise ClientError({"Error": {"Code": "ThrottlingException"}}, operation)

        before_call(monkeypatch, BaseClient, "_make_api_call", throttle)


@pytest.fixture
def throttled(monkeypatch: pytest.MonkeyPatch) -> Throttled:
    return Throttled(monkeypatch)


def test_the_old_value_is_written_back_before_rillet_is_asked(
    ended: OAuthConnection, throttled: Throttled
) -> None:
    """What proves that writing works costs Rillet nothing: without it nothing is refreshed."""
    before = ended.secret
    throttled.refuses = lambda _operation, count: count == 0

    with pytest.raises(RetryLater, match="could not be stored"):
        ended.next_token()

    assert (ended.refreshes, ended.secret) == ((0, 0), before)
    assert ended.next_token()
    assert ended.refreshes == (1, 0)


def test_one_throttled_write_of_new_tokens_loses_nothing(
    ended: OAuthConnection, throttled: Throttled
) -> None:
    """They go to the other place, in which every process finds them."""
    throttled.refuses = lambda _operation, count: count == 1

    token = ended.next_token()

    assert ended.next_token() == token
    assert ended.refreshes == (1, 0)
    ended.advance(2 * HOUR)
    assert organisation_id(ended.process())() == "org-acme"
    assert ended.oauth.counts.reuses == 0


def test_a_process_keeps_tokens_that_nothing_takes_and_goes_on_writing_them(
    ended: OAuthConnection, throttled: Throttled
) -> None:
    services = ended.process()
    throttled.refuses = lambda _operation, count: count > 0
    for _ in range(3):
        with pytest.raises(RetryLater, match="cannot be stored"):
            access_token(services)
        ended.advance(50)

    throttled.refuses = lambda _operation, _count: False
    token = access_token(services)

    assert ended.next_token() == token
    assert ended.refreshes == (1, 0)
    assert "action_needed" not in ended.status()


def test_meanwhile_no_other_process_uses_the_refresh_token_again(
    ended: OAuthConnection, throttled: Throttled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WAIT_SECONDS, 0.0)
    services, other = ended.process(), ended.process()
    throttled.refuses = lambda _operation, count: count > 0
    with pytest.raises(RetryLater, match="cannot be stored"):
        access_token(services)

    ended.advance(UNWRITTEN_SECONDS - 1)
    with pytest.raises(RetryLater, match="Another worker is refreshing"):
        access_token(other)
    throttled.refuses = lambda _operation, _count: False
    token = access_token(services)

    assert access_token(other) == token
    assert ended.oauth.counts.reuses == 0


def test_a_person_who_reconnects_replaces_what_a_process_could_not_write(
    ended: OAuthConnection, throttled: Throttled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WAIT_SECONDS, 0.0)
    services = ended.process()
    throttled.refuses = lambda _operation, count: count > 0
    with pytest.raises(RetryLater):
        access_token(services)
    throttled.refuses = lambda _operation, _count: False

    ended.connected()
    token = access_token(services)

    assert token == ended.next_token()
    assert organisation_id(services)() == "org-acme"


def test_a_process_that_dies_with_unwritten_tokens_ends_in_reconnect(
    ended: OAuthConnection, throttled: Throttled
) -> None:
    throttled.refuses = lambda _operation, count: count > 0
    with pytest.raises(RetryLater):
        ended.next_token()
    throttled.refuses = lambda _operation, _count: False

    ended.advance(UNWRITTEN_SECONDS + 1)
    with pytest.raises(ConnectionBroken, match="must be connected again"):
        ended.next_token()

    assert ended.status()["action_needed"] == "reconnect"


@pytest.mark.parametrize("adopted", [True, False])
def test_a_table_that_does_not_answer_after_the_write_loses_nothing(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch, adopted: bool
) -> None:
    """Another process may commit the tokens first; then the one that wrote them has nothing left to do."""
    services, other = ended.process(), ended.process()
    unanswered = Mock(side_effect=RetryLater("The ledger does not answer."))
    before_call(monkeypatch, TokenStore, "_commit", unanswered, call=1)
    with pytest.raises(RetryLater, match="ledger"):
        access_token(services)

    first = access_token(other) if adopted else ""
    token = access_token(services)

    assert first in {"", token}
    assert access_token(other) == token
    assert ended.refreshes == (1, 0)


def test_documents_wait_for_the_write_and_then_continue(
    working: OAuthConnection, throttled: Throttled
) -> None:
    working.finalise()
    working.advance(2 * HOUR)
    throttled.refuses = lambda _operation, count: count > 0

    working.settle()
    waited = working.waiting
    throttled.refuses = lambda _operation, _count: False
    working.finish()

    assert waited == 1
    assert len(working.rillet_invoices(FIRST)) == 1
    assert working.refreshes == (1, 0)


def test_tokens_that_rillet_rejects_early_are_kept_out_of_the_secret(acme: OAuthConnection) -> None:
    """They are stated to serve an hour, and serve five minutes: 288 versions a day."""
    acme.connected()
    call = organisation_id(acme.process())

    acme.advance(300)
    acme.oauth.expire_access_tokens()
    call()
    moved = acme.secret["token_in"]
    acme.advance(HOUR)
    call()

    assert (moved, acme.secret["token_in"]) == ("parameter", "secret")
    assert acme.refreshes == (2, 0)
