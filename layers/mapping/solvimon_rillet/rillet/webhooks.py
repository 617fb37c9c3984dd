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
from collections.abc import Mapping, Sequence
from typing import Literal

from solvimon_rillet.http.webhook_signature import SEPARATORS, SignatureInvalid, as_bytes, check_age

SIGNATURE = "x-rillet-signature"
TIMESTAMP = "x-rillet-timestamp"
ID = "x-rillet-id"
ENTITY = "x-rillet-entity"
EVENT = "x-rillet-event"
HEADERS = (SIGNATURE, TIMESTAMP, ID, ENTITY, EVENT)
"""Headers without which a request is not Rillet's."""
MAX_AGE_SECONDS = 259_200
"""Three days: Rillet names no limit, and may retry for long with the same timestamp."""
_SIGNATURES = 10

TokenForm = Literal["auto", "text", "base64"]
ANY_FORM: TokenForm = "auto"


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
    check_age(parts[0], now, max_age_seconds)
    signed = as_bytes(".".join(parts)) + b"." + body
    expected = [
        base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        for token in tokens
        for key in _keys(token, form)
    ]
    signatures = [as_bytes(part) for part in SEPARATORS.split(header.strip())[:_SIGNATURES]]
    matches = [hmac.compare_digest(own, received) for own in expected for received in signatures]
    if not any(matches):
        raise SignatureInvalid("no signature matches")


def _keys(token: str, form: TokenForm) -> list[bytes]:
    """The possible keys of a token; none for an empty token."""
    keys = [as_bytes(token)] if token and form in {"auto", "text"} else []
    if token and form in {"auto", "base64"}:
        with contextlib.suppress(binascii.Error, ValueError):
            keys.append(base64.b64decode(token, validate=True))
    return [key for key in keys if key]
