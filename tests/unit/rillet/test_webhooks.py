"""A Rillet webhook is taken only if Rillet signed exactly these bytes and headers, recently."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.http.webhook_signature import FUTURE_SECONDS, SignatureInvalid
from solvimon_rillet.rillet.webhooks import TokenForm, verify

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC).timestamp()
TOKEN = base64.b64encode(b"thirty-two bytes of pure chance!").decode()
AS_TEXT, DECODED = TOKEN.encode(), base64.b64decode(TOKEN)
BODY = b'{"id": "x"}'
Headers = dict[str, str]
GENUINE = {
    "x-rillet-timestamp": "2026-11-01T08:00:00Z",
    "x-rillet-id": "0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11",
    "x-rillet-entity": "INVOICE",
    "x-rillet-event": "PAID",
}
FORMS: list[TokenForm] = ["auto", "text", "base64"]


def signed(key: bytes = AS_TEXT, body: bytes = BODY, **changed: str) -> Headers:
    """Headers with their signature by Rillet's formula, written down a second time.

    Args:
        key: that signs.
        body: of the webhook.
        changed: headers that are not as in `GENUINE`, without the vendor's prefix.
    """
    headers = GENUINE | {f"x-rillet-{name}": value for name, value in changed.items()}
    text = b"".join(headers[name].encode() + b"." for name in GENUINE) + body
    digest = hmac.new(key, text, hashlib.sha256).digest()
    return headers | {"x-rillet-signature": base64.b64encode(digest).decode()}


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


@pytest.mark.parametrize("name", [*GENUINE, "x-rillet-signature"])
def test_every_header_is_needed(name: str) -> None:
    headers = signed()

    assert not genuine({key: value for key, value in headers.items() if key != name})
    assert not genuine(headers | {name: ""})


@pytest.mark.parametrize("name", [*GENUINE, "x-rillet-signature"])
def test_every_header_is_signed(name: str) -> None:
    headers = signed()

    assert genuine(headers)
    assert not genuine(headers | {name: headers[name][:-1] + "Y"})


@pytest.mark.parametrize("body", [b"", BODY[:-1], BODY + b" ", b"\xff"])
def test_another_body_is_not_what_was_signed(body: bytes) -> None:
    assert not genuine(signed(), body=body)


@pytest.mark.parametrize("body", [b"", b"\xff\x00"])
def test_any_bytes_can_be_signed(body: bytes) -> None:
    assert genuine(signed(body=body), body=body)


@pytest.mark.parametrize(
    ("tokens", "accepted"),
    [(("new", TOKEN), True), ((TOKEN, "old"), True), (("new", "old"), False), (("", ""), False), ((), False)],
)
def test_the_token_before_is_accepted_while_we_keep_it(tokens: tuple[str, ...], accepted: bool) -> None:
    assert genuine(signed(), tokens=tokens) is accepted


@pytest.mark.parametrize("form", FORMS)
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
    assert genuine(signed(), now=NOW + later) is accepted


@pytest.mark.parametrize("stamp", ["yesterday", "1793520000", "2026-13-01T00:00:00Z", " "])
def test_a_time_that_is_none_is_refused_though_signed(stamp: str) -> None:
    assert not genuine(signed(timestamp=stamp))


def test_a_time_without_a_zone_is_utc() -> None:
    assert genuine(signed(timestamp="2026-11-01T08:00:00"))


@pytest.mark.parametrize("before", [0, 1, 9, 10])
def test_one_of_up_to_ten_signatures_is_enough(before: int) -> None:
    headers = signed()
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
    assert not genuine(ODD[name](signed()))


def test_the_body_of_a_deletion_is_a_bare_text() -> None:
    body = b'"0191c2f0-0000-7000-8000-000000000000"'

    assert genuine(signed(body=body, event="DELETED"), body=body)
    assert not genuine(signed(body=body, event="DELETED"), body=body.strip(b'"'))


@pytest.mark.parametrize("name", GENUINE)
def test_a_part_that_moves_over_the_dot_into_its_neighbour_is_another_one(name: str) -> None:
    """A signed text without lengths must not read the same for other headers, where they differ at all."""
    neighbours = dict(zip(GENUINE, [*list(GENUINE)[1:], name], strict=True))
    moved = {**GENUINE, name: f"{GENUINE[name]}x", neighbours[name]: GENUINE[neighbours[name]][1:]}

    assert not genuine({**signed(), **moved})


@pytest.mark.parametrize("separator", [",", ", ", " ,", ",\t", ";", "; ", " ", "\t"])
def test_signatures_are_separated_by_a_comma_a_semicolon_or_a_blank(separator: str) -> None:
    sent = signed()
    sent["x-rillet-signature"] = separator.join(["AAAA", sent["x-rillet-signature"], "BBBB"])

    assert genuine(sent)


@pytest.mark.parametrize("written", ["2026-11-01T09:00:00+01:00", "2026-11-01T08:00:00.123456789Z"])
def test_a_timestamp_is_signed_as_it_is_written(written: str) -> None:
    assert genuine(signed(timestamp=written))


ANY_TEXT = st.text(st.characters() | st.sampled_from("\ud800\udcff\x00\r\n.,=é"), max_size=30)
NAMES = [*GENUINE, "x-rillet-signature", "x-rillet-other"]


@given(sent=st.dictionaries(st.sampled_from(NAMES), ANY_TEXT), body=st.binary(max_size=50))
@pytest.mark.parametrize("form", FORMS)
def test_anything_at_all_is_refused(form: TokenForm, sent: Headers, body: bytes) -> None:
    assert not genuine(sent, body=body, form=form)


@given(name=st.sampled_from([*GENUINE, "x-rillet-signature"]), value=ANY_TEXT)
def test_one_header_that_was_changed_is_noticed(name: str, value: str) -> None:
    sent = signed()

    assert genuine({**sent, name: value}) is (value == sent[name])


@given(token=ANY_TEXT, body=st.binary(max_size=50))
@pytest.mark.parametrize("form", FORMS)
def test_no_other_token_signs_it(form: TokenForm, token: str, body: bytes) -> None:
    assert not genuine(signed(body=body), body=body, tokens=(token,), form=form)
