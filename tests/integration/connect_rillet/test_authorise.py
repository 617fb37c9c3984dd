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

from local.fake_rillet.app import create_app
from local.fake_vendor.http_server import QuietHandler
from local.system import Connection, LocalSystem
from tests.integration.connect_rillet.support import (
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
from tests.support.arrange import export, finalise
from tests.support.assertions import rillet_invoices
from tests.support.builders import FIRST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def test_an_invocation_and_a_click_connect_an_organisation(system: LocalSystem, acme: Connection) -> None:
    answer = ask(system)
    landing = open_page(grant(system, answer["authorisation_url"], acme.organisation))
    status = ask(system, action="status")

    assert answer["connection"] == ACME
    assert answer["valid_for_seconds"] == 600
    assert (landing.status_code, "acme is connected to Acme Inc." in landing.text) == (200, True)
    assert status["organisation"] == {"id": "org-acme", "name": "Acme Inc."}
    assert status["auth"] == "oauth"
    assert status["scopes"] == ["read", "write"]
    assert datetime.fromisoformat(status["token_expires_at"]).timestamp() == pytest.approx(
        system.clock.now() + 3600, abs=60
    )
    assert status["workflows"].items() >= {"export_invoice": True}.items()
    assert status["webhook_urls"] == {
        "solvimon": f"{system.gateway.url}/webhooks/solvimon/acme",
        "rillet": f"{system.gateway.url}/webhooks/rillet/acme",
    }
    assert check(status, "Rillet") == {"check": "Rillet", "ok": True, "found": "connected to Acme Inc."}
    assert "action_needed" not in status


def test_a_connection_exports_with_what_it_was_granted(system: LocalSystem, working: Connection) -> None:
    finalise(system, working)

    system.settle()

    assert len(rillet_invoices(working, FIRST)) == 1
    assert working.rillet_api_key not in json.dumps(secret(system))


def test_a_new_connection_needs_its_parameter_its_solvimon_secret_and_an_invocation(
    system: LocalSystem,
) -> None:
    add_connection(system, "later", "Later Ltd")
    made = {"later/settings", "later/solvimon"}

    found = {name.partition("/later")[2] for name in all_parameters(system) if "/later/" in name}
    with pytest.raises(system.aws.secretsmanager.exceptions.ResourceNotFoundException):
        secret(system, "later/rillet")
    page = connect(system, system.connections["later"])

    assert found == {"/settings"}, made
    assert "later is connected to Later Ltd" in page.text
    assert secret(system, "later/rillet")["auth"] == "oauth"


def test_the_url_asks_for_a_code_with_pkce_and_no_more_than_the_settings_say(
    system: LocalSystem, acme: Connection
) -> None:
    asked = query_of(start(system))

    assert (
        asked.items()
        >= {
            "response_type": "code",
            "client_id": STACK,
            "redirect_uri": f"{system.gateway.url}{CALLBACK}",
            "scope": "read write",
            "code_challenge_method": "S256",
        }.items()
    )
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 43
    assert "code_verifier" not in asked


def test_every_url_has_a_state_and_a_challenge_of_its_own(system: LocalSystem, acme: Connection) -> None:
    first, second = (query_of(start(system)) for _ in range(2))

    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_a_public_client_connects_by_pkce_alone(system: LocalSystem) -> None:
    acme = add_connection(system, world=True)
    oauth(system).add_client(STACK, None, redirect_uris=[system.deployment.outputs["OAuthRedirectUri"]])
    system.configuration.put_secret("rillet-oauth-client", {"client_id": STACK})

    connected(system, acme)
    finalise(system, acme)
    system.advance(7200)
    system.settle()

    assert oauth(system).counts.refreshes == 1
    assert len(rillet_invoices(acme, FIRST)) == 1


def test_no_oauth_client_is_a_plain_answer_with_what_to_do(system: LocalSystem) -> None:
    system.connect(ACME)

    answer = ask(system)

    assert set(answer) == {"error", "remedy"}
    assert "client_id" in answer["error"]
    assert "rillet-oauth-client" in answer["error"]
    assert states(system) == []


@contextmanager
def api_without_oauth(system: LocalSystem) -> Iterator[str]:
    """Rillet's API at an address where there is no authorization server, as in a sandbox of another host."""
    whole = create_app(system.rillet.state)

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/oauth2"):
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        return whole(environ, start_response)

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_endpoints_of_the_authorization_server_can_be_set(system: LocalSystem) -> None:
    there = system.rillet.url
    endpoints = {
        "authorization_endpoint": f"{there}/oauth2/authorize",
        "token_endpoint": f"{there}/oauth2/token",
        "revocation_endpoint": f"{there}/oauth2/revoke",
    }

    with api_without_oauth(system) as sandbox:
        acme = add_connection(system, rillet={"base_url": sandbox, "oauth": endpoints})
        url = start(system)
        page = open_page(grant(system, url, acme.organisation))
        system.advance(7200)
        refreshed = ask(system, action="status")
        gone = ask(system, action="disconnect")

    assert url.startswith(f"{there}/oauth2/authorize?")
    assert "acme is connected to Acme Inc." in page.text
    assert check(refreshed, "Rillet")["ok"]
    assert oauth(system).counts.refreshes == 1
    assert gone["revoked"]


def test_without_endpoints_in_the_settings_they_are_below_the_base_url(
    system: LocalSystem, acme: Connection
) -> None:
    assert start(system).startswith(f"{system.rillet.url}/oauth2/authorize?")


def test_other_scopes_can_be_asked_for(system: LocalSystem) -> None:
    acme = add_connection(system, rillet={"oauth": {"scopes": ["read"]}})

    connected(system, acme)

    assert ask(system, action="status")["scopes"] == ["read"]


def test_scopes_that_are_added_later_do_not_stop_the_refresh_of_what_was_granted(system: LocalSystem) -> None:
    """RFC 6749, section 6: a refresh must not ask for more than was granted."""
    acme = add_connection(system, rillet={"oauth": {"scopes": ["read"]}})
    connected(system, acme)
    more = {**acme.settings["rillet"], "oauth": {"scopes": ["read", "write"]}}
    system.put_settings(ACME, {**acme.settings, "rillet": more})
    system.runtime.reset()

    system.advance(7200)
    status = ask(system, action="status")

    assert check(status, "Rillet")["ok"], status
    assert status["scopes"] == ["read"]


def test_what_rillet_calls_an_organisation_cannot_become_part_of_the_page(system: LocalSystem) -> None:
    acme = add_connection(system, trade_name='<script>alert("x")</script> & Söhne {title}')

    page = connect(system, acme)

    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Söhne {title}" in page.text
    assert "<script" not in page.text


def test_every_page_is_plain_and_forbids_caches_scripts_frames_and_referrers(
    system: LocalSystem, acme: Connection
) -> None:
    pages = [callback(system, {}), callback(system, {"state": "x"}), connect(system, acme)]

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


def test_there_is_no_other_route_than_the_callback(system: LocalSystem, acme: Connection) -> None:
    body = {"connection": ACME, "action": "connect"}

    answers = [
        requests.request(how, system.gateway.url + path, json=body, timeout=5) for how, path in ELSEWHERE
    ]

    assert [answer.status_code for answer in answers] == [404] * len(ELSEWHERE)
    assert states(system) == []


def test_nobody_can_start_look_or_disconnect_by_the_callback(
    system: LocalSystem, working: Connection
) -> None:
    before = secret(system)

    pages = [
        open_page(f"{system.gateway.url}{CALLBACK}?connection=acme&action={action}")
        for action in ("connect", "status", "disconnect")
    ]

    assert [page.status_code for page in pages] == [400] * 3
    assert all("oauth2/authorize" not in page.text and "Acme Inc." not in page.text for page in pages)
    assert states(system) == []
    assert secret(system) == before


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
    system: LocalSystem, acme: Connection, event: dict[str, object], named: str
) -> None:
    answer = system.invoke("connect_rillet", event)

    assert answer["error"].startswith(f"{named}:")
    assert answer["example"] == {"connection": "default", "action": "connect"}
    assert states(system) == []


