"""Dynamic client registration (RFC 7591), open to everyone."""

import secrets
from collections.abc import Sequence
from urllib.parse import urlsplit

from local.fake_rillet.oauth.clients import AUTH_METHODS, PUBLIC, Client
from local.fake_rillet.oauth.errors import OAuthError
from local.fake_rillet.oauth.parameters import OAUTH_SCOPES, read_scope
from local.fake_rillet.store import Json

GRANT_TYPES = ("authorization_code", "refresh_token")
RESPONSE_TYPES = ("code",)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def read_client(document: object) -> Client:
    """Make a client from the metadata that it sent; a confidential one gets a secret.

    Raises:
        OAuthError: invalid_redirect_uri, invalid_client_metadata or invalid_scope.
    """
    if not isinstance(document, dict):
        raise _invalid_metadata("the body must be a JSON object")
    method = document.get("token_endpoint_auth_method", "client_secret_basic")
    if method not in AUTH_METHODS:
        raise _invalid_metadata(f"token_endpoint_auth_method must be one of {', '.join(AUTH_METHODS)}")
    for name, supported in (("grant_types", GRANT_TYPES), ("response_types", RESPONSE_TYPES)):
        if not set(_text_list(document.get(name, list(supported)), name)) <= set(supported):
            raise _invalid_metadata(f"{name} must be within: {' '.join(supported)}")
    return Client(
        client_id=secrets.token_urlsafe(16),
        secret=None if method == PUBLIC else secrets.token_urlsafe(32),
        redirect_uris=_redirect_uris(document),
        auth_methods=(method,),
        scopes=read_scope(_text_member(document, "scope"), OAUTH_SCOPES),
        name=_text_member(document, "client_name"),
    )


def describe_client(client: Client, now: float) -> Json:
    """Return what a client learns about itself after registering at `now` (Unix seconds)."""
    secret = {} if client.secret is None else {"client_secret": client.secret, "client_secret_expires_at": 0}
    return secret | {
        "client_id": client.client_id,
        "client_id_issued_at": int(now),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "token_endpoint_auth_method": client.auth_methods[0],
        "grant_types": list(GRANT_TYPES),
        "response_types": list(RESPONSE_TYPES),
        "scope": " ".join(client.scopes),
    }


def _redirect_uris(document: Json) -> tuple[str, ...]:
    uris = _text_list(document.get("redirect_uris", []), "redirect_uris")
    if not uris or not all(map(_is_redirect_uri, uris)):
        raise OAuthError(
            "invalid_redirect_uri",
            "redirect_uris must be https, or http on loopback, without a fragment; at least one is needed",
        )
    return tuple(uris)


def _is_redirect_uri(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return secure and bool(parts.hostname) and "#" not in uri


def _text_list(value: object, name: str) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _invalid_metadata(f"{name} must be an array of strings")
    return value


def _text_member(document: Json, name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise _invalid_metadata(f"{name} must be a string")
    return value


def _invalid_metadata(description: str) -> OAuthError:
    return OAuthError("invalid_client_metadata", description)
