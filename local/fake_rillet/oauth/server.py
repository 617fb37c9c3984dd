"""The authorization server's memory and rules, for endpoints, tests and people."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from local.fake_rillet.oauth.clients import PUBLIC, WITH_SECRET, Client
from local.fake_rillet.oauth.parameters import ErrorPage, OAuthError, Parameters, RedirectBack, read_scope
from local.fake_rillet.oauth.tokens import Grant, TokenIssuer
from local.fake_rillet.organisation import Organisation

_S256_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
AUTHORIZE_PATH = "/oauth2/authorize"
DECISIONS = ("grant", "deny")


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


class AuthorisationServer(TokenIssuer):
    """Clients and consents, and the codes and tokens that come of them.

    Attributes:
        clients: by client id.
    """

    def __init__(self, clock: Callable[[], float], organisations: Mapping[str, Organisation]) -> None:
        """Create a server without clients.

        Args:
            clock: Unix seconds.
            organisations: those that the logged-in person may choose, by id.
        """
        super().__init__(clock)
        self.clients: dict[str, Client] = {}
        self._organisations = organisations

    def add_client(
        self, client_id: str, client_secret: str | None = None, redirect_uris: Sequence[str] = ()
    ) -> Client:
        """Register a client, or replace the one of that id.

        Args:
            client_id: its id.
            client_secret: None makes it a public client; with a secret it may send it either way.
            redirect_uris: where it may have browsers sent to.
        """
        methods = WITH_SECRET if client_secret else (PUBLIC,)
        return self.register(Client(client_id, client_secret or None, tuple(redirect_uris), methods))

    def register(self, client: Client) -> Client:
        """Make a client known."""
        self.clients[client.client_id] = client
        return client

    def grant(self, authorize_url: str, organisation: Organisation | str, decision: str = "grant") -> str:
        """Do what a person does in the browser: open the URL, choose an organisation, grant or deny.

        Args:
            authorize_url: as the client made it.
            organisation: the organisation or its id.
            decision: "grant" or "deny".

        Returns:
            The URL to which the browser is redirected, with a code or an error.

        Raises:
            ErrorPage: the person would see an error and be sent nowhere.
        """
        if urlsplit(authorize_url).path != AUTHORIZE_PATH:
            raise ErrorPage(f"The path must be {AUTHORIZE_PATH}.")
        try:
            request = self.read_request(Parameters.of_url(authorize_url))
        except RedirectBack as refusal:
            return refusal.location
        return self.decide(request, _id_of(organisation), decision)

    def read_request(self, parameters: Parameters) -> AuthorisationRequest:
        """Check a request of the authorization endpoint (RFC 6749, 4.1.1 and RFC 7636).

        Raises:
            ErrorPage: the client is unknown or the redirect URI is not its own.
            RedirectBack: anything else is wrong.
        """
        client = self.clients.get(parameters.get("client_id") or "")
        if client is None:
            raise ErrorPage(
                "The program that sent you here is not known: its client_id is missing or unknown."
            )
        redirect_uri = parameters.get("redirect_uri")
        if redirect_uri not in client.redirect_uris:
            raise ErrorPage("The program that sent you here gave no redirect_uri that is registered for it.")
        address = ReturnAddress(redirect_uri, parameters.get("state"))
        try:
            return _read_parameters(parameters, client, address)
        except OAuthError as error:
            raise RedirectBack(address.location(error.document)) from error

    def choices(self) -> list[Organisation]:
        """Return the organisations that the logged-in person may choose, by name."""
        return sorted(self._organisations.values(), key=lambda one: str(one.document["trade_name"]))

    def decide(self, request: AuthorisationRequest, organisation_id: str, decision: str) -> str:
        """Settle a request as the person decided, and return where the browser goes.

        Raises:
            ErrorPage: there is no such decision or organisation.
        """
        if decision not in DECISIONS:
            raise ErrorPage(f"The decision must be one of {', '.join(DECISIONS)}.")
        if decision == "deny":
            return request.address.location({"error": "access_denied"})
        if organisation_id not in self._organisations:
            raise ErrorPage("You have no access to the organisation that you chose.")
        grant = Grant(request.client.client_id, organisation_id, request.scope)
        code = self.issue_code(grant, request.address.redirect_uri, request.code_challenge)
        return request.address.location({"code": code})

    def revoke_all(self, organisation: Organisation | str) -> None:
        """Revoke all tokens and codes of an organisation, as its people do in Rillet's settings.

        Args:
            organisation: the organisation or its id.
        """
        organisation_id = _id_of(organisation)
        with self._lock:
            for code in self.codes.values():
                if code.grant.organisation_id == organisation_id:
                    code.grant.revoked = True


def _id_of(organisation: Organisation | str) -> str:
    return organisation if isinstance(organisation, str) else organisation.id
