"""Refreshing, revoking and introspecting tokens of the Rillet fake."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.rillet.oauth_support import (
    BASIC,
    CONFIDENTIAL,
    INVALID_CLIENT,
    INVALID_GRANT,
    INVALID_REQUEST,
    Browser,
    accepted,
    refusal,
)
from tests.fakes.rillet.support import Json


def all_differ(name: str, *answers: Json) -> bool:
    return len({answer[name] for answer in answers}) == len(answers)


def test_a_refresh_answers_new_tokens_and_uses_up_the_old_refresh_token(browser: Browser) -> None:
    browser.oauth.reuse_revokes_family = False
    first = browser.tokens()

    second = accepted(browser.refresh(first["refresh_token"]))
    old = browser.refresh(first["refresh_token"])
    third = accepted(browser.refresh(second["refresh_token"]))

    assert all_differ("refresh_token", first, second, third)
    assert all_differ("access_token", first, second, third)
    assert refusal(old) == INVALID_GRANT
    assert browser.statuses_with(first) == [200]
    assert (browser.oauth.counts.refreshes, browser.oauth.counts.reuses) == (2, 1)


def test_a_used_up_refresh_token_that_comes_back_revokes_its_family(browser: Browser) -> None:
    first = browser.tokens()
    second = accepted(browser.refresh(first["refresh_token"]))

    refused = browser.refresh(first["refresh_token"])

    assert refusal(refused) == INVALID_GRANT
    assert browser.statuses_with(first, second) == [401, 401]
    assert refusal(browser.refresh(second["refresh_token"])) == INVALID_GRANT


def test_a_used_up_refresh_token_works_through_its_grace_period(browser: Browser) -> None:
    browser.oauth.refresh_grace_seconds = 30
    first = browser.tokens()
    second = accepted(browser.refresh(first["refresh_token"]))
    browser.rillet.clock.advance(29)
    third = accepted(browser.refresh(first["refresh_token"]))
    browser.rillet.clock.advance(1)

    fourth = accepted(browser.refresh(second["refresh_token"]))
    after = browser.refresh(first["refresh_token"])

    assert all_differ("refresh_token", first, second, third, fourth)
    assert refusal(after) == INVALID_GRANT


def test_without_rotation_a_refresh_answers_no_refresh_token_and_the_old_one_stays(browser: Browser) -> None:
    browser.oauth.refresh_rotation = False
    first = browser.tokens()

    answers = [accepted(browser.refresh(first["refresh_token"])) for _ in range(2)]

    assert ["refresh_token" in answer for answer in answers] == [False, False]
    assert all_differ("access_token", *answers)


def test_twenty_at_once_with_one_refresh_token_get_one_refresh(browser: Browser) -> None:
    browser.oauth.reuse_revokes_family = False
    tokens = browser.tokens()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: browser.refresh(tokens["refresh_token"]), range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    assert browser.oauth.counts.refreshes == 1


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"refresh_token": None}, INVALID_REQUEST),
        ({"refresh_token": ""}, INVALID_REQUEST),
        ({"refresh_token": "made-up"}, INVALID_GRANT),
        ({"scope": "read write"}, (400, "invalid_scope")),
        ({"basic": BASIC}, INVALID_GRANT),
    ],
)
def test_a_wrong_refresh_is_refused_and_leaves_the_token_good(
    browser: Browser, changed: Json, refused: tuple[int, str]
) -> None:
    tokens = browser.tokens(scope="read")

    answer = browser.refresh(**{"refresh_token": tokens["refresh_token"]} | changed)
    corrected = browser.refresh(tokens["refresh_token"])

    assert refusal(answer) == refused
    assert corrected.status_code == 200


def test_an_access_token_is_no_refresh_token_and_no_refresh_token_a_bearer(browser: Browser) -> None:
    tokens = browser.tokens()

    assert refusal(browser.refresh(tokens["access_token"])) == INVALID_GRANT
    assert browser.status_with(tokens["refresh_token"]) == 401


def test_a_refresh_may_narrow_the_scope_for_one_access_token(browser: Browser) -> None:
    narrow = accepted(browser.refresh(browser.tokens()["refresh_token"], scope="read"))
    full = accepted(browser.refresh(narrow["refresh_token"]))

    assert (narrow["scope"], full["scope"]) == ("read", "read write")


def test_lifetimes_can_be_changed_and_hold_for_what_is_issued_afterwards(browser: Browser) -> None:
    before = browser.tokens()
    browser.oauth.access_token_seconds, browser.oauth.refresh_token_seconds = 10, 20
    after = browser.tokens()
    browser.rillet.clock.advance(10)
    statuses = browser.statuses_with(before, after)
    browser.rillet.clock.advance(10)

    refused = browser.refresh(after["refresh_token"])

    assert after["expires_in"] == 10
    assert statuses == [200, 401]
    assert refusal(refused) == INVALID_GRANT
    assert browser.refresh(before["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("revoked", "error"), [("refresh_token", "invalid_grant"), ("access_token", None)])
def test_revoking_a_refresh_token_revokes_its_family_and_an_access_token_itself_alone(
    browser: Browser, revoked: str, error: str | None
) -> None:
    tokens, others = browser.secret_tokens(), browser.secret_tokens()

    answer = browser.post("revoke", {"token": tokens[revoked]}, basic=BASIC)
    refreshed = browser.refresh(tokens["refresh_token"], basic=BASIC)

    assert answer.status_code == 200
    assert browser.statuses_with(tokens, others) == [401, 200]
    assert (refreshed.status_code, refreshed.json().get("error")) == (400 if error else 200, error)


def test_revoking_what_is_unknown_is_fine_and_what_is_anothers_is_refused(browser: Browser) -> None:
    others = browser.tokens()

    unknown = browser.post("revoke", {"token": "made-up"}, basic=BASIC)
    foreign = browser.post("revoke", {"token": others["refresh_token"]}, basic=BASIC)

    assert unknown.status_code == 200
    assert refusal(foreign) == INVALID_GRANT
    assert browser.statuses_with(others) == [200]


@pytest.mark.parametrize("endpoint", ["revoke", "introspect"])
def test_a_public_client_can_neither_revoke_nor_introspect(browser: Browser, endpoint: str) -> None:
    tokens = browser.tokens()

    answer = browser.post(endpoint, {"token": tokens["refresh_token"]})
    without_token = browser.post(endpoint, {}, basic=BASIC)

    assert refusal(answer) == INVALID_CLIENT
    assert refusal(without_token) == INVALID_REQUEST
    assert browser.statuses_with(tokens) == [200]


def introspect(browser: Browser, *tokens: str) -> list[Json]:
    return [accepted(browser.post("introspect", {"token": token}, basic=BASIC)) for token in tokens]


def test_introspection_describes_a_living_token(browser: Browser) -> None:
    tokens, now = browser.secret_tokens(), int(browser.rillet.clock.now())

    access, refresh = introspect(browser, tokens["access_token"], tokens["refresh_token"])

    assert access == {
        "active": True,
        "client_id": CONFIDENTIAL,
        "scope": "read write",
        "token_type": "Bearer",
        "iat": now,
        "exp": now + 3600,
    }
    assert (refresh["active"], refresh["exp"]) == (True, now + 30 * 24 * 3600)


def test_introspection_discloses_nothing_of_dead_unknown_and_foreign_tokens(browser: Browser) -> None:
    expired = browser.secret_tokens()
    accepted(browser.refresh(expired["refresh_token"], basic=BASIC))
    browser.rillet.clock.advance(3600)
    foreign = browser.tokens()["access_token"]

    answers = introspect(browser, expired["access_token"], expired["refresh_token"], "made-up", foreign)

    assert answers == [{"active": False}] * 4
