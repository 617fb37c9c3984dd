"""Whatever is not the first answer to a URL of ours is a plain page, and changes nothing."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import requests

from local.system import Connection, LocalSystem
from solvimon_rillet.connections.rillet_tokens import RilletTokens
from solvimon_rillet.rillet.oauth import Grant, RilletOAuth
from tests.integration.connect_rillet.support import (
    ACME,
    STACK,
    Json,
    add_connection,
    ask,
    callback,
    check,
    connected,
    everything,
    grant,
    oauth,
    open_page,
    query_of,
    secret,
    start,
    states,
)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Visit:
    """A person on the way back from Rillet, who may bring something else than Rillet gave."""

    system: LocalSystem
    acme: Connection

    @property
    def other(self) -> Connection:
        """Another connection, authorised."""
        name = "other"
        return self.system.connections.get(name) or connected(self.system, add_connection(self.system, name))

    def answer(self, connection: Connection, decision: str = "grant", wait: float = 0) -> dict[str, str]:
        """What Rillet sends the browser back with, after so many seconds at the consent page."""
        url = start(self.system, connection.name)
        self.system.advance(wait)
        return query_of(grant(self.system, url, connection.organisation, decision))

    @property
    def mine(self) -> dict[str, str]:
        return self.answer(self.acme)

    def used(self) -> dict[str, str]:
        mine = self.mine
        assert callback(self.system, mine).status_code == 200
        return mine

    def without(self, name: str) -> dict[str, str]:
        return {key: value for key, value in self.mine.items() if key != name}

    def late(self) -> dict[str, str]:
        mine = self.mine
        self.system.advance(61)
        return mine


@pytest.fixture
def visit(system: LocalSystem, acme: Connection) -> Visit:
    return Visit(system, acme)


def but_used_states(kept: Json) -> Json:
    """What is kept, without the states that a callback uses up."""
    return {**kept, "table": [item for item in kept["table"] if "#oauth-state#" not in item["pk"]]}


NOT_OURS: dict[str, Callable[[Visit], dict[str, str]]] = {
    "a state that was used": lambda v: v.used(),
    "a state that was used, with a new code": lambda v: v.used() | {"code": v.answer(v.acme)["code"]},
    "a state that is ten minutes old": lambda v: v.answer(v.acme, wait=600),
    "a state that is a day old": lambda v: v.answer(v.acme, wait=24 * 3600),
    "a wrong state": lambda v: v.mine | {"state": "x" * 43},
    "a state with a letter changed": lambda v: v.mine | {"state": v.mine["state"][:-1] + "!"},
    "an empty state": lambda v: v.mine | {"state": ""},
    "no state": lambda v: v.without("state"),
    "no state and an error": lambda v: {"error": "access_denied"},
    "nothing at all": lambda v: {},
    "two states": lambda v: v.mine | {"state": f"{v.mine['state']},{v.mine['state']}"},
    "the state's key in the table": lambda v: v.mine | {"state": states(v.system)[0]["pk"]},
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_a_state_that_is_not_good_connects_nothing(system: LocalSystem, visit: Visit, name: str) -> None:
    query = NOT_OURS[name](visit)
    before, exchanged = everything(system), oauth(system).counts.exchanges

    page = callback(system, query)

    assert page.status_code == 400
    assert "This link is not valid any more" in page.text
    assert "Nothing was changed" in page.text
    assert oauth(system).counts.exchanges == exchanged
    assert but_used_states(everything(system)) == but_used_states(before)


def test_a_state_holds_for_ten_minutes(system: LocalSystem, visit: Visit) -> None:
    page = callback(system, visit.answer(visit.acme, wait=570))

    assert page.status_code == 200


REFUSED: dict[str, tuple[Callable[[Visit], dict[str, str]], str]] = {
    "the person says no": (lambda v: v.answer(v.acme, "deny"), "access_denied"),
    "no code": (lambda v: v.without("code"), "no code"),
    "an empty code": (lambda v: v.mine | {"code": ""}, "no code"),
    "a code that Rillet never gave": (lambda v: v.mine | {"code": "made-up"}, "invalid_grant"),
    "a code that came too late": (lambda v: v.late(), "invalid_grant"),
    "a code of another connection": (lambda v: v.mine | {"code": v.answer(v.other)["code"]}, "invalid_grant"),
    "a code of another URL": (lambda v: v.mine | {"code": v.mine["code"]}, "invalid_grant"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_rillet_does_not_grant_connects_nothing_and_uses_up_the_state(
    system: LocalSystem, visit: Visit, name: str
) -> None:
    make, reason = REFUSED[name]
    query = make(visit)
    before = everything(system)

    page = callback(system, query)
    again = callback(system, query)

    assert page.status_code == 400
    assert "acme is not connected" in page.text
    assert reason in page.text
    assert "Nothing was changed" in page.text
    assert "This link is not valid any more" in again.text
    assert but_used_states(everything(system)) == but_used_states(before)


@pytest.mark.parametrize("whose", [ACME, "other"])
def test_a_state_of_one_connection_never_writes_to_the_other(
    system: LocalSystem, visit: Visit, whose: str
) -> None:
    """Neither with the other's code nor to the other's secret, whoever is connected already."""
    both = {ACME: visit.acme, "other": visit.other}
    this = both.pop(whose)
    [that] = both.values()
    before = everything(system)

    page = callback(system, visit.answer(this) | {"code": visit.answer(that)["code"]})

    assert page.status_code == 400
    assert f"{whose} is not connected" in page.text
    assert but_used_states(everything(system)) == but_used_states(before)


def test_the_error_that_comes_with_a_state_is_shown_as_text(system: LocalSystem, visit: Visit) -> None:
    query = {"state": visit.mine["state"], "error": "x", "error_description": "<b>no</b>" + "!" * 5000}

    page = callback(system, query)

    assert "&lt;b&gt;no&lt;/b&gt;!!!" in page.text
    assert "<b>" not in page.text
    assert len(page.text) < 2000


def test_the_client_secret_is_wrong(system: LocalSystem, visit: Visit) -> None:
    client = {"client_id": STACK, "client_secret": "not-the-secret-of-it"}
    system.configuration.put_secret("rillet-oauth-client", client)
    system.runtime.reset()
    query = visit.mine
    before = everything(system)

    page = callback(system, query)

    assert page.status_code == 400
    assert "invalid_client" in page.text
    assert "rillet-oauth-client" in page.text
    assert but_used_states(everything(system)) == but_used_states(before)


@pytest.mark.parametrize("kind", ["drop", "status", "status_after", "commit_then_drop", "malformed"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/oauth2/token"), ("GET", "/organizations")])
def test_rillet_is_out_of_order_at_the_callback(
    system: LocalSystem, visit: Visit, kind: str, method: str, path: str
) -> None:
    query = visit.mine
    before = everything(system)
    system.rillet.state.misbehave(kind, method, path, times=0)

    page = callback(system, query)

    assert page.status_code == 502
    assert "acme is not connected" in page.text
    assert "Start again with a new link" in page.text
    assert but_used_states(everything(system)) == but_used_states(before)


@pytest.mark.parametrize(
    "answer", ["null", "[]", '"token"', "{}", '{"access_token": ""}', '{"access_token": null}']
)
def test_rillet_answers_a_code_with_what_is_no_token(system: LocalSystem, visit: Visit, answer: str) -> None:
    query = visit.mine
    before = everything(system)
    system.rillet.state.misbehave("status", "POST", "/oauth2/token", status=200, body=answer)

    page = callback(system, query)

    assert page.status_code == 502
    assert "acme is not connected" in page.text
    assert but_used_states(everything(system)) == but_used_states(before)


@pytest.mark.parametrize("service", ["dynamodb", "secretsmanager", "ssm"])
def test_an_aws_service_is_out_of_order_at_the_callback(
    system: LocalSystem, visit: Visit, service: str
) -> None:
    query = visit.mine
    system.runtime.reset()
    before = everything(system)

    with system.aws.outage(service):
        page = callback(system, query)

    assert page.status_code == 502
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "connected" in page.text
    assert but_used_states(everything(system)) == but_used_states(before)


def test_a_page_that_failed_before_its_state_was_used_can_be_opened_again(
    system: LocalSystem, visit: Visit
) -> None:
    query = visit.mine

    with system.aws.outage("dynamodb"):
        first = callback(system, query)
    second = callback(system, query)

    assert (first.status_code, second.status_code) == (502, 200)
    assert "Open the page again" in first.text


def test_another_organisation_than_before_is_refused(system: LocalSystem, working: Connection) -> None:
    """The ledger holds ids of the one before."""
    another = system.rillet.state.add_organisation(api_key="another-0123", trade_name="Another <Ltd>")
    url = start(system)
    before = everything(system)

    page = open_page(grant(system, url, another))

    assert page.status_code == 409
    assert "acme belongs to another organisation" in page.text
    assert "Acme Inc." in page.text
    assert "Another &lt;Ltd&gt;" in page.text
    assert "Nothing was changed" in page.text
    assert but_used_states(everything(system)) == but_used_states(before)
    assert check(ask(system, action="status"), "Rillet")["found"] == "connected to Acme Inc."


def test_another_organisation_is_refused_after_disconnecting_too(
    system: LocalSystem, working: Connection
) -> None:
    another = system.rillet.state.add_organisation(api_key="another-0123", trade_name="Another Ltd")
    ask(system, action="disconnect")

    refused = open_page(grant(system, start(system), another))
    same = open_page(grant(system, start(system), working.organisation))

    assert (refused.status_code, same.status_code) == (409, 200)


def test_another_organisation_than_that_of_an_api_key_is_refused_too(
    system: LocalSystem, acme: Connection
) -> None:
    another = system.rillet.state.add_organisation(api_key="another-0123", trade_name="Another Ltd")
    system.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": acme.rillet_api_key})
    before = everything(system)

    refused = open_page(grant(system, start(system), another))
    kept = everything(system)
    same = open_page(grant(system, start(system), acme.organisation))

    assert (refused.status_code, same.status_code) == (409, 200)
    assert "It has booked into Acme Inc. so far" in refused.text
    assert but_used_states(kept) == but_used_states(before)


def test_an_api_key_that_opens_nothing_any_more_refuses_no_organisation(
    system: LocalSystem, acme: Connection
) -> None:
    system.put_secret(ACME, "rillet", {"auth": "api_key", "api_key": acme.rillet_api_key})
    system.rillet.state.revoke(acme.rillet_api_key)

    page = open_page(grant(system, start(system), acme.organisation))

    assert page.status_code == 200


def test_twenty_browsers_with_the_same_answer_connect_once(system: LocalSystem, visit: Visit) -> None:
    query, pages = visit.mine, list[requests.Response]()
    exchanged = oauth(system).counts.exchanges
    browsers = [threading.Thread(target=lambda: pages.append(callback(system, query))) for _ in range(20)]

    for browser in browsers:
        browser.start()
    for browser in browsers:
        browser.join()

    assert sorted(page.status_code for page in pages) == [200, *[400] * 19]
    assert oauth(system).counts.exchanges == exchanged + 1
    assert oauth(system).counts.reuses == 0
    assert check(ask(system, action="status"), "Rillet")["ok"]


def test_a_person_who_connects_during_a_refresh_is_not_overwritten_by_it(
    system: LocalSystem, working: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refresh waits at Rillet until the person's page wants to write, and writes first."""
    system.advance(3500)
    wants_to_write, refresh, take_lease = threading.Event(), RilletOAuth.refresh, RilletTokens._acquire_lease
    query, pages = query_of(grant(system, start(system), working.organisation)), list[requests.Response]()
    browser = threading.Thread(target=lambda: pages.append(callback(system, query)))

    def slow_refresh(self: RilletOAuth, token: str) -> Grant:
        browser.start()
        assert wants_to_write.wait(10)
        return refresh(self, token)

    def noticed(self: RilletTokens, owner: str) -> bool:
        taken = take_lease(self, owner)
        if not taken:
            wants_to_write.set()
        return taken

    monkeypatch.setattr(RilletOAuth, "refresh", slow_refresh)
    monkeypatch.setattr(RilletTokens, "_acquire_lease", noticed)
    monkeypatch.setattr("solvimon_rillet.connections.rillet_tokens._POLL_SECONDS", 0.01)

    ask(system, action="status")
    browser.join()

    kept = oauth(system).tokens[secret(system)["refresh_token"]]
    assert pages[0].status_code == 200
    assert oauth(system).counts.refreshes == 1
    assert kept.grant is oauth(system).codes[query["code"]].grant
