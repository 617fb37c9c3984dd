"""The consent page of the Rillet fake's authorization server, and what a person and a test do with it."""

import html
import re

import pytest

from local.fake_rillet.oauth.parameters import ErrorPage
from tests.fakes.rillet.oauth_support import CALLBACK, CHALLENGE, PUBLIC, Browser, accepted, answer_in
from tests.fakes.rillet.support import Rillet


def choices(page: str) -> list[tuple[str, str]]:
    """Return what a person can choose in the form of a page."""
    return re.findall(r'name="(\w+)" value="([^"]*)"', page)


def test_a_person_chooses_one_of_all_organisations_and_the_client_acts_for_it(browser: Browser) -> None:
    other = browser.rillet.state.add_organisation(api_key="other", trade_name="<b>Other & Sons</b>")

    page = browser.send("GET", browser.authorize_url(scope="read")).text
    [action] = re.findall(r'action="([^"]*)"', page)
    granted = browser.submit(html.unescape(action), other.id)
    answer = answer_in(granted.headers["Location"])
    tokens = accepted(browser.exchange(answer["code"]))
    organisation = browser.rillet.call("GET", "/organizations/self", api_key=tokens["access_token"])
    renewed = accepted(browser.refresh(tokens["refresh_token"]))

    grant = browser.oauth.codes[answer["code"]].grant
    assert "<b>read</b>" in page
    assert "&lt;b&gt;Other &amp; Sons&lt;/b&gt;" in page
    assert choices(page) == [
        ("organisation", other.id),
        ("organisation", browser.rillet.organisation.id),
        ("decision", "grant"),
        ("decision", "deny"),
    ]
    assert granted.status_code == 303
    assert granted.headers["Location"].startswith(f"{CALLBACK}?")
    assert answer == {"code": answer["code"], "state": "state-1"}
    assert (grant.organisation_id, grant.scope) == (other.id, ("read",))
    assert browser.oauth.counts.codes_issued == 1
    assert accepted(organisation)["id"] == other.id
    assert renewed["access_token"] != tokens["access_token"]
    assert browser.statuses_with(renewed) == [200]


def test_the_page_without_any_organisation_can_only_be_denied(running_rillet: Rillet) -> None:
    running_rillet.state.reset()
    browser = Browser(running_rillet)

    page = browser.send("GET", browser.authorize_url()).text

    assert "organisation" not in dict(choices(page))
    assert "You have none yet" in page


def test_a_denial_goes_back_to_the_client_as_access_denied(browser: Browser) -> None:
    denied = browser.submit(browser.authorize_url(), "", "deny")

    assert answer_in(denied.headers["Location"]) == {"error": "access_denied", "state": "state-1"}
    assert browser.oauth.codes == {}


@pytest.mark.parametrize(
    ("changed", "repeated"),
    [
        ({"client_id": "unknown"}, ""),
        ({"client_id": None}, ""),
        ({"client_id": ""}, ""),
        ({"redirect_uri": "https://thief.example/callback"}, ""),
        ({"redirect_uri": f"{CALLBACK}/more"}, ""),
        ({"redirect_uri": f"{CALLBACK}?more=1"}, ""),
        ({"redirect_uri": None}, ""),
        ({}, f"&client_id={PUBLIC}"),
        ({}, f"&redirect_uri={CALLBACK}"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_client_or_address_gets_a_page_and_never_a_redirect(
    browser: Browser, method: str, changed: dict[str, str | None], repeated: str
) -> None:
    form = {"organisation": browser.rillet.organisation.id, "decision": "grant"}

    answer = browser.send(method, browser.authorize_url(**changed) + repeated, data=form)

    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert browser.oauth.codes == {}


@pytest.mark.parametrize(
    ("changed", "repeated", "answered"),
    [
        ({"response_type": None}, "", ("invalid_request", "state-1")),
        ({"response_type": "token"}, "", ("unsupported_response_type", "state-1")),
        ({"scope": "read offline_access"}, "", ("invalid_scope", "state-1")),
        ({"code_challenge": None}, "", ("invalid_request", "state-1")),
        ({"code_challenge": CHALLENGE + "="}, "", ("invalid_request", "state-1")),
        ({"code_challenge": CHALLENGE + "A"}, "", ("invalid_request", "state-1")),
        ({"code_challenge": "~" * 43}, "", ("invalid_request", "state-1")),
        ({"code_challenge_method": None}, "", ("invalid_request", "state-1")),
        ({"code_challenge_method": "plain"}, "", ("invalid_request", "state-1")),
        ({}, "&state=state-2", ("invalid_request", None)),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_anything_else_that_is_wrong_goes_back_to_the_client(
    browser: Browser,
    method: str,
    changed: dict[str, str | None],
    repeated: str,
    answered: tuple[str, str | None],
) -> None:
    form = {"organisation": browser.rillet.organisation.id, "decision": "grant"}

    sent_back = browser.send(method, browser.authorize_url(**changed) + repeated, data=form)

    location = sent_back.headers["Location"]
    assert sent_back.status_code == 303
    assert location.startswith(f"{CALLBACK}?")
    assert (answer_in(location)["error"], answer_in(location).get("state")) == answered
    assert browser.oauth.codes == {}


def test_a_request_without_state_and_scope_is_answered_without_state_for_every_scope(
    browser: Browser,
) -> None:
    answer = browser.decide(state=None, scope=None)

    assert set(answer) == {"code"}
    assert browser.oauth.codes[answer["code"]].grant.scope == ("read", "write")


def test_the_query_of_a_redirect_address_is_kept(browser: Browser) -> None:
    address = f"{CALLBACK}?tenant=a%20b"
    browser.oauth.add_client("with-query", redirect_uris=[address])
    url = browser.authorize_url(client_id="with-query", redirect_uri=address)

    location = browser.oauth.grant(url, browser.rillet.organisation, decision="deny")

    assert location == f"{address}&error=access_denied&state=state-1"


@pytest.mark.parametrize(
    ("organisation", "decision"), [("elsewhere", "grant"), (None, "perhaps"), (None, "")]
)
def test_an_answer_that_the_page_does_not_offer_is_refused_with_a_page(
    browser: Browser, organisation: str | None, decision: str
) -> None:
    answer = browser.submit(browser.authorize_url(), organisation or browser.rillet.organisation.id, decision)

    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert browser.oauth.codes == {}


def test_a_test_can_grant_and_deny_without_a_browser(browser: Browser) -> None:
    organisation = browser.rillet.organisation

    granted = answer_in(browser.oauth.grant(browser.authorize_url(), organisation.id))
    denied = browser.decide(decision="deny")
    wrong = browser.decide(scope="all")

    assert browser.oauth.codes[granted["code"]].grant.organisation_id == organisation.id
    assert denied == {"error": "access_denied", "state": "state-1"}
    assert (wrong["error"], wrong["state"]) == ("invalid_scope", "state-1")
    for url, chosen, reason in (
        (browser.authorize_url(redirect_uri="https://thief.example"), organisation, "redirect_uri"),
        (browser.authorize_url(), "elsewhere", "no access"),
        (browser.authorize_url().replace("authorize", "token"), organisation, "/oauth2/authorize"),
    ):
        with pytest.raises(ErrorPage, match=reason):
            browser.oauth.grant(url, chosen)
