"""Customers that go to Rillet, new ones and known ones: names, addresses and e-mails (design 4)."""

from typing import Any

import pytest

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.customers import MappedCustomer, to_new_rillet_customer, to_rillet_customer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer
from tests.support.builders import Json

STORED = {
    "line1": "Amaliahavenweg 12",
    "city": "Rotterdam",
    "state": "ZH",
    "zip_code": "3199 KD",
    "country": "NL",
}
HOME = {
    "line1": "Keizersgracht 1",
    "line2": "2nd floor",
    "city": "Amsterdam",
    "state": "NH",
    "postal_code": "1015 AA",
    "country": "NL",
}
DUTCH = {"line1": "Coolsingel 1", "city": "Rotterdam", "postal_code": "3011 AD", "country": "NL"}
DUBLIN = {"line1": "1 Grand Canal Square", "city": "Dublin", "postal_code": "D02 P820", "country": "IE"}


def customer(address: Json | None = None, **more: object) -> Customer:
    """A customer of Solvimon."""
    legal = {"legal_name": "Acme B.V.", "registered_address": address}
    return Customer.model_validate({"id": "cust_1", "organization": legal, **more})


def synced(own: Customer, current: Json | None = None, **settings: object) -> MappedCustomer:
    """The PUT for a customer that Rillet has with this in it."""
    stored = {"id": "r", "name": "Acme", "name_on_invoice": "Acme", **(current or {})}
    return to_rillet_customer(own, stored, Settings.model_validate(settings))


def created(own: Customer | Json, **settings: object) -> MappedCustomer:
    """The POST for a customer that Rillet does not have."""
    return to_new_rillet_customer(Customer.model_validate(own), Settings.model_validate(settings))


def company(**address: str | None) -> Customer:
    """A company with a whole address, some of it changed, and an e-mail address."""
    return customer(HOME | address, type="ORGANIZATION", email="books@acme.example")


def address_of(mapping: MappedCustomer) -> Any:  # noqa: ANN401
    """The address that is sent."""
    return mapping.payload.get("address")


# A customer that Rillet does not have yet


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
    name = {"first_name": "Anna", "infix": "de", "last_name": "Vries"}

    payload = created({"id": "cust_2", "individual": {"name": name, "residential_address": HOME}}).payload

    assert payload["name"] == payload["name_on_invoice"] == "Anna de Vries"
    assert payload["address"] == created(company()).payload["address"]
    assert "emails" not in payload


def test_names_are_one_line() -> None:
    nameplate = {"legal_name": "Acme\n  Holding B.V. "}

    assert created({"id": "cust_1", "organization": nameplate}).payload["name"] == "Acme Holding B.V."


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


@pytest.mark.parametrize("address", [None, {}, dict.fromkeys(HOME), dict.fromkeys(HOME, "")])
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


# Addresses


def test_a_state_that_solvimon_lacks_is_rillets_while_the_country_is_the_same() -> None:
    address = address_of(synced(customer(DUTCH), {"address": STORED}))

    assert (address["line1"], address["state"], address["zip_code"]) == ("Coolsingel 1", "ZH", "3011 AD")


def test_a_zip_code_that_solvimon_lacks_is_rillets_while_the_country_is_the_same() -> None:
    address = address_of(synced(customer(DUTCH | {"postal_code": " "}), {"address": STORED}))

    assert address["zip_code"] == "3199 KD"


def test_a_customer_that_moves_to_another_country_does_not_keep_the_old_state_or_address() -> None:
    mapping = synced(customer(DUBLIN), {"address": STORED})

    assert address_of(mapping) is None
    assert mapping.warnings == (
        "The address of Acme B.V. is without state, and in another country than Rillet's; Rillet's was "
        "removed.",
    )


def test_a_customer_that_moves_gets_the_settings_state() -> None:
    address = address_of(synced(customer(DUBLIN), {"address": STORED}, address_state="-"))

    assert address == {
        "line1": "1 Grand Canal Square",
        "city": "Dublin",
        "state": "-",
        "zip_code": "D02 P820",
        "country": "IE",
    }


@pytest.mark.parametrize("missing", [{"line1": None}, {"city": " "}, {"country": None}])
def test_an_incomplete_address_keeps_rillets_while_no_other_country_is_named(missing: Json) -> None:
    mapping = synced(customer(DUTCH | missing), {"address": STORED})

    assert address_of(mapping) == STORED
    assert "Rillet's stays as it is" in mapping.warnings[0]


