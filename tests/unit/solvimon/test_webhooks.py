"""Which requests are Solvimon's own, and just now."""

import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.http.webhook_signature import SignatureInvalid
from solvimon_rillet.solvimon.webhooks import SIGNATURE, TIMESTAMP, verify
from tests.support.examples import examples

SECRET, PREVIOUS = "whsec_current", "whsec_previous"
NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC).timestamp()
STAMP = "2026-01-31T12:00:00Z"
BODY = b'{"type":"INVOICE.STATUS_TO_FINAL","data":{"id":"invo_1"}}'
AGE = 300


def signature(body: bytes = BODY, stamp: str = STAMP, secret: str = SECRET, digest: str = "sha256") -> str:
    """The hex digest that Solvimon puts behind ``v1=``."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, digest).hexdigest()


def accept(
    body: bytes = BODY, stamp: str = STAMP, given_: str | None = None, secrets: tuple[str, ...] = (SECRET,)
) -> None:
    """Verify a request that is right in all that is not given."""
    headers = {TIMESTAMP: stamp, SIGNATURE: f"v1={signature(stamp=stamp)}" if given_ is None else given_}
    verify(body, headers, secrets, NOW, AGE)


def test_a_request_that_solvimon_signed_is_accepted() -> None:
    accept()


def test_the_signed_text_is_timestamp_dot_body() -> None:
    # From another program: printf '2026-01-31T12:00:00Z.{}' | openssl dgst -sha256 -hmac whsec_current
    accept(b"{}", given_="v1=ffe430a67125afa3f53c307f701965877d6e3f614061637e84ed5c2d2829b87b")


@pytest.mark.parametrize("body", [b"", b"{}", BODY[:-1], BODY + b" ", BODY.replace(b"invo_1", b"invo_2")])
def test_another_body_under_the_same_signature_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureInvalid, match="no signature matches"):
        accept(body)


def test_an_empty_body_can_be_signed() -> None:
    accept(b"", given_=f"v1={signature(b'')}")


def test_bytes_that_are_no_utf_8_are_compared_as_they_are() -> None:
    body = b"\xff\xfe\x00{"

    accept(body, given_=f"v1={signature(body)}")
    with pytest.raises(SignatureInvalid):
        accept(body.decode("utf-8", "replace").encode(), given_=f"v1={signature(body)}")


@pytest.mark.parametrize("write", [str.lower, str.upper, str.title])
def test_hex_is_read_in_any_case(write: Callable[[str], str]) -> None:
    accept(given_=f"v1={write(signature())}")


@pytest.mark.parametrize("separator", [",", ", ", ";", "; ", " ", "\t", " , ", ",,"])
@pytest.mark.parametrize(
    "secrets", [(SECRET, PREVIOUS), (PREVIOUS, SECRET), (SECRET,), (PREVIOUS,), ("", PREVIOUS)]
)
def test_while_a_secret_is_rolled_either_signature_will_do(separator: str, secrets: tuple[str, ...]) -> None:
    pairs = [f"v1={signature()}", f"v1={signature(secret=PREVIOUS)}"]

    accept(given_=separator.join(pairs), secrets=secrets)
    accept(given_=f" {separator.join(reversed(pairs))} ", secrets=secrets)


@pytest.mark.parametrize(
    "given_",
    [
        pytest.param(f"v1={signature(secret='forged')}", id="another secret"),
        pytest.param(f"v1={signature(stamp='2026-01-31T11:59:59Z')}", id="another time"),
        pytest.param(
            ",".join(f"v1={signature(secret=other)}" for other in ("a", "b", "c")), id="several of others"
        ),
        pytest.param(f"v2={signature()}", id="a scheme that is not documented"),
        pytest.param(signature(), id="no scheme"),
        pytest.param(f"v1:{signature()}", id="no equals sign"),
        pytest.param(f"Bearer {signature()}", id="bearer"),
        pytest.param(f"v1={signature(digest='sha1')}", id="sha1"),
        pytest.param(f"v1={signature(digest='sha512')}", id="sha512"),
        pytest.param(f"v0={hashlib.sha256(BODY).hexdigest()}", id="no key"),
        pytest.param(f"v1={signature()[:-1]}", id="too short"),
        pytest.param(f"v1={signature()}0", id="too long"),
        pytest.param(f"v1=={signature()}", id="two equals signs"),
        pytest.param("v1=", id="empty"),
        pytest.param("=", id="nothing but an equals sign"),
        pytest.param(" , ;", id="separators alone"),
        *("v1=é", "v1=\ud800", "v1=" + "Ａ" * 64, "\udcff=\udcff", "v1=\0"),
    ],
)
def test_another_signature_and_one_in_another_form_are_refused(given_: str) -> None:
    with pytest.raises(SignatureInvalid, match="no signature matches"):
        accept(given_=given_)


@pytest.mark.parametrize("secrets", [(), ("",), ("", "")])
def test_an_empty_secret_never_matches(secrets: tuple[str, ...]) -> None:
    with pytest.raises(SignatureInvalid, match="no signature matches"):
        accept(given_=f"v1={signature(secret='')}", secrets=secrets)


@pytest.mark.parametrize("missing", [TIMESTAMP, SIGNATURE])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_header_is_refused(missing: str, value: str | None) -> None:
    headers = {TIMESTAMP: STAMP, SIGNATURE: f"v1={signature()}"}
    if value is None:
        del headers[missing]
    else:
        headers[missing] = value

    with pytest.raises(SignatureInvalid, match="header is missing"):
        verify(BODY, headers, (SECRET,), NOW, AGE)


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-01-31T11:55:00Z",  # five minutes old
        "2026-01-31T12:05:00Z",  # five minutes ahead
        "2026-01-31T12:00:00.123Z",
        "2026-01-31T12:00:00.123456789Z",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31T12:00:00",  # no zone: UTC
        "2026-01-31 12:00:00Z",
    ],
)
def test_timestamps_around_now_are_accepted(stamp: str) -> None:
    accept(stamp=stamp)


OTHER_TIMES = {
    "too old": ("2026-01-31T11:54:59Z", "2026-01-31T12:54:59+01:00", "2025-01-31T12:00:00Z", "2026-01-31"),
    "in the future": ("2026-01-31T12:05:01Z", "2026-01-31T12:00:00-01:00", "2030-01-01T00:00:00Z"),
    "not ISO 8601": (
        *("1769860800", "soon", "2026-02-30T12:00:00Z", "31 Jan 2026 12:00:00", "２０２６", "NaN"),
    ),
}


@pytest.mark.parametrize(
    ("problem", "stamp"), [(problem, stamp) for problem in OTHER_TIMES for stamp in OTHER_TIMES[problem]]
)
def test_timestamps_that_are_old_in_the_future_or_none_are_refused(problem: str, stamp: str) -> None:
    with pytest.raises(SignatureInvalid, match=problem):
        accept(stamp=stamp)


def test_a_time_without_zone_is_utc_wherever_the_function_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        accept(stamp="2026-01-31T12:00:00")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_how_old_is_too_old_is_a_setting() -> None:
    headers = {TIMESTAMP: STAMP, SIGNATURE: f"v1={signature()}"}

    verify(BODY, headers, (SECRET,), NOW + 86_400, 86_400)
    with pytest.raises(SignatureInvalid, match="too old"):
        verify(BODY, headers, (SECRET,), NOW + 86_401, 86_400)


def test_a_timestamp_with_a_lone_surrogate_is_refused() -> None:
    # Python reads any character between date and time, this one too.
    stamp = "2026-01-31\ud80012:00:00+00:00"

    with pytest.raises(SignatureInvalid):
        verify(BODY, {TIMESTAMP: stamp, SIGNATURE: f"v1={signature()}"}, (SECRET,), NOW, AGE)


def test_a_huge_header_is_refused_without_trying_all_of_it() -> None:
    junk = ",".join(["v1=" + "0" * 64] * 20_000)

    with pytest.raises(SignatureInvalid, match="no signature matches"):
        accept(given_=junk)
    with pytest.raises(SignatureInvalid, match="no signature matches"):
        accept(given_=f"{junk},v1={signature()}")


_HEADERS = st.dictionaries(
    st.sampled_from([TIMESTAMP, SIGNATURE, "x-other"]),
    st.one_of(
        st.text(st.characters(), max_size=80),
        st.sampled_from([STAMP, f"v1={signature()}", "v1=", "2026-01-31"]),
        st.builds(lambda mark: f"2026-01-31{mark}12:00:00Z", st.characters()),
        st.datetimes().map(str),
    ),
)


@examples(500)
@given(
    body=st.binary(max_size=40),
    headers=_HEADERS,
    secrets=st.lists(st.text(max_size=10), max_size=3),
    now=st.floats(-1e12, 1e12),
    age=st.integers(0, 10**9),
)
def test_nothing_but_not_genuine_is_ever_raised(
    body: bytes, headers: dict[str, str], secrets: list[str], now: float, age: int
) -> None:
    with pytest.raises(SignatureInvalid) as caught:
        verify(body, headers, secrets, now, age)

    assert type(caught.value) is SignatureInvalid


@given(body=st.binary(max_size=200), secret=st.text(min_size=1, max_size=20), other=st.binary(max_size=200))
def test_exactly_the_signed_bytes_are_accepted(body: bytes, secret: str, other: bytes) -> None:
    headers = {TIMESTAMP: STAMP, SIGNATURE: f"v1={signature(body, secret=secret)}"}

    verify(body, headers, (secret,), NOW, AGE)
    if other != body:
        with pytest.raises(SignatureInvalid):
            verify(other, headers, (secret,), NOW, AGE)
