"""The consent page of the Rillet fake's authorization server, and what a person and a test do with it."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
import requests

from local.fake_rillet.oauth.errors import ErrorPage
from tests.fakes.rillet.oauth_support import CALLBACK, CHALLENGE, PUBLIC, Browser, accepted, answer_in
from tests.fakes.rillet.support import Rillet


@pytest.fixture(scope="module")
def running() -> Iterator[Rillet]:
    with Rillet() as rillet:
        yield rillet


@pytest.fixture
def browser(running: Rillet) -> Browser:
    return Browser(running.reset())


class Form(HTMLParser):
    """The form of a page: where it goes and what a person can choose."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.choices: dict[str, list[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = attributes["action"]
        if tag in ("input", "button"):
            self.choices.setdefault(attributes["name"], []).append(attributes["value"])


def open_page(url: str) -> requests.Response:
    return requests.get(url, allow_redirects=False, timeout=10)


def submit(url: str, organisation: str, decision: str) -> requests.Response:
    form = {"organisation": organisation, "decision": decision}
    return requests.post(url, data=form, allow_redirects=False, timeout=10)


def test_the_page_asks_for_one_of_all_organisations_and_its_form_grants(browser: Browser) -> None:
    other = browser.rillet.state.add_organisation(api_key="other", trade_name="<b>Other & Sons</b>")

    page = open_page(browser.authorize_url(scope="read"))
    form = Form(page.text)
    granted = submit(browser.rillet.fake.url + form.action, other.id, "grant")

    answer = answer_in(granted.headers["Location"])
    assert "<b>read</b>" in page.text
    assert "&lt;b&gt;Other &amp; Sons&lt;/b&gt;" in page.text
    assert form.choices == {
        "organisation": [other.id, browser.rillet.organisation.id],
        "decision": ["grant", "deny"],
    }
    assert granted.status_code == 303
    assert granted.headers["Location"].startswith(f"{CALLBACK}?")
    assert set(answer) == {"code", "state"}
    assert answer["state"] == "state-1"
    assert browser.oauth.codes[answer["code"]].grant.organisation_id == other.id
    assert browser.oauth.codes[answer["code"]].grant.scope == ("read",)
    assert browser.oauth.counts.codes_issued == 1


def test_the_page_without_any_organisation_can_only_be_denied(running: Rillet) -> None:
    running.state.reset()
    browser = Browser(running)

    page = open_page(browser.authorize_url())

    assert "organisation" not in Form(page.text).choices
    assert "You have none yet" in page.text


def test_a_denial_goes_back_to_the_client_as_access_denied(browser: Browser) -> None:
    denied = submit(browser.authorize_url(), "", "deny")

    assert answer_in(denied.headers["Location"]) == {"error": "access_denied", "state": "state-1"}
    assert browser.oauth.codes == {}


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "stranger"},
        {"client_id": None},
        {"client_id": ""},
        {"redirect_uri": "https://thief.example/callback"},
        {"redirect_uri": f"{CALLBACK}/more"},
        {"redirect_uri": f"{CALLBACK}?more=1"},
        {"redirect_uri": None},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_client_or_address_gets_a_page_and_never_a_redirect(
    browser: Browser, method: str, changed: dict[str, str | None]
) -> None:
    form = {"organisation": browser.rillet.organisation.id, "decision": "grant"}

    answer = requests.request(
        method, browser.authorize_url(**changed), data=form, allow_redirects=False, timeout=10
    )

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/html")
    assert browser.oauth.codes == {}


@pytest.mark.parametrize("twice", [f"client_id={PUBLIC}", f"redirect_uri={CALLBACK}"])
def test_a_repeated_client_or_address_gets_a_page(browser: Browser, twice: str) -> None:
    answer = open_page(f"{browser.authorize_url()}&{twice}")

    assert (answer.status_code, "Location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "read offline_access"}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_anything_else_that_is_wrong_goes_back_to_the_client(
    browser: Browser, method: str, changed: dict[str, str | None], error: str
) -> None:
    form = {"organisation": browser.rillet.organisation.id, "decision": "grant"}

    answer = requests.request(
        method, browser.authorize_url(**changed), data=form, allow_redirects=False, timeout=10
    )

    location = answer.headers["Location"]
    assert answer.status_code == 303
    assert location.startswith(f"{CALLBACK}?")
    assert (answer_in(location)["error"], answer_in(location)["state"]) == (error, "state-1")
    assert browser.oauth.codes == {}


