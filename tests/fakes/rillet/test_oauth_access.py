"""OAuth access tokens on the Rillet fake's REST API, misbehaviours of its OAuth, and its call log."""

from dataclasses import asdict

import pytest
import requests

from tests.fakes.rillet.oauth_support import (
    BASIC,
    CALLBACK,
    CONFIDENTIAL,
    INVALID_GRANT,
    PUBLIC,
    SECRET,
    VERIFIER,
    Browser,
    accepted,
    exchange_form,
    refusal,
)
from tests.fakes.rillet.support import KEY, full_invoice
from tests.fakes.support import wait_until

TOKEN = "/oauth2/token"


def test_an_access_token_reads_and_writes_in_its_own_organisation_only(browser: Browser) -> None:
    other = browser.rillet.state.add_organisation(api_key="other", trade_name="Other")
    token = browser.tokens(other)["access_token"]

    key = browser.rillet.call("GET", "/api-key", api_key=token).json()
    created = browser.rillet.call("POST", "/customers", {"name": "A"}, api_key=token)

    assert key == {"organization_id": other.id, "organization_name": "Other", "read_only": False}
    assert created.status_code == 200
    assert (len(other.customers), len(browser.rillet.organisation.customers)) == (1, 1)
    assert browser.rillet.state.calls[-1].organisation_id == other.id


@pytest.mark.parametrize(("scope", "refused"), [("read", "POST"), ("write", "GET")])
def test_a_token_of_one_scope_does_only_what_that_scope_allows(
    browser: Browser, scope: str, refused: str
) -> None:
    token = browser.tokens(scope=scope)["access_token"]

    answers = {
        "GET": browser.rillet.call("GET", "/customers", api_key=token),
        "POST": browser.rillet.call("POST", "/invoices", full_invoice(), api_key=token),
    }

    assert {method for method, answer in answers.items() if answer.status_code != 200} == {refused}
    assert answers[refused].status_code == 403
    assert answers[refused].headers["Content-Type"] == "application/problem+json"
    assert len(browser.rillet.organisation.invoices) == (scope == "write")


def test_a_token_that_only_reads_says_so(browser: Browser) -> None:
    token = browser.tokens(scope="read")["access_token"]

    assert browser.rillet.call("GET", "/api-key", api_key=token).json()["read_only"] is True


def test_an_expired_token_is_a_401_problem_that_a_refresh_fixes(browser: Browser) -> None:
    tokens = browser.tokens()
    browser.rillet.clock.advance(3599)
    in_time = browser.statuses_with(tokens)
    browser.rillet.clock.advance(1)

    expired = browser.rillet.call("GET", "/customers", api_key=tokens["access_token"])
    renewed = accepted(browser.refresh(tokens["refresh_token"]))

    assert in_time == [200]
    assert (expired.status_code, expired.json()["title"]) == (401, "Unauthorized")
    assert expired.headers["Content-Type"] == "application/problem+json"
    assert browser.statuses_with(renewed) == [200]


def test_all_access_tokens_can_be_made_to_expire_at_once(browser: Browser) -> None:
    tokens = browser.tokens()

    browser.oauth.expire_access_tokens()

    assert browser.statuses_with(tokens) == [401]
    assert browser.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("by_id", [False, True])
def test_an_organisation_can_revoke_all_its_tokens_and_codes_but_not_anothers(
    browser: Browser, by_id: bool
) -> None:
    organisation = browser.rillet.organisation
    other = browser.rillet.state.add_organisation(api_key="other")
    tokens, code, others = browser.tokens(), browser.code(), browser.tokens(other)

    browser.oauth.revoke_all(organisation.id if by_id else organisation)

    assert browser.statuses_with(tokens, others) == [401, 200]
    assert refusal(browser.refresh(tokens["refresh_token"])) == INVALID_GRANT
    assert refusal(browser.exchange(code)) == INVALID_GRANT


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
    assert browser.statuses_with(tokens) == [429]


