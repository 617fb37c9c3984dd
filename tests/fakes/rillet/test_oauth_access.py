"""OAuth access tokens on the Rillet fake's REST API, misbehaviours of its OAuth, and its call log."""

from collections.abc import Iterator

import pytest
import requests

from tests.fakes.rillet.oauth_support import (
    CALLBACK,
    CONFIDENTIAL,
    PUBLIC,
    SECRET,
    VERIFIER,
    Browser,
    accepted,
    basic_auth,
    refusal,
)
from tests.fakes.rillet.support import KEY, Rillet, full_invoice
from tests.fakes.support import wait_until


@pytest.fixture(scope="module")
def running() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def browser(running: Rillet) -> Browser:
    return Browser(running.reset())


def test_an_access_token_reads_and_writes_in_its_own_organisation_only(browser: Browser) -> None:
    other = browser.rillet.state.add_organisation(api_key="other", trade_name="Other")
    token = browser.tokens(other)["access_token"]

    key = browser.rillet.call("GET", "/api-key", api_key=token).json()
    created = browser.rillet.call("POST", "/customers", {"name": "A"}, api_key=token)

    assert key == {"organization_id": other.id, "organization_name": "Other", "read_only": False}
    assert created.status_code == 200
    assert (len(other.customers), len(browser.rillet.organisation.customers)) == (1, 1)
    assert browser.rillet.state.calls[-1].organisation_id == other.id


def test_a_token_without_the_write_scope_reads_but_does_not_write(browser: Browser) -> None:
    token = browser.tokens(scope="read")["access_token"]

    read = browser.rillet.call("GET", "/api-key", api_key=token)
    written = browser.rillet.call("POST", "/invoices", full_invoice(), api_key=token)

    assert read.json()["read_only"] is True
    assert written.status_code == 403
    assert written.headers["Content-Type"] == "application/problem+json"
    assert len(browser.rillet.organisation.invoices) == 0


def test_a_token_without_the_read_scope_does_not_read(browser: Browser) -> None:
    token = browser.tokens(scope="write")["access_token"]

    assert browser.status_with(token) == 403
    assert browser.rillet.call("POST", "/customers", {"name": "A"}, api_key=token).status_code == 200


def test_an_expired_token_is_a_401_problem_that_a_refresh_heals(browser: Browser) -> None:
    tokens = browser.tokens()
    browser.rillet.clock.advance(3599)
    in_time = browser.status_with(tokens["access_token"])
    browser.rillet.clock.advance(1)

    expired = browser.rillet.call("GET", "/customers", api_key=tokens["access_token"])
    renewed = accepted(browser.refresh(tokens["refresh_token"]))

    assert in_time == 200
    assert (expired.status_code, expired.json()["title"]) == (401, "Unauthorized")
    assert expired.headers["Content-Type"] == "application/problem+json"
    assert browser.status_with(renewed["access_token"]) == 200


def test_all_access_tokens_can_be_made_to_expire_at_once(browser: Browser) -> None:
    tokens = browser.tokens()

    browser.oauth.expire_access_tokens()

    assert browser.status_with(tokens["access_token"]) == 401
    assert browser.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("by_id", [False, True])
