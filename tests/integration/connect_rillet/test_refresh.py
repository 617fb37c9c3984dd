"""Tokens are refreshed ahead of their end and after a 401, by one worker at a time."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient

from local import sample_data
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.rillet.oauth import RilletOAuth
from tests.integration.connect_rillet.captured_logs import Logs
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    STACK,
    STEP_SECONDS,
    WAIT_SECONDS,
    OAuthConnection,
    access_token,
    add_connection,
    hold_refresh_until_lease_is_wanted,
    organisation_id,
    secret,
)
from tests.support.interposed import before_call

pytestmark = pytest.mark.slow

SOME = tuple(sample_data.invoice_id(name) for name in ("first", "discount", "usage-tiers", "yen"))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for another worker looks again at once."""
    monkeypatch.setattr(STEP_SECONDS, 0.005)


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
def test_a_token_is_refreshed_ahead_of_its_end(working: OAuthConnection, passed: int, refreshed: int) -> None:
    call = organisation_id(working.process())
    call()

    working.advance(passed)
    call()
    call()

    assert working.refreshes == (refreshed, 0)


def test_new_tokens_are_written_before_use(working: OAuthConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bool] = []
    services = working.process()

    def look(_: object, value: str) -> None:
        written.append(working.secret["access_token"] == value)

    working.advance(2 * HOUR)
    before_call(monkeypatch, type(working.oauth), "access_token", look)
    organisation_id(services)()

    assert written == [True]


