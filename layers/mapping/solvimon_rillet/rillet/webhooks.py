"""Rillet's webhook signature (Rillet docs, Webhooks).

``X-Rillet-Signature`` holds up to ten Base64 HMAC-SHA256 signatures over ``timestamp.id.entity.event.body``
with the header values as received; commas, semicolons and blanks are taken as separators. Rillet does not
document whether the webhook token is used as text or decoded from Base64 first. A setting decides; by default
both are tried.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

SIGNATURE = "x-rillet-signature"
TIMESTAMP = "x-rillet-timestamp"
ID = "x-rillet-id"
ENTITY = "x-rillet-entity"
EVENT = "x-rillet-event"
HEADERS = (SIGNATURE, TIMESTAMP, ID, ENTITY, EVENT)
"""Headers without which a request is not Rillet's."""
FUTURE_SECONDS = 300
MAX_AGE_SECONDS = 259_200
"""Three days: Rillet names no limit, and may retry for long with the same timestamp."""
_SIGNATURES = 10
# Rillet does not document what separates signatures; Base64 contains none of these.
_SEPARATORS = re.compile(r"[,;\s]+")

TokenForm = Literal["auto", "text", "base64"]
ANY_FORM: TokenForm = "auto"


class SignatureInvalid(ValueError):
    """A request without a valid, recent signature of Rillet; the message is only for the log."""


def verify(
    body: bytes,
    headers: Mapping[str, str],
    tokens: Sequence[str],
    now: float,
    max_age_seconds: int,
    form: TokenForm = ANY_FORM,
) -> None:
    """Accept a webhook only if one of the tokens signed exactly these bytes and headers, recently.

    Args:
        body: the raw request body.
        headers: request headers, names in lower case.
        tokens: the webhook's token and, for a while after it was regenerated, the previous one.
        now: unix seconds.
        max_age_seconds: how old the timestamp may be.
        form: how the key is made from a token.

    Raises:
        SignatureInvalid: for every other request; no other error is raised.
    """
    parts = [headers.get(name, "") for name in (TIMESTAMP, ID, ENTITY, EVENT)]
    header = headers.get(SIGNATURE, "")
    if not header or not all(parts):
        raise SignatureInvalid("a signature header is missing")
    age = now - _seconds(parts[0])
    if age < -FUTURE_SECONDS:
        raise SignatureInvalid("the timestamp is in the future")
    if age > max_age_seconds:
        raise SignatureInvalid("the timestamp is too old")
    signed = _bytes(".".join(parts)) + b"." + body
    expected = [
        base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        for token in tokens
        for key in _keys(token, form)
    ]
    signatures = [_bytes(part) for part in _SEPARATORS.split(header.strip())[:_SIGNATURES]]
    matches = [hmac.compare_digest(own, received) for own in expected for received in signatures]
    if not any(matches):
        raise SignatureInvalid("no signature matches")


def _keys(token: str, form: TokenForm) -> list[bytes]:
    """The possible keys of a token; none for an empty token."""
    keys = [_bytes(token)] if token and form in {"auto", "text"} else []
    if token and form in {"auto", "base64"}:
        with contextlib.suppress(binascii.Error, ValueError):
            keys.append(base64.b64decode(token, validate=True))
    return [key for key in keys if key]


def _bytes(text: str) -> bytes:
    """A text's bytes. JSON can contain lone surrogates, which strict UTF-8 rejects."""
    return text.encode("utf-8", "surrogatepass")


def _seconds(timestamp: str) -> float:
    try:
        moment = datetime.fromisoformat(timestamp.strip())
    except ValueError:
        raise SignatureInvalid("the timestamp is not ISO 8601") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
