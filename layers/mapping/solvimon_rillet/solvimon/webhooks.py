"""Solvimon's webhook signature (Solvimon docs, Webhooks).

``X-PAYLOAD-SIGNATURE: v1=<hex>[, v1=<hex>]`` over ``{X-PAYLOAD-SIGNATURE-TIMESTAMP}.{raw body}`` with
HMAC-SHA256. While a secret is being rolled, both the new and the previous one sign.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from solvimon_rillet.http.webhook_signature import SEPARATORS, SignatureInvalid, as_bytes, check_age

TIMESTAMP = "x-payload-signature-timestamp"
SIGNATURE = "x-payload-signature"
HEADERS = (TIMESTAMP, SIGNATURE)
"""Headers without which a request is not Solvimon's."""
MAX_AGE_SECONDS = 300
"""Solvimon's recommendation."""
_VERSION = "v1"  # the only scheme that Solvimon documents; another one may be weaker


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
    check_age(timestamp, now, max_age_seconds)
    signed = as_bytes(timestamp) + b"." + body
    expected = [hmac.new(as_bytes(key), signed, hashlib.sha256).hexdigest() for key in secrets if key]
    pairs = [pair.partition("=") for pair in SEPARATORS.split(header.strip())]
    signatures = [signature.lower() for version, _, signature in pairs if version == _VERSION]
    matches = [
        hmac.compare_digest(own.encode(), as_bytes(received))
        for own in expected
        for received in signatures[:20]
    ]
    if not any(matches):
        raise SignatureInvalid("no signature matches")
