"""Programs that may ask for tokens: how they register (RFC 7591, open to everyone) and prove who they are."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_plus, urlsplit

from werkzeug.wrappers import Request

from local.fake_rillet.oauth.parameters import OAUTH_SCOPES, OAuthError, Parameters, read_scope
from local.fake_rillet.store import Json

PUBLIC = "none"
WITH_SECRET = ("client_secret_basic", "client_secret_post")
AUTH_METHODS = (PUBLIC, *WITH_SECRET)
GRANT_TYPES = ("authorization_code", "refresh_token")
RESPONSE_TYPES = ("code",)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Client:
    """A registered client.

    Attributes:
        secret: None for a public client, which has PKCE alone.
        redirect_uris: compared character by character.
        auth_methods: the ways in which it may authenticate.
        scopes: the most it may ask for.
        name: what the consent page calls it.
    """

    client_id: str
    secret: str | None = field(repr=False)
    redirect_uris: tuple[str, ...]
    auth_methods: tuple[str, ...]
    scopes: tuple[str, ...] = OAUTH_SCOPES
    name: str = ""


def authenticate(
    request: Request, parameters: Parameters, clients: Mapping[str, Client], accepted: tuple[str, ...]
) -> Client:
    """Return the client that sent a request: by Basic header, by secret in the body, or by id alone.

    Args:
        request: for its header.
        parameters: of its body.
        clients: all there are, by id.
        accepted: the methods that the endpoint takes.

    Raises:
        OAuthError: invalid_client; invalid_request with two methods or ids at once.
    """
    client_id, secret = parameters.get("client_id"), parameters.get("client_secret")
    method = PUBLIC if secret is None else "client_secret_post"
    if "Authorization" in request.headers:
        if secret is not None:
            raise OAuthError("invalid_request", "the client authenticates in two ways at once")
        in_body, (client_id, secret), method = client_id, _basic(request), "client_secret_basic"
        if in_body not in (None, client_id):
            raise OAuthError("invalid_request", "client_id differs from the one in the header")
    if client_id is None:
        raise OAuthError("invalid_client", "the client did not say who it is")
    client = clients.get(client_id)
    if client is None:
        raise OAuthError("invalid_client", "the client is unknown")
    if method not in accepted or method not in client.auth_methods:
        raise OAuthError("invalid_client", f"this client must not authenticate here by {method}")
    if client.secret is not None and not hmac.compare_digest(client.secret.encode(), (secret or "").encode()):
        raise OAuthError("invalid_client", "the client secret is wrong")
    return client


def _basic(request: Request) -> tuple[str, str]:
    """Read a Basic header, whose two parts are form-encoded (RFC 6749, 2.3.1)."""
    authorization = request.authorization
    if authorization is None or authorization.type != "basic":
        raise OAuthError("invalid_client", "the header Authorization must be Basic")
    return unquote_plus(authorization.username or ""), unquote_plus(authorization.password or "")


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
