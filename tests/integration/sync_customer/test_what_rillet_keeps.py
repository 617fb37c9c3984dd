"""A PUT replaces the whole customer: everything of Rillet's own is in it again, byte for byte."""

import json

import pytest

from solvimon_rillet.mapping.customers import to_rillet_customer
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.master_data import Customer
from tests.support.arrange import edit
from tests.support.assertions import customer_puts, rillet_customer
from tests.support.builders import (
    DEMO_CUSTOMER,
    DEMO_CUSTOMER_IN_RILLET,
    STATELESS,
    STATELESS_IN_RILLET,
    Json,
    named,
    organization,
)
from tests.support.connected import Connected

OWN: Json = {
    "shipping_address": {
        "line1": "Gate 4, Yangtzekanaal",
        "line2": "",
        "city": "Rotterdam",
        "state": "Zuid-Holland",
        "zip_code": "3199 LC",
        "country": "NL",
    },
    "emails": [
        {"email": "cfo@maasvlakte-quay.example", "type": "CC"},
        {"email": "invoices@maasvlakte-quay.example", "type": "MAIN_SENDER"},
        {"email": "archive@maasvlakte-quay.example", "type": "BCC"},
        {"email": "controller@maasvlakte-quay.example", "type": "CC"},
    ],
    "external_references": [
        {"type": "hubspot_company_id", "id": "7741002", "url": "https://crm.example/7741002?a=ä&b=1"},
        {"type": "erp", "id": " 00042 "},
    ],
    "payment_terms": 45,
    "send_invoices_automatically": True,
    "send_payment_reminders": True,
    "fields": [
        {
            "field_id": "0f0f0f0f-0000-4000-8000-000000000001",
            "field_value_id": "0f0f0f0f-0000-4000-8000-000000000002",
        }
    ],
}


@pytest.fixture
def rich(default: Connected) -> Connected:
    """The customer with everything that Rillet alone can know of it."""
    default.organisation.register_reference_type("erp")
    default.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, **OWN)
    return default


def as_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def test_fields_of_rillets_own_stay_byte_for_byte(rich: Connected) -> None:
    before = rillet_customer(rich)

    rich.edit_and_settle(**named("Quay Group N.V."))

    after = rillet_customer(rich)
    ours = {"type": "solvimon_customer_id", "id": DEMO_CUSTOMER}
    kept = {*OWN, "address"} - {"external_references"}
    assert after["name"] == "Quay Group N.V."
    assert after.keys() == before.keys()
    assert [name for name in kept if as_bytes(after[name]) != as_bytes(before[name])] == []
    assert as_bytes(after["external_references"]) == as_bytes([*before["external_references"], ours])


def test_a_new_address_of_solvimons_takes_the_place_of_its_old_one_among_the_others(rich: Connected) -> None:
    rich.edit_and_settle(email="ap@quay.example")

    first, _, *others = OWN["emails"]
    main = {"email": "ap@quay.example", "type": "MAIN_SENDER"}
    assert rillet_customer(rich)["emails"] == [first, main, *others]


def test_our_reference_is_added_once(rich: Connected) -> None:
    for name in ("One", "Two", "Three"):
        rich.edit_and_settle(**named(name))

    references = rillet_customer(rich)["external_references"]
    assert references == [*OWN["external_references"], {"type": "solvimon_customer_id", "id": DEMO_CUSTOMER}]
    assert len(customer_puts(rich.system)) == 3


def test_our_reference_with_a_link_of_rillets_own_is_left_alone(rich: Connected) -> None:
    ours = {"type": "solvimon_customer_id", "id": DEMO_CUSTOMER, "url": "https://desk.example/c"}
    rich.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, external_references=[ours])

    rich.edit_and_settle(**named("One"))

    assert rillet_customer(rich)["external_references"] == [ours]


