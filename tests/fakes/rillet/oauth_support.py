"""Clients of the Rillet fake's authorization server, for the fake's own tests."""

import base64
import hashlib
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from local.fake_rillet.oauth.server import AuthorisationServer
from local.fake_rillet.organisation import Organisation
from tests.fakes.rillet.support import Json, Rillet

CALLBACK = "https://product.example/oauth/rillet/callback"
PUBLIC = "public-client"
CONFIDENTIAL = "confidential-client"
SECRET = "secret+of the/client"
VERIFIER = "verifier-" + "v" * 40
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


class Browser:
    """A fake with a public and a confidential client, and what a client and a person do with it."""

    def __init__(self, rillet: Rillet) -> None:
        self.rillet = rillet
        self.oauth.add_client(PUBLIC, redirect_uris=[CALLBACK])
        self.oauth.add_client(CONFIDENTIAL, SECRET, redirect_uris=[CALLBACK])

    @property
    def oauth(self) -> AuthorisationServer:
        return self.rillet.state.oauth

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

    def code(self, organisation: Organisation | None = None, **changed: str | None) -> str:
        """Have a request granted and return the code."""
        url = self.authorize_url(**changed)
        return answer_in(self.oauth.grant(url, organisation or self.rillet.organisation))["code"]

    def post(
        self,
        path: str,
        form: dict[str, str | None],
        *,
        basic: tuple[str, str] | None = None,
    ) -> requests.Response:
        """Post a form to the authorization server, as the public client unless it says otherwise."""
        sent = ({} if basic else {"client_id": PUBLIC}) | form
        return requests.post(
            f"{self.rillet.fake.url}/oauth2/{path}",
            data={name: value for name, value in sent.items() if value is not None},
            auth=basic,
            timeout=10,
        )

    def exchange(
        self, code: str, *, basic: tuple[str, str] | None = None, **changed: str | None
    ) -> requests.Response:
        """Ask for tokens with a code."""
        form: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        }
        return self.post("token", form | changed, basic=basic)

    def refresh(
        self, refresh_token: str, *, basic: tuple[str, str] | None = None, **changed: str | None
    ) -> requests.Response:
        """Ask for tokens with a refresh token."""
        form: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.post("token", form | changed, basic=basic)

    def tokens(self, organisation: Organisation | None = None, **changed: str | None) -> Json:
        """Return tokens of the public client, newly granted."""
        return accepted(self.exchange(self.code(organisation, **changed)))

    def status_with(self, access_token: str) -> int:
        """Return the status of a REST call with an access token."""
        return self.rillet.call("GET", "/customers", api_key=access_token).status_code


def basic_auth() -> tuple[str, str]:
    """Return the confidential client's credentials, form-encoded as a Basic header wants them."""
    return CONFIDENTIAL, "secret%2Bof+the%2Fclient"


def answer_in(location: str) -> dict[str, str]:
    """Return the parameters of a redirect."""
    return dict(parse_qsl(urlsplit(location).query))


def accepted(response: requests.Response) -> Json:
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def refusal(response: requests.Response) -> tuple[int, str]:
    """Return the status and error code of an answer that must be a refusal in RFC 6749's form."""
    answer = response.json()
    assert set(answer) == {"error", "error_description"}, response.text
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, answer["error"]
