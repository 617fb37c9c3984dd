"""OAuth 2.0 with Rillet: authorization code with PKCE S256, refresh, revocation.

Source: Rillet's RFC 8414 metadata. Authlib implements the protocol; it is imported on first use, because most
invocations of a function do not need it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from solvimon_rillet.errors import OutcomeUnknown, RetryLater, SolvimonRilletError

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

_TIMEOUT_SECONDS = (3.05, 15)


class GrantRefused(SolvimonRilletError):
    """A code or refresh token that Rillet rejected; ``error`` is the OAuth error code."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(f"{error}: {description}" if description else error)
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
            )
        except requests.RequestException as error:
            raise RetryLater(f"Rillet does not answer ({type(error).__name__}).") from error
        if answer.status_code >= 500:
            raise RetryLater(f"Rillet's authorization server answered {answer.status_code}.")
        return bool(answer.ok)

    def _session(self, scopes: Sequence[str] = ()) -> "OAuth2Session":
        from authlib.integrations.requests_client import OAuth2Session

        method = "client_secret_basic" if self._client.secret else "none"
        return OAuth2Session(
            client_id=self._client.id,
            client_secret=self._client.secret or None,
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            scope=" ".join(scopes) or None,
            redirect_uri=self._redirect_uri or None,
            code_challenge_method="S256",
        )

    def _fetch(self, method: str, url: str, **parts: str) -> Grant:
        from authlib.integrations.base_client import OAuthError

        try:
            token = getattr(self._session(), method)(url, timeout=_TIMEOUT_SECONDS, **parts)
        except OAuthError as error:
            if error.error in {"invalid_client", "unauthorized_client"}:
                unknown = "Rillet does not know the OAuth client; correct the secret …/rillet-oauth-client"
                raise GrantRefused(error.error, unknown) from None
            raise GrantRefused(str(error.error), str(error.description or "")) from None
        except requests.ConnectTimeout as error:
            raise RetryLater("Rillet's authorization server cannot be reached.") from error
        except requests.RequestException as error:
            raise OutcomeUnknown(
                f"Rillet's authorization server did not answer ({type(error).__name__})."
            ) from error
        except ValueError as error:
            raise OutcomeUnknown("Rillet's authorization server sent an unreadable answer.") from error
        return _grant(token)


def _grant(token: Mapping[str, Any]) -> Grant:
    if not token.get("access_token"):
        raise OutcomeUnknown("Rillet's authorization server answered without a token.")
    lifetime = str(token.get("expires_in", ""))
    return Grant(
        access_token=str(token["access_token"]),
        refresh_token=str(token.get("refresh_token") or ""),
        # RFC 6749 recommends expires_in but does not require it; without it the next 401 shows the end.
        lifetime=int(lifetime) if lifetime.isdigit() else 3600,
        scope=str(token.get("scope") or ""),
    )
