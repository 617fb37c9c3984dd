"""Programs that may ask for tokens, and how they prove who they are."""

import hmac
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from werkzeug.wrappers import Request

from local.fake_rillet.oauth.errors import invalid_client, invalid_request
from local.fake_rillet.oauth.parameters import SCOPES, Parameters

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
    scopes: tuple[str, ...] = SCOPES
    name: str = ""


@dataclass(frozen=True)
class Credentials:
    """Who a request says it is from."""

    client_id: str
    secret: str | None = field(repr=False)
    method: str

    def prove(self, client: Client | None, *, accepted: tuple[str, ...]) -> Client:
        """Return the client if the credentials are its own.

        Args:
            client: the client of that id, if there is one.
            accepted: the methods that the endpoint takes.

        Raises:
            OAuthError: invalid_client.
        """
        if client is None:
            raise invalid_client("the client is unknown")
        if self.method not in accepted or self.method not in client.auth_methods:
            raise invalid_client(f"this client must not authenticate here by {self.method}")
        if client.secret is not None and not _same(client.secret, self.secret or ""):
            raise invalid_client("the client secret is wrong")
        return client


def read_credentials(request: Request, parameters: Parameters) -> Credentials:
    """Read how a client authenticates: Basic header, secret in the body, or id alone.

    Raises:
        OAuthError: invalid_client without a readable id; invalid_request with two methods at once.
    """
    client_id, secret = parameters.get("client_id"), parameters.get("client_secret")
    if "Authorization" in request.headers:
        if secret is not None:
            raise invalid_request("the client authenticates in two ways at once")
        credentials = _basic(request)
        if client_id not in (None, credentials.client_id):
            raise invalid_request("client_id differs from the one in the header")
        return credentials
    if client_id is None:
        raise invalid_client("the client did not say who it is")
    return Credentials(client_id, secret, PUBLIC if secret is None else "client_secret_post")


def _basic(request: Request) -> Credentials:
    """Read a Basic header, whose two parts are form-encoded (RFC 6749, 2.3.1)."""
    authorization = request.authorization
    if authorization is None or authorization.type != "basic":
        raise invalid_client("the header Authorization must be Basic")
    client_id = unquote_plus(authorization.username or "")
    return Credentials(client_id, unquote_plus(authorization.password or ""), "client_secret_basic")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
