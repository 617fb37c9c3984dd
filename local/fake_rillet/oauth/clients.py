"""Programs that may ask for tokens, and how they prove who they are."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from werkzeug.wrappers import Request

from local.fake_rillet.oauth.errors import OAuthError
from local.fake_rillet.oauth.parameters import OAUTH_SCOPES, Parameters

PUBLIC = "none"
WITH_SECRET = ("client_secret_basic", "client_secret_post")
AUTH_METHODS = (PUBLIC, *WITH_SECRET)


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