def test_an_organisation_can_revoke_all_its_tokens_and_codes_but_not_anothers(
    browser: Browser, by_id: bool
) -> None:
    organisation = browser.rillet.organisation
    other = browser.rillet.state.add_organisation(api_key="other")
    tokens, code, others = browser.tokens(), browser.code(), browser.tokens(other)

    browser.oauth.revoke_all(organisation.id if by_id else organisation)

    assert [browser.status_with(one["access_token"]) for one in (tokens, others)] == [401, 200]
    assert refusal(browser.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
    assert refusal(browser.exchange(code)) == (400, "invalid_grant")


def test_keys_and_tokens_share_the_rate_limit_of_their_organisation(browser: Browser) -> None:
    tokens = [browser.tokens()["access_token"] for _ in range(2)]
    other = browser.tokens(browser.rillet.state.add_organisation(api_key="other"))["access_token"]
    browser.rillet.state.rate_limit = 2

    statuses = [browser.status_with(bearer) for bearer in (tokens[0], KEY, tokens[1], KEY, other)]

    assert statuses == [200, 200, 429, 429, 200]
    assert browser.rillet.organisation.counts.refused == 2


def test_nothing_of_oauth_is_rate_limited(browser: Browser) -> None:
    browser.rillet.state.rate_limit = 0

    tokens = browser.tokens()
    renewed = browser.refresh(tokens["refresh_token"])

    assert renewed.status_code == 200
    assert browser.status_with(tokens["access_token"]) == 429


def test_an_idempotency_key_means_nothing_to_the_token_endpoint(browser: Browser) -> None:
    code = browser.code()
    form = {
        "client_id": PUBLIC,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }

    answers = [
        requests.post(
            f"{browser.rillet.fake.url}/oauth2/token",
            data=form,
            headers={"Idempotency-Key": "k1"},
            timeout=10,
        )
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert browser.rillet.state.replays == 0


def test_a_refresh_whose_answer_is_lost_has_used_up_the_token(browser: Browser) -> None:
    tokens = browser.tokens()
    browser.rillet.state.misbehave("commit_then_drop", path="/oauth2/token")

    with pytest.raises(requests.ConnectionError):
        browser.refresh(tokens["refresh_token"])

    assert browser.oauth.counts.refreshes == 1
    assert refusal(browser.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def test_a_refresh_that_never_arrived_can_be_sent_again(browser: Browser) -> None:
    tokens = browser.tokens()
    browser.rillet.state.misbehave("drop", path="/oauth2/token")
    browser.rillet.state.misbehave("status", path="/oauth2/token", status=502, body="<html>Bad</html>")

    with pytest.raises(requests.ConnectionError):
        browser.refresh(tokens["refresh_token"])
    statuses = [browser.refresh(tokens["refresh_token"]).status_code for _ in range(2)]

    assert statuses == [502, 200]


def test_a_malformed_token_answer_is_half_an_answer_and_is_not_logged(browser: Browser) -> None:
    browser.rillet.state.misbehave("malformed", path="/oauth2/token")

    answer = browser.exchange(browser.code())

    call = browser.rillet.state.calls[-1]
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert (call.fault, call.response_body) == ("malformed", "***")


def test_a_delayed_refresh_happens_although_the_caller_gave_up(browser: Browser) -> None:
    tokens = browser.tokens()
    form = {"client_id": PUBLIC, "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    browser.rillet.state.misbehave("delay", path="/oauth2/token", seconds=30)

    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{browser.rillet.fake.url}/oauth2/token", data=form, timeout=0.05)
    before = browser.oauth.counts.refreshes
    browser.rillet.state.behave()
    wait_until(lambda: browser.rillet.state.calls[-1].status is not None)

    assert (before, browser.oauth.counts.refreshes) == (0, 1)


def test_the_call_log_has_every_oauth_call_without_its_secrets(browser: Browser) -> None:
    tokens = accepted(
        browser.exchange(browser.code(client_id=CONFIDENTIAL), client_id=CONFIDENTIAL, client_secret=SECRET)
    )
    accepted(browser.refresh(tokens["refresh_token"], basic=basic_auth()))
    browser.post("introspect", {"token": tokens["access_token"]}, basic=basic_auth())
    browser.post("revoke", {"token": tokens["access_token"]}, basic=basic_auth())
    url = browser.rillet.fake.url
    registered = requests.post(f"{url}/oauth2/register", json={"redirect_uris": [CALLBACK]}, timeout=10)
    requests.post(
        browser.authorize_url(),
        data={"organisation": browser.rillet.organisation.id, "decision": "grant"},
        allow_redirects=False,
        timeout=10,
    )
    requests.get(f"{url}/oauth2/token", params={"code": "code-in-url"}, timeout=10)
    requests.post(f"{url}/oauth2/token", json={"refresh_token": "token-in-json"}, timeout=10)
    requests.post(f"{url}/oauth2/token", data="refresh_token=token-in-text", timeout=10)
    requests.post(f"{url}/oauth/token", data={"refresh_token": "token-gone-astray"}, timeout=10)

    log = repr(browser.rillet.state.calls)
    exchange = browser.rillet.state.calls[0]
    secrets = [
        SECRET,
        VERIFIER,
        registered.json()["client_secret"],
        *browser.oauth.codes,
        *browser.oauth.tokens,
    ]
    assert (exchange.method, exchange.path, exchange.status) == ("POST", "/oauth2/token", 200)
    assert exchange.request_body == {
        "client_id": CONFIDENTIAL,
        "client_secret": "***",
        "grant_type": "authorization_code",
        "code": "***",
        "redirect_uri": CALLBACK,
        "code_verifier": "***",
    }
    assert exchange.response_body["access_token"] == exchange.response_body["refresh_token"] == "***"
    assert exchange.response_body["expires_in"] == 3600
    assert len(browser.rillet.state.calls) == 10
    assert len(secrets) == 9
    assert not [secret for secret in secrets if secret in log]
    assert not [
        secret
        for secret in ("code-in-url", "token-in-json", "token-in-text", "token-gone-astray")
        if secret in log
    ]


def test_codes_and_tokens_do_not_show_in_their_own_descriptions(browser: Browser) -> None:
    tokens = browser.tokens()

    described = repr((browser.oauth.codes.values(), browser.oauth.tokens.values(), browser.oauth.clients))

    assert tokens["access_token"] not in described
    assert not [code for code in browser.oauth.codes if code in described]
    assert SECRET not in described


def test_a_reset_forgets_clients_tokens_counts_and_switches(browser: Browser) -> None:
    tokens = browser.tokens()
    browser.oauth.access_token_seconds, browser.oauth.refresh_rotation = 1, False

    browser.rillet.state.reset()

    oauth = browser.rillet.state.oauth
    assert (oauth.clients, oauth.codes, oauth.tokens) == ({}, {}, {})
    assert (oauth.access_token_seconds, oauth.refresh_rotation) == (3600, True)
    assert (oauth.counts.codes_issued, oauth.counts.exchanges) == (0, 0)
    assert browser.status_with(tokens["access_token"]) == 401


def test_the_state_over_http_shows_the_counts_of_oauth(browser: Browser) -> None:
    browser.refresh(browser.tokens()["refresh_token"])

    shown = requests.get(f"{browser.rillet.fake.url}/_fake/state", timeout=10).json()["oauth"]

    assert shown == {"codes_issued": 1, "exchanges": 1, "refreshes": 1, "reuses": 0}
