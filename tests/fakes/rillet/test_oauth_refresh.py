"""Refreshing, revoking and introspecting tokens of the Rillet fake."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes.rillet.oauth_support import CONFIDENTIAL, Browser, accepted, basic_auth, refusal
from tests.fakes.rillet.support import Json, Rillet


@pytest.fixture(scope="module")
def running() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def browser(running: Rillet) -> Browser:
    return Browser(running.reset())


def test_a_refresh_answers_new_tokens_and_uses_up_the_old_refresh_token(browser: Browser) -> None:
    browser.oauth.reuse_revokes_family = False
    first = browser.tokens()

    second = accepted(browser.refresh(first["refresh_token"]))
    old = browser.refresh(first["refresh_token"])
    third = accepted(browser.refresh(second["refresh_token"]))

    assert len({answer["refresh_token"] for answer in (first, second, third)}) == 3
    assert len({answer["access_token"] for answer in (first, second, third)}) == 3
    assert refusal(old) == (400, "invalid_grant")
    assert browser.status_with(first["access_token"]) == 200
    assert (browser.oauth.counts.refreshes, browser.oauth.counts.reuses) == (2, 1)


def test_a_used_up_refresh_token_that_comes_back_revokes_its_family(browser: Browser) -> None:
    first = browser.tokens()
    second = accepted(browser.refresh(first["refresh_token"]))

    refused = browser.refresh(first["refresh_token"])

    assert refusal(refused) == (400, "invalid_grant")
    assert [browser.status_with(one["access_token"]) for one in (first, second)] == [401, 401]
    assert refusal(browser.refresh(second["refresh_token"])) == (400, "invalid_grant")


def test_a_used_up_refresh_token_works_through_its_grace_period(browser: Browser) -> None:
    browser.oauth.refresh_grace_seconds = 30
    first = browser.tokens()
    second = accepted(browser.refresh(first["refresh_token"]))
    browser.rillet.clock.advance(29)
    third = accepted(browser.refresh(first["refresh_token"]))
    browser.rillet.clock.advance(1)

    fourth = accepted(browser.refresh(second["refresh_token"]))
    after = browser.refresh(first["refresh_token"])

    assert len({answer["refresh_token"] for answer in (first, second, third, fourth)}) == 4
    assert refusal(after) == (400, "invalid_grant")


def test_without_rotation_a_refresh_answers_no_refresh_token_and_the_old_one_stays(browser: Browser) -> None:
    browser.oauth.refresh_rotation = False
    first = browser.tokens()

    answers = [accepted(browser.refresh(first["refresh_token"])) for _ in range(2)]

    assert ["refresh_token" in answer for answer in answers] == [False, False]
    assert len({answer["access_token"] for answer in answers}) == 2


def test_twenty_at_once_with_one_refresh_token_get_one_refresh(browser: Browser) -> None:
    browser.oauth.reuse_revokes_family = False
    tokens = browser.tokens()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: browser.refresh(tokens["refresh_token"]), range(20)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [400] * 19
    assert browser.oauth.counts.refreshes == 1


def test_a_refresh_may_narrow_the_scope_for_one_access_token_but_never_widen_it(browser: Browser) -> None:
    tokens = browser.tokens()
    narrow = accepted(browser.refresh(tokens["refresh_token"], scope="read"))
    full = accepted(browser.refresh(narrow["refresh_token"]))
    reader = browser.tokens(scope="read")

    wider = browser.refresh(reader["refresh_token"], scope="read write")

    assert (narrow["scope"], full["scope"]) == ("read", "read write")
    assert refusal(wider) == (400, "invalid_scope")
    assert browser.refresh(reader["refresh_token"]).status_code == 200


def test_lifetimes_can_be_changed_and_hold_for_what_is_issued_afterwards(browser: Browser) -> None:
    before = browser.tokens()
    browser.oauth.access_token_seconds, browser.oauth.refresh_token_seconds = 10, 20
    after = browser.tokens()
    browser.rillet.clock.advance(10)
    statuses = [browser.status_with(one["access_token"]) for one in (before, after)]
    browser.rillet.clock.advance(10)

    refused = browser.refresh(after["refresh_token"])

    assert after["expires_in"] == 10
    assert statuses == [200, 401]
    assert refusal(refused) == (400, "invalid_grant")
    assert browser.refresh(before["refresh_token"]).status_code == 200


@pytest.mark.parametrize("given", [{}, {"refresh_token": ""}])
def test_a_refresh_without_a_token_is_an_invalid_request(browser: Browser, given: dict[str, str]) -> None:
    assert refusal(browser.post("token", {"grant_type": "refresh_token", **given})) == (
        400,
        "invalid_request",
    )


def test_an_access_token_is_no_refresh_token_and_no_refresh_token_a_bearer(browser: Browser) -> None:
    tokens = browser.tokens()

    assert refusal(browser.refresh(tokens["access_token"])) == (400, "invalid_grant")
    assert browser.status_with(tokens["refresh_token"]) == 401


def secret_tokens(browser: Browser) -> Json:
    return accepted(browser.exchange(browser.code(client_id=CONFIDENTIAL), basic=basic_auth()))


def test_revoking_a_refresh_token_revokes_its_family(browser: Browser) -> None:
    tokens, others = secret_tokens(browser), secret_tokens(browser)

    revoked = browser.post("revoke", {"token": tokens["refresh_token"]}, basic=basic_auth())

    assert revoked.status_code == 200
    assert [browser.status_with(one["access_token"]) for one in (tokens, others)] == [401, 200]
    refreshed = browser.refresh(tokens["refresh_token"], basic=basic_auth())
    assert refusal(refreshed) == (400, "invalid_grant")


def test_revoking_an_access_token_leaves_its_refresh_token(browser: Browser) -> None:
    tokens = secret_tokens(browser)

    browser.post("revoke", {"token": tokens["access_token"]}, basic=basic_auth())

    assert browser.status_with(tokens["access_token"]) == 401
    assert browser.refresh(tokens["refresh_token"], basic=basic_auth()).status_code == 200


def test_revoking_what_is_unknown_is_fine_and_what_is_anothers_is_refused(browser: Browser) -> None:
    others = browser.tokens()

    unknown = browser.post("revoke", {"token": "made-up"}, basic=basic_auth())
    foreign = browser.post("revoke", {"token": others["refresh_token"]}, basic=basic_auth())

    assert unknown.status_code == 200
    assert refusal(foreign) == (400, "invalid_grant")
    assert browser.status_with(others["access_token"]) == 200


@pytest.mark.parametrize("endpoint", ["revoke", "introspect"])
def test_a_public_client_can_neither_revoke_nor_introspect(browser: Browser, endpoint: str) -> None:
    tokens = browser.tokens()

    answer = browser.post(endpoint, {"token": tokens["refresh_token"]})
    without_token = browser.post(endpoint, {}, basic=basic_auth())

    assert refusal(answer) == (401, "invalid_client")
    assert refusal(without_token) == (400, "invalid_request")
    assert browser.status_with(tokens["access_token"]) == 200


def introspect(browser: Browser, token: str) -> Json:
    return accepted(browser.post("introspect", {"token": token}, basic=basic_auth()))


def test_introspection_describes_a_living_token(browser: Browser) -> None:
    tokens = secret_tokens(browser)
    now = int(browser.rillet.clock.now())

    access, refresh = (introspect(browser, tokens[name]) for name in ("access_token", "refresh_token"))

    assert access == {
        "active": True,
        "client_id": CONFIDENTIAL,
        "scope": "read write",
        "token_type": "Bearer",
        "iat": now,
        "exp": now + 3600,
    }
    assert (refresh["active"], refresh["exp"]) == (True, now + 30 * 24 * 3600)


def test_introspection_tells_nothing_of_dead_unknown_and_foreign_tokens(browser: Browser) -> None:
    expired = secret_tokens(browser)
    accepted(browser.refresh(expired["refresh_token"], basic=basic_auth()))
    browser.rillet.clock.advance(3600)
    foreign = browser.tokens()
    tokens = (expired["access_token"], expired["refresh_token"], "made-up", foreign["access_token"])

    answers = [introspect(browser, token) for token in tokens]

    assert answers == [{"active": False}] * 4
