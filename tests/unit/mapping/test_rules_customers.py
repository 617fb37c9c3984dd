"""Addresses, e-mails and names of customers that go to Rillet (design 4)."""

from typing import Any

import pytest

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


def created(own: Customer, **settings: object) -> MappedCustomer:
    """The POST for a customer that Rillet does not have."""
    return to_new_rillet_customer(own, Settings.model_validate(settings))


def address_of(mapping: MappedCustomer) -> Any:  # noqa: ANN401
    """The address that is sent."""
    return mapping.payload.get("address")


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

    assert address_of(created(customer(spaced))) == {
        "line1": "Coolsingel 1",
        "city": "Rotterdam",
        "state": "ZH",
        "zip_code": "3011 AD",
        "country": "NL",
    }


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
