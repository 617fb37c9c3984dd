"""Whatever comes instead of a Rillet webhook is refused, and is never a crash."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.http.webhook_signature import SignatureInvalid
from solvimon_rillet.rillet.webhooks import TokenForm, verify

NOW, AGE = 1_795_000_000.0, 3600
TOKEN = base64.b64encode(b"thirty-two bytes of pure chance!").decode()
BODY = b'"0191c2f0-0000-7000-8000-000000000000"'
GENUINE = {
    "x-rillet-timestamp": "2026-11-18T11:06:40Z",
    "x-rillet-id": "0b9c6f0e-5f0c-4c36-8d4c-4f2f6f2a7c11",
    "x-rillet-entity": "INVOICE",
    "x-rillet-event": "DELETED",
}
FORMS: list[TokenForm] = ["auto", "text", "base64"]
NAMES = [*GENUINE, "x-rillet-signature", "x-rillet-other"]


def sign(headers: dict[str, str], body: bytes = BODY, key: bytes = TOKEN.encode()) -> dict[str, str]:
    """Headers with their signature by Rillet's formula, written down a second time."""
    signed = b"".join(headers[name].encode() + b"." for name in GENUINE) + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return headers | {"x-rillet-signature": base64.b64encode(digest).decode()}


def accepted(headers: dict[str, str], body: bytes = BODY, form: TokenForm = "auto") -> bool:
    """Whether it is accepted; whatever else it raises is a failure of the test."""
    try:
        verify(body, headers, [TOKEN], NOW, AGE, form)
    except SignatureInvalid:
        return False
    return True


def test_the_body_of_a_deletion_is_a_bare_text() -> None:
    assert accepted(sign(GENUINE))
    assert not accepted(sign(GENUINE), body=BODY.strip(b'"'))


@pytest.mark.parametrize("name", GENUINE)
def test_a_part_that_moves_over_the_dot_into_its_neighbour_is_another_one(name: str) -> None:
    """A signed text without lengths must not read the same for other headers, where they differ at all."""
    neighbours = dict(zip(GENUINE, [*list(GENUINE)[1:], name], strict=True))
    moved = {**GENUINE, name: f"{GENUINE[name]}x", neighbours[name]: GENUINE[neighbours[name]][1:]}

    assert not accepted({**sign(GENUINE), **moved})


@pytest.mark.parametrize("separator", [",", ", ", " ,", ",\t", ";", "; ", " ", "\t"])
def test_signatures_are_separated_by_a_comma_a_semicolon_or_a_blank(separator: str) -> None:
    sent = sign(GENUINE)
    sent["x-rillet-signature"] = separator.join(["AAAA", sent["x-rillet-signature"], "BBBB"])

    assert accepted(sent)


@pytest.mark.parametrize("written", ["2026-11-18T12:06:40+01:00", "2026-11-18T11:06:40.123456789Z"])
def test_a_timestamp_is_signed_as_it_is_written(written: str) -> None:
    assert accepted(sign(GENUINE | {"x-rillet-timestamp": written}))


ODD = st.characters() | st.sampled_from("\ud800\udcff\x00\r\n.,=é")
ANY_TEXT = st.text(ODD, max_size=30)


@given(sent=st.dictionaries(st.sampled_from(NAMES), ANY_TEXT), body=st.binary(max_size=50))
@pytest.mark.parametrize("form", FORMS)
def test_anything_at_all_is_refused(form: TokenForm, sent: dict[str, str], body: bytes) -> None:
    assert not accepted(sent, body, form)


@given(name=st.sampled_from([*GENUINE, "x-rillet-signature"]), value=ANY_TEXT)
def test_one_header_that_was_changed_is_noticed(name: str, value: str) -> None:
    sent = sign(GENUINE)

    assert accepted({**sent, name: value}) is (value == sent[name])


@given(token=ANY_TEXT, body=st.binary(max_size=50))
@pytest.mark.parametrize("form", FORMS)
def test_no_other_token_signs_it(form: TokenForm, token: str, body: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify(body, sign(GENUINE, body), [token], NOW, AGE, form)
