"""Tokens that come late never replace newer ones, nor what a person has decided in the meantime."""

from collections.abc import Callable
from typing import Any

import pytest

from local.aws.runtime import Killed
from solvimon_rillet.connections.token_storage import TokenStorage
from solvimon_rillet.connections.token_store import TokenStore
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.rillet.oauth import RilletOAuth
from tests.integration.connect_rillet.captured_logs import Logs
from tests.integration.connect_rillet.support import (
    ACME,
    HOUR,
    WAIT_SECONDS,
    OAuthConnection,
    access_token,
    add_connection,
    all_parameters,
    all_secrets,
    oauth,
    open_page,
    organisation_id,
    without_client_secret,
)
from tests.support.arrange import die, patched
from tests.support.interposed import after_call, before_call

pytestmark = pytest.mark.slow

Act = Callable[[OAuthConnection], object]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person does not wait for a worker that refreshes; after six seconds nobody does."""
    monkeypatch.setattr(WAIT_SECONDS, 0.0)


def between_answer_and_write(patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Hold the next refresh up after Rillet's answer: meanwhile something else happens."""
    after_call(patch, RilletOAuth, "refresh", lambda *_: act(), call=1)


def before_write(patch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Hold the next write of tokens up just before it reaches AWS, when nothing can stop it any more."""
    before_call(patch, TokenStorage, "write", lambda *_, **__: act(), call=1)


MOMENTS = pytest.mark.parametrize("hold", [between_answer_and_write, before_write])


def alive(connection: OAuthConnection) -> set[str]:
    """The tokens that Rillet still accepts."""
    now = connection.system.clock.now()
    return {value for value, token in connection.oauth.tokens.items() if token.alive(now)}


def kept(connection: OAuthConnection) -> str:
    """Everything that Secrets Manager and Parameter Store show."""
    return str(all_secrets(connection.system)) + str(all_parameters(connection.system))


def stored_tokens(connection: OAuthConnection) -> set[str]:
    return {token for token in connection.oauth.tokens if token in kept(connection)}


@MOMENTS
def test_a_slow_refresh_does_not_bring_tokens_back_after_a_disconnect(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch, hold: Callable[..., None]
) -> None:
    services = ended.process()
    hold(monkeypatch, ended.disconnect)

    with pytest.raises(RetryLater):
        access_token(services)

    assert stored_tokens(ended) == set()
    assert alive(ended) == set()
    with pytest.raises(ConnectionBroken, match="must be connected again"):
        ended.next_token()
    assert ended.refreshes == (1, 0)


@MOMENTS
def test_the_grant_of_a_refresh_that_a_disconnect_overtook_is_revoked(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch, logs: Logs, hold: Callable[..., None]
) -> None:
    """Also where Rillet revokes one token at a time, so that the newer one outlives the older one."""
    monkeypatch.setattr(type(ended.oauth), "revoke", _revoke_alone)
    hold(monkeypatch, ended.disconnect)

    with pytest.raises(RetryLater):
        ended.next_token()

    refresh_tokens = {value for value in alive(ended) if ended.oauth.tokens[value].kind == "refresh"}
    [line] = logs.with_message("rillet token superseded")
    assert refresh_tokens == set()
    assert (line["by_person"], line["revoked"]) == (True, True)


def _revoke_alone(self: Any, client: object, value: str) -> None:  # noqa: ANN401 - the fake's own types
    self.tokens[value].revoked = True


@MOMENTS
def test_a_slow_refresh_does_not_write_over_the_tokens_of_a_new_authorisation(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch, hold: Callable[..., None]
) -> None:
    services, before = ended.process(), set(ended.oauth.tokens)
    [first] = {id(ended.oauth.tokens[value].grant) for value in before}
    hold(monkeypatch, ended.connected)

    token = access_token(services)

    late = {value for value, each in ended.oauth.tokens.items() if id(each.grant) == first} - before
    assert token == ended.next_token()
    assert organisation_id(ended.process())() == "org-acme"
    assert len(late) == 2
    assert late & (stored_tokens(ended) | alive(ended)) == set()
    assert "action_needed" not in ended.status()


def test_a_public_client_reports_that_a_late_grant_is_still_alive(
    acme: OAuthConnection, monkeypatch: pytest.MonkeyPatch, logs: Logs
) -> None:
    without_client_secret(acme.system)
    acme.connected()
    acme.advance(2 * HOUR)
    between_answer_and_write(monkeypatch, acme.disconnect)

    with pytest.raises(RetryLater):
        acme.next_token()

    [line] = logs.with_message("rillet token superseded")
    assert (line["by_person"], line["revoked"]) == (True, False)
    assert stored_tokens(acme) == set()


@MOMENTS
def test_a_holder_that_pauses_longer_than_its_lease_never_writes_old_over_new(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch, hold: Callable[..., None]
) -> None:
    """Rillet lets both refresh, so both have tokens; those of the first one come last."""
    ended.oauth.refresh_rotation = False
    seen = list[str]()

    def next_holder() -> None:
        ended.advance(46)
        seen.append(ended.next_token())

    paused = ended.process()
    hold(monkeypatch, next_holder)

    token = access_token(paused)

    assert [token] == seen
    assert ended.next_token() == token
    assert ended.refreshes == (2, 0)
    assert organisation_id(ended.process())() == "org-acme"


def test_a_paused_holder_saves_the_only_grant_when_the_next_one_was_refused(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease is over, but nothing newer counts; without it the connection would be lost."""
    ended.oauth.reuse_revokes_family = False

    def next_holder() -> None:
        ended.advance(46)
        with pytest.raises(ConnectionBroken):
            ended.next_token()

    paused = ended.process()
    between_answer_and_write(monkeypatch, next_holder)

    token = access_token(paused)

    assert ended.next_token() == token
    assert "action_needed" not in ended.status()


def test_a_holder_whose_lease_ends_too_soon_asks_rillet_for_nothing(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_call(monkeypatch, TokenStore, "check", lambda *_: ended.advance(26))

    with pytest.raises(RetryLater, match="ends too soon"):
        ended.next_token()

    assert ended.refreshes == (0, 0)


@pytest.mark.parametrize("act", [OAuthConnection.disconnect, OAuthConnection.connected])
def test_late_tokens_of_a_worker_that_died_are_ignored_by_every_reader(
    ended: OAuthConnection, act: Act
) -> None:
    services = ended.process()

    with pytest.MonkeyPatch.context() as patch:
        before_write(patch, lambda: act(ended))
        patch.setattr(TokenStore, "_undo", die)
        with pytest.raises(Killed):
            access_token(services)

    if act is OAuthConnection.disconnect:
        with pytest.raises(ConnectionBroken, match="must be connected again"):
            ended.next_token()
        assert ended.status()["action_needed"] == "connect"
    else:
        assert ended.oauth.access_token(ended.next_token())
        ended.advance(2 * HOUR)
        assert organisation_id(ended.process())() == "org-acme"
    assert ended.oauth.counts.reuses == 0


@pytest.mark.parametrize("everywhere", [True, False])
def test_tokens_that_were_written_before_a_death_are_found_by_the_next_worker(
    ended: OAuthConnection, everywhere: bool
) -> None:
    """The process ends between the write and its commit in the table."""
    if everywhere:  # the lifetime has changed, so that the new tokens are in the other place
        ended.oauth.access_token_seconds = 3900 - ended.oauth.access_token_seconds
    with patched(TokenStore, "_commit"), pytest.raises(Killed):
        ended.next_token()
    ended.advance(46)

    token = ended.next_token()

    assert ended.refreshes == (1, 0)
    assert token in stored_tokens(ended)
    assert organisation_id(ended.process())() == "org-acme"


def test_an_api_key_that_a_person_put_there_during_a_refresh_stays(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"auth": "api_key", "api_key": ended.rillet_api_key}
    between_answer_and_write(monkeypatch, lambda: ended.put_secret("rillet", key))

    token = ended.next_token()

    assert token == ended.rillet_api_key
    assert ended.secret == key
    assert alive(ended) == set()


def test_a_webhook_token_that_a_person_added_during_a_refresh_stays(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    between_answer_and_write(
        monkeypatch, lambda: ended.add_to_secret("rillet", webhook_token="from-rillet-0123")
    )

    token = ended.next_token()

    assert ended.secret["webhook_token"] == "from-rillet-0123"
    assert ended.next_token() == token


def test_a_refresh_that_was_stored_during_the_disconnect_is_revoked_with_it(
    ended: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's own lease has ended, and a worker has refreshed, before the first token is revoked."""
    worker = ended.process()

    def refresh(*_: object) -> None:
        ended.advance(46)
        access_token(worker)

    monkeypatch.setattr(type(ended.oauth), "revoke", _revoke_alone)
    before_call(monkeypatch, RilletOAuth, "revoke", refresh, call=1)

    answer = ended.disconnect()

    assert (answer["disconnected"], answer["revoked"]) == (True, True)
    assert ended.refreshes == (1, 0)
    assert {ended.oauth.tokens[value].kind for value in alive(ended)} == {"access"}
    assert stored_tokens(ended) == set()


def test_two_people_who_connect_at_once_leave_one_working_connection(
    acme: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_write(monkeypatch, acme.connected)

    acme.connected()

    assert organisation_id(acme.process())() == "org-acme"
    assert acme.secret["access_token"] == acme.next_token()
    assert int(acme.secret["generation"]) == 2


def test_a_grant_for_another_organisation_is_not_left_alive(working: OAuthConnection) -> None:
    other = add_connection(working.system, "other", "Other Ltd")
    before = alive(working)

    page = open_page(working.grant(organisation=other.organisation))

    assert page.status_code == 409
    assert alive(working) == before


def test_a_grant_that_could_not_be_stored_is_not_left_alive(acme: OAuthConnection) -> None:
    url = acme.grant()

    with acme.system.aws.outage("secretsmanager"):
        page = open_page(url)

    assert page.status_code == 502
    assert alive(acme) == set()


def test_tokens_of_an_older_version_of_this_software_go_on_working(working: OAuthConnection) -> None:
    """Their secret and their record in the table have no generation."""
    table = working.system.deployment.outputs["LedgerTableName"]
    fields = {name: value for name, value in working.secret.items() if name not in {"generation", "consent"}}
    working.put_secret("rillet", fields)
    working.system.aws.dynamodb.put_item(
        TableName=table,
        Item={
            "pk": {"S": f"{ACME}#oauth#latest"},
            "sk": {"S": "RECORD"},
            "obtained_at": {"N": fields["obtained_at"]},
        },
    )

    before = working.next_token()
    working.advance(2 * HOUR)
    after = working.next_token()

    assert before == fields["access_token"]
    assert (after, working.secret["generation"]) == (working.secret["access_token"], "1")
    assert working.refreshes == (1, 0)


def test_a_table_from_before_a_restore_takes_the_newer_tokens_of_the_secret(working: OAuthConnection) -> None:
    table = working.system.deployment.outputs["LedgerTableName"]
    key = {"pk": {"S": f"{ACME}#oauth#latest"}, "sk": {"S": "RECORD"}}
    backup = working.system.aws.dynamodb.get_item(TableName=table, Key=key)["Item"]
    for _ in range(2):
        working.advance(2 * HOUR)
        newest = working.next_token()

    working.system.aws.dynamodb.put_item(TableName=table, Item=backup)

    assert working.next_token() == newest
    working.advance(2 * HOUR)
    assert working.next_token() != newest
    assert working.refreshes == (3, 0)
    assert oauth(working.system).counts.reuses == 0
