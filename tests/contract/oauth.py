"""Rillet's authorization server: RFC 8414 metadata instead of an OpenAPI document, and RFC 6749 and 7636."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from local.fake_vendor.traffic_recorder import RecordedCall
from tests.contract.checker import Violation
from tests.contract.documents import oauth_metadata

_PREFIX = "/oauth2/"
_NEEDED = {
    "authorization_code": {"code", "redirect_uri", "code_verifier"},
    "refresh_token": {"refresh_token"},
}
_AUTHORIZE = {
    *("response_type", "client_id", "redirect_uri", "state"),
    *("code_challenge", "code_challenge_method"),
}


def is_oauth(call: RecordedCall) -> bool:
    """Whether a request is for the authorization server."""
    return call.vendor == "rillet" and call.path.startswith(_PREFIX)


def check_oauth(call: RecordedCall) -> list[Violation]:
    """What is wrong with a request to the authorization server, or with its answer."""
    endpoints = {
        urlsplit(url).path: name for name, url in oauth_metadata().items() if name.endswith("_endpoint")
    }
    endpoint = endpoints.get(call.path, "")
    name = f"{call.method} {call.path}"
    if not endpoint:
        return [Violation("rillet", name, "request", 0, "", "unknown operation", "not in the metadata")]
    if endpoint == "authorization_endpoint":
        # What a person's browser posts is Rillet's own page; only the way there is ours.
        wrong = _authorization(call) if call.method == "GET" else iter(())
    elif endpoint == "token_endpoint":
        wrong = _token(call)
    else:
        wrong = _method(call, "revocation_endpoint_auth_methods_supported")
    return [Violation("rillet", name, *each) for each in wrong]


OAuthMismatch = tuple[str, int, str, str, str]


def _authorization(call: RecordedCall) -> Iterator[OAuthMismatch]:
    metadata, sent = oauth_metadata(), dict(parse_qsl(call.query))
    for name in sorted(_AUTHORIZE - sent.keys()):
        yield "request", 0, f"?{name}", "missing parameter", "required (RFC 6749 4.1.1, RFC 7636 4.3)"
    for name, supported in (
        ("response_type", metadata["response_types_supported"]),
        ("code_challenge_method", metadata["code_challenge_methods_supported"]),
    ):
        if sent.get(name) not in supported:
            yield "request", 0, f"?{name}", "wrong parameter", f"not one of {supported}"
    for scope in set(sent.get("scope", "").split()) - set(metadata["scopes_supported"]):
        yield "request", 0, "?scope", "wrong parameter", f"{scope} is not supported"


def _token(call: RecordedCall) -> Iterator[OAuthMismatch]:
    sent = dict(parse_qsl(call.body.decode()))
    grant = sent.get("grant_type", "")
    if grant not in oauth_metadata()["grant_types_supported"]:
        yield "request", 0, "grant_type", "wrong parameter", f"{grant or 'none'} is not supported"
    for name in sorted(_NEEDED.get(grant, set()) - sent.keys()):
        yield "request", 0, name, "missing parameter", f"required with {grant}"
    yield from _method(call, "token_endpoint_auth_methods_supported")
    if call.status is None:
        return
    answer = json.loads(call.answer)
    needed = {"access_token", "token_type"} if call.status == 200 else {"error"}
    for name in sorted(needed - answer.keys()):
        yield "answer", call.status, f"$.{name}", "missing field", "required (RFC 6749 5)"


def _method(call: RecordedCall, methods: str) -> Iterator[OAuthMismatch]:
    """A client authenticates in a way that the metadata names."""
    basic = call.headers.get("Authorization", "").startswith("Basic ")
    posted = "client_secret=" in call.body.decode()
    used = "client_secret_basic" if basic else "client_secret_post" if posted else "none"
    if used not in oauth_metadata()[methods]:
        yield "request", 0, "authorization", "missing header", f"{used} is not supported"
    if call.headers.get("Content-Type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        yield "request", 0, "content-type", "wrong body", "not a form"
