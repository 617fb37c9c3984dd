"""What the signatures of both vendors' webhooks have in common: age, separators, and how they are refused."""

import re
from datetime import UTC, datetime

FUTURE_SECONDS = 300
SEPARATORS = re.compile(r"[,;\s]+")
"""Neither vendor documents what separates signatures; hex and Base64 contain none of these."""


class SignatureInvalid(ValueError):
    """A request without a valid, recent signature; the message is only for the log."""


def check_age(timestamp: str, now: float, max_age_seconds: int) -> None:
    """Refuse a signature that is too old, or that is made in the future.

    Args:
        timestamp: of the signature (ISO 8601; UTC if it names no zone).
        now: unix seconds.
        max_age_seconds: how old it may be.

    Raises:
        SignatureInvalid: it is, or the timestamp cannot be read.
    """
    try:
        moment = datetime.fromisoformat(timestamp.strip())
    except ValueError:
        raise SignatureInvalid("the timestamp is not ISO 8601") from None
    age = now - (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if age < -FUTURE_SECONDS:
        raise SignatureInvalid("the timestamp is in the future")
    if age > max_age_seconds:
        raise SignatureInvalid("the timestamp is too old")


def as_bytes(text: str) -> bytes:
    """A header's bytes. JSON can contain lone surrogates, which strict UTF-8 rejects."""
    return text.encode("utf-8", "surrogatepass")
