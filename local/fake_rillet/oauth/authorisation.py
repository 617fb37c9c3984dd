"""What a client asks for by sending a person's browser to `/oauth2/authorize`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from local.fake_rillet.oauth.clients import Client
from local.fake_rillet.oauth.errors import ErrorPage, OAuthError, RedirectBack
from local.fake_rillet.oauth.parameters import Parameters, read_scope

_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class ReturnAddress:
    """Where the browser goes afterwards."""

    redirect_uri: str
    state: str | None

    def location(self, answer: Mapping[str, str]) -> str:
        """Return the address with an answer and the client's own `state` added to its query."""
        added = dict(answer) | ({} if self.state is None else {"state": self.state})
        parts = urlsplit(self.redirect_uri)
        return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(added))))))


@dataclass(frozen=True)
class AuthorisationRequest:
    """A request that a person can grant or deny."""

    client: Client
    address: ReturnAddress
    scope: tuple[str, ...]
    code_challenge: str


def read_authorisation_request(parameters: Parameters, clients: Mapping[str, Client]) -> AuthorisationRequest:
    """Check a request of the authorization endpoint (RFC 6749, 4.1.1 and RFC 7636).

    Raises:
        ErrorPage: the client is unknown or the redirect URI is not its own.
        RedirectBack: anything else is wrong.
    """
    client = clients.get(parameters.get("client_id") or "")
    if client is None:
        raise ErrorPage("The program that sent you here is not known: its client_id is missing or unknown.")
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri not in client.redirect_uris:
        raise ErrorPage("The program that sent you here gave no redirect_uri that is registered for it.")
    address = ReturnAddress(redirect_uri, parameters.get("state"))
    try:
        return _read_parameters(parameters, client, address)
    except OAuthError as error:
        raise RedirectBack(address.location(error.document)) from error


def _read_parameters(parameters: Parameters, client: Client, address: ReturnAddress) -> AuthorisationRequest:
    parameters.check()
    if parameters.require("response_type") != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")
    scope = read_scope(parameters.get("scope"), client.scopes)
    challenge = parameters.require("code_challenge")
    # A missing method would mean `plain`, which Rillet does not support.
    if parameters.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method must be S256")
    if not _S256_CHALLENGE.fullmatch(challenge):
        raise OAuthError("invalid_request", "code_challenge must be 43 base64url characters")
    return AuthorisationRequest(client, address, scope, challenge)
