"""A person connects a Rillet organisation in the browser, with nothing but an invocation before."""

import json
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
import requests
from werkzeug.serving import make_server

from local.aws.runtime import LambdaContext
from local.fake_rillet.server import create_app
from local.fake_vendor.http_server import QuietHandler
from local.system import LocalSystem
from tests.integration.connect_rillet.captured_logs import Logs
from tests.integration.connect_rillet.support import (
    ACME,
    CALLBACK,
    HOUR,
    STACK,
    OAuthConnection,
    add_connection,
    all_parameters,
    ask,
    callback,
    check,
    missing,
    open_page,
    query_of,
    states,
    without_client_secret,
)
from tests.support.arrange import configure, export
from tests.support.builders import FIRST

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def test_an_invocation_and_a_click_connect_an_organisation(acme: OAuthConnection) -> None:
    answer = acme.ask()
    landing = open_page(acme.oauth.grant(answer["authorisation_url"], acme.organisation, "grant"))
    status = acme.status()

    assert answer["connection"] == ACME
    assert answer["valid_for_seconds"] == 600
    assert (landing.status_code, "acme is connected to Acme Inc." in landing.text) == (200, True)
    assert status["organisation"] == {"id": "org-acme", "name": "Acme Inc."}
    assert status["auth"] == "oauth"
    assert status["scopes"] == ["read", "write"]
    assert datetime.fromisoformat(status["token_expires_at"]).timestamp() == pytest.approx(
        acme.system.clock.now() + 3600, abs=60
    )
    assert status["workflows"].items() >= {"export_invoice": True}.items()
    assert status["webhook_urls"] == {
        "solvimon": f"{acme.system.gateway.url}/webhooks/solvimon/acme",
        "rillet": f"{acme.system.gateway.url}/webhooks/rillet/acme",
    }
    assert check(status, "Rillet") == {"check": "Rillet", "ok": True, "found": "connected to Acme Inc."}
    assert "action_needed" not in status


def test_a_connection_exports_with_what_it_was_granted(working: OAuthConnection) -> None:
    working.finalise()

    working.settle()

    assert len(working.rillet_invoices(FIRST)) == 1
    assert working.rillet_api_key not in json.dumps(working.secret)


def test_a_new_connection_needs_its_parameter_a_solvimon_secret_and_a_request(system: LocalSystem) -> None:
    later = add_connection(system, "later", "Later Ltd")

    found = {name.partition("/later")[2] for name in all_parameters(system) if "/later/" in name}
    with pytest.raises(system.aws.secretsmanager.exceptions.ResourceNotFoundException):
        _ = later.secret
    page = later.connect()

    assert found == {"/settings"}
    assert "later is connected to Later Ltd" in page.text
    assert later.secret["auth"] == "oauth"


def test_the_url_asks_for_a_code_with_pkce_and_no_more_than_the_settings_say(acme: OAuthConnection) -> None:
    asked = query_of(acme.start())

    challenge, state = asked.pop("code_challenge"), asked.pop("state")
    assert asked == {
        "response_type": "code",
        "client_id": STACK,
        "redirect_uri": f"{acme.system.gateway.url}{CALLBACK}",
        "scope": "read write",
        "code_challenge_method": "S256",
    }
    assert (len(challenge), len(state) >= 43) == (43, True)


def test_every_url_has_a_state_and_a_challenge_of_its_own(acme: OAuthConnection) -> None:
    first, second = (query_of(acme.start()) for _ in range(2))

    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_a_public_client_connects_by_pkce_alone(system: LocalSystem) -> None:
    acme = add_connection(system, records=True)
    without_client_secret(acme.system)

    acme.connected()
    acme.finalise()
    acme.pass_time(1, 7200)

    assert acme.oauth.counts.refreshes == 1
    assert len(acme.rillet_invoices(FIRST)) == 1


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
        url = acme.start()
        page = open_page(acme.oauth.grant(url, acme.organisation, "grant"))
        acme.advance(7200)
        refreshed = acme.status()
        gone = acme.disconnect()

    assert url.startswith(f"{there}/oauth2/authorize?")
    assert "acme is connected to Acme Inc." in page.text
    assert check(refreshed, "Rillet")["ok"]
    assert acme.oauth.counts.refreshes == 1
    assert gone["revoked"]


def test_without_endpoints_in_the_settings_they_are_below_the_base_url(acme: OAuthConnection) -> None:
    assert acme.start().startswith(f"{acme.system.rillet.url}/oauth2/authorize?")


def test_scopes_that_are_added_later_do_not_stop_the_refresh_of_what_was_granted(system: LocalSystem) -> None:
    """RFC 6749, section 6: a refresh must not ask for more than was granted."""
    acme = add_connection(system, rillet={"oauth": {"scopes": ["read"]}}).connected()
    granted = acme.status()
    more = {**acme.settings["rillet"], "oauth": {"scopes": ["read", "write"]}}
    configure(system, acme, rillet=more)

    acme.advance(2 * HOUR)
    status = acme.status()

    assert check(status, "Rillet")["ok"], status
    assert granted["scopes"] == status["scopes"] == ["read"]


