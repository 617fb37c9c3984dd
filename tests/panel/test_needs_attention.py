"""Needs attention: each cause with the control that ends it, and what becomes of the documents."""

import re

import pytest

from local.system import Connection, LocalSystem
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.panel.answers import AnswerWith
from tests.panel.visitor import CONNECTION, REJECTED, Visitor, invocations, signed_in, visible
from tests.support.assertions import record
from tests.support.builders import Json

PAGE = "/needs-attention"


@pytest.fixture
def product(default: Connection, rejected: list[Json], system: LocalSystem) -> Json:
    """The product that stops an invoice, because it has no Rillet product."""
    found: Json = default.platform.records["products"][record(system, REJECTED)["about"]["id"]]
    return found


def fix_address(page: str) -> str:
    """Where the button of the first cause leads, below the connection's address."""
    found = re.search(rf'href="{CONNECTION}(/needs-attention\?fix=[^"#]+)#fix"', page)
    assert found, visible(page)
    return found[1].replace("&amp;", "&")


def test_a_cause_names_the_record_the_money_and_the_documents(product: Json, operator: Visitor) -> None:
    page = operator.page(PAGE)

    assert "has no Rillet product" in visible(page)
    assert "121.00&nbsp;EUR" in page
    assert f"/documents/invoice/{REJECTED}" in page
    assert "<code>product_not_linked</code>" in page
    assert "No message was given up." in page


def test_the_control_of_a_cause_stands_in_its_place_and_offers_the_record_of_the_same_name(
    product: Json, operator: Visitor
) -> None:
    page = operator.page(fix_address(operator.page(PAGE)))

    article = page.partition('<article class="cause"')[2].partition("</article>")[0]
    assert 'id="fix"' in article
    assert "same name" in article
    assert "Link and try 1 again" in article


def test_linking_in_place_books_what_waited_for_it(
    system: LocalSystem, product: Json, operator: Visitor
) -> None:
    seen = set[str]()
    page = operator.page(PAGE)
    while "?fix=" in page:
        address = fix_address(page)
        assert address not in seen
        seen.add(address)
        result = operator.send(operator.page(address), "/needs-attention/link")
        assert "is linked to" in visible(result)
        assert "tried again" in visible(result)
        system.settle()
        page = operator.page(PAGE)

    assert record(system, REJECTED)["state"] == "exported"
    assert "No document needs you, and none waits." in visible(page)


