"""Signing in by a one-time link, staying signed in, and signing out."""

import json

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.panel.sessions import IDLE_SECONDS, LIFETIME_SECONDS
from solvimon_rillet.panel.sign_in import LINK_SECONDS
from tests.panel.visitor import CONNECTION, Visitor, kept, link_for, signed_in, table, visible


def test_whoever_may_invoke_the_function_gets_a_link_for_a_person_and_a_role(system: LocalSystem) -> None:
    answer = system.invoke("panel", {"sign_in": {"as": "ada@tideway.example", "role": "viewer"}})

    assert answer["open"].startswith(f"{system.gateway.url}/panel/enter?once=")
    assert (answer["as"], answer["role"], answer["valid_for_seconds"]) == (
        "ada@tideway.example",
        "viewer",
        300,
    )


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({}, "sign_in"),
        ({"sign_in": {"as": "a"}}, "sign_in.role"),
        ({"sign_in": {"as": "a", "role": "boss"}}, "should be viewer, operator or admin"),
        ({"sign_in": {"as": " ", "role": "viewer"}}, "sign_in.as"),
        ({"sign_in": {"as": "a\nb", "role": "viewer"}}, "sign_in.as"),
        ({"sign_in": {"as": "x" * 81, "role": "viewer"}}, "sign_in.as"),
        ({"sign_in": {"as": "a", "role": "viewer"}, "more": 1}, "more: there is no such field"),
    ],
)
def test_a_request_for_a_link_that_is_wrong_names_the_field_and_shows_a_right_one(
    system: LocalSystem, event: dict[str, object], field: str
) -> None:
    answer = system.invoke("panel", event)

    assert field in answer["error"]
    assert answer["example"] == {"sign_in": {"as": "controller@example.com", "role": "operator"}}
    assert not table(system)


def test_opening_a_link_changes_nothing_and_its_button_signs_in_once(system: LocalSystem) -> None:
    visitor, once = Visitor(system), link_for(system, "operator")

    shown = [visitor.get(f"/panel/enter?once={once}") for _ in range(2)]
    first = visitor.post("/panel/enter", {"once": once})
    second = visitor.post("/panel/enter", {"once": once})

    assert [page.status_code for page in shown] == [200, 200]
    assert "Sign in as controller@tideway.example" in shown[0].text
    assert (first.status_code, first.headers["location"]) == (303, "/panel/connections")
    assert second.status_code == 410
    assert "This link was used already" in second.text
    assert "set-cookie" not in second.headers
    assert len(kept(system, "session")) == 1


def test_a_link_ends_after_five_minutes(system: LocalSystem) -> None:
    visitor, once = Visitor(system), link_for(system, "operator")

    system.advance(LINK_SECONDS)

    assert "This link has expired" in visitor.get(f"/panel/enter?once={once}").text
    assert visitor.post("/panel/enter", {"once": once}).status_code == 410
    assert not kept(system, "session")


@pytest.mark.parametrize("once", ["", "made-up", "x" * 3000])
def test_a_link_that_was_never_made_says_how_to_get_one(system: LocalSystem, once: str) -> None:
    answer = Visitor(system).get(f"/panel/enter?once={once}")

    assert answer.status_code == 404
    assert "This link is unknown" in answer.text
    assert "aws lambda invoke --function-name solvimon-rillet-panel" in answer.text


def test_another_site_cannot_sign_a_person_in(system: LocalSystem) -> None:
    once = link_for(system, "operator")

    answer = Visitor(system).post("/panel/enter", {"once": once}, Sec_Fetch_Site="cross-site")

    assert answer.status_code == 403
    assert not kept(system, "session")


def test_the_cookie_is_secure_and_the_table_holds_neither_it_nor_the_link(system: LocalSystem) -> None:
    once = link_for(system, "operator")

    answer = Visitor(system).post("/panel/enter", {"once": once})

    name, _, rest = answer.headers["set-cookie"].partition("=")
    value, _, attributes = rest.partition("; ")
    assert name == "__Host-panel"
    assert set(attributes.split("; ")) == {"Max-Age=43200", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert len(value) >= 43
    assert value not in json.dumps(table(system), default=str)
    assert once not in json.dumps(table(system), default=str)


def test_two_sign_ins_have_two_cookies_and_two_tokens(system: LocalSystem, default: Connection) -> None:
    first, second = signed_in(system, "viewer"), signed_in(system, "viewer")

    assert first.cookie != second.cookie
    assert len({item["token"] for item in kept(system, "session")}) == 2


@pytest.mark.parametrize(
    ("steps", "signed_out"),
    [
        ([IDLE_SECONDS - 1], False),
        ([IDLE_SECONDS], True),
        ([IDLE_SECONDS - 60] * 11, False),
        ([IDLE_SECONDS - 60] * 13, True),
        ([LIFETIME_SECONDS], True),
    ],
    ids=["almost-idle", "idle", "in-use", "in-use-for-too-long", "too-old"],
)
def test_a_session_ends_after_an_hour_without_use_and_after_twelve_hours(
    system: LocalSystem, default: Connection, steps: list[int], signed_out: bool
) -> None:
    visitor = signed_in(system, "viewer")

    for seconds in steps:
        system.advance(seconds)
        status = visitor.get(f"{CONNECTION}/activity").status_code

    assert status == (401 if signed_out else 200)


def test_signing_out_ends_the_session_at_once(operator: Visitor, system: LocalSystem) -> None:
    page = operator.page("/activity")
    form = operator.form(page, "/sign-out")

    answer = operator.post(form.action, form.fields)

    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert operator.get(f"{CONNECTION}/activity").status_code == 401
    assert not kept(system, "session")


@pytest.mark.parametrize("change", [{"token": "x"}, {"token": ""}])
def test_nobody_is_signed_out_by_another_site(
    operator: Visitor, system: LocalSystem, change: dict[str, str]
) -> None:
    form = operator.form(operator.page("/activity"), "/sign-out")

    wrong_token = operator.post(form.action, {**form.fields, **change})
    foreign = operator.post(form.action, form.fields, Sec_Fetch_Site="cross-site")

    assert [wrong_token.status_code, foreign.status_code] == [403, 403]
    assert len(kept(system, "session")) == 1


@pytest.mark.parametrize(
    "cookie",
    ["__Host-panel=made-up", "__Host-panel=", "panel=x", "__Host-panel=a; __Host-panel=b", "x" * 4000],
)
def test_a_cookie_that_is_none_is_nobody(system: LocalSystem, default: Connection, cookie: str) -> None:
    answer = Visitor(system, cookie).get(CONNECTION)

    assert answer.status_code == 401
    assert "You are not signed in" in answer.text


def test_sign_ins_are_in_the_activity_with_who_made_the_link(operator: Visitor) -> None:
    page = visible(operator.page("/activity?kind=sign-in"))

    assert "controller@tideway.example (operator) Signed in by link" in page
    assert "CLI Made a link to sign in for controller@tideway.example (operator)" in page