def test_what_rillet_calls_an_organisation_cannot_become_part_of_the_page(system: LocalSystem) -> None:
    acme = add_connection(system, trade_name='<script>alert("x")</script> & Söhne {title}')

    page = acme.connect()

    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; Söhne {title}" in page.text
    assert "<script" not in page.text


def test_the_page_leads_back_to_the_panel(acme: OAuthConnection) -> None:
    wrong, right = callback(acme.system, {"state": "x"}), acme.connect()

    assert '<a href="../../panel/connections">Back to the panel</a>' in wrong.text
    assert '<a href="../../panel/connections/acme?check=1">Back to the panel</a>' in right.text


def test_a_deployment_without_a_panel_has_no_way_back_to_one(acme: OAuthConnection) -> None:
    callback(acme.system, {"state": "x"})  # which loads the function
    environment = {**acme.system.deployment.functions["connect_rillet"].environment, "PANEL": "off"}
    handler = sys.modules["connect_rillet"].create_handler(environment)

    page = handler(
        {"requestContext": {}, "queryStringParameters": {"state": "x"}}, LambdaContext("x", "x", 1, 1)
    )

    assert "This link is not valid any more" in page["body"]
    assert "anel" not in page["body"]


def test_every_page_is_plain_and_forbids_caches_scripts_frames_and_referrers(acme: OAuthConnection) -> None:
    pages = [callback(acme.system, {}), callback(acme.system, {"state": "x"}), acme.connect()]

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


def test_there_is_no_other_route_than_the_callback(acme: OAuthConnection) -> None:
    body = {"connection": ACME, "action": "connect"}

    answers = [
        requests.request(how, acme.system.gateway.url + path, json=body, timeout=5) for how, path in ELSEWHERE
    ]

    assert [answer.status_code for answer in answers] == [404] * len(ELSEWHERE)
    assert states(acme.system) == []


def test_nobody_can_start_look_or_disconnect_by_the_callback(working: OAuthConnection) -> None:
    before = working.secret

    pages = [
        open_page(f"{working.system.gateway.url}{CALLBACK}?connection=acme&action={action}")
        for action in ("connect", "status", "disconnect")
    ]

    assert [page.status_code for page in pages] == [400] * 3
    assert all("oauth2/authorize" not in page.text and "Acme Inc." not in page.text for page in pages)
    assert states(working.system) == []
    assert working.secret == before


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
def test_a_wrong_field_is_named(acme: OAuthConnection, event: dict[str, object], named: str) -> None:
    answer = acme.system.invoke("connect_rillet", event)

    assert answer["error"].startswith(f"{named}:")
    assert answer["example"] == {"connection": "default", "action": "connect"}
    assert states(acme.system) == []


NAMES = ["nobody", "", "Acme", "a/b", "../acme", "acme#x", "a" * 40, "-acme"]


@pytest.mark.parametrize("action", ["connect", "status", "disconnect"])
def test_a_connection_that_is_not_there_is_a_plain_answer(acme: OAuthConnection, action: str) -> None:
    answers = [ask(acme.system, name, action) for name in NAMES]

    assert all("There are: acme." in answer["remedy"] for answer in answers)
    assert answers[0]["did_you_mean"] is None
    assert f"{STACK}/nobody/solvimon" in answers[0]["remedy"]
    assert all(repr(name) in answer["error"] for name, answer in zip(NAMES, answers, strict=True))
    assert states(acme.system) == []


def test_connecting_again_replaces_the_tokens(working: OAuthConnection) -> None:
    before = working.secret

    working.advance(10)
    page = working.connect()

    after = working.secret
    assert page.status_code == 200
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    assert export(working.system, FIRST, connection=ACME, dry_run=True)[0]["outcome"] == "would_export"


def test_what_a_person_put_beside_the_tokens_outlives_them(acme: OAuthConnection) -> None:
    """Also when this process has looked at the secret a moment before."""
    acme.put_secret("rillet", {"auth": "api_key", "api_key": ""})
    acme.status()
    acme.add_to_secret("rillet", webhook_token="from-rillet-0123", previous_webhook_token="older-0123")

    acme.connected()
    acme.advance(7200)
    acme.status()

    kept = acme.secret
    assert acme.oauth.counts.refreshes == 1
    assert kept["webhook_token"] == "from-rillet-0123"
    assert kept["previous_webhook_token"] == "older-0123"


def test_the_log_has_every_step_by_connection(working: OAuthConnection, logs: Logs) -> None:
    working.advance(7200)
    working.status()
    working.disconnect()

    logged = [
        (line["message"], line["connection"])
        for line in logs.lines
        if {"connection", "message"} <= line.keys()
    ]
    assert logged == [
        ("rillet authorisation started", ACME),
        ("rillet connected", ACME),
        ("rillet token refreshed", ACME),
        ("rillet disconnected", ACME),
    ]


def test_a_grant_that_is_replaced_by_a_new_one_is_revoked_at_rillet(working: OAuthConnection) -> None:
    replaced = working.secret["refresh_token"]

    working.connected()

    kept = working.secret["refresh_token"]
    assert not working.oauth.tokens[replaced].alive(working.system.clock.now())
    assert working.oauth.tokens[kept].alive(working.system.clock.now())
    assert missing(working.status()) == ["Rillet webhook"]
