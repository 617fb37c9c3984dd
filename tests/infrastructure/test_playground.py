"""The playground: what its buttons do to Solvimon, Rillet and the clock, and what it refuses."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import requests
from flask.testing import FlaskClient

from local.books_check.records import rillet_documents
from local.playground.acts import ACTS
from local.playground.app import PATH, create_app, serve_playground
from local.playground.drafts import UNLINKED, choices
from local.sample_data.identity import Json
from local.system import Connection, LocalSystem
from local.up import Documents


@pytest.fixture
def demo(system: LocalSystem) -> Connection:
    """A connection with the demo's records, and Rillet's webhook."""
    connection = system.connect_demo()
    system.add_rillet_webhook(connection)
    return connection


@pytest.fixture
def browser(system: LocalSystem, demo: Connection) -> Iterator[FlaskClient]:
    """Somebody who has the playground open."""
    app = create_app(system)
    with app.test_client() as client:
        yield client


def press(browser: FlaskClient, act: str, **form: str) -> str:
    """Press a button and return what the page then says of it."""
    answer = browser.post(f"{PATH}/default/{act}", data=form)
    assert (answer.status_code, answer.location) == (303, f"{PATH}?connection=default")
    page = browser.get(answer.location).text
    return page.partition('role="status">')[2].partition("</p>")[0]


def finalised(system: LocalSystem, demo: Connection, browser: FlaskClient, draft: str) -> Json:
    """Finalise an invoice with the button, let everything work, and return Solvimon's invoice."""
    press(browser, "finalise", draft=draft)
    system.settle()
    return list(demo.platform.records["invoices"].values())[-1]


@pytest.mark.parametrize("draft", ["first", "yen", "usage-tiers"])
def test_an_invoice_that_is_finalised_again_and_again_is_booked_each_time(
    system: LocalSystem, demo: Connection, browser: FlaskClient, draft: str
) -> None:
    invoices = [finalised(system, demo, browser, draft) for _ in range(2)]

    assert len({invoice["invoice_number"] for invoice in invoices}) == 2
    for invoice in invoices:
        [booked] = rillet_documents(demo, invoice["id"])
        gross = invoice["invoice_amount_including_tax"]["quantity"]
        assert Decimal(booked["total"]["amount"]) == Decimal(gross)


def test_an_invoice_is_dated_today_where_its_customer_is(
    system: LocalSystem, demo: Connection, browser: FlaskClient
) -> None:
    for draft in ("first", "usage-tiers", "yen", "us-sales-tax"):
        before = system.clock.now()
        invoice = finalised(system, demo, browser, draft)
        zone = ZoneInfo(invoice["timezone"])

        dated = datetime.fromisoformat(invoice["invoice_date"]).astimezone(zone)
        days = {datetime.fromtimestamp(each, zone).date() for each in (before, system.clock.now())}
        assert dated.date() in days, draft


def test_every_choice_can_be_finalised(demo: Connection, browser: FlaskClient) -> None:
    said = [press(browser, "finalise", draft=name) for name in choices(demo)]

    assert [text for text in said if not text.endswith("is final in Solvimon.")] == []


def test_an_invoice_is_paid_in_part_and_the_payment_is_undone(
    system: LocalSystem, demo: Connection, browser: FlaskClient
) -> None:
    invoice = finalised(system, demo, browser, "first")

    paid = press(browser, "pay", invoice=invoice["id"], share="half")
    [booked] = rillet_documents(demo, invoice["id"])
    part = booked["amount_due"]["amount"]
    undone = press(browser, "undo-payment", invoice=invoice["id"])
    [after] = rillet_documents(demo, invoice["id"])

    assert "has a payment of 3,372.88 EUR" in paid
    assert (part, after["amount_due"]["amount"]) == ("3372.87", "6745.75")
    assert undone == f"The last payment of {booked['invoice_number']} is deleted in Rillet."


@pytest.mark.parametrize(("share", "net"), [("whole", "5575.00"), ("half", "2787.50")])
def test_an_invoice_is_credited(
    system: LocalSystem, demo: Connection, browser: FlaskClient, share: str, net: str
) -> None:
    invoice = finalised(system, demo, browser, "first")

    said = press(browser, "credit", invoice=invoice["id"], share=share)
    system.settle()

    [memo] = demo.organisation.credit_memos.documents()
    assert said.endswith(f"credits {invoice['invoice_number']}.")
    assert memo["net_amount"]["amount"] == net


