"""The Rillet fake's token endpoint: codes, and how clients prove who they are."""

from collections.abc import Iterator

import pytest
import requests

from local.fake_rillet.oauth.grants import ACCESS, REFRESH
from tests.fakes.rillet.oauth_support import (
    CALLBACK,
    CHALLENGE,
    CONFIDENTIAL,
    PUBLIC,
    SECRET,
    VERIFIER,
    Browser,
    accepted,
    basic_auth,
    refusal,
)
from tests.fakes.rillet.support import Json, Rillet


@pytest.fixture(scope="module")
def running() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def browser(running: Rillet) -> Browser:
    return Browser(running.reset())


def test_a_code_becomes_an_access_and_a_refresh_token(browser: Browser) -> None:
    answer = browser.exchange(browser.code(scope="read"))

    tokens = accepted(answer)
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, "read")
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.oauth.tokens[tokens["access_token"]].kind == ACCESS
    assert browser.oauth.tokens[tokens["refresh_token"]].kind == REFRESH
    assert browser.oauth.counts.exchanges == 1


def test_a_code_is_good_for_60_seconds(browser: Browser) -> None:
    early, late = browser.code(), browser.code()
    browser.rillet.clock.advance(59)
    in_time = browser.exchange(early).status_code
    browser.rillet.clock.advance(1)

    too_late = browser.exchange(late)

    assert in_time == 200
    assert refusal(too_late) == (400, "invalid_grant")


def test_a_code_that_comes_twice_revokes_the_tokens_made_from_it(browser: Browser) -> None:
    code = browser.code()
    tokens = accepted(browser.exchange(code))
    renewed = accepted(browser.refresh(tokens["refresh_token"]))
    others = browser.tokens()

    again = browser.exchange(code)

    assert refusal(again) == (400, "invalid_grant")
    assert [browser.status_with(one["access_token"]) for one in (tokens, renewed, others)] == [401, 401, 200]
    assert refusal(browser.refresh(renewed["refresh_token"])) == (400, "invalid_grant")
    assert browser.oauth.counts.reuses == 1


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code": "made-up"}, "invalid_grant"),
        ({"redirect_uri": f"{CALLBACK}/other"}, "invalid_grant"),
        ({"code_verifier": VERIFIER + "x"}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code": None}, "invalid_request"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_exchange_is_refused_and_leaves_the_code_good(
    browser: Browser, changed: dict[str, str | None], error: str
) -> None:
    code = browser.code()

    refused = browser.exchange(**({"code": code} | changed))  # type: ignore[arg-type]
    corrected = browser.exchange(code)

    assert refusal(refused) == (400, error)
    assert corrected.status_code == 200


def test_a_code_and_a_refresh_token_of_another_client_are_refused(browser: Browser) -> None:
    code, tokens = browser.code(), browser.tokens()

    exchanged = browser.exchange(code, basic=basic_auth())
    refreshed = browser.refresh(tokens["refresh_token"], basic=basic_auth())

    assert refusal(exchanged) == refusal(refreshed) == (400, "invalid_grant")
    assert browser.exchange(code).status_code == browser.refresh(tokens["refresh_token"]).status_code == 200


def test_parameters_in_the_url_or_in_json_do_not_count(browser: Browser) -> None:
    form = {
        "client_id": PUBLIC,
        "grant_type": "authorization_code",
        "code": browser.code(),
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    url = f"{browser.rillet.fake.url}/oauth2/token"

    in_url = requests.post(url, params=form, timeout=10)
    in_json = requests.post(url, json=form, timeout=10)

    assert refusal(in_url) == refusal(in_json) == (401, "invalid_client")


def test_a_repeated_parameter_is_an_invalid_request(browser: Browser) -> None:
    form = [("client_id", PUBLIC), ("grant_type", "refresh_token"), ("grant_type", "refresh_token")]

    answer = requests.post(f"{browser.rillet.fake.url}/oauth2/token", data=form, timeout=10)

    assert refusal(answer) == (400, "invalid_request")


def test_a_client_with_a_secret_sends_it_in_the_header_or_in_the_body(browser: Browser) -> None:
    codes = [browser.code(client_id=CONFIDENTIAL) for _ in range(2)]

    by_header = browser.exchange(codes[0], basic=basic_auth())
    by_body = browser.exchange(codes[1], client_id=CONFIDENTIAL, client_secret=SECRET)

    assert (by_header.status_code, by_body.status_code) == (200, 200)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": CONFIDENTIAL},
        {"client_id": CONFIDENTIAL, "client_secret": "wrong"},
        {"client_id": CONFIDENTIAL, "client_secret": "wröng"},
        {"client_id": "stranger"},
        {"client_id": None},
        {"client_id": PUBLIC, "client_secret": "made-up"},
        {"basic": (CONFIDENTIAL, "wrong")},
        {"basic": ("stranger", "wrong")},
        {"basic": (PUBLIC, "")},
    ],
)
def test_a_client_that_cannot_prove_itself_is_invalid(browser: Browser, changed: Json) -> None:
    answer = browser.exchange(browser.code(client_id=CONFIDENTIAL), **changed)

    assert refusal(answer) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_header_that_is_not_basic_is_an_invalid_client(browser: Browser) -> None:
    url = f"{browser.rillet.fake.url}/oauth2/token"

    answers = [
        requests.post(url, headers={"Authorization": header}, timeout=10)
        for header in ("Bearer abc", "Basic !", "Basic")
    ]

    assert {refusal(answer) for answer in answers} == {(401, "invalid_client")}


def test_a_client_must_not_authenticate_in_two_ways_or_under_two_ids(browser: Browser) -> None:
    code = browser.code(client_id=CONFIDENTIAL)

    two_ways = browser.exchange(code, basic=basic_auth(), client_secret=SECRET)
    two_ids = browser.exchange(code, basic=basic_auth(), client_id=PUBLIC)
    same_id = browser.exchange(code, basic=basic_auth(), client_id=CONFIDENTIAL)

    assert refusal(two_ways) == refusal(two_ids) == (400, "invalid_request")
    assert same_id.status_code == 200
