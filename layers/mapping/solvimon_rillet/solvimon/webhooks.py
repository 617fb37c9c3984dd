"""Solvimon's webhook signature (Solvimon docs, Webhooks).

``X-PAYLOAD-SIGNATURE: v1=<hex>[, v1=<hex>]`` over ``{X-PAYLOAD-SIGNATURE-TIMESTAMP}.{raw body}`` with
HMAC-SHA256. While a secret is being rolled, both the new and the previous one sign.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

TIMESTAMP = "x-payload-signature-timestamp"
SIGNATURE = "x-payload-signature"
HEADERS = (TIMESTAMP, SIGNATURE)
"""Headers without which a request is not Solvimon's."""
FUTURE_SECONDS = 300
MAX_AGE_SECONDS = 300
"""Solvimon's recommendation."""
_VERSION = "v1"  # the only scheme that Solvimon documents; another one may be weaker
# The separator between signatures is not documented: comma, semicolon and space are all taken.
_SEPARATORS = re.compile(r"[,;\s]+")


class SignatureInvalid(ValueError):
    """A request without a valid, recent signature of Solvimon; the message is only for the log."""


def verify(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: float, max_age_seconds: int
) -> None:
    """Accept a webhook only if one of the secrets signed exactly these bytes, recently.

    Args:
        body: the raw request body.
        headers: request headers, names in lower case.
        secrets: the current secret and, while it is rolled, the previous one.
        now: unix seconds.
        max_age_seconds: how old the signature may be.

    Raises:
        SignatureInvalid: for every other request; no other error is raised.
    """
    timestamp, header = headers.get(TIMESTAMP), headers.get(SIGNATURE)
    if not timestamp or not header:
        raise SignatureInvalid("a signature header is missing")
    age = now - _seconds(timestamp)
    if age < -FUTURE_SECONDS:
        raise SignatureInvalid("the timestamp is in the future")
    if age > max_age_seconds:
        raise SignatureInvalid("the timestamp is too old")
    signed = _bytes(timestamp) + b"." + body
    expected = [hmac.new(_bytes(key), signed, hashlib.sha256).hexdigest() for key in secrets if key]
    pairs = [pair.partition("=") for pair in _SEPARATORS.split(header.strip())]
    signatures = [signature.lower() for version, _, signature in pairs if version == _VERSION]
    matches = [
        hmac.compare_digest(own.encode(), _bytes(received))
        for own in expected
        for received in signatures[:20]
    ]
    if not any(matches):
        raise SignatureInvalid("no signature matches")


def _bytes(text: str) -> bytes:
    """A header's bytes. JSON can contain lone surrogates, which strict UTF-8 rejects."""
    return text.encode("utf-8", "surrogatepass")


def _seconds(timestamp: str) -> float:
    try:
        moment = datetime.fromisoformat(timestamp.strip())
    except ValueError:
        raise SignatureInvalid("the timestamp is not ISO 8601") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
