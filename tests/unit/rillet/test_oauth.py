"""Rillet's authorization server: whatever it answers is a grant or one of our errors."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import simplejson

from solvimon_rillet.errors import OutcomeUnknown, RetryLater
from solvimon_rillet.rillet.oauth import Grant, GrantRefused, OAuthClient, OAuthEndpoints, RilletOAuth
from tests.support.vendor_answers import answering

SERVER = "http://rillet.example"
GOOD = {"access_token": "at", "refresh_token": "rt", "expires_in": 3600, "scope": "read write"}
ODD_LIFETIMES: list[object] = [None, "", "soon", "NaN", "1e999999999999999999999", 0, -5, True, [], {}]
CALLS: dict[str, Callable[[RilletOAuth], Grant]] = {
    "redeem": lambda oauth: oauth.redeem("code", "verifier" * 6),
    "refresh": lambda oauth: oauth.refresh("old"),
}


def server(secret: str = "s") -> RilletOAuth:  # noqa: S107 - a test's
    return RilletOAuth(OAuthClient("id", secret), OAuthEndpoints(SERVER, SERVER, SERVER))


def json(**changes: object) -> bytes:
    return simplejson.dumps({**GOOD, **changes}).encode()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("stated", "lifetime"),
    [
        (300, 300),
        (300.0, 300),
        ("300", 300),
        ("300.0", 300),
        (" 300 ", 300),
        (1e30, 365 * 86_400),
        *((odd, 3600) for odd in ODD_LIFETIMES),
    ],
)
def test_expires_in_is_read_as_a_number_or_a_text(call: str, stated: object, lifetime: int) -> None:
    with answering(200, json(expires_in=stated)):
        grant = CALLS[call](server())

    assert grant == Grant("at", "rt", lifetime, "read write")


@pytest.mark.parametrize("stated", ["tomorrow", "1.5", None, {}, 10**30])
def test_expires_at_of_the_server_is_of_no_account(stated: object) -> None:
    with answering(200, json(expires_at=stated)):
        assert server().refresh("old").lifetime == 3600


@pytest.mark.parametrize(
    ("scope", "granted"),
    [(["read", "write"], "read write"), (None, ""), (7, ""), ({"a": 1}, ""), ([7, "x"], "x")],
)
def test_a_scope_is_a_text_or_a_list_of_texts(scope: object, granted: str) -> None:
    with answering(200, json(scope=scope)):
        assert server().refresh("old").scope == granted


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_grant", "invalid_grant"),
        ({"code": "invalid_grant", "token": "rt-private"}, "an error that is no text"),
        (["invalid_grant"], "an error that is no text"),
        (7, "an error that is no text"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_an_oauth_error_that_is_an_object_is_a_refusal_too(
    call: str, error: object, code: str, status: int
) -> None:
    with answering(status, json(error=error)), pytest.raises(GrantRefused) as raised:
        CALLS[call](server())

    assert raised.value.error == code
    assert "rt-private" not in str(raised.value)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("stated", "after"), [("7", 7), (None, 61)])
def test_a_429_from_the_token_endpoint_is_retried_after_what_it_states(
    call: str, stated: str | None, after: int
) -> None:
    headers = {} if stated is None else {"Retry-After": stated}

    with answering(429, json(error="slow_down"), headers), pytest.raises(RetryLater) as raised:
        CALLS[call](server())

    assert raised.value.after == after


def test_a_429_to_a_revocation_is_retried_after_what_it_states() -> None:
    with answering(429, b"", {"Retry-After": "7"}), pytest.raises(RetryLater) as raised:
        server().revoke("old")

    assert raised.value.after == 7


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((200, body) for body in (b"", b"[]", b"7", b'"text"', b"\xff", b"[" * 100_000)),
        *((200, json(access_token=odd)) for odd in (None, "", 7, "a\nb", "a…", " a", {"a": 1})),
        *((200, json(refresh_token=odd)) for odd in (7, "a\nb", "a…", ["a"])),
        *((status, json()) for status in (302, 404, 500, 503)),
        (503, json(error="temporarily_unavailable")),
        (400, b"{}"),
    ],
)
def test_an_answer_without_a_token_that_can_be_used_may_have_used_up_the_grant(
    call: str, status: int, body: bytes
) -> None:
    with answering(status, body), pytest.raises(OutcomeUnknown) as raised:
        CALLS[call](server())

    assert str(status) in str(raised.value)


def test_a_redirect_never_carries_the_grant_elsewhere() -> None:
    with answering(307, b"", {"Location": "http://elsewhere.example"}) as sent:
        for call in CALLS.values():
            with pytest.raises(OutcomeUnknown):
                call(server())
        revoked = server().revoke("old")

    assert not revoked
    assert {request.url for request in sent} == {f"{SERVER}/"}


def test_a_server_that_was_never_reached_has_not_used_up_the_grant() -> None:
    nowhere = "http://127.0.0.1:9"

    with pytest.raises(RetryLater, match="cannot be reached"):
        RilletOAuth(OAuthClient("id"), OAuthEndpoints(nowhere, nowhere, nowhere)).refresh("old")


@pytest.mark.parametrize("secret", ["", "s"])
def test_a_netrc_file_must_not_replace_the_header_of_the_client(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with answering(200, json()) as sent:
        server(secret).refresh("old")
        requests.get(SERVER, timeout=5)

    ours, without_our_client = (request.headers.get("Authorization") for request in sent)
    assert ours == ("Basic aWQ6cw==" if secret else None)
    assert str(without_our_client).startswith("Basic ")
