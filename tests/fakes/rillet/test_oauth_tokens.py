"""The Rillet fake's token endpoint: codes, and how clients prove who they are."""

import pytest

from local.fake_rillet.oauth.tokens import ACCESS, REFRESH
from tests.fakes.rillet.oauth_support import (
    BASIC,
    CALLBACK,
    CHALLENGE,
    CONFIDENTIAL,
    INVALID_CLIENT,
    INVALID_GRANT,
    INVALID_REQUEST,
    PUBLIC,
    SECRET,
    VERIFIER,
    Browser,
    accepted,
    exchange_form,
    refusal,
)
from tests.fakes.rillet.support import Json


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
    in_time = browser.exchange(early)
    browser.rillet.clock.advance(1)

    too_late = browser.exchange(late)

    assert in_time.status_code == 200
    assert refusal(too_late) == INVALID_GRANT


def test_a_code_that_comes_twice_revokes_the_tokens_made_from_it(browser: Browser) -> None:
    code = browser.code()
    tokens = accepted(browser.exchange(code))
    renewed = accepted(browser.refresh(tokens["refresh_token"]))
    others = browser.tokens()

    again = browser.exchange(code)

    assert refusal(again) == INVALID_GRANT
    assert browser.statuses_with(tokens, renewed, others) == [401, 401, 200]
    assert refusal(browser.refresh(renewed["refresh_token"])) == INVALID_GRANT
    assert browser.oauth.counts.reuses == 1


def test_a_code_of_another_client_is_refused_and_stays_good(browser: Browser) -> None:
    code = browser.code()

    foreign, own = browser.exchange(code, basic=BASIC), browser.exchange(code)

    assert refusal(foreign) == INVALID_GRANT
    assert own.status_code == 200


@pytest.mark.parametrize("sender", [{"client_id": PUBLIC}, {"basic": BASIC}])
@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"code": "made-up"}, INVALID_GRANT),
        ({"redirect_uri": f"{CALLBACK}/other"}, INVALID_GRANT),
        ({"code_verifier": VERIFIER + "x"}, INVALID_GRANT),
        ({"code_verifier": CHALLENGE}, INVALID_GRANT),
        ({"code_verifier": "short"}, INVALID_REQUEST),
        ({"code_verifier": VERIFIER + "\n"}, INVALID_REQUEST),
        ({"code_verifier": None}, INVALID_REQUEST),
        ({"redirect_uri": None}, INVALID_REQUEST),
        ({"code": None}, INVALID_REQUEST),
        ({"grant_type": None}, INVALID_REQUEST),
        ({"grant_type": ["authorization_code", "authorization_code"]}, INVALID_REQUEST),
        ({"grant_type": "client_credentials"}, (400, "unsupported_grant_type")),
    ],
)
def test_a_wrong_exchange_is_refused_and_leaves_the_code_good(
    browser: Browser, sender: Json, changed: Json, refused: tuple[int, str]
) -> None:
    code = browser.code(client_id=sender.get("client_id", CONFIDENTIAL))

    answer = browser.exchange(**{"code": code} | sender | changed)
    corrected = browser.exchange(code, **sender)

    assert refusal(answer) == refused
    assert corrected.status_code == 200


@pytest.mark.parametrize(
    ("credentials", "refused"),
    [
        ({"client_id": CONFIDENTIAL}, INVALID_CLIENT),
        ({"client_id": CONFIDENTIAL, "client_secret": "wrong"}, INVALID_CLIENT),
        ({"client_id": CONFIDENTIAL, "client_secret": "wröng"}, INVALID_CLIENT),
        ({"client_id": "unknown"}, INVALID_CLIENT),
        ({"client_id": None}, INVALID_CLIENT),
        ({"client_id": PUBLIC, "client_secret": "made-up"}, INVALID_CLIENT),
        ({"client_id": None, "header": "Bearer abc"}, INVALID_CLIENT),
        ({"client_id": PUBLIC, "header": "Bearer abc"}, INVALID_CLIENT),
        ({"client_id": None, "header": "Basic !"}, INVALID_CLIENT),
        ({"client_id": None, "header": "Basic"}, INVALID_CLIENT),
        ({"basic": (CONFIDENTIAL, "wrong")}, INVALID_CLIENT),
        ({"basic": ("unknown", "wrong")}, INVALID_CLIENT),
        ({"basic": (PUBLIC, "")}, INVALID_CLIENT),
        ({"basic": BASIC, "client_secret": SECRET}, INVALID_REQUEST),
        ({"basic": BASIC, "client_id": PUBLIC}, INVALID_REQUEST),
    ],
)
def test_a_client_that_cannot_prove_who_it_is_or_does_it_twice_is_refused(
    browser: Browser, credentials: Json, refused: tuple[int, str]
) -> None:
    answer = browser.exchange(browser.code(client_id=CONFIDENTIAL), **credentials)

    assert refusal(answer) == refused
    assert answer.headers.get("WWW-Authenticate", "").startswith("Basic") == (refused == INVALID_CLIENT)


@pytest.mark.parametrize("place", ["params", "json"])
def test_parameters_in_the_url_or_in_json_do_not_count(browser: Browser, place: str) -> None:
    form = exchange_form(browser.code()) | {"client_id": PUBLIC}

    answer = browser.send("POST", "/oauth2/token", **{place: form})

    assert refusal(answer) == INVALID_CLIENT


@pytest.mark.parametrize(
    "credentials",
    [
        {"basic": BASIC},
        {"basic": BASIC, "client_id": CONFIDENTIAL},
        {"client_id": CONFIDENTIAL, "client_secret": SECRET},
    ],
)
def test_a_client_with_a_secret_sends_it_in_the_header_or_in_the_body(
    browser: Browser, credentials: Json
) -> None:
    answer = browser.exchange(browser.code(client_id=CONFIDENTIAL), **credentials)

    assert answer.status_code == 200


def test_codes_and_tokens_do_not_show_in_their_own_descriptions(browser: Browser) -> None:
    browser.tokens()
    oauth = browser.oauth

    described = repr((oauth.codes.values(), oauth.tokens.values(), oauth.clients))

    assert CONFIDENTIAL in described
    assert not [secret for secret in (*oauth.codes, *oauth.tokens, SECRET) if secret in described]
