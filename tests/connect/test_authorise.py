"""A person connects a Rillet organisation in the browser, with nothing but an invocation before."""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
import requests
from werkzeug.serving import make_server

from local.rillet_twin.app import create_app
from local.rillet_twin.server import _QuietHandler
from local.stack import Connection, LocalStack
from tests.connect.support import (
    ACME,
    CALLBACK,
    STACK,
    Heard,
    add_connection,
    add_to_secret,
    all_parameters,
    ask,
    callback,
    check,
    connect,
    connected,
    grant,
    oauth,
    open_page,
    query_of,
    secret,
    start,
    states,
)
from tests.export.support import FIRST, export, finalise, rillet_invoices

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def test_an_invocation_and_a_click_connect_an_organisation(stack: LocalStack, acme: Connection) -> None:
    answer = ask(stack)
    landing = open_page(grant(stack, answer["authorisation_url"], acme.organisation))
    status = ask(stack, action="status")

    assert answer["connection"] == ACME
    assert answer["valid_for_seconds"] == 600
    assert (landing.status_code, "acme is connected to Acme Inc." in landing.text) == (200, True)
    assert status["organisation"] == {"id": "org-acme", "name": "Acme Inc."}
    assert status["auth"] == "oauth"
    assert status["scopes"] == ["read", "write"]
    assert datetime.fromisoformat(status["token_expires_at"]).timestamp() == pytest.approx(
        stack.clock.now() + 3600, abs=60
    )
    assert status["workflows"].items() >= {"export_invoice": True}.items()
    assert status["webhook_urls"] == {
        "solvimon": f"{stack.gateway.url}/webhooks/solvimon/acme",
        "rillet": f"{stack.gateway.url}/webhooks/rillet/acme",
    }
    assert check(status, "Rillet") == {"check": "Rillet", "ok": True, "found": "connected to Acme Inc."}
    assert "action_needed" not in status


def test_a_connection_exports_with_what_it_was_granted(stack: LocalStack, working: Connection) -> None:
    finalise(stack, working)

    stack.settle()

    assert len(rillet_invoices(working, FIRST)) == 1
    assert working.rillet_api_key not in json.dumps(secret(stack))


def test_a_new_connection_needs_its_parameter_its_solvimon_secret_and_an_invocation(
    stack: LocalStack,
) -> None:
    add_connection(stack, "later", "Later Ltd")
    made = {"later/settings", "later/solvimon"}

    found = {name.partition("/later")[2] for name in all_parameters(stack) if "/later/" in name}
    with pytest.raises(stack.aws.secretsmanager.exceptions.ResourceNotFoundException):
        secret(stack, "later/rillet")
    page = connect(stack, stack.connections["later"])

    assert found == {"/settings"}, made
    assert "later is connected to Later Ltd" in page.text
    assert secret(stack, "later/rillet")["auth"] == "oauth"


def test_the_url_asks_for_a_code_with_pkce_and_no_more_than_the_settings_say(
    stack: LocalStack, acme: Connection
) -> None:
    asked = query_of(start(stack))

    assert (
        asked.items()
        >= {
            "response_type": "code",
            "client_id": STACK,
            "redirect_uri": f"{stack.gateway.url}{CALLBACK}",
            "scope": "read write",
            "code_challenge_method": "S256",
        }.items()
    )
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 43
    assert "code_verifier" not in asked


def test_every_url_has_a_state_and_a_challenge_of_its_own(stack: LocalStack, acme: Connection) -> None:
    first, second = (query_of(start(stack)) for _ in range(2))

    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_a_public_client_connects_by_pkce_alone(stack: LocalStack) -> None:
    acme = add_connection(stack, world=True)
    oauth(stack).add_client(STACK, None, redirect_uris=[stack.deployment.outputs["OAuthRedirectUri"]])
    stack.configuration.put_secret("rillet-oauth-client", {"client_id": STACK})

    connected(stack, acme)
    finalise(stack, acme)
    stack.advance(7200)
    stack.settle()

    assert oauth(stack).counts.refreshes == 1
    assert len(rillet_invoices(acme, FIRST)) == 1


def test_no_oauth_client_is_a_plain_answer_with_what_to_do(stack: LocalStack) -> None:
    stack.connect(ACME)

    answer = ask(stack)

    assert set(answer) == {"error", "remedy"}
    assert "client_id" in answer["error"]
    assert "rillet-oauth-client" in answer["error"]
    assert states(stack) == []


@contextmanager
def api_without_oauth(stack: LocalStack) -> Iterator[str]:
    """Rillet's API at an address where there is no authorization server, as in a sandbox of another host."""
    whole = create_app(stack.rillet.state)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/oauth2"):
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        return whole(environ, start_response)

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_endpoints_of_the_authorization_server_can_be_set(stack: LocalStack) -> None:
    there = stack.rillet.url
    endpoints = {
        "authorization_endpoint": f"{there}/oauth2/authorize",
        "token_endpoint": f"{there}/oauth2/token",
        "revocation_endpoint": f"{there}/oauth2/revoke",
    }

    with api_without_oauth(stack) as sandbox:
        acme = add_connection(stack, rillet={"base_url": sandbox, "oauth": endpoints})
        url = start(stack)
        page = open_page(grant(stack, url, acme.organisation))
        stack.advance(7200)
        refreshed = ask(stack, action="status")
        gone = ask(stack, action="disconnect")

    assert url.startswith(f"{there}/oauth2/authorize?")
    assert "acme is connected to Acme Inc." in page.text
    assert check(refreshed, "Rillet")["ok"]
    assert oauth(stack).counts.refreshes == 1
    assert gone["revoked"]