NAMES = ["nobody", "", "Acme", "a/b", "../acme", "acme#x", "a" * 40, "-acme"]


@pytest.mark.parametrize("action", ["connect", "status", "disconnect"])
def test_a_connection_that_is_not_there_is_a_plain_answer(
    system: LocalSystem, acme: Connection, action: str
) -> None:
    answers = [ask(system, name, action) for name in NAMES]

    assert all(set(answer) == {"error", "remedy"} for answer in answers)
    assert all(repr(name) in answer["error"] for name, answer in zip(NAMES, answers, strict=True))
    assert states(system) == []


def test_connecting_again_replaces_the_tokens(system: LocalSystem, working: Connection) -> None:
    before = secret(system)

    system.advance(10)
    page = connect(system, working)

    after = secret(system)
    assert page.status_code == 200
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert export(system, FIRST, connection=ACME, dry_run=True)[0]["outcome"] == "would_skip"


def test_what_a_person_put_beside_the_tokens_outlives_them(system: LocalSystem, acme: Connection) -> None:
    """Also when this process has looked at the secret a moment before."""
    system.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": ""})
    ask(system, action="status")
    add_to_secret(system, "rillet", webhook_token="from-rillet-0123", previous_webhook_token="older-0123")

    connected(system, acme)
    system.advance(7200)
    ask(system, action="status")

    kept = secret(system)
    assert oauth(system).counts.refreshes == 1
    assert kept["webhook_token"] == "from-rillet-0123"
    assert kept["previous_webhook_token"] == "older-0123"


def test_the_log_tells_of_every_step_by_connection(
    system: LocalSystem, working: Connection, heard: Heard
) -> None:
    system.advance(7200)
    ask(system, action="status")
    ask(system, action="disconnect")

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
