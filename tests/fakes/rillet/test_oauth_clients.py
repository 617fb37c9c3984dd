"""What a client learns and does alone at the Rillet fake: metadata, registration, Authlib."""

import json
import os
import secrets
from pathlib import Path

import pytest
import requests
from authlib.integrations.requests_client import (  # type: ignore[import-untyped,unused-ignore]
    OAuth2Session,
)

from tests.fakes.rillet.oauth_support import (
    CALLBACK,
    CONFIDENTIAL,
    INVALID_CLIENT,
    PUBLIC,
    SECRET,
    Browser,
    accepted,
    refusal,
)
from tests.fakes.rillet.support import Json

CONTRACTS = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[4] / "shared/contracts/openapi"))
METADATA = CONTRACTS / "rillet-oauth-authorization-server.json"


def metadata_of(browser: Browser) -> Json:
    return accepted(browser.send("GET", "/.well-known/oauth-authorization-server"))


@pytest.mark.skipif(not METADATA.exists(), reason=f"{METADATA.name} is not in CONTRACTS_DIR ({CONTRACTS})")
def test_the_metadata_is_rillets_own_with_the_fakes_url(browser: Browser) -> None:
    published = METADATA.read_text(encoding="utf-8")

    expected = json.loads(published.replace("https://api.rillet.com", browser.rillet.fake.url))

    assert metadata_of(browser) == expected


def test_every_endpoint_of_the_metadata_is_there(browser: Browser) -> None:
    metadata = metadata_of(browser)

    endpoints = [value for name, value in metadata.items() if name.endswith(("_endpoint", "jwks_uri"))]

    assert len(endpoints) == 6
    assert {browser.send("OPTIONS", endpoint).status_code for endpoint in endpoints} == {200}
    assert accepted(browser.send("GET", metadata["jwks_uri"])) == {"keys": []}


def register(browser: Browser, document: object) -> requests.Response:
    return browser.send("POST", "/oauth2/register", json=document)


def test_a_registered_client_gets_a_secret_and_authenticates_as_it_said(browser: Browser) -> None:
    document = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post"}

    registered = register(browser, document)
    client = registered.json()
    credentials = {name: client[name] for name in ("client_id", "client_secret")}
    as_it_said = browser.post("revoke", {"token": "unknown"} | credentials)
    otherwise = browser.post(
        "revoke", {"token": "unknown"}, basic=(client["client_id"], client["client_secret"])
    )

    assert registered.status_code == 201
    assert registered.headers["Cache-Control"] == "no-store"
    assert client["redirect_uris"] == [CALLBACK]
    assert client["client_secret_expires_at"] == 0
    assert client["client_id_issued_at"] == int(browser.rillet.clock.now())
    assert as_it_said.status_code == 200
    assert refusal(otherwise) == INVALID_CLIENT


def test_a_public_client_registers_without_a_secret_and_within_its_scope(browser: Browser) -> None:
    address = "http://127.0.0.1:8090/callback"
    document = {
        "redirect_uris": [address],
        "token_endpoint_auth_method": "none",
        "scope": "read",
        "client_name": "Product",
    }

    client = register(browser, document).json()
    asked = {"client_id": client["client_id"], "redirect_uri": address}
    page = browser.send("GET", browser.authorize_url(**asked, scope=None)).text
    code = browser.code(**asked, scope=None)
    too_much = browser.decide(**asked, scope="write")

    assert "client_secret" not in client
    assert "<b>Product</b>" in page
    assert browser.oauth.codes[code].grant.scope == ("read",)
    assert too_much["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ([], "invalid_client_metadata"),
        ({}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://product.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://product.example/#part"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://[broken"]}, "invalid_redirect_uri"),
        ({"redirect_uris": CALLBACK}, "invalid_client_metadata"),
        ({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "magic"}, "invalid_client_metadata"),
        ({"redirect_uris": [CALLBACK], "grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"redirect_uris": [CALLBACK], "response_types": ["token"]}, "invalid_client_metadata"),
        ({"redirect_uris": [CALLBACK], "client_name": 7}, "invalid_client_metadata"),
        ({"redirect_uris": [CALLBACK], "scope": "admin"}, "invalid_scope"),
    ],
)
def test_a_registration_that_is_not_in_order_is_refused(
    browser: Browser, document: object, error: str
) -> None:
    known = dict(browser.oauth.clients)

    assert refusal(register(browser, document)) == (400, error)
    assert browser.oauth.clients == known


@pytest.mark.parametrize("client", [(PUBLIC, None), (CONFIDENTIAL, "plain-secret")])
def test_the_whole_journey_with_authlib(browser: Browser, client: tuple[str, str | None]) -> None:
    url = browser.rillet.fake.url
    browser.oauth.add_client(*client, redirect_uris=[CALLBACK])
    seen: list[Json] = []
    verifier = secrets.token_urlsafe(48)

    with OAuth2Session(
        *client,
        scope="read write",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint=f"{url}/oauth2/token",
        update_token=lambda token, **_: seen.append(token),
    ) as session:
        address, state = session.create_authorization_url(f"{url}/oauth2/authorize", code_verifier=verifier)
        back = browser.oauth.grant(address, browser.rillet.organisation)
        first = session.fetch_token(authorization_response=back, state=state, code_verifier=verifier)
        session.token = dict(first) | {"expires_at": 1}
        customers = session.get(f"{url}/customers", headers={"X-Rillet-API-Version": "4"})

    assert [customer["name"] for customer in customers.json()["customers"]] == ["Bob Industries"]
    assert seen[0]["refresh_token"] != first["refresh_token"]
    assert browser.oauth.counts.refreshes == 1


def test_authlib_revokes_with_a_secret_however_the_secret_is_sent(browser: Browser) -> None:
    code = browser.code(client_id=CONFIDENTIAL)
    tokens = accepted(browser.exchange(code, client_id=CONFIDENTIAL, client_secret=SECRET))

    with OAuth2Session(CONFIDENTIAL, SECRET, revocation_endpoint_auth_method="client_secret_post") as session:
        answer = session.revoke_token(
            f"{browser.rillet.fake.url}/oauth2/revoke", token=tokens["refresh_token"]
        )

    assert answer.status_code == 200
    assert browser.statuses_with(tokens) == [401]