def test_what_became_of_documents_is_followed_until_all_have_ended(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    taken = unlinked(default)
    finalised(system, default, *some(2))
    for each in taken:
        default.platform.records["products"][each["id"]]["custom_fields"] = each["custom_fields"]

    system.advance(5)
    result = operator.send(operator.page(PAGE), "/retry")
    [path] = set(re.findall(rf'"{CONNECTION}(/needs-attention/follow[^"]+)"', result))
    address = f"{CONNECTION}{path}".replace("&amp;", "&")
    before = operator.get(address, **{"HX-Request": "true"})
    system.settle()
    after = operator.get(address, **{"HX-Request": "true"})
    plain = operator.get(address)

    assert "2 invoices are tried again" in visible(result)
    assert (before.status_code, after.status_code, plain.status_code) == (200, 286, 200)
    assert "They wait in the queue." in visible(before.text)
    assert "2 of 2 booked" in visible(after.text)
    assert "every 2s" in before.text
    assert "every 2s" not in plain.text


def test_a_broken_connection_is_one_card_with_the_way_to_reconnect(
    admin: Visitor, answered: AnswerWith
) -> None:
    wait = {
        **{"reason": "Rillet refuses the key.", "needs_person": True, "kind": "invoice", "documents": 2},
        **{"amounts": {"EUR": "12.00"}, "ids": ["invo_1", "invo_2"], "numbers": ["INV-1", "INV-2"]},
        **{"oldest": {"since": "2026-11-28T08:00:00Z"}, "next_try": None, "what_to_do": "Reconnect."},
        "act": {"function": "connect_rillet", "event": {"connection": "default"}},
    }
    answered({"sync_status": {"waiting": [wait], "connection": "default"}})

    page = admin.page(PAGE)

    assert "Reconnect to Rillet" in page
    assert "Rillet refuses the key" in visible(page)
    assert "Try all" not in visible(page)


def test_rows_that_an_import_left_out_are_named_and_can_be_imported_again(
    operator: Visitor, answered: AnswerWith
) -> None:
    rillet_id = "0198c1d2-0000-4000-8000-000000000001"
    lost = {"rillet_id": rillet_id, "name": None, "code": "row_incomplete", "what": "It has no name."}
    run = {
        **{"kind": "import_customers", "state": "completed", "ended": "2026-11-29T08:00:00Z", "request": {}},
        "result": {"failures": [{**lost, "remedy": "Name it in Rillet."}]},
    }
    answered({"sync_status": {"finished": [run], "connection": "default"}})

    page = operator.page(PAGE)

    form = operator.form(page, "/synchronise/imports/customers")
    assert "It has no name." in visible(page)
    assert form.fields["only"] == rillet_id
    assert form.buttons[0].startswith("Import 1 row again")


def test_a_page_asks_at_most_two_functions(product: Json, system: LocalSystem, operator: Visitor) -> None:
    page = operator.page(PAGE)
    for path in (PAGE, fix_address(page), "/mappings/products", "/mappings/products?only=proposed"):
        before = invocations(system)
        operator.page(path)
        assert invocations(system) - before <= 2, path


def test_a_viewer_sees_the_causes_and_no_button_that_changes_something(
    product: Json, system: LocalSystem
) -> None:
    viewer = signed_in(system, "viewer")
    page = viewer.page(PAGE)

    assert 'method="post"' not in viewer.page(fix_address(page)).partition('<main id="main">')[2]
    assert 'method="post"' not in page.partition('<main id="main">')[2]


def test_records_without_a_link_are_listed_and_can_be_linked_and_unlinked(
    product: Json, operator: Visitor
) -> None:
    page = operator.page("/mappings/products")
    editor = operator.page(f"/needs-attention?fix=product:{product['id']}")
    operator.send(editor, "/needs-attention/link")

    assert product["name"] in page
    linked = operator.page("/mappings/products?only=linked")
    as_csv = operator.get(f"{CONNECTION}/mappings/products?only=linked&as=csv")
    assert product["id"] in as_csv.text
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert product["id"] in linked
    assert "has no Rillet record now" in visible(operator.send(linked, "/mappings/products/unlink"))


@pytest.mark.parametrize(
    ("chosen", "problem"),
    [
        ({"rillet_id": "other", "other": ""}, "Choose a record of Rillet"),
        ({"rillet_id": "", "other": ""}, "Choose a record of Rillet"),
        ({"rillet_id": "r1", "other": "r2"}, "Choose one record only of Rillet"),
    ],
)
def test_linking_without_one_choice_changes_nothing_and_leads_back(
    product: Json, operator: Visitor, chosen: Json, problem: str
) -> None:
    page = operator.page(f"/needs-attention?fix=product:{product['id']}")

    result = operator.send(page, "/needs-attention/link", **chosen)

    assert problem in visible(result)
    assert "Nothing was changed." in visible(result)
    assert "Back to the choice" in result


STORY = f"/documents/invoice/{REJECTED}"


def test_the_story_of_a_rejected_invoice_leads_to_the_control_that_links_its_product(
    product: Json, operator: Visitor
) -> None:
    page = operator.page(STORY)

    assert f"{product['name']} has no Rillet product" in visible(page)
    assert f"Choose which Rillet product {product['name']} is." in visible(page)
    address = f"{CONNECTION}/needs-attention?fix=product%3A{product['id']}#fix"
    assert f'<a class="button primary" href="{address}">Choose its Rillet product</a>' in page
    assert "link_records with" not in visible(page).partition("What happened")[0]


def test_the_answer_names_the_record_for_those_who_use_no_panel(product: Json, system: LocalSystem) -> None:
    story = system.invoke("sync_status", {"invoice_id": REJECTED})
    unknown = system.invoke("sync_status", {"invoice_id": "invo_nobody"})

    assert story["culprit"] == record(system, REJECTED)["about"]
    assert story["title"] == f"{product['name']} has no Rillet product"
    assert (unknown["title"], unknown["culprit"]) == (None, None)