def test_without_endpoints_in_the_settings_they_are_below_the_base_url(
    stack: LocalStack, acme: Connection
) -> None:
    assert start(stack).startswith(f"{stack.rillet.url}/oauth2/authorize?")


def test_other_scopes_can_be_asked_for(stack: LocalStack) -> None:
    acme = add_connection(stack, rillet={"oauth": {"scopes": ["read"]}})

    connected(stack, acme)

    assert ask(stack, action="status")["scopes"] == ["read"]


def test_scopes_that_are_added_later_do_not_stop_the_refresh_of_what_was_granted(stack: LocalStack) -> None:
    """RFC 6749, section 6: a refresh must not ask for more than was granted."""
    acme = add_connection(stack, rillet={"oauth": {"scopes": ["read"]}})
    connected(stack, acme)
    more = {**acme.settings["rillet"], "oauth": {"scopes": ["read", "write"]}}
    stack.put_settings(ACME, {**acme.settings, "rillet": more})
    stack.runtime.reset()

    stack.advance(7200)
    status = ask(stack, action="status")

    assert check(status, "Rillet")["ok"], status
    assert status["scopes"] == ["read"]


def test_what_rillet_calls_an_organisation_cannot_become_part_of_the_page(stack: LocalStack) -> None:
    acme = add_connection(stack, trade_name='<script>alert("x")</script> & Söhne {title}')

    page = connect(stack, acme)

    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Söhne {title}" in page.text
    assert "<script" not in page.text


def test_every_page_is_plain_and_forbids_caches_scripts_frames_and_referrers(
    stack: LocalStack, acme: Connection
) -> None:
    pages = [callback(stack, {}), callback(stack, {"state": "x"}), connect(stack, acme)]

    for page in pages:
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["x-content-type-options"] == "nosniff"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in page.text


ELSEWHERE = [
    ("POST", CALLBACK),
    ("PUT", CALLBACK),
    ("GET", "/oauth/rillet/start"),
    ("GET", "/oauth/rillet"),
    ("POST", "/connect_rillet"),
    ("GET", f"{CALLBACK}/acme"),
]


def test_there_is_no_other_route_than_the_callback(stack: LocalStack, acme: Connection) -> None:
    body = {"connection": ACME, "action": "connect"}

    answers = [
        requests.request(how, stack.gateway.url + path, json=body, timeout=5) for how, path in ELSEWHERE
    ]

    assert [answer.status_code for answer in answers] == [404] * len(ELSEWHERE)
    assert states(stack) == []


def test_nobody_can_start_look_or_disconnect_by_the_callback(stack: LocalStack, working: Connection) -> None:
    before = secret(stack)

    pages = [
        open_page(f"{stack.gateway.url}{CALLBACK}?connection=acme&action={action}")
        for action in ("connect", "status", "disconnect")
    ]

    assert [page.status_code for page in pages] == [400] * 3
    assert all("oauth2/authorize" not in page.text and "Acme Inc." not in page.text for page in pages)
    assert states(stack) == []
    assert secret(stack) == before


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"conection": "acme"}, "conection"),
        ({"connection": 7}, "connection"),
        ({"connection": None}, "connection"),
        ({"connection": "acme", "action": "start"}, "action"),
        ({"connection": "acme", "action": ["connect"]}, "action"),
        ({"connection": "acme", "dry_run": True}, "dry_run"),
    ],
)
def test_a_wrong_invocation_is_told_which_field_is_wrong(
    stack: LocalStack, acme: Connection, event: dict[str, object], named: str
) -> None:
    answer = stack.invoke("connect_rillet", event)

    assert answer["error"].startswith(f"{named}:")
    assert answer["example"] == {"connection": "default", "action": "connect"}
    assert states(stack) == []


NAMES = ["nobody", "", "Acme", "a/b", "../acme", "acme#x", "a" * 40, "-acme"]


@pytest.mark.parametrize("action", ["connect", "status", "disconnect"])
def test_a_connection_that_is_not_there_is_a_plain_answer(
    stack: LocalStack, acme: Connection, action: str
) -> None:
    answers = [ask(stack, name, action) for name in NAMES]

    assert all(set(answer) == {"error", "remedy"} for answer in answers)
    assert all(repr(name) in answer["error"] for name, answer in zip(NAMES, answers, strict=True))
    assert states(stack) == []


def test_connecting_again_replaces_the_tokens(stack: LocalStack, working: Connection) -> None:
    before = secret(stack)

    stack.advance(10)
    page = connect(stack, working)

    after = secret(stack)
    assert page.status_code == 200
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert export(stack, FIRST, connection=ACME, dry_run=True)[0]["outcome"] == "would_skip"


def test_what_a_person_put_beside_the_tokens_outlives_them(stack: LocalStack, acme: Connection) -> None:
    """Also when this process has looked at the secret a moment before."""
    stack.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": ""})
    ask(stack, action="status")
    add_to_secret(stack, "rillet", webhook_token="from-rillet-0123", previous_webhook_token="older-0123")

    connected(stack, acme)
    stack.advance(7200)
    ask(stack, action="status")

    kept = secret(stack)
    assert oauth(stack).counts.refreshes == 1
    assert kept["webhook_token"] == "from-rillet-0123"
    assert kept["previous_webhook_token"] == "older-0123"


def test_the_log_tells_of_every_step_by_connection(
    stack: LocalStack, working: Connection, heard: Heard
) -> None:
    stack.advance(7200)
    ask(stack, action="status")
    ask(stack, action="disconnect")

    told = [
        (line["message"], line["connection"])
        for line in heard.lines
        if {"connection", "message"} <= line.keys()
    ]
    assert told == [
        ("rillet authorisation started", ACME),
        ("rillet connected", ACME),
        ("rillet token refreshed", ACME),
        ("rillet disconnected", ACME),
    ]