def test_a_country_without_zip_codes_takes_the_settings() -> None:
    dubai = {"line1": "Sheikh Zayed Road 1", "city": "Dubai", "country": "AE"}

    address = address_of(created(customer(dubai), address_state="-", address_zip_code="00000"))

    assert (address["state"], address["zip_code"], address["country"]) == ("-", "00000", "AE")


def test_without_the_settings_such_an_address_is_left_out_with_a_warning() -> None:
    mapping = created(customer({"line1": "Road 1", "city": "Dubai", "country": "AE"}))

    assert address_of(mapping) is None
    assert "without state, zip_code" in mapping.warnings[0]


def test_blanks_are_no_part_of_an_address_and_are_trimmed() -> None:
    spaced = {name: f" {part} " for name, part in DUTCH.items()} | {"state": " ZH "}

    address = address_of(created(customer(spaced)))

    assert address == STORED | {"line1": "Coolsingel 1", "zip_code": "3011 AD"}


@pytest.mark.parametrize(("stated", "country"), [("UK", "GB"), ("el", "GR"), ("XI", "GB")])
def test_the_country_of_an_address_becomes_iso(stated: str, country: str) -> None:
    assert address_of(created(customer(DUTCH | {"state": "S", "country": stated})))["country"] == country


@pytest.mark.parametrize("field", ["address", "shipping_address"])
def test_a_stored_address_that_breaks_rillets_schema_is_not_put_back_as_it_is(field: str) -> None:
    broken = {name: part for name, part in STORED.items() if name != "state"}

    mapping = synced(customer(), {field: broken})

    assert mapping.payload[field] is None
    assert f"Rillet's own {field} is without state" in mapping.warnings[0]


@pytest.mark.parametrize("field", ["address", "shipping_address"])
def test_a_stored_address_is_completed_where_the_settings_can(field: str) -> None:
    broken = STORED | {"state": None}

    mapping = synced(customer(), {field: broken}, address_state="-")

    assert mapping.payload[field] == STORED | {"state": "-"}
    assert mapping.warnings == ()


# E-mails


@pytest.mark.parametrize(
    "text",
    [
        "ap@example.com; finance@example.com",
        " ap@example.com,finance@example.com ",
        "ap@example.com finance@example.com",
        "Accounts <ap@example.com>, Finance <finance@example.com>; AP@example.com",
    ],
)
def test_several_addresses_in_one_field_become_several(text: str) -> None:
    both = [
        {"email": "ap@example.com", "type": "MAIN_SENDER"},
        {"email": "finance@example.com", "type": "CC"},
    ]

    new, edited = created(customer(email=text)), synced(customer(email=text))

    assert [str(each["email"]).lower() for each in new.payload["emails"]] == [e["email"] for e in both]  # type: ignore[attr-defined]
    assert [each["type"] for each in edited.payload["emails"]] == ["MAIN_SENDER", "CC"]  # type: ignore[attr-defined]


def test_an_address_that_rillet_has_already_is_not_added_again() -> None:
    current = [{"email": "old@x.nl", "type": "MAIN_SENDER"}, {"email": "Finance@example.com", "type": "BCC"}]

    mapping = synced(customer(email="ap@example.com; finance@example.com"), {"emails": current})

    assert mapping.payload["emails"] == [{"email": "ap@example.com", "type": "MAIN_SENDER"}, current[1]]


@pytest.mark.parametrize("text", ["call us", "n/a", "@", "ap@example"])
def test_a_text_without_an_address_is_left_out_with_a_warning(text: str) -> None:
    current = [{"email": "old@x.nl", "type": "MAIN_SENDER"}]

    mapping = synced(customer(email=text), {"emails": current})

    assert mapping.payload["emails"] == current
    assert "is no address" in mapping.warnings[0]


@pytest.mark.parametrize("text", [None, "", " "])
def test_no_email_is_no_warning(text: str | None) -> None:
    mapping = created(customer(email=text))

    assert "emails" not in mapping.payload
    assert mapping.warnings == ()


# Names


@pytest.mark.parametrize(
    ("setting", "stored", "sent"),
    [
        ("follow", "Acme Billing Dept", "Acme B.V."),
        ("keep", "Acme Billing Dept", "Acme Billing Dept"),
        ("keep", "Acme", "Acme B.V."),
        ("keep", None, "Acme B.V."),
    ],
)
def test_a_name_on_invoice_that_was_set_by_hand_follows_or_stays_as_the_setting_says(
    setting: str, stored: str | None, sent: str
) -> None:
    mapping = synced(customer(), {"name_on_invoice": stored}, name_on_invoice=setting)

    assert (mapping.payload["name"], mapping.payload["name_on_invoice"]) == ("Acme B.V.", sent)
