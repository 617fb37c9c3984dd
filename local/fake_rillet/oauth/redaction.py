"""Keeping secrets out of the call log."""

from typing import Any

MASK = "***"
_OAUTH_PATHS = ("/oauth2/", "/.well-known/")
_SECRETS = {"client_secret", "code", "code_verifier", "token", "access_token", "refresh_token"}


def is_oauth(path: str) -> bool:
    """Tell whether a path belongs to the authorization server."""
    return path.startswith(_OAUTH_PATHS)


def masked(value: Any) -> Any:  # noqa: ANN401 - a JSON value is anything
    """Return a JSON value with the secrets in it replaced."""
    if isinstance(value, dict):
        return {name: MASK if name in _SECRETS else masked(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return value
