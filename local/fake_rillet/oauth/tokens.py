"""Codes and tokens, which stand for what a person granted, and the rules by which one becomes the other."""

import base64
import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from local.fake_rillet.oauth.clients import Client
from local.fake_rillet.oauth.parameters import OAuthError, Parameters, read_scope
from local.fake_rillet.store import Json

ACCESS = "access"
REFRESH = "refresh"
CODE_SECONDS = 60
_CODE_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_HOUR = 60 * 60


@dataclass
class Grant:
    """One consent: all tokens that descend from it are a family."""

    client_id: str
    organisation_id: str
    scope: tuple[str, ...]
    revoked: bool = False


@dataclass
class Code:
    """An authorization code, which is good once and for 60 seconds."""

    value: str = field(repr=False)
    grant: Grant
    redirect_uri: str
    code_challenge: str
    issued_at: float
    used: bool = False

    def expired(self, now: float) -> bool:
        """Tell whether its time is over."""
        return now >= self.issued_at + CODE_SECONDS

    def verified_by(self, code_verifier: str) -> bool:
        """Tell whether the PKCE verifier belongs to the challenge."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest())
        return hmac.compare_digest(digest.rstrip(b"="), self.code_challenge.encode())


@dataclass
class Token:
    """An access or refresh token.

    Attributes:
        kind: `ACCESS` or `REFRESH`.
        scope: an access token may have less than its grant.
        issued_at: Unix seconds.
        expires_at: Unix seconds; fixed when it was issued.
        rotated_at: when a refresh token was first replaced by another one.
        revoked: by itself; its whole grant may be revoked as well.
    """

    value: str = field(repr=False)
    kind: str
    grant: Grant
    scope: tuple[str, ...]
    issued_at: float
    expires_at: float
    rotated_at: float | None = None
    revoked: bool = False

    def alive(self, now: float) -> bool:
        """Tell whether it is neither expired nor revoked; a rotated one may still be."""
        return not self.revoked and not self.grant.revoked and now < self.expires_at


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


class TokenIssuer:
    """Issues, refreshes, revokes and describes tokens.

    The metadata document says nothing about lifetimes and rotation, so they are switches that can be set at
    any time; a lifetime holds for what is issued afterwards.

    Attributes:
        clock: Unix seconds.
        access_token_seconds: lifetime of access tokens.
        refresh_token_seconds: lifetime of refresh tokens; each new one starts afresh.
        refresh_rotation: a refresh answers a new refresh token and uses up the old one.
        reuse_revokes_family: a used-up refresh token that comes back revokes all tokens of its consent.
        refresh_grace_seconds: how long a used-up refresh token still works.
        codes: every code so far, by value.
        tokens: every access and refresh token so far, by value.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.access_token_seconds: float = _HOUR
        self.refresh_token_seconds: float = 30 * 24 * _HOUR
        self.refresh_rotation = True
        self.reuse_revokes_family = True
        self.refresh_grace_seconds: float = 0
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Token] = {}
        self.counts = Counts()
        self._lock = threading.RLock()

    def issue_code(self, grant: Grant, redirect_uri: str, code_challenge: str) -> str:
        """Make a code of a consent."""
        code = Code(secrets.token_urlsafe(32), grant, redirect_uri, code_challenge, self.clock())
        with self._lock:
            self.codes[code.value] = code
            self.counts.codes_issued += 1
        return code.value

    def answer_token_request(self, client: Client, parameters: Parameters) -> Json:
        """Answer a token request; one at a time, so that a code or refresh token is used up once.

        Raises:
            OAuthError: as RFC 6749, section 5.2 says.
        """
        grant_types = {"authorization_code": self._exchange, "refresh_token": self._refresh}
        answer = grant_types.get(parameters.require("grant_type"))
        if answer is None:
            raise OAuthError("unsupported_grant_type", f"grant_type must be one of: {' '.join(grant_types)}")
        with self._lock:
            return answer(client, parameters)

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
            raise OAuthError("invalid_grant", "the token was issued to another client")
        with self._lock:
            token.revoked = True
            if token.kind == REFRESH:
                token.grant.revoked = True

    def introspect(self, client: Client, value: str) -> Json:
        """Describe a token (RFC 7662); of another client's tokens nothing is disclosed."""
        token, now = self.tokens.get(value), self.clock()
        if token is None or token.grant.client_id != client.client_id:
            return {"active": False}
        if self._used_up(token, now) or not token.alive(now):
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

    def _exchange(self, client: Client, parameters: Parameters) -> Json:
        """Turn a code into the first tokens of its family.

        A refused attempt leaves the code usable, so that nobody can burn a code with a wrong verifier.
        """
        value, redirect_uri = parameters.require("code"), parameters.require("redirect_uri")
        verifier = parameters.require("code_verifier")
        if not _CODE_VERIFIER.fullmatch(verifier):
            raise OAuthError("invalid_request", "code_verifier must be 43 to 128 unreserved characters")
        code = self.codes.get(value)
        if code is None or code.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "the code is unknown, or was issued to another client")
        if code.used:
            self.counts.reuses += 1
            code.grant.revoked = True
            raise OAuthError("invalid_grant", "the code was used before; the tokens made from it are revoked")
        if code.grant.revoked or code.expired(self.clock()):
            raise OAuthError("invalid_grant", "the code is expired or revoked")
        if redirect_uri != code.redirect_uri:
            raise OAuthError("invalid_grant", "redirect_uri is not the one that the code was sent to")
        if not code.verified_by(verifier):
            raise OAuthError("invalid_grant", "code_verifier does not belong to the code_challenge")
        code.used = True
        self.counts.exchanges += 1
        return self._issue(code.grant, code.grant.scope, with_refresh_token=True)

    def _refresh(self, client: Client, parameters: Parameters) -> Json:
        """Turn a refresh token into new tokens.

        With rotation the answer holds a new refresh token; without it holds none, and the client keeps its
        own (RFC 6749, section 6). Access tokens from before stay good until they expire. A used-up token
        that comes back revokes its family, since one of its two users may be a thief.
        """
        token, now = self.tokens.get(parameters.require("refresh_token")), self.clock()
        if token is None or token.kind != REFRESH or token.grant.client_id != client.client_id:
            raise OAuthError("invalid_grant", "the refresh token is unknown, or was issued to another client")
        if self._used_up(token, now):
            self.counts.reuses += 1
            token.grant.revoked |= self.reuse_revokes_family
            raise OAuthError("invalid_grant", "the refresh token was replaced by a newer one")
        if not token.alive(now):
            raise OAuthError("invalid_grant", "the refresh token is expired or revoked")
        scope = read_scope(parameters.get("scope"), token.scope)
        self.counts.refreshes += 1
        if self.refresh_rotation and token.rotated_at is None:
            token.rotated_at = now
        return self._issue(token.grant, scope, with_refresh_token=self.refresh_rotation)

    def _used_up(self, token: Token, now: float) -> bool:
        """Tell whether a refresh token was replaced, and its grace period is over."""
        return token.rotated_at is not None and now >= token.rotated_at + self.refresh_grace_seconds

    def _issue(self, grant: Grant, scope: tuple[str, ...], *, with_refresh_token: bool) -> Json:
        """Make the tokens of an answer; a refresh token has all of its grant's scope."""
        answer: Json = {
            "access_token": self._token(ACCESS, grant, scope, self.access_token_seconds),
            "token_type": "Bearer",
            "expires_in": int(self.access_token_seconds),
            "scope": " ".join(scope),
        }
        if with_refresh_token:
            seconds = self.refresh_token_seconds
            answer["refresh_token"] = self._token(REFRESH, grant, grant.scope, seconds)
        return answer

    def _token(self, kind: str, grant: Grant, scope: tuple[str, ...], seconds: float) -> str:
        value, now = secrets.token_urlsafe(32), self.clock()
        self.tokens[value] = Token(value, kind, grant, scope, now, now + seconds)
        return value
