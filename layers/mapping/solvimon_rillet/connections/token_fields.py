"""The fields of stored Rillet tokens: how long they serve, and how they are recognised."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solvimon_rillet.rillet.oauth import Grant

MAX_VERSIONS_A_DAY = 50
"""Versions of the secret that refreshes make. Secrets Manager takes 100 and keeps those of the last 24 hours
(PutSecretValue); the other half is left for people, rejected tokens and a second process."""
_MIN_SECONDS_IN_SECRET = 86_400 / MAX_VERSIONS_A_DAY
_REFRESH_AHEAD_SECONDS = 120.0
_MAX_SECONDS_DIGITS = 12


def tokens_of(granted: "Grant", scope: str, now: int) -> dict[str, str]:
    """The fields of a grant.

    Args:
        granted: its tokens.
        scope: the scope, if Rillet does not repeat it.
        now: unix seconds.
    """
    return {
        "access_token": granted.access_token,
        "refresh_token": granted.refresh_token,
        "scope": granted.scope or scope,
        "lifetime": str(granted.lifetime),
        "expires_at": str(now + granted.lifetime),
        "obtained_at": str(now),
    }


def is_fresh(fields: Mapping[str, str], now: float, refused: str) -> bool:
    """Whether an access token need not be refreshed yet; that happens ahead of its end.

    Args:
        fields: the tokens.
        now: unix seconds.
        refused: an access token that Rillet has rejected.
    """
    return _is_valid_for(fields, _refresh_ahead(integer(fields, "lifetime")), now, refused)


def is_usable(fields: Mapping[str, str], now: float, refused: str) -> bool:
    """Whether an access token is valid long enough for one call; arguments as of ``is_fresh``."""
    return _is_valid_for(fields, min(10.0, integer(fields, "lifetime") / 20), now, refused)


def is_short_lived(seconds: float) -> bool:
    """Whether tokens that serve for so long are refreshed too often for Secrets Manager's versions."""
    return seconds - _refresh_ahead(seconds) < _MIN_SECONDS_IN_SECRET


def other_fields(secret: Mapping[str, str]) -> dict[str, str]:
    """The fields of the Rillet secret that are no tokens: the webhook's token and the organisation."""
    return {name: value for name, value in secret.items() if "webhook" in name or "organisation" in name}


def generation_of(fields: Mapping[str, str]) -> int:
    """The generation of tokens; 0 for those of older versions of this software."""
    return integer(fields, "generation")


def mark_of(fields: Mapping[str, str]) -> str:
    """A fingerprint of the access token, by which tokens are recognised; empty if there is none."""
    return fingerprint(fields.get("access_token", ""))


def fingerprint(token: str) -> str:
    """A short hash of a token; empty for an empty one."""
    return hashlib.sha256(token.encode()).hexdigest()[:24] if token else ""


def integer(fields: Mapping[str, str], name: str) -> int:
    """A number of the secret; 0 if it is none."""
    value = str(fields.get(name, ""))
    return int(value) if value.isascii() and value.isdigit() and len(value) <= _MAX_SECONDS_DIGITS else 0


def _is_valid_for(fields: Mapping[str, str], seconds: float, now: float, refused: str) -> bool:
    """Whether an access token is valid for longer than ``seconds``, and Rillet has not rejected it."""
    return (
        fields.get("access_token", "") not in {"", refused} and now < integer(fields, "expires_at") - seconds
    )


def _refresh_ahead(lifetime: float) -> float:
    """Seconds before their end at which tokens are refreshed."""
    return min(_REFRESH_AHEAD_SECONDS, lifetime / 5)
