"""A customer that Rillet does not have yet."""

import pytest

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.customers import MappedCustomer, to_new_rillet_customer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer
from tests.support.builders import Json

ADDRESS = {
    "line1": "Keizersgracht 1",
    "line2": "2nd floor",
    "city": "Amsterdam",
    "state": "NH",
    "postal_code": "1015 AA",
    "country": "NL",
}


def company(**address: str | None) -> Json:
    """A company with an address, some of it changed."""
    return {
        "id": "cust_1",
        "type": "ORGANIZATION",
        "email": "books@acme.example",
        "organization": {"legal_name": "Acme B.V.", "registered_address": ADDRESS | address},
    }


def created(customer: Json, **settings: object) -> MappedCustomer:
    """What is sent to Rillet for a customer."""
    return to_new_rillet_customer(Customer.model_validate(customer), Settings.model_validate(settings))


def test_a_company_is_created_with_everything_that_rillet_takes() -> None:
    mapping = created(company())

    assert mapping.payload == {
        "name": "Acme B.V.",
        "name_on_invoice": "Acme B.V.",
        "address": {
            "line1": "Keizersgracht 1",
            "line2": "2nd floor",
            "city": "Amsterdam",
            "state": "NH",
            "zip_code": "1015 AA",
            "country": "NL",
        },
        "emails": [{"email": "books@acme.example", "type": "MAIN_SENDER"}],
        "external_references": [{"type": "solvimon_customer_id", "id": "cust_1"}],
        "send_invoices_automatically": False,
        "send_payment_reminders": False,
    }
    assert mapping.warnings == ()


def test_a_person_is_created_by_full_name_and_home_address() -> None:
    person = {"first_name": "Anna", "infix": "de", "last_name": "Vries"}

    payload = created(
        {"id": "cust_2", "individual": {"name": person, "residential_address": ADDRESS}}
    ).payload

    assert payload["name"] == payload["name_on_invoice"] == "Anna de Vries"
    assert payload["address"] == created(company()).payload["address"]
    assert "emails" not in payload


def test_names_are_one_line() -> None:
    customer = {"id": "cust_1", "organization": {"legal_name": "Acme\n  Holding B.V. "}}

    assert created(customer).payload["name"] == "Acme Holding B.V."


def test_an_empty_second_line_is_left_out() -> None:
    address = created(company(line2="")).payload["address"]

    assert isinstance(address, dict)
    assert "line2" not in address


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({"line1": None}, "line1"),
        ({"city": ""}, "city"),
        ({"state": None}, "state"),
        ({"postal_code": None}, "zip_code"),
        ({"country": None}, "country"),
        ({"state": None, "country": ""}, "state, country"),
    ],
)
def test_an_address_that_lacks_a_part_is_left_out_with_a_warning(missing: Json, named: str) -> None:
    mapping = created(company(**missing))

    assert "address" not in mapping.payload
    assert mapping.warnings == (f"The address of Acme B.V. is without {named}; Rillet's stays empty.",)


def test_the_settings_can_name_a_state_for_addresses_without_one() -> None:
    without, with_one = (created(company(state=state), address_state="-").payload for state in (None, "NH"))

    assert [payload["address"]["state"] for payload in (without, with_one)] == ["-", "NH"]  # type: ignore[index]


@pytest.mark.parametrize("address", [None, {}, dict.fromkeys(ADDRESS), dict.fromkeys(ADDRESS, "")])
def test_no_address_at_all_is_no_warning(address: Json | None) -> None:
    mapping = created({"id": "cust_1", "organization": {"legal_name": "Acme", "registered_address": address}})

    assert "address" not in mapping.payload
    assert mapping.warnings == ()


@pytest.mark.parametrize(
    "nameless",
    [
        {},
        {"organization": {}},
        {"organization": {"legal_name": ""}},
        {"organization": {"legal_name": " \n"}},
        {"individual": {}},
        {"individual": {"name": {}}},
        {"organization": None, "individual": {"name": {"first_name": "", "last_name": None}}},
    ],
)
def test_a_customer_without_a_name_is_rejected(nameless: Json) -> None:
    with pytest.raises(NeedsAttention, match="The customer cust_1 has no name") as caught:
        created({"id": "cust_1"} | nameless)

    assert caught.value.code is Code.CUSTOMER_INCOMPLETE
    assert "legal name" in caught.value.remedy


def test_the_reference_type_is_a_setting() -> None:
    references = created(company(), reference_types={"customer": "billing"}).payload["external_references"]

    assert references == [{"type": "billing", "id": "cust_1"}]
