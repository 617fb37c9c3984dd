"""A Rillet webhook is taken only if Rillet signed exactly these bytes and headers, recently."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from solvimon_rillet.http.webhook_signature import FUTURE_SECONDS, SignatureInvalid
from solvimon_rillet.rillet.webhooks import TokenForm, verify

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC).timestamp()
TOKEN = base64.b64encode(b"thirty-two bytes of pure chance!").decode()
BODY = b'{"id": "x"}'
Headers = dict[str, str]


def signed(key: bytes, body: bytes = BODY, stamp: str = "2026-11-01T08:00:00Z") -> Headers:
    """Headers as Rillet sends them."""
    parts = [stamp, "evt_1", "INVOICE", "PAID"]
    digest = hmac.new(key, ".".join(parts).encode() + b"." + body, hashlib.sha256).digest()
    names = ("x-rillet-timestamp", "x-rillet-id", "x-rillet-entity", "x-rillet-event")
    headers = dict(zip(names, parts, strict=True))
    return headers | {"x-rillet-signature": base64.b64encode(digest).decode()}


AS_TEXT, DECODED = TOKEN.encode(), base64.b64decode(TOKEN)


def genuine(
    headers: Headers,
    *,
    body: bytes = BODY,
    tokens: tuple[str, ...] = (TOKEN, ""),
    now: float = NOW,
    age: int = 3600,
    form: TokenForm = "auto",
) -> bool:
    """Whether it is accepted; whatever else it raises is a failure of the test."""
    try:
        verify(body, headers, tokens, now, age, form)
    except SignatureInvalid:
        return False
    return True


@pytest.mark.parametrize(
    ("key", "form", "accepted"),
    [
        (AS_TEXT, "auto", True),
        (DECODED, "auto", True),
        (AS_TEXT, "text", True),
        (DECODED, "text", False),
        (AS_TEXT, "base64", False),
        (DECODED, "base64", True),
    ],
)
def test_the_token_is_the_key_as_text_or_decoded(key: bytes, form: TokenForm, accepted: bool) -> None:
    assert genuine(signed(key), form=form) is accepted


@pytest.mark.parametrize("name", list(signed(AS_TEXT)))
def test_every_header_is_needed(name: str) -> None:
    headers = signed(AS_TEXT)

    assert not genuine({key: value for key, value in headers.items() if key != name})
    assert not genuine(headers | {name: ""})


@pytest.mark.parametrize("name", list(signed(AS_TEXT)))
def test_every_header_is_signed(name: str) -> None:
    headers = signed(AS_TEXT)

    assert genuine(headers)
    assert not genuine(headers | {name: headers[name][:-1] + "Y"})


@pytest.mark.parametrize("body", [b"", BODY[:-1], BODY + b" ", b"\xff"])
def test_another_body_is_not_what_was_signed(body: bytes) -> None:
    assert not genuine(signed(AS_TEXT), body=body)


@pytest.mark.parametrize("body", [b"", b"\xff\x00"])
def test_any_bytes_can_be_signed(body: bytes) -> None:
    assert genuine(signed(AS_TEXT, body), body=body)


@pytest.mark.parametrize(
    ("tokens", "accepted"),
    [(("new", TOKEN), True), ((TOKEN, "old"), True), (("new", "old"), False), (("", ""), False), ((), False)],
)
def test_the_token_before_is_accepted_while_we_keep_it(tokens: tuple[str, ...], accepted: bool) -> None:
    assert genuine(signed(AS_TEXT), tokens=tokens) is accepted


@pytest.mark.parametrize("form", ["auto", "text", "base64"])
def test_an_empty_token_signs_nothing(form: TokenForm) -> None:
    assert not genuine(signed(b""), tokens=("", ""), form=form)


def test_a_token_that_is_no_base64_is_text() -> None:
    assert genuine(signed(b"no base64!"), tokens=("no base64!",))
    assert not genuine(signed(b"no base64!"), tokens=("no base64!",), form="base64")


@pytest.mark.parametrize(
    ("later", "accepted"),
    [(0, True), (3600, True), (3601, False), (-FUTURE_SECONDS, True), (-FUTURE_SECONDS - 1, False)],
)
def test_neither_the_past_nor_the_future_is_accepted_for_long(later: int, accepted: bool) -> None:
    assert genuine(signed(AS_TEXT), now=NOW + later) is accepted


@pytest.mark.parametrize("stamp", ["yesterday", "1793520000", "2026-13-01T00:00:00Z", " "])
def test_a_time_that_is_none_is_refused_though_signed(stamp: str) -> None:
    assert not genuine(signed(AS_TEXT, stamp=stamp))


def test_a_time_without_a_zone_is_utc() -> None:
    assert genuine(signed(AS_TEXT, stamp="2026-11-01T08:00:00"))


@pytest.mark.parametrize("before", [0, 1, 9, 10])
def test_one_of_up_to_ten_signatures_is_enough(before: int) -> None:
    headers = signed(AS_TEXT)
    others = [base64.b64encode(bytes([n]) * 32).decode() for n in range(before)]
    headers["x-rillet-signature"] = ", ".join([*others, headers["x-rillet-signature"]])

    assert genuine(headers) is (before < 10)


ODD: dict[str, Callable[[Headers], Headers]] = {
    "signature": lambda h: h | {"x-rillet-signature": "\ud800"},
    "time": lambda h: h | {"x-rillet-timestamp": "2026-11-01\ud80008:00:00Z"},
    "id": lambda h: h | {"x-rillet-id": "\ud800"},
    "outside ASCII": lambda h: h | {"x-rillet-signature": "é", "x-rillet-id": "é"},
}


@pytest.mark.parametrize("name", ODD)
def test_a_header_that_no_vendor_would_send_is_refused_and_not_a_crash(name: str) -> None:
    assert not genuine(ODD[name](signed(AS_TEXT)))