def test_a_repeated_parameter_is_an_invalid_request(browser: Browser) -> None:
    answer = open_page(f"{browser.authorize_url()}&state=state-2")

    assert answer_in(answer.headers["Location"])["error"] == "invalid_request"
    assert "state" not in answer_in(answer.headers["Location"])


def test_a_request_without_state_and_scope_is_answered_without_state_for_every_scope(
    browser: Browser,
) -> None:
    location = browser.oauth.grant(browser.authorize_url(state=None, scope=None), browser.rillet.organisation)

    answer = answer_in(location)
    assert set(answer) == {"code"}
    assert browser.oauth.codes[answer["code"]].grant.scope == ("read", "write")


def test_the_query_of_a_redirect_address_is_kept(browser: Browser) -> None:
    browser.oauth.add_client("with-query", redirect_uris=[f"{CALLBACK}?tenant=a%20b"])

    location = browser.oauth.grant(
        browser.authorize_url(client_id="with-query", redirect_uri=f"{CALLBACK}?tenant=a%20b"),
        browser.rillet.organisation,
        decision="deny",
    )

    assert location == f"{CALLBACK}?tenant=a%20b&error=access_denied&state=state-1"


@pytest.mark.parametrize(
    ("organisation", "decision"), [("elsewhere", "grant"), (None, "perhaps"), (None, "")]
)
def test_an_answer_that_the_page_does_not_offer_is_refused_with_a_page(
    browser: Browser, organisation: str | None, decision: str
) -> None:
    answer = submit(browser.authorize_url(), organisation or browser.rillet.organisation.id, decision)

    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert browser.oauth.codes == {}


def test_a_test_can_grant_and_deny_without_a_browser(browser: Browser) -> None:
    organisation = browser.rillet.organisation

    granted = answer_in(browser.oauth.grant(browser.authorize_url(), organisation.id))
    denied = answer_in(browser.oauth.grant(browser.authorize_url(), organisation, "deny"))
    wrong = answer_in(browser.oauth.grant(browser.authorize_url(scope="all"), organisation))

    assert browser.oauth.codes[granted["code"]].grant.organisation_id == organisation.id
    assert denied == {"error": "access_denied", "state": "state-1"}
    assert (wrong["error"], wrong["state"]) == ("invalid_scope", "state-1")
    with pytest.raises(ErrorPage, match="redirect_uri"):
        browser.oauth.grant(browser.authorize_url(redirect_uri="https://thief.example"), organisation)
    with pytest.raises(ErrorPage, match="no access"):
        browser.oauth.grant(browser.authorize_url(), "elsewhere")
    with pytest.raises(ErrorPage, match="/oauth2/authorize"):
        browser.oauth.grant(browser.authorize_url().replace("authorize", "token"), organisation)


def test_the_whole_journey_with_a_browser_and_plain_requests(browser: Browser) -> None:
    url = browser.rillet.fake.url
    page = open_page(browser.authorize_url(scope="read"))
    form = Form(page.text)
    sent_back = submit(url + form.action, form.choices["organisation"][0], "grant")
    code = answer_in(sent_back.headers["Location"])["code"]

    tokens = accepted(browser.exchange(code))
    organisation = browser.rillet.call("GET", "/organizations/self", api_key=tokens["access_token"])
    renewed = accepted(browser.refresh(tokens["refresh_token"]))

    assert accepted(organisation)["id"] == browser.rillet.organisation.id
    assert renewed["access_token"] != tokens["access_token"]
    assert browser.status_with(renewed["access_token"]) == 200