@pytest.mark.parametrize("count", [1, 20])
def test_twenty_threads_refresh_an_expired_token_once(working: OAuthConnection, count: int) -> None:
    processes = [working.process() for _ in range(count)]
    for services in processes:
        access_token(services)
    working.advance(2 * HOUR)

    calls = [lambda services=services: access_token(services) for services in processes]
    tokens = all_at_once(*calls * (20 // count))

    assert working.refreshes == (1, 0)
    assert set(tokens) == {working.secret["access_token"]}


@pytest.mark.parametrize("processes", [1, 2])
def test_twenty_threads_that_get_a_401_refresh_once(working: OAuthConnection, processes: int) -> None:
    calls = [organisation_id(working.process()) for _ in range(processes)]
    for call in calls:
        call()
    working.oauth.expire_access_tokens()

    found = all_at_once(*calls * (20 // processes))

    assert working.refreshes == (1, 0)
    assert found == ["org-acme"] * 20


def test_twenty_messages_at_once_refresh_once(working: OAuthConnection) -> None:
    working.finalise(*SOME)
    working.oauth.expire_access_tokens()

    working.system.start_workers(5)
    working.system.stop_workers()
    working.finish()

    assert working.refreshes == (1, 0)
    assert len(working.rillet_invoices()) == len(SOME)


def test_who_finds_another_worker_refreshing_waits_for_its_token(
    working: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = working.process(), working.process()
    working.advance(2 * HOUR)
    hold_refresh_until_lease_is_wanted(monkeypatch)

    tokens = all_at_once(lambda: access_token(first), lambda: access_token(second))

    assert working.refreshes == (1, 0)
    assert set(tokens) == {working.secret["access_token"]}


def during_refresh(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something while the next refresh is on its way to Rillet."""
    before_call(monkeypatch, RilletOAuth, "refresh", lambda *_: act(), call=1)


def test_a_worker_whose_token_is_still_valid_does_not_wait(
    working: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = working.process(), working.process()
    before, seen = access_token(first), list[str]()
    working.advance(3500)
    during_refresh(monkeypatch, lambda: seen.append(access_token(second)))

    after = access_token(first)

    assert seen == [before]
    assert after != before
    assert access_token(second) == after
    assert working.refreshes == (1, 0)


def test_a_long_wait_hands_the_message_back(
    working: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = working.process(), working.process()
    seen = list[RetryLater]()
    monkeypatch.setattr(WAIT_SECONDS, 0.02)
    working.advance(2 * HOUR)

    def wait() -> None:
        with pytest.raises(RetryLater, match="Another worker is refreshing") as caught:
            access_token(second)
        seen.append(caught.value)

    during_refresh(monkeypatch, wait)

    access_token(first)

    assert not isinstance(seen[0], ConnectionBroken)
    assert seen[0].after == 5
    assert working.refreshes == (1, 0)


def test_connections_refresh_apart(working: OAuthConnection) -> None:
    add_connection(working.system, "other", "Other Ltd").connected()
    services = working.process()
    working.advance(2 * HOUR)

    found = all_at_once(organisation_id(services), organisation_id(services, "other"))

    assert sorted(found) == ["org-acme", "org-other"]
    assert working.refreshes == (2, 0)


def test_rillet_may_keep_the_refresh_token(acme: OAuthConnection) -> None:
    """Whether Rillet replaces it at every refresh is not documented."""
    acme.oauth.refresh_rotation = False
    acme.connected()
    before, services = acme.secret, acme.process()

    for _ in range(3):
        acme.advance(2 * HOUR)
        organisation_id(services)()

    after = acme.secret
    assert acme.refreshes == (3, 0)
    assert after["refresh_token"] == before["refresh_token"]
    assert after["access_token"] != before["access_token"]


def test_scopes_and_organisation_outlive_a_refresh(working: OAuthConnection) -> None:
    before = working.secret
    working.advance(2 * HOUR)

    working.next_token()

    after = working.secret
    kept = ("auth", "scope", "organisation_id", "organisation_name", "lifetime", "token_in")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert int(after["expires_at"]) > working.system.clock.now() + 3500


class Stale:
    """Secrets Manager shows the version before for a number of reads of one secret.

    The new version can be read by its id meanwhile, or cannot (``hidden``).
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, reads: int, *, hidden: bool) -> None:
        self.left = reads
        call = vars(BaseClient)["_make_api_call"]

        def calling(client: BaseClient, operation: str, asked: dict[str, Any]) -> Any:  # noqa: ANN401
            if operation == "GetSecretValue" and asked["SecretId"].endswith("acme/rillet") and self.left:
                if "VersionId" not in asked:
                    self.left -= 1
                    asked = {**asked, "VersionStage": "AWSPREVIOUS"}
                elif hidden:
                    asked = {**asked, "VersionId": "00000000-0000-4000-8000-000000000000"}
            return call(client, operation, asked)

        monkeypatch.setattr(BaseClient, "_make_api_call", calling)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("reads", [1, 2, 3])
@pytest.mark.parametrize("passed", [60, 2 * HOUR])
def test_a_stale_read_never_uses_an_old_refresh_token(
    working: OAuthConnection, monkeypatch: pytest.MonkeyPatch, reads: int, passed: int, hidden: bool
) -> None:
    """An old one would revoke the whole family at Rillet."""
    services = working.process()
    working.advance(2 * HOUR)
    working.next_token()
    working.advance(passed)
    stale = Stale(monkeypatch, reads, hidden=hidden)

    for _ in range(3):
        with contextlib.suppress(RetryLater):
            access_token(services)
        working.advance(5)

    assert working.oauth.counts.reuses == 0
    assert organisation_id(services)() == "org-acme"
    assert "action_needed" not in working.status()
    assert stale.left <= 1


def test_an_old_copy_of_the_secret_that_somebody_saved_does_no_harm(working: OAuthConnection) -> None:
    """As when a person adds the webhook's token to what the console showed an hour before."""
    old, services = working.secret, working.process()
    working.advance(2 * HOUR)
    expected = access_token(services)
    working.put_secret("rillet", {**old, "webhook_token": "from-rillet-0123"})

    newest = working.next_token()
    working.advance(2 * HOUR)
    next_one = working.next_token()

    assert newest == expected
    assert working.refreshes == (2, 0)
    assert working.secret["access_token"] == next_one
    assert working.secret["webhook_token"] == "from-rillet-0123"


def forget_versions(connection: OAuthConnection) -> None:
    """Lose every version of the secret but the current one, as when it is deleted and made again."""
    saved = connection.secret
    connection.system.aws.secretsmanager.delete_secret(
        SecretId=f"{STACK}/{ACME}/rillet", ForceDeleteWithoutRecovery=True
    )
    connection.put_secret("rillet", saved)


@pytest.mark.parametrize("rotation", [True, False])
def test_an_old_copy_is_left_to_rillet_where_the_newest_tokens_are_gone(
    acme: OAuthConnection, rotation: bool
) -> None:
    acme.oauth.refresh_rotation = rotation
    acme.connected()
    old = acme.secret
    acme.advance(2 * HOUR)
    acme.next_token()
    acme.put_secret("rillet", old)
    forget_versions(acme)
    acme.advance(2 * HOUR)

    with pytest.raises(RetryLater, match="not visible everywhere yet"):
        acme.next_token()
    acme.advance(300)

    if rotation:
        with pytest.raises(ConnectionBroken, match="must be connected again"):
            acme.next_token()
        assert acme.status()["action_needed"] == "reconnect"
    else:
        assert organisation_id(acme.process())() == "org-acme"


def test_a_refusal_of_a_token_that_was_replaced_meanwhile_is_no_broken_connection(
    working: OAuthConnection, monkeypatch: pytest.MonkeyPatch, logs: Logs
) -> None:
    """Between the read of the token and Rillet's refusal a person connects again."""
    monkeypatch.setattr(WAIT_SECONDS, 0.0)
    working.advance(2 * HOUR)

    def connect_again() -> None:
        working.oauth.revoke_all(working.organisation)
        working.connected()

    during_refresh(monkeypatch, connect_again)

    token = working.next_token()

    assert token == working.secret["access_token"]
    assert "action_needed" not in working.status()
    assert logs.with_message("rillet connection broken") == []


def test_a_refusal_of_our_client_is_no_refused_grant(working: OAuthConnection, logs: Logs) -> None:
    """The person who corrects the client's secret need not connect anything again."""
    client = secret(working.system, "rillet-oauth-client")
    working.system.configuration.put_secret(
        "rillet-oauth-client", {**client, "client_secret": "mistyped-0123"}
    )
    working.advance(2 * HOUR)
    services = working.process()

    with pytest.raises(ConnectionBroken, match="rillet-oauth-client"):
        access_token(services)
    during = working.status()
    working.system.configuration.put_secret("rillet-oauth-client", client)
    working.advance(300)

    assert organisation_id(services)() == "org-acme"
    assert "action_needed" not in during
    assert logs.with_message("rillet connection broken") == []
    assert working.refreshes == (1, 0)


@pytest.mark.parametrize("error", ["invalid_request", "invalid_scope", "unsupported_grant_type"])
def test_another_refusal_is_no_refused_grant_either(working: OAuthConnection, error: str) -> None:
    working.advance(2 * HOUR)
    working.rillet.misbehave("status", "POST", "/oauth2/token", status=400, body={"error": error})

    with pytest.raises(ConnectionBroken, match=error):
        working.next_token()

    assert organisation_id(working.process())() == "org-acme"


@pytest.mark.parametrize(
    ("status", "body"), [(500, None), (503, "busy"), (429, None), (400, "?"), (200, "null")]
)
def test_an_unclear_answer_is_tried_again(working: OAuthConnection, status: int, body: str | None) -> None:
    working.advance(2 * HOUR)
    services = working.process()
    working.rillet.misbehave("status", "POST", "/oauth2/token", status=status, body=body)
    working.finalise()

    working.settle()
    waited = working.waiting
    working.finish()

    assert waited == 1
    assert organisation_id(services)() == "org-acme"
    assert working.refreshes == (1, 0)
    assert len(working.rillet_invoices()) == 1
