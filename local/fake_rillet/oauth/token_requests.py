"""The token endpoint's two grant types: codes and refresh tokens become new tokens."""

import re
from typing import TYPE_CHECKING

from local.fake_rillet.oauth.clients import Client
from local.fake_rillet.oauth.errors import OAuthError, invalid_grant, invalid_request
from local.fake_rillet.oauth.grants import ACCESS, REFRESH, Code, Grant, Token
from local.fake_rillet.oauth.parameters import Parameters, read_scope
from local.fake_rillet.store import Json

if TYPE_CHECKING:
    from local.fake_rillet.oauth.server import AuthorisationServer

_CODE_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def answer_token_request(server: "AuthorisationServer", client: Client, parameters: Parameters) -> Json:
    """Answer a token request of an authenticated client; hold the server's lock.

    Raises:
        OAuthError: as RFC 6749, section 5.2 says.
    """
    grant_type = parameters.require("grant_type")
    if grant_type == "authorization_code":
        return _exchange(server, client, parameters)
    if grant_type == "refresh_token":
        return _refresh(server, client, parameters)
    raise OAuthError("unsupported_grant_type", "grant_type must be one of: authorization_code refresh_token")


def _exchange(server: "AuthorisationServer", client: Client, parameters: Parameters) -> Json:
    """Turn a code into the first tokens of its family.

    A refused attempt leaves the code usable, so that nobody can burn a code with a wrong verifier.
    """
    value, redirect_uri = parameters.require("code"), parameters.require("redirect_uri")
    verifier = parameters.require("code_verifier")
    if not _CODE_VERIFIER.fullmatch(verifier):
        raise invalid_request("code_verifier must be 43 to 128 unreserved characters")
    code = server.codes.get(value)
    if code is None or code.grant.client_id != client.client_id:
        raise invalid_grant("the code is unknown, or was issued to another client")
    _refuse_bad_code(server, code, redirect_uri, verifier)
    code.used = True
    server.counts.exchanges += 1
    access = server.issue(ACCESS, code.grant, code.grant.scope)
    return _answer(access, server.issue(REFRESH, code.grant, code.grant.scope))


def _refuse_bad_code(server: "AuthorisationServer", code: Code, redirect_uri: str, verifier: str) -> None:
    if code.used:
        server.counts.reuses += 1
        code.grant.revoked = True
        raise invalid_grant("the code was used before; the tokens made from it are revoked")
    if code.grant.revoked or code.expired(server.clock()):
        raise invalid_grant("the code is expired or revoked")
    if redirect_uri != code.redirect_uri:
        raise invalid_grant("redirect_uri is not the one that the code was sent to")
    if not code.verified_by(verifier):
        raise invalid_grant("code_verifier does not belong to the code_challenge")


def _refresh(server: "AuthorisationServer", client: Client, parameters: Parameters) -> Json:
    """Turn a refresh token into new tokens.

    With rotation the answer holds a new refresh token; without it holds none, and the client keeps its own
    (RFC 6749, section 6). Access tokens from before stay good until they expire.
    """
    token = server.tokens.get(parameters.require("refresh_token"))
    if token is None or token.kind != REFRESH or token.grant.client_id != client.client_id:
        raise invalid_grant("the refresh token is unknown, or was issued to another client")
    _refuse_bad_refresh_token(server, token)
    scope = read_scope(parameters.get("scope"), token.scope)
    server.counts.refreshes += 1
    access = server.issue(ACCESS, token.grant, scope)
    if not server.refresh_rotation:
        return _answer(access, None)
    if token.rotated_at is None:
        token.rotated_at = server.clock()
    return _answer(access, server.issue(REFRESH, token.grant, token.scope))


def _refuse_bad_refresh_token(server: "AuthorisationServer", token: Token) -> None:
    now = server.clock()
    if token.rotated_at is not None and now >= token.rotated_at + server.refresh_grace_seconds:
        server.counts.reuses += 1
        _punish(server, token.grant)
        raise invalid_grant("the refresh token was replaced by a newer one")
    if not token.alive(now):
        raise invalid_grant("the refresh token is expired or revoked")


def _punish(server: "AuthorisationServer", grant: Grant) -> None:
    """Revoke the family of a token that came back, since one of its two users may be a thief."""
    if server.reuse_revokes_family:
        grant.revoked = True


def _answer(access: Token, refresh: Token | None) -> Json:
    answer: Json = {
        "access_token": access.value,
        "token_type": "Bearer",
        "expires_in": int(access.expires_at - access.issued_at),
        "scope": " ".join(access.scope),
    }
    return answer if refresh is None else answer | {"refresh_token": refresh.value}
