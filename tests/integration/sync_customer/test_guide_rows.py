"""The guide's table "Sync Customer to Rillet", one test per row in its order."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.mapping.customers import SYNC_ROWS, to_rillet_customer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Customer
from tests.contract.documents import MISSING, MISSING_REASON
from tests.contract.report import checked_traffic
from tests.integration.sync_customer.support import (
    CUSTOMER,
    IN_RILLET,
    PERSON,
    PERSON_IN_RILLET,
    STATELESS,
    Json,
    edit,
    in_rillet,
    organization,
    puts,
    sync,
)


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


def test_row_organization_legal_name_becomes_name(edited: Json) -> None:
    assert edited["name"] == "Quay Group N.V."


def test_row_organization_legal_name_becomes_name_on_invoice(edited: Json) -> None:
    assert edited["name_on_invoice"] == "Quay Group N.V."


def test_row_organization_registered_address_line1_becomes_address_line1(edited: Json) -> None:
    assert edited["address"]["line1"] == "Kade 1"


def test_row_organization_registered_address_line2_becomes_address_line2(edited: Json) -> None:
    assert edited["address"]["line2"] == "Gebouw B"


def test_row_organization_registered_address_city_becomes_address_city(edited: Json) -> None:
    assert edited["address"]["city"] == "Delft"


def test_row_organization_registered_address_state_becomes_address_state(edited: Json) -> None:
    assert edited["address"]["state"] == "ZH"


def test_row_organization_registered_address_postal_code_becomes_address_zip_code(edited: Json) -> None:
    assert edited["address"]["zip_code"] == "2611 AA"


def test_row_organization_registered_address_country_becomes_address_country(edited: Json) -> None:
    assert edited["address"]["country"] == "NL"


def test_row_email_becomes_the_main_sender_of_emails(edited: Json) -> None:
    assert edited["emails"] == [{"email": "new@quay.example", "type": "MAIN_SENDER"}]


def test_row_id_becomes_external_references(edited: Json) -> None:
    assert edited["external_references"] == [{"type": "solvimon_customer_id", "id": "cust_1"}]


def test_the_table_holds_the_guides_rows_and_no_other() -> None:
    assert [(row.source, row.target) for row in SYNC_ROWS] == [
        ("organization.legal_name", "name"),
        ("organization.legal_name", "name_on_invoice"),
        ("organization.registered_address.line1", "address.line1"),
        ("organization.registered_address.line2", "address.line2"),
        ("organization.registered_address.city", "address.city"),
        ("organization.registered_address.state", "address.state"),
        ("organization.registered_address.postal_code", "address.zip_code"),
        ("organization.registered_address.country", "address.country"),
        ("email", "emails"),
        ("id", "external_references"),
    ]


def test_an_edit_in_solvimon_is_in_rillet_a_moment_later(system: LocalSystem, default: Connection) -> None:
    edit(default, email="ap@quay.example", **organization(legal_name="Quay", address={"line1": "Kade 1"}))

    system.settle()

    there = in_rillet(default)
    assert (there["name"], there["name_on_invoice"], there["address"]["line1"]) == ("Quay", "Quay", "Kade 1")
    assert there["emails"][0] == {"email": "ap@quay.example", "type": "MAIN_SENDER"}


def test_a_person_is_mapped_from_individual(system: LocalSystem, default: Connection) -> None:
    individual = {
        "name": {"first_name": "Jelle", "infix": "van der", "last_name": "Boer"},
        "residential_address": {
            "line1": "Kade 2",
            "city": "Hoorn",
            "postal_code": "1621 AA",
            "state": "NH",
            "country": "NL",
        },
    }
    edit(default, PERSON, individual=individual)

    system.settle()

    there = in_rillet(default, PERSON_IN_RILLET)
    assert (there["name"], there["name_on_invoice"]) == ("Jelle van der Boer", "Jelle van der Boer")
    assert there["address"] == {
        "line1": "Kade 2",
        "city": "Hoorn",
        "state": "NH",
        "zip_code": "1621 AA",
        "country": "NL",
    }


@pytest.fixture
def several(system: LocalSystem, default: Connection) -> Connection:
    """Edits of an organisation, a person and a customer without address in Rillet."""
    edit(default, CUSTOMER, **organization(legal_name="Quay"))
    edit(default, PERSON, email="jelle@boer.example")
    edit(default, STATELESS, email="ap@straits.example")
    return default


@pytest.mark.skipif(MISSING, reason=MISSING_REASON)
def test_every_request_to_rillet_is_one_that_its_document_allows(
    system: LocalSystem, several: Connection
) -> None:
    before = in_rillet(several)

    with checked_traffic(system) as report:
        outcomes = [result["outcome"] for result in sync(system, CUSTOMER, PERSON, STATELESS)]

    assert outcomes == ["synced"] * 3
    assert len(puts(system)) == 3
    assert report.violations == []
    assert puts(system)[0].path == f"/customers/{IN_RILLET}"
    assert before["id"] == in_rillet(several)["id"]