def test_an_idempotency_key_means_nothing_to_the_token_endpoint(browser: Browser) -> None:
    form = exchange_form(browser.code()) | {"client_id": PUBLIC}

    answers = [browser.send("POST", TOKEN, data=form, headers={"Idempotency-Key": "k1"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert browser.rillet.state.replays == 0


def test_a_refresh_whose_answer_is_lost_has_used_up_the_token(browser: Browser) -> None:
    tokens = browser.tokens()
    browser.rillet.state.misbehave("commit_then_drop", path=TOKEN)

    with pytest.raises(requests.ConnectionError):
        browser.refresh(tokens["refresh_token"])

    assert browser.oauth.counts.refreshes == 1
    assert refusal(browser.refresh(tokens["refresh_token"])) == INVALID_GRANT


def test_a_refresh_that_never_arrived_can_be_sent_again(browser: Browser) -> None:
    tokens = browser.tokens()
    browser.rillet.state.misbehave("drop", path=TOKEN)
    browser.rillet.state.misbehave("status", path=TOKEN, status=502, body="<html>Bad</html>")

    with pytest.raises(requests.ConnectionError):
        browser.refresh(tokens["refresh_token"])
    statuses = [browser.refresh(tokens["refresh_token"]).status_code for _ in range(2)]

    assert statuses == [502, 200]


def test_a_malformed_token_answer_is_half_an_answer_and_is_not_logged(browser: Browser) -> None:
    browser.rillet.state.misbehave("malformed", path=TOKEN)

    answer = browser.exchange(browser.code())

    call = browser.rillet.state.calls[-1]
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    assert (call.fault, call.response_body) == ("malformed", "***")


def test_a_delayed_refresh_happens_although_the_caller_gave_up(browser: Browser) -> None:
    token = browser.tokens()["refresh_token"]
    form = {"client_id": PUBLIC, "grant_type": "refresh_token", "refresh_token": token}
    browser.rillet.state.misbehave("delay", path=TOKEN, seconds=30)

    with pytest.raises(requests.ReadTimeout):
        browser.send("POST", TOKEN, data=form, timeout=0.05)
    before = browser.oauth.counts.refreshes
    browser.rillet.state.behave()
    wait_until(lambda: browser.rillet.state.calls[-1].status is not None)

    assert (before, browser.oauth.counts.refreshes) == (0, 1)


def test_the_call_log_has_every_oauth_call_without_its_secrets(browser: Browser) -> None:
    code = browser.code(client_id=CONFIDENTIAL)
    tokens = accepted(browser.exchange(code, client_id=CONFIDENTIAL, client_secret=SECRET))
    accepted(browser.refresh(tokens["refresh_token"], basic=BASIC))
    for endpoint in ("introspect", "revoke"):
        browser.post(endpoint, {"token": tokens["access_token"]}, basic=BASIC)
    registered = browser.send("POST", "/oauth2/register", json={"redirect_uris": [CALLBACK]})
    browser.submit(browser.authorize_url(), browser.rillet.organisation.id)
    browser.send("GET", TOKEN, params={"code": "code-in-url"})
    browser.send("POST", TOKEN, json={"refresh_token": "token-in-json"})
    browser.send("POST", TOKEN, data="refresh_token=token-in-text")
    browser.send("POST", "/oauth/token", data={"refresh_token": "token-gone-astray"})

    log = repr(browser.rillet.state.calls)
    exchange = browser.rillet.state.calls[0]
    issued = [registered.json()["client_secret"], *browser.oauth.codes, *browser.oauth.tokens]
    invented = ["code-in-url", "token-in-json", "token-in-text", "token-gone-astray"]
    assert (exchange.method, exchange.path, exchange.status) == ("POST", TOKEN, 200)
    assert exchange.request_body == exchange_form("***") | {
        "client_id": CONFIDENTIAL,
        "client_secret": "***",
        "code_verifier": "***",
    }
    assert exchange.response_body["access_token"] == exchange.response_body["refresh_token"] == "***"
    assert exchange.response_body["expires_in"] == 3600
    assert len(browser.rillet.state.calls) == 10
    assert len(issued) == 7
    assert not [secret for secret in (SECRET, VERIFIER, *issued, *invented) if secret in log]


def test_a_reset_forgets_clients_tokens_counts_and_switches(browser: Browser) -> None:
    tokens = browser.tokens()
    browser.oauth.access_token_seconds, browser.oauth.refresh_rotation = 1, False

    browser.rillet.state.reset()

    oauth = browser.oauth
    assert (oauth.clients, oauth.codes, oauth.tokens) == ({}, {}, {})
    assert (oauth.access_token_seconds, oauth.refresh_rotation) == (3600, True)
    assert (oauth.counts.codes_issued, oauth.counts.exchanges) == (0, 0)
    assert browser.statuses_with(tokens) == [401]


def test_what_was_granted_is_counted(browser: Browser) -> None:
    browser.refresh(browser.tokens()["refresh_token"])

    assert asdict(browser.oauth.counts) == {"codes_issued": 1, "exchanges": 1, "refreshes": 1, "reuses": 0}
