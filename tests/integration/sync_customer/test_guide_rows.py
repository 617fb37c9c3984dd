"""The guide's table "Sync Customer to Rillet", one test per row in its order."""

from typing import Any

import pytest

from solvimon_rillet.mapping.customers import SYNC_ROWS, to_rillet_customer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer
from tests.contract.documents import MISSING, MISSING_REASON
from tests.contract.report import checked_traffic
from tests.support.arrange import edit
from tests.support.assertions import customer_puts, rillet_customer
from tests.support.builders import (
    DEMO_CUSTOMER,
    DEMO_CUSTOMER_IN_RILLET,
    DEMO_PERSON,
    DEMO_PERSON_IN_RILLET,
    STATELESS,
    Json,
    named,
    organization,
)
from tests.support.connected import Connected


@pytest.fixture
def edited() -> Json:
    """What Rillet is asked to keep after every field of the guide's table was edited."""
    customer = {
        "id": "cust_1",
        "email": "new@quay.example",
        "organization": {
            "legal_name": "Quay Group N.V.",
            "registered_address": {
                "line1": "Kade 1",
                "line2": "Gebouw B",
                "city": "Delft",
                "state": "ZH",
                "postal_code": "2611 AA",
                "country": "NL",
            },
        },
    }
    current = {
        "id": "r1",
        "name": "Quay B.V.",
        "name_on_invoice": "Quay B.V.",
        "address": {"line1": "a", "line2": "b", "city": "c", "state": "d", "zip_code": "e", "country": "DE"},
        "emails": [{"email": "old@quay.example", "type": "MAIN_SENDER"}],
        "updated_at": "2026-01-01T00:00:00Z",
    }
    return to_rillet_customer(Customer.model_validate(customer), current, Settings()).payload


ADDRESS = "organization.registered_address"
ROWS: list[tuple[str, str, object]] = [
    ("organization.legal_name", "name", "Quay Group N.V."),
    ("organization.legal_name", "name_on_invoice", "Quay Group N.V."),
    (f"{ADDRESS}.line1", "address.line1", "Kade 1"),
    (f"{ADDRESS}.line2", "address.line2", "Gebouw B"),
    (f"{ADDRESS}.city", "address.city", "Delft"),
    (f"{ADDRESS}.state", "address.state", "ZH"),
    (f"{ADDRESS}.postal_code", "address.zip_code", "2611 AA"),
    (f"{ADDRESS}.country", "address.country", "NL"),
    ("email", "emails", [{"email": "new@quay.example", "type": "MAIN_SENDER"}]),
    ("id", "external_references", [{"type": "solvimon_customer_id", "id": "cust_1"}]),
]


@pytest.mark.parametrize(
    ("target", "value"), [row[1:] for row in ROWS], ids=[f"{row[0]} becomes {row[1]}" for row in ROWS]
)
def test_row(edited: Json, target: str, value: object) -> None:
    part: Any = edited
    for name in target.split("."):
        part = part[name]

    assert part == value


def test_the_table_holds_the_guides_rows_and_no_other() -> None:
    assert [(row.source, row.target) for row in SYNC_ROWS] == [row[:2] for row in ROWS]


def test_an_edit_in_solvimon_is_in_rillet_a_moment_later(default: Connected) -> None:
    default.edit_and_settle(
        email="ap@quay.example", **organization(legal_name="Quay", address={"line1": "Kade 1"})
    )

    there = rillet_customer(default)
    assert (there["name"], there["name_on_invoice"], there["address"]["line1"]) == ("Quay", "Quay", "Kade 1")
    assert there["emails"][0] == {"email": "ap@quay.example", "type": "MAIN_SENDER"}


def test_a_person_is_mapped_from_individual(default: Connected) -> None:
    address = {"line1": "Kade 2", "city": "Hoorn", "state": "NH", "country": "NL"}
    individual = {
        "name": {"first_name": "Jelle", "infix": "van der", "last_name": "Boer"},
        "residential_address": address | {"postal_code": "1621 AA"},
    }

    default.edit_and_settle(DEMO_PERSON, individual=individual)

    there = rillet_customer(default, DEMO_PERSON_IN_RILLET)
    assert (there["name"], there["name_on_invoice"]) == ("Jelle van der Boer", "Jelle van der Boer")
    assert there["address"] == address | {"zip_code": "1621 AA"}


@pytest.mark.skipif(MISSING, reason=MISSING_REASON)
def test_every_request_to_rillet_is_one_that_its_document_allows(default: Connected) -> None:
    """Edits of an organisation, a person and a customer without address in Rillet."""
    edit(default, **named("Quay"))
    edit(default, DEMO_PERSON, email="jelle@boer.example")
    edit(default, STATELESS, email="ap@straits.example")
    before = rillet_customer(default)

    with checked_traffic(default.system) as report:
        outcomes = [result["outcome"] for result in default.sync(DEMO_CUSTOMER, DEMO_PERSON, STATELESS)]

    assert outcomes == ["synced"] * 3
    assert len(customer_puts(default.system)) == 3
    assert report.violations == []
    assert customer_puts(default.system)[0].path == f"/customers/{DEMO_CUSTOMER_IN_RILLET}"
    assert before["id"] == rillet_customer(default)["id"]
