"""The story of a document that waits for a link names the record, and leads to the control that links it."""

import pytest

from local.system import Connection, LocalSystem
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.panel.visitor import CONNECTION, Visitor, visible
from tests.support.assertions import record

REJECTED = "invo_many000"
STORY = f"/documents/invoice/{REJECTED}"


@pytest.fixture
def about(system: LocalSystem, default: Connection) -> dict[str, str]:
    """The record without which the invoice cannot be booked."""
    unlinked(default)
    finalised(system, default, *some(1))
    found: dict[str, str] = record(system, REJECTED)["about"]
    return found


def test_the_story_of_a_rejected_invoice_leads_to_the_control_that_links_its_product(
    about: dict[str, str], operator: Visitor
) -> None:
    page = operator.page(STORY)

    assert f"{about['name']} has no Rillet product" in visible(page)
    assert f"Choose which Rillet product {about['name']} is." in visible(page)
    address = f"{CONNECTION}/needs-attention?fix=product%3A{about['id']}#fix"
    assert f'<a class="button primary" href="{address}">Choose its Rillet product</a>' in page
    assert "link_records with" not in visible(page).partition("What happened")[0]


def test_the_answer_names_the_record_for_those_who_use_no_panel(
    system: LocalSystem, about: dict[str, str]
) -> None:
    story = system.invoke("sync_status", {"invoice_id": REJECTED})
    unknown = system.invoke("sync_status", {"invoice_id": "invo_nobody"})

    assert story["culprit"] == about
    assert story["title"] == f"{about['name']} has no Rillet product"
    assert (unknown["title"], unknown["culprit"]) == (None, None)
