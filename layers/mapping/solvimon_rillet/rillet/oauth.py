"""OAuth 2.0 with Rillet: authorization code with PKCE S256, refresh, revocation.

Source: Rillet's RFC 8414 metadata. Authlib implements the protocol; it is imported on first use, because most
invocations of a function do not need it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING, Any

import requests

from solvimon_rillet.errors import OutcomeUnknown, RetryLater, SolvimonRilletError
from solvimon_rillet.http.client import is_header_value
from solvimon_rillet.http.failures import CALL_FAILURES, retry_after, was_never_sent
from solvimon_rillet.http.vendor_json import parse_json

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

_TIMEOUT_SECONDS = (3.05, 15)
_SERVER = "Rillet's authorization server"
# RFC 6749 recommends expires_in but does not require it; without it the next 401 shows the end.
_DEFAULT_LIFETIME = 3600
_MAX_LIFETIME = 365 * 86_400
_MAX_QUOTED = 200
# RFC 6749, 5.2; any other one is quoted.
_ERROR_CODES = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
}


class GrantRefused(SolvimonRilletError):
    """A code or refresh token that Rillet rejected; ``error`` is the OAuth error code."""

    def __init__(self, error: str, description: str = "", *, own: bool = False) -> None:
        shown = error if error in _ERROR_CODES else "an error code of its own"
        quoted = ", ".join(filter(None, ("" if error in _ERROR_CODES else error, description)))
        super().__init__(f"{shown}: {description}" if own else shown, quoted="" if own else quoted)
        self.error = error


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The OAuth client registered at Rillet. A public client has no secret."""

    id: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class OAuthEndpoints:
    """Addresses of Rillet's authorization server, and the scopes to request."""

    authorization: str
    token: str
    revocation: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """The tokens of a grant.

    Attributes:
        access_token: for API calls.
        refresh_token: for the next access token; empty if Rillet sent none.
        lifetime: lifetime of the access token in seconds.
        scope: scopes, separated by spaces.
    """

    access_token: str
    refresh_token: str
    lifetime: int
    scope: str


