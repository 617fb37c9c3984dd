"""Whatever is not the first answer to a URL of ours is a plain page, and changes nothing."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import pytest
import requests

from local.fake_rillet.organisation import Organisation
from local.system import LocalSystem
from tests.integration.connect_rillet.support import (
    ACME,
    STACK,
    Json,
    OAuthConnection,
    add_connection,
    callback,
    check,
    hold_refresh_until_lease_is_wanted,
    open_page,
    query_of,
    secret,
    states,
)
from tests.support.arrange import at_once

pytestmark = pytest.mark.slow

Query = dict[str, str]


@dataclass(frozen=True)
class Visit:
    """A person on the way back from Rillet, who may bring something else than Rillet gave."""

    acme: OAuthConnection

    @property
    def system(self) -> LocalSystem:
        """The local system."""
        return self.acme.system

    @cached_property
    def other(self) -> OAuthConnection:
        """Another connection, authorised."""
        return add_connection(self.system, "other").connected()

    def answer(
        self, connection: OAuthConnection | None = None, decision: str = "grant", wait: float = 0
    ) -> Query:
        """The query that Rillet sends the browser back with, after so many seconds at the consent page."""
        asked = connection or self.acme
        url = asked.start()
        self.system.advance(wait)
        return query_of(asked.oauth.grant(url, asked.organisation, decision))

    def used(self) -> Query:
        """A query whose state is used."""
        answer = self.answer()
        assert self.open(answer).status_code == 200
        return answer

    def without(self, name: str) -> Query:
        """A query without one of its fields."""
        return {key: value for key, value in self.answer().items() if key != name}

    def late(self) -> Query:
        """A query whose code is too old."""
        answer = self.answer()
        self.system.advance(61)
        return answer

    def open(self, query: Query) -> requests.Response:
        """Open the callback."""
        return callback(self.system, query)


@pytest.fixture
def visit(acme: OAuthConnection) -> Visit:
    return Visit(acme)


@contextmanager
def nothing_changes(connection: OAuthConnection) -> Iterator[None]:
    """Assert that the stored state is the same afterwards, but for one-time states that are used."""
    before = _but_used_states(connection.stored)
    yield
    assert _but_used_states(connection.stored) == before


def _but_used_states(stored: Json) -> Json:
    return {**stored, "table": [item for item in stored["table"] if "#oauth-state#" not in item["pk"]]}


NOT_OURS: dict[str, Callable[[Visit], Query]] = {
    "a state that was used": lambda v: v.used(),
    "a state that was used, with a new code": lambda v: v.used() | {"code": v.answer()["code"]},
    "a state that is ten minutes old": lambda v: v.answer(wait=600),
    "a state that is a day old": lambda v: v.answer(wait=24 * 3600),
    "a wrong state": lambda v: v.answer() | {"state": "x" * 43},
    "a state with a letter changed": lambda v: (mine := v.answer()) | {"state": mine["state"][:-1] + "!"},
    "an empty state": lambda v: v.answer() | {"state": ""},
    "no state": lambda v: v.without("state"),
    "no state and an error": lambda v: {"error": "access_denied"},
    "nothing at all": lambda v: {},
    "two states": lambda v: v.answer() | {"state": f"{v.answer()['state']},{v.answer()['state']}"},
    "the state's key in the table": lambda v: v.answer() | {"state": states(v.system)[0]["pk"]},
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_a_state_that_is_not_valid_connects_nothing(visit: Visit, name: str) -> None:
    query = NOT_OURS[name](visit)
    exchanged = visit.acme.oauth.counts.exchanges

    with nothing_changes(visit.acme):
        page = visit.open(query)

    assert page.status_code == 400
    assert "This link is not valid any more" in page.text
    assert "Nothing was changed" in page.text
    assert visit.acme.oauth.counts.exchanges == exchanged


def test_a_state_holds_for_ten_minutes(visit: Visit) -> None:
    page = visit.open(visit.answer(wait=570))

    assert page.status_code == 200


REFUSED: dict[str, tuple[Callable[[Visit], Query], str]] = {
    "the person says no": (lambda v: v.answer(decision="deny"), "access_denied"),
    "no code": (lambda v: v.without("code"), "no code"),
    "an empty code": (lambda v: v.answer() | {"code": ""}, "no code"),
    "a code that Rillet never gave": (lambda v: v.answer() | {"code": "made-up"}, "invalid_grant"),
    "a code that came too late": (lambda v: v.late(), "invalid_grant"),
    "a code of another connection": (
        lambda v: v.answer() | {"code": v.answer(v.other)["code"]},
        "invalid_grant",
    ),
    "a code of another URL": (lambda v: v.answer() | {"code": v.answer()["code"]}, "invalid_grant"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_rillet_does_not_grant_connects_nothing_and_uses_the_state(visit: Visit, name: str) -> None:
    make, reason = REFUSED[name]
    query = make(visit)

    with nothing_changes(visit.acme):
        page, again = visit.open(query), visit.open(query)

    assert page.status_code == 400
    for words in ("acme is not connected", reason, "Nothing was changed"):
        assert words in page.text
    assert "This link is not valid any more" in again.text


@pytest.mark.parametrize("whose", [ACME, "other"])
def test_a_state_of_one_connection_never_writes_to_the_other(visit: Visit, whose: str) -> None:
    """Neither with the other's code nor to the other's secret, whichever is connected already."""
    both = {ACME: visit.acme, "other": visit.other}
    this = both.pop(whose)
    [that] = both.values()

    with nothing_changes(visit.acme):
        page = visit.open(visit.answer(this) | {"code": visit.answer(that)["code"]})

    assert page.status_code == 400
    assert f"{whose} is not connected" in page.text


def test_the_error_that_comes_with_a_state_is_shown_as_text(visit: Visit) -> None:
    query = {"state": visit.answer()["state"], "error": "x", "error_description": "<b>no</b>" + "!" * 5000}

    page = visit.open(query)

    assert "&lt;b&gt;no&lt;/b&gt;!!!" in page.text
    assert "<b>" not in page.text
    assert len(page.text) < 2000


def test_an_answer_of_another_authorization_server_is_refused(visit: Visit) -> None:
    """RFC 9207: where the server names itself, the name must be that of the one that was asked."""
    query = visit.answer() | {"iss": "https://api.evil.example"}

    with nothing_changes(visit.acme):
        page = visit.open(query)

    assert page.status_code == 400
    assert "comes from another authorization server" in page.text
    assert "evil" not in page.text


def test_an_answer_that_names_its_authorization_server_is_taken(visit: Visit) -> None:
    query = visit.answer() | {"iss": visit.system.rillet.url}

    assert visit.open(query).status_code == 200


def test_the_client_secret_is_wrong(visit: Visit) -> None:
    client = {"client_id": STACK, "client_secret": "not-the-secret-of-it"}
    visit.system.configuration.put_secret("rillet-oauth-client", client)
    visit.system.runtime.reset()
    query = visit.answer()

    with nothing_changes(visit.acme):
        page = visit.open(query)

    assert page.status_code == 400
    assert "invalid_client" in page.text
    assert "rillet-oauth-client" in page.text


TOKENS, ORGANISATION = ("POST", "/oauth2/token"), ("GET", "/organizations")
NO_TOKEN = ["null", "[]", '"token"', "{}", '{"access_token": ""}', '{"access_token": null}']
FAULTS: dict[str, tuple[tuple[str, str], Json, str]] = {
    f"{kind} at {call[1]}": (call, {"kind": kind, "times": 0}, "Start again with a new link")
    for kind in ("drop", "status", "status_after", "commit_then_drop", "malformed")
    for call in (TOKENS, ORGANISATION)
} | {
    f"{answer} as the token": (TOKENS, {"kind": "status", "status": 200, "body": answer}, "")
    for answer in NO_TOKEN
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_rillet_at_the_callback_connects_nothing(visit: Visit, fault: str) -> None:
    (method, path), more, remedy = FAULTS[fault]
    query = visit.answer()
    visit.acme.rillet.misbehave(method=method, path=path, **more)

    with nothing_changes(visit.acme):
        page = visit.open(query)

    assert page.status_code == 502
    assert "acme is not connected" in page.text
    assert remedy in page.text


@pytest.mark.parametrize("service", ["dynamodb", "secretsmanager", "ssm"])
def test_an_outage_of_an_aws_service_at_the_callback_connects_nothing(visit: Visit, service: str) -> None:
    query = visit.answer()
    visit.system.runtime.reset()

    with nothing_changes(visit.acme), visit.system.aws.outage(service):
        page = visit.open(query)

    assert page.status_code == 502
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "connected" in page.text


def test_a_page_that_failed_before_its_state_was_used_can_be_opened_again(visit: Visit) -> None:
    query = visit.answer()

    with visit.system.aws.outage("dynamodb"):
        first = visit.open(query)
    second = visit.open(query)

    assert (first.status_code, second.status_code) == (502, 200)
    assert "Open the page again" in first.text


@pytest.fixture
def another(system: LocalSystem) -> Organisation:
    """Another organisation in Rillet."""
    return system.rillet.state.add_organisation(api_key="another-0123", trade_name="Another <Ltd>")


def test_another_organisation_than_before_is_refused(working: OAuthConnection, another: Organisation) -> None:
    """The ledger holds ids of the one before."""
    url = working.grant(organisation=another)

    with nothing_changes(working):
        page = open_page(url)

    assert page.status_code == 409
    assert "acme belongs to another organisation" in page.text
    assert "Acme Inc." in page.text
    assert "Another &lt;Ltd&gt;" in page.text
    assert "Nothing was changed" in page.text
    assert check(working.status(), "Rillet")["found"] == "connected to Acme Inc."


def test_a_disconnect_lets_no_other_organisation_in(working: OAuthConnection, another: Organisation) -> None:
    working.disconnect()

    refused = open_page(working.grant(organisation=another))
    same = working.connect()

    assert (refused.status_code, same.status_code) == (409, 200)


def test_an_api_key_lets_no_other_organisation_in(acme: OAuthConnection, another: Organisation) -> None:
    acme.put_secret("rillet", {"auth": "api_key", "api_key": acme.rillet_api_key})
    open_page(acme.grant(organisation=another))  # from here on it is known whose the key is

    with nothing_changes(acme):
        refused = open_page(acme.grant(organisation=another))
    same = acme.connect()

    assert (refused.status_code, same.status_code) == (409, 200)
    assert "It has booked into Acme Inc. so far" in refused.text


def test_an_api_key_that_opens_nothing_any_more_refuses_no_organisation(acme: OAuthConnection) -> None:
    acme.put_secret("rillet", {"auth": "api_key", "api_key": acme.rillet_api_key})
    acme.rillet.revoke(acme.rillet_api_key)

    page = acme.connect()

    assert page.status_code == 200


def test_an_authorisation_that_would_book_the_same_pair_twice_is_refused(
    system: LocalSystem, working: OAuthConnection
) -> None:
    """The first connection has written nothing yet; the page names it, and the new grant is revoked."""
    second = add_connection(system, "second", "Second Inc.", records=True)
    second.put_secret("solvimon", secret(system, "acme/solvimon"))
    url = second.grant(organisation=working.organisation)

    with nothing_changes(second):
        page = open_page(url)

    assert page.status_code == 409
    assert "second is not connected" in page.text
    assert "The connection acme books the same Solvimon platform into Acme Inc. already" in page.text
    assert "Remove the settings of acme" in page.text
    assert working.oauth.codes[query_of(url)["code"]].grant.revoked
    assert check(second.status(), "Rillet")["ok"] is False
    assert check(working.status(), "Rillet")["ok"] is True


def test_the_same_organisation_is_granted_to_a_connection_with_another_platform(
    system: LocalSystem, working: OAuthConnection
) -> None:
    second = add_connection(system, "second", "Second Inc.", records=True)

    page = open_page(second.grant(organisation=working.organisation))

    assert page.status_code == 200


def test_where_solvimon_does_not_answer_an_authorisation_of_a_known_organisation_waits(
    system: LocalSystem, working: OAuthConnection
) -> None:
    """Whether it would be a second connection of the pair cannot be known."""
    second = add_connection(system, "second", "Second Inc.", records=True)
    url = second.grant(organisation=working.organisation)
    system.solvimon.state.misbehave("down")

    with nothing_changes(second):
        page = open_page(url)

    assert page.status_code == 502
    assert "Start again with a new link" in page.text


def test_twenty_browsers_with_the_same_answer_connect_once(visit: Visit) -> None:
    query, pages = visit.answer(), list[requests.Response]()
    exchanged = visit.acme.oauth.counts.exchanges

    at_once(20, lambda: pages.append(visit.open(query)))

    assert sorted(page.status_code for page in pages) == [200, *[400] * 19]
    assert visit.acme.oauth.counts.exchanges == exchanged + 1
    assert visit.acme.oauth.counts.reuses == 0
    assert check(visit.acme.status(), "Rillet")["ok"]


def test_a_refresh_does_not_overwrite_a_person_who_connects_meanwhile(
    working: OAuthConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    working.advance(3500)
    query, pages = query_of(working.grant()), list[requests.Response]()
    browser = threading.Thread(target=lambda: pages.append(callback(working.system, query)))
    hold_refresh_until_lease_is_wanted(monkeypatch, browser)

    working.status()
    browser.join()

    kept = working.oauth.tokens[working.secret["refresh_token"]]
    assert pages[0].status_code == 200
    assert working.refreshes[0] == 1
    assert kept.grant is working.oauth.codes[query["code"]].grant