@pytest.mark.parametrize(
    ("emails", "email", "expected"),
    [
        (None, "a@x.nl", ["a@x.nl MAIN_SENDER"]),
        ([], "a@x.nl", ["a@x.nl MAIN_SENDER"]),
        (["c@x.nl CC"], "a@x.nl", ["c@x.nl CC", "a@x.nl MAIN_SENDER"]),
        (
            ["b@x.nl MAIN_SENDER", "c@x.nl MAIN_SENDER"],
            "a@x.nl",
            ["a@x.nl MAIN_SENDER", "c@x.nl MAIN_SENDER"],
        ),
        (["a@x.nl CC"], "a@x.nl", ["a@x.nl CC", "a@x.nl MAIN_SENDER"]),
        (["b@x.nl MAIN_SENDER", "a@x.nl MAIN_SENDER"], "a@x.nl", ["a@x.nl MAIN_SENDER"]),
        (["b@x.nl MAIN_SENDER"], None, ["b@x.nl MAIN_SENDER"]),
    ],
)
def test_solvimons_address_is_the_first_main_sender(
    emails: list[str] | None, email: str | None, expected: list[str]
) -> None:
    given = None if emails is None else [dict(zip(("email", "type"), e.split(), strict=True)) for e in emails]
    customer = Customer.model_validate(
        {"id": "cust_1", "email": email, "organization": {"legal_name": "Quay"}}
    )

    mapped = to_rillet_customer(customer, {"name": "Quay", "emails": given}, Settings())

    found = mapped.payload["emails"]
    assert isinstance(found, list)
    assert [f"{each['email']} {each['type']}" for each in found] == expected


def test_an_incomplete_address_is_left_as_rillet_has_it_with_a_warning(rich: Connected) -> None:
    before = rillet_customer(rich)["address"]
    edit(rich, **organization(legal_name="Quay", address={"city": None, "postal_code": None}))

    [result] = rich.sync()

    assert result["outcome"] == "synced"
    assert result["warnings"] == ["The address of Quay is without city; Rillet's stays as it is."]
    assert rillet_customer(rich)["address"] == before
    assert rillet_customer(rich)["name"] == "Quay"


def test_a_customer_without_address_in_solvimon_keeps_rillets(rich: Connected) -> None:
    before = rillet_customer(rich)["address"]
    edit(rich, organization={"legal_name": "Quay"})

    [result] = rich.sync()

    assert result["warnings"] == []
    assert rillet_customer(rich)["address"] == before


def test_a_second_line_that_is_gone_in_solvimon_is_gone_in_rillet(rich: Connected) -> None:
    rich.edit_and_settle(**organization(address={"line2": "Gebouw B"}))
    with_it = rillet_customer(rich)["address"]

    rich.edit_and_settle(**organization())

    assert with_it["line2"] == "Gebouw B"
    assert rillet_customer(rich)["address"] == {n: v for n, v in with_it.items() if n != "line2"}


def test_the_state_is_solvimons_else_rillets_else_the_settings(rich: Connected) -> None:
    rich.edit_and_settle(**organization(address={"state": "ZH"}))
    of_solvimon = rillet_customer(rich)["address"]["state"]
    rich.edit_and_settle(**organization(address={"state": None, "line1": "Kade 1"}))
    of_rillet = rillet_customer(rich)["address"]
    edit(rich, STATELESS, email="one@straits.example")
    [without] = rich.sync(STATELESS)
    nothing = rillet_customer(rich, STATELESS_IN_RILLET).get("address")
    rich.configure(address_state="-")

    rich.edit_and_settle(STATELESS, email="two@straits.example")

    assert of_solvimon == "ZH"
    assert (of_rillet["state"], of_rillet["line1"]) == ("ZH", "Kade 1")
    assert "is without state" in without["warnings"][0]
    assert nothing is None
    assert rillet_customer(rich, STATELESS_IN_RILLET)["address"]["state"] == "-"


def test_a_customer_without_a_name_is_rejected_and_rillets_stays(rich: Connected) -> None:
    before = rillet_customer(rich)
    edit(rich, organization={"tax_exempt": False, "legal_name": " "})

    [result] = rich.sync()

    assert (result["outcome"], result["code"]) == ("rejected", "customer_incomplete")
    assert rich.customer_record()["state"] == "rejected"
    assert rillet_customer(rich) == before
