"""Clients of the Rillet fake's authorization server, for the fake's own tests."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests

from local.fake_rillet.oauth.server import AuthorisationServer
from local.fake_rillet.organisation import Organisation
from tests.fakes.rillet.support import Json, Rillet
from tests.fakes.support import accepted as accepted

CALLBACK = "https://product.example/oauth/rillet/callback"
PUBLIC = "public-client"
CONFIDENTIAL = "confidential-client"
SECRET = "secret+of the/client"
BASIC = (CONFIDENTIAL, "secret%2Bof+the%2Fclient")
"""The confidential client's credentials, form-encoded as a Basic header must have them."""
VERIFIER = "verifier-" + "v" * 40
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")

INVALID_CLIENT = (401, "invalid_client")
INVALID_GRANT = (400, "invalid_grant")
INVALID_REQUEST = (400, "invalid_request")


class Browser:
    """A fake with a public and a confidential client, and what a client and a person do with it."""

    def __init__(self, rillet: Rillet) -> None:
        self.rillet = rillet
        self.oauth.add_client(PUBLIC, redirect_uris=[CALLBACK])
        self.oauth.add_client(CONFIDENTIAL, SECRET, redirect_uris=[CALLBACK])

    @property
    def oauth(self) -> AuthorisationServer:
        return self.rillet.state.oauth

    def send(self, method: str, where: str, **given: Any) -> requests.Response:
        """Send a request to a path or URL of the fake and follow no redirect."""
        given = {"timeout": 10, "allow_redirects": False} | given
        return requests.request(method, urljoin(self.rillet.fake.url, where), **given)  # noqa: S113 - it has

    def authorize_url(self, **changed: str | None) -> str:
        """Return a URL to open; None takes a parameter away."""
        parameters = {
            "response_type": "code",
            "client_id": PUBLIC,
            "redirect_uri": CALLBACK,
            "scope": "read write",
            "state": "state-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changed
        query = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.rillet.fake.url}/oauth2/authorize?{urlencode(query)}"

    def submit(self, url: str, organisation: str, decision: str = "grant") -> requests.Response:
        """Send the form of the consent page."""
        return self.send("POST", url, data={"organisation": organisation, "decision": decision})

    def decide(
        self, organisation: Organisation | None = None, decision: str = "grant", **changed: str | None
    ) -> dict[str, str]:
        """Decide without the page, and return what the client gets."""
        url = self.authorize_url(**changed)
        return answer_in(self.oauth.grant(url, organisation or self.rillet.organisation, decision))

    def code(self, organisation: Organisation | None = None, **changed: str | None) -> str:
        """Have a request granted and return the code."""
        return self.decide(organisation, "grant", **changed)["code"]

    def post(
        self, path: str, form: Json, *, basic: tuple[str, str] | None = None, header: str | None = None
    ) -> requests.Response:
        """Post a form to the authorization server, as the public client unless it says otherwise."""
        data = ({} if basic else {"client_id": PUBLIC}) | form
        headers = {"Authorization": header} if header else {}
        return self.send("POST", f"/oauth2/{path}", data=data, auth=basic, headers=headers)

    def exchange(self, code: str, **changed: Any) -> requests.Response:
        """Ask for tokens with a code; the form or how the client authenticates may be changed."""
        return self._ask_for_tokens(exchange_form(code) | changed)

    def refresh(self, refresh_token: str, **changed: Any) -> requests.Response:
        """Ask for tokens with a refresh token; the form or how the client authenticates may be changed."""
        return self._ask_for_tokens({"grant_type": "refresh_token", "refresh_token": refresh_token} | changed)

    def _ask_for_tokens(self, form: Json) -> requests.Response:
        return self.post("token", form, basic=form.pop("basic", None), header=form.pop("header", None))

    def tokens(self, organisation: Organisation | None = None, **changed: str | None) -> Json:
        """Return tokens of the public client, newly granted."""
        return accepted(self.exchange(self.code(organisation, **changed)))

    def secret_tokens(self) -> Json:
        """Return tokens of the confidential client, newly granted."""
        return accepted(self.exchange(self.code(client_id=CONFIDENTIAL), basic=BASIC))

    def statuses_with(self, *answers: Json) -> list[int]:
        """Return the status of a REST call with each answer's access token."""
        return [self.status_with(answer["access_token"]) for answer in answers]

    def status_with(self, bearer: str) -> int:
        """Return the status of a REST call with an access token or key."""
        return self.rillet.call("GET", "/customers", api_key=bearer).status_code


def exchange_form(code: str) -> Json:
    """Return the form that exchanges a code, without the client."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }


def answer_in(location: str) -> dict[str, str]:
    """Return the parameters of a redirect."""
    return dict(parse_qsl(urlsplit(location).query))


def refusal(response: requests.Response) -> tuple[int, str]:
    """Return the status and error code of an answer that must be a refusal in RFC 6749's form."""
    answer = response.json()
    assert set(answer) == {"error", "error_description"}, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, answer["error"]