class RilletOAuth:
    """Client of Rillet's authorization server."""

    def __init__(self, client: OAuthClient, endpoints: OAuthEndpoints, redirect_uri: str = "") -> None:
        self._client = client
        self._endpoints = endpoints
        self._redirect_uri = redirect_uri

    def authorization_url(self, state: str, verifier: str) -> str:
        """The address at which a user grants access; the verifier itself is not sent."""
        url, _ = self._session(self._endpoints.scopes).create_authorization_url(
            self._endpoints.authorization, state=state, code_verifier=verifier
        )
        return str(url)

    def redeem(self, code: str, verifier: str) -> Grant:
        """Exchange an authorization code.

        Raises:
            GrantRefused: the code is invalid or expired, or belongs to another verifier.
            RetryLater, OutcomeUnknown: Rillet does not answer.
        """
        return self._fetch("fetch_token", self._endpoints.token, code=code, code_verifier=verifier)

    def refresh(self, refresh_token: str) -> Grant:
        """Get new tokens for a refresh token, which Rillet may rotate.

        No scope is sent, so the granted scope stays, whatever the settings say now.

        Raises:
            GrantRefused: the refresh token is invalid or expired.
            RetryLater, OutcomeUnknown: Rillet does not answer; the token may be used up.
        """
        grant = self._fetch("refresh_token", self._endpoints.token, refresh_token=refresh_token)
        next_refresh_token = grant.refresh_token or refresh_token
        return Grant(grant.access_token, next_refresh_token, grant.lifetime, grant.scope)

    def revoke(self, token: str) -> bool:
        """Revoke a token; ``False`` if Rillet does not allow it, as for a public client."""
        if not self._client.secret:
            return False
        try:
            answer = self._session().revoke_token(
                self._endpoints.revocation,
                token=token,
                token_type_hint="refresh_token",  # noqa: S106 - the kind of token, not a token
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except CALL_FAILURES as error:
            raise RetryLater(f"{_SERVER} did not answer ({type(error).__name__}).") from error
        _check_throttled(answer)
        if answer.status_code >= 500:
            raise RetryLater(f"{_SERVER} answered {answer.status_code}.")
        return bool(answer.status_code < 300)

    def _session(self, scopes: Sequence[str] = ()) -> "OAuth2Session":
        from authlib.integrations.requests_client import OAuth2Session

        method = "client_secret_basic" if self._client.secret else "none"
        session = OAuth2Session(
            client_id=self._client.id,
            client_secret=self._client.secret or None,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            scope=" ".join(scopes) or None,
            redirect_uri=self._redirect_uri or None,
            code_challenge_method="S256",
        )
        # Authlib trusts that a token is what RFC 6749 says.
        for hook in ("access_token_response", "refresh_token_response"):
            session.register_compliance_hook(hook, _TokenAnswer)
        return session

    def _fetch(self, method: str, url: str, **parts: str) -> Grant:
        try:
            token = getattr(self._session(), method)(
                url, timeout=_TIMEOUT_SECONDS, allow_redirects=False, **parts
            )
        except CALL_FAILURES as error:
            if was_never_sent(error):
                raise RetryLater(f"{_SERVER} cannot be reached.") from error
            raise OutcomeUnknown(f"{_SERVER} did not answer ({type(error).__name__}).") from error
        return Grant(token["access_token"], token["refresh_token"], token["expires_in"], token["scope"])


class _TokenAnswer:
    """The answer of the token endpoint for Authlib: a token whose fields have the types of ``Grant``.

    Raises:
        RetryLater: Rillet asks to slow down.
        GrantRefused: Rillet refuses the grant.
        OutcomeUnknown: the answer has no usable token; the grant may be used up.
    """

    def __init__(self, response: requests.Response) -> None:
        self.status_code = response.status_code
        self._token = _token(response)

    def json(self) -> dict[str, Any]:
        """The token."""
        return self._token


def _token(response: requests.Response) -> dict[str, Any]:
    status = response.status_code
    _check_throttled(response)
    try:
        answer = parse_json(response.content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or status >= 500:
        raise OutcomeUnknown(f"{_SERVER} answered {status} without a token.")
    if answer.get("error"):
        raise _refusal(answer)
    token, refresh_token = answer.get("access_token"), answer.get("refresh_token") or ""
    if status >= 300 or not _is_token(token) or not (refresh_token == "" or _is_token(refresh_token)):
        raise OutcomeUnknown(f"{_SERVER} answered {status} without a token that can be used.")
    scope = answer.get("scope")
    scopes = scope if isinstance(scope, list) else [scope]
    return {
        "access_token": token,
        "refresh_token": refresh_token,
        "expires_in": _lifetime(answer.get("expires_in")),
        "scope": " ".join(each for each in scopes if isinstance(each, str)),
    }


def _check_throttled(response: requests.Response) -> None:
    if response.status_code == 429:
        raise RetryLater(f"{_SERVER} asks to slow down (429).", after=retry_after(response))


def _is_token(value: object) -> bool:
    return isinstance(value, str) and value != "" and is_header_value(value)


def _refusal(answer: Mapping[str, Any]) -> GrantRefused:
    error = _quotable_text(answer["error"])
    if error in {"invalid_client", "unauthorized_client"}:
        return GrantRefused(
            error, "Rillet does not know the OAuth client; correct the secret …/rillet-oauth-client", own=True
        )
    return GrantRefused(error, _quotable_text(answer.get("error_description") or ""))


def _quotable_text(value: object) -> str:
    """A short text of Rillet's; what should be a text and is none is not quoted, it may hold anything."""
    return " ".join(value.split())[:_MAX_QUOTED] if isinstance(value, str) else "an error that is no text"


def _lifetime(value: object) -> int:
    """Seconds from ``expires_in``, which servers also send as ``300.0`` or as a text."""
    try:
        seconds = Decimal(str(value).strip())
    except DecimalException:
        return _DEFAULT_LIFETIME
    if not seconds.is_finite() or seconds < 1:
        return _DEFAULT_LIFETIME
    return int(min(seconds, Decimal(_MAX_LIFETIME)))