def test_a_customer_with_a_name_of_markup_is_shown_as_text(demo: Connection, browser: FlaskClient) -> None:
    customer = next(iter(demo.platform.records["customers"]))

    press(browser, "edit-customer", customer=customer, name="<img src=x onerror=alert(1)>", email="")
    page = browser.get(PATH).text

    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("trouble", "end", "shown"),
    [("rillet-down", "rillet-up", ""), ("refuse-key", "accept-key", "Rillet refuses the key of default.")],
)
def test_rillet_is_down_or_refuses_the_key_until_a_button_ends_it(
    system: LocalSystem, demo: Connection, browser: FlaskClient, trouble: str, end: str, shown: str
) -> None:
    press(browser, trouble)
    invoice = finalised(system, demo, browser, "first")
    during = rillet_documents(demo, invoice["id"])
    page = browser.get(PATH).text
    press(browser, end)
    for _ in range(5):
        press(browser, "advance", seconds="3600")
        system.settle()

    assert during == []
    assert shown in page
    assert len(rillet_documents(demo, invoice["id"])) == 1


@pytest.mark.parametrize(
    ("act", "form", "why"),
    [
        ("finalise", {"draft": "no-such"}, "There is no such thing: no-such."),
        ("finalise", {}, "There is no such thing"),
        ("explode", {}, "There is no such thing: explode."),
        ("pay", {"invoice": "invo_1", "share": "whole"}, "Rillet has no invoice for it yet."),
        ("credit", {"invoice": "invo_1", "share": "whole"}, "Solvimon refuses it"),
        ("advance", {"seconds": "-5"}, "The clock moves by 1 to 2592000 seconds."),
        ("advance", {"seconds": "soon"}, "invalid literal"),
        ("edit-customer", {"customer": "cust_1"}, "There is no such thing: cust_1."),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page(
    browser: FlaskClient, act: str, form: dict[str, str], why: str
) -> None:
    assert why in press(browser, act, **form)


def test_another_site_cannot_press_a_button(system: LocalSystem, browser: FlaskClient) -> None:
    before = system.clock.now()

    answers = [
        browser.post(f"{PATH}/default/{act}", headers={"Sec-Fetch-Site": site})
        for act in ACTS
        for site in ("cross-site", "same-site", "none")
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert system.clock.now() - before < 60
    assert system.rillet.state.faults.describe() == []


@pytest.mark.parametrize("path", ["?connection=nobody", "/nothing", "/nobody/rillet-down", "/panel/king"])
def test_what_is_not_there_is_a_404(browser: FlaskClient, path: str) -> None:
    answer = browser.post(f"{PATH}{path}") if path.count("/") > 1 else browser.get(f"{PATH}{path}")

    assert answer.status_code == 404


def test_the_page_runs_nothing_and_has_no_page_around_it(browser: FlaskClient) -> None:
    policy = browser.get(PATH).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_a_button_signs_in_to_the_panel(browser: FlaskClient, role: str) -> None:
    answer = browser.post(f"{PATH}/panel/{role}")

    assert answer.status_code == 303
    assert "/panel/enter?once=" in str(answer.location)


def test_the_gateway_serves_it_beside_the_api_and_nothing_else(system: LocalSystem, demo: Connection) -> None:
    serve_playground(system)
    try:
        paths = (PATH, f"{PATH}/panel.css", f"{PATH}x", "/", "/webhooks/solvimon/default")
        found = [requests.get(f"{system.gateway.url}{path}", timeout=10).status_code for path in paths]
    finally:
        system.gateway.mounted.clear()

    assert found == [200, 200, 404, 404, 404]


def test_a_line_is_said_for_each_document_and_none_twice(
    system: LocalSystem, demo: Connection, browser: FlaskClient
) -> None:
    documents = Documents(system.ledger())

    booked = finalised(system, demo, browser, "first")["invoice_number"]
    refused = finalised(system, demo, browser, UNLINKED)["invoice_number"]
    lines = documents.news(system.ledger())

    [first] = [line for line in lines if f"Invoice {booked}" in line]
    [second] = [line for line in lines if f"Invoice {refused}" in line]
    assert first.endswith(f"default  Invoice {booked} is booked in Rillet.")
    assert "needs you: " in second
    assert documents.news(system.ledger()) == []
