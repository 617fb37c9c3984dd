"""The authorization server's memory and rules, for endpoints, tests and people."""

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from local.fake_rillet.oauth.authorisation import AuthorisationRequest, read_authorisation_request
from local.fake_rillet.oauth.clients import PUBLIC, WITH_SECRET, Client, Credentials
from local.fake_rillet.oauth.errors import ErrorPage, RedirectBack, invalid_grant
from local.fake_rillet.oauth.grants import ACCESS, REFRESH, Code, Grant, Token
from local.fake_rillet.oauth.parameters import Parameters
from local.fake_rillet.oauth.token_requests import answer_token_request
from local.fake_rillet.organisation import Organisation
from local.fake_rillet.store import Json

AUTHORIZE_PATH = "/oauth2/authorize"
DECISIONS = ("grant", "deny")
_HOUR = 60 * 60


@dataclass
class Counts:
    """How often something happened.

    Attributes:
        codes_issued: consents that were granted.
        exchanges: codes that became tokens.
        refreshes: refresh tokens that became new tokens.
        reuses: codes and refresh tokens that came back after their time and were refused.
    """

    codes_issued: int = 0
    exchanges: int = 0
    refreshes: int = 0
    reuses: int = 0


class AuthorisationServer:
    """Clients, consents, codes and tokens.

    The metadata document says nothing about lifetimes and rotation, so they are switches that can be set at
    any time; a lifetime holds for what is issued afterwards.

    Attributes:
        clock: Unix seconds.
        access_token_seconds: lifetime of access tokens.
        refresh_token_seconds: lifetime of refresh tokens; each new one starts afresh.
        refresh_rotation: a refresh answers a new refresh token and uses up the old one.
        reuse_revokes_family: a used-up refresh token that comes back revokes all tokens of its consent.
        refresh_grace_seconds: how long a used-up refresh token still works.
        clients: by client id.
        codes: every code so far, by value.
        tokens: every access and refresh token so far, by value.
    """

    def __init__(self, clock: Callable[[], float], organisations: Mapping[str, Organisation]) -> None:
        """Create a server without clients.

        Args:
            clock: Unix seconds.
            organisations: those that the logged-in person may choose, by id.
        """
        self.clock = clock
        self.access_token_seconds: float = _HOUR
        self.refresh_token_seconds: float = 30 * 24 * _HOUR
        self.refresh_rotation = True
        self.reuse_revokes_family = True
        self.refresh_grace_seconds: float = 0
        self.clients: dict[str, Client] = {}
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Token] = {}
        self.counts = Counts()
        self._organisations = organisations
        self._lock = threading.RLock()

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
        """Check what a client asks for.

        Raises:
            ErrorPage: it is not known who asks.
            RedirectBack: something else is wrong.
        """
        return read_authorisation_request(parameters, self.clients)

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
        code = Code(
            secrets.token_urlsafe(32),
            grant,
            request.address.redirect_uri,
            request.code_challenge,
            self.clock(),
        )
        with self._lock:
            self.codes[code.value] = code
            self.counts.codes_issued += 1
        return request.address.location({"code": code.value})

    def authenticate(self, credentials: Credentials, accepted: tuple[str, ...]) -> Client:
        """Return the client that the credentials prove.

        Raises:
            OAuthError: invalid_client.
        """
        return credentials.prove(self.clients.get(credentials.client_id), accepted=accepted)

    def answer_token_request(self, client: Client, parameters: Parameters) -> Json:
        """Answer a token request; one at a time, so that a code or refresh token is used up once.

        Raises:
            OAuthError: as RFC 6749, section 5.2 says.
        """
        with self._lock:
            return answer_token_request(self, client, parameters)

    def issue(self, kind: str, grant: Grant, scope: tuple[str, ...]) -> Token:
        """Make a token of a grant."""
        seconds = self.access_token_seconds if kind == ACCESS else self.refresh_token_seconds
        now = self.clock()
        token = Token(secrets.token_urlsafe(32), kind, grant, scope, now, now + seconds)
        self.tokens[token.value] = token
        return token

    def access_token(self, value: str) -> Token | None:
        """Return the access token that a bearer presents, if it is neither expired nor revoked."""
        token = self.tokens.get(value)
        usable = token is not None and token.kind == ACCESS and token.alive(self.clock())
        return token if usable else None

    def revoke(self, client: Client, value: str) -> None:
        """Revoke a token (RFC 7009): a refresh token with its whole family, an access token alone.

        Raises:
            OAuthError: invalid_grant, the token is another client's; one that is unknown is no error.
        """
        token = self.tokens.get(value)
        if token is None:
            return
        if token.grant.client_id != client.client_id:
            raise invalid_grant("the token was issued to another client")
        with self._lock:
            token.revoked = True
            if token.kind == REFRESH:
                token.grant.revoked = True

    def introspect(self, client: Client, value: str) -> Json:
        """Describe a token (RFC 7662); of another client's tokens nothing is told."""
        token, now = self.tokens.get(value), self.clock()
        if token is None or token.grant.client_id != client.client_id or not self._works(token, now):
            return {"active": False}
        bearer = {"token_type": "Bearer"} if token.kind == ACCESS else {}
        return bearer | {
            "active": True,
            "client_id": client.client_id,
            "scope": " ".join(token.scope),
            "iat": int(token.issued_at),
            "exp": int(token.expires_at),
        }

    def expire_access_tokens(self) -> None:
        """Let the time of all access tokens be over, as if their lifetime had passed."""
        now = self.clock()
        with self._lock:
            for token in self.tokens.values():
                if token.kind == ACCESS:
                    token.expires_at = min(token.expires_at, now)

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

    def _works(self, token: Token, now: float) -> bool:
        in_grace = token.rotated_at is None or now < token.rotated_at + self.refresh_grace_seconds
        return in_grace and token.alive(now)


def _id_of(organisation: Organisation | str) -> str:
    return organisation if isinstance(organisation, str) else organisation.id
