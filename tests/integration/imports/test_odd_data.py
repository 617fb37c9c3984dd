"""Records as they come: each is mapped by a stated rule, or reported as the failure of that one row."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.customers import to_solvimon_customer
from solvimon_rillet.mapping.products import to_solvimon_product
from solvimon_rillet.mapping.solvimon_fields import MAX_LENGTH, MappedRecord, one_line, truncate
from solvimon_rillet.mapping.subsidiaries import to_solvimon_billing_entity, to_subsidiary_link
from solvimon_rillet.rillet.models import Customer, Product, Subsidiary
from solvimon_rillet.settings import Settings
from tests.integration.imports.support import Json, customer, product, rillet_id, subsidiary

MOST = 256


def of_customer(**more: Any) -> MappedRecord:
    return to_solvimon_customer(Customer.model_validate(customer(**more)))


def of_product(**more: Any) -> MappedRecord:
    return to_solvimon_product(Product.model_validate(product(**more)), "proc_1")


def of_subsidiary(settings: Settings | None = None, **more: Any) -> MappedRecord:
    return to_solvimon_billing_entity(Subsidiary.model_validate(subsidiary(**more)), settings)


def organization(mapped: MappedRecord) -> Json:
    found = mapped.payload["organization"]
    assert isinstance(found, dict)
    return found


def senders(*addresses: str) -> list[Json]:
    return [{"email": address, "type": "MAIN_SENDER"} for address in addresses]


@pytest.mark.parametrize("emails", [[], None, [{"email": "cc@x.example", "type": "CC"}]])
def test_a_customer_without_main_sender_has_no_email(emails: object) -> None:
    mapped = of_customer(emails=emails)

    assert "email" not in mapped.payload
    assert mapped.notes == ()


def test_of_several_main_senders_the_first_is_taken_and_a_note_says_so() -> None:
    mapped = of_customer(emails=senders("a@x.example", "b@x.example"))

    assert mapped.payload["email"] == "a@x.example"
    assert mapped.notes == ("Several MAIN_SENDER addresses: Solvimon takes one, and got the first.",)


def test_the_same_main_sender_twice_is_one() -> None:
    mapped = of_customer(emails=senders("a@x.example", " a@x.example "))

    assert (mapped.payload["email"], mapped.notes) == ("a@x.example", ())


@pytest.mark.parametrize(
    "address", ["books", "Ann <ann@x.example>", "a@b", f"{'a' * 250}@x.example", "", "@x.example"]
)
def test_what_is_no_email_address_is_left_out_with_a_note(address: str) -> None:
    mapped = of_customer(emails=senders(address))

    assert "email" not in mapped.payload
    assert "left out" in mapped.notes[0]


def test_an_unusable_main_sender_gives_way_to_a_usable_one() -> None:
    mapped = of_customer(emails=senders("none", "b@x.example"))

    assert mapped.payload["email"] == "b@x.example"
    assert len(mapped.notes) == 2


def test_a_customer_without_address_has_none() -> None:
    mapped = of_customer(address=None)

    assert organization(mapped) == {"legal_name": "Customer 1"}


@pytest.mark.parametrize("state", [None, "", "  "])
def test_an_address_without_state_travels_without_it(state: str | None) -> None:
    mapped = of_customer(address={**customer()["address"], "state": state})

    address = organization(mapped)["registered_address"]
    assert "state" not in address
    assert address["city"] == "Rotterdam"
    assert mapped.notes == ()


def test_a_country_that_is_no_code_is_left_out_with_a_note() -> None:
    mapped = of_customer(address={**customer()["address"], "country": "Netherlands"})

    assert "country" not in organization(mapped)["registered_address"]
    assert "country" in mapped.notes[0]


def test_a_country_in_small_letters_is_a_country() -> None:
    mapped = of_customer(address={**customer()["address"], "country": "nl"})

    assert organization(mapped)["registered_address"]["country"] == "NL"


def test_line_breaks_in_a_name_become_spaces() -> None:
    mapped = of_customer(name="Quay\r\n  & Sons\u2028Ltd\x85\t.")

    assert organization(mapped)["legal_name"] == "Quay & Sons Ltd ."


def test_a_name_of_256_characters_stays_whole() -> None:
    mapped = of_customer(name="x" * MOST)

    assert (organization(mapped)["legal_name"], mapped.notes) == ("x" * MOST, ())


def test_a_longer_name_is_cut_with_a_note() -> None:
    mapped = of_customer(name="x" * (MOST + 1))

    assert organization(mapped)["legal_name"] == "x" * MOST
    assert mapped.notes == ("The name is longer than the 256 characters that Solvimon takes, and was cut.",)


def test_an_emoji_is_never_cut_in_half() -> None:
    mapped = of_customer(name="x" * (MOST - 1) + "🚢 afloat")

    assert organization(mapped)["legal_name"] == "x" * (MOST - 1)


def test_emoji_and_other_scripts_travel_as_they_are() -> None:
    mapped = of_customer(name="Ōsaka 港湾 🚢👩‍🚀")

    assert organization(mapped)["legal_name"] == "Ōsaka 港湾 🚢👩‍🚀"


@pytest.mark.parametrize("name", ["", "   ", "\n", "\x00"])
@pytest.mark.parametrize(
    ("mapping", "field"), [(of_customer, "name"), (of_product, "name"), (of_subsidiary, "trade_name")]
)
def test_a_record_without_name_is_a_failure_of_that_row(
    mapping: Callable[..., MappedRecord], field: str, name: str
) -> None:
    with pytest.raises(NeedsAttention) as refused:
        mapping(**{field: name})

    assert refused.value.code is Code.ROW_INCOMPLETE
    assert rillet_id(1) in refused.value.message


def test_a_products_texts_are_one_line_and_cut_with_a_note_each() -> None:
    mapped = of_product(name="Berth\nplanner", description="For ports. " * 50)

    assert mapped.payload["name"] == "Berth planner"
    assert len(str(mapped.payload["description"])) <= MOST
    assert mapped.notes == (
        "The description is longer than the 256 characters that Solvimon takes, and was cut.",
    )


@pytest.mark.parametrize("description", ["", None, " \n "])
def test_a_product_without_description_has_none(description: str | None) -> None:
    mapped = of_product(description=description)

    assert "description" not in mapped.payload


def test_an_inactive_product_is_not_in_use() -> None:
    assert of_product(status="INACTIVE").active is False
    assert of_product(status="ACTIVE").active is True


@pytest.mark.parametrize("name", ["Europe/Amsterdam", "UTC", "GMT+1", "UTC-3"])
def test_a_known_time_zone_travels(name: str) -> None:
    mapped = of_subsidiary(timezone=name)

    assert (mapped.payload["timezone"], mapped.notes) == (name, ())


@pytest.mark.parametrize("name", ["Atlantis/Central", "../etc/passwd", "🕰"])
def test_an_unknown_time_zone_is_left_out_with_a_note(name: str) -> None:
    mapped = of_subsidiary(timezone=name)

    assert "timezone" not in mapped.payload
    assert "time_zones" in mapped.notes[0]


def test_a_time_zone_may_be_named_in_the_settings() -> None:
    settings = Settings(time_zones={"Amsterdam time": "Europe/Amsterdam"})

    mapped = of_subsidiary(settings, timezone="Amsterdam time")

    assert (mapped.payload["timezone"], mapped.notes) == ("Europe/Amsterdam", ())


@pytest.mark.parametrize("timezone", [None, ""])
def test_a_subsidiary_without_time_zone_says_nothing_about_it(timezone: str | None) -> None:
    mapped = of_subsidiary(timezone=timezone)

    assert "timezone" not in mapped.payload
    assert mapped.notes == ()


def test_a_long_trade_name_is_cut_with_a_note() -> None:
    mapped = of_subsidiary(trade_name="Tideway " * 40)

    assert len(str(mapped.payload["legal_name"])) <= MOST
    assert "cut" in mapped.notes[0]


def test_a_subsidiary_that_the_settings_link_carries_nothing_but_the_link() -> None:
    mapped = to_subsidiary_link(Subsidiary.model_validate(subsidiary()))

    assert mapped.payload == {"custom_fields": [{"reference": "rillet_subsidiary_id", "value": rillet_id(1)}]}


def test_the_custom_fields_references_are_settings() -> None:
    settings = Settings.model_validate({"custom_fields": {"customer": "erp_id"}})

    mapped = to_solvimon_customer(Customer.model_validate(customer()), settings)

    assert mapped.payload["custom_fields"] == [{"reference": "erp_id", "value": rillet_id(1)}]


@given(st.text(max_size=600))
def test_whatever_the_text_solvimon_takes_what_becomes_of_it(text: str) -> None:
    line = truncate(one_line(text))

    assert re.fullmatch(r"[^\n\r\u0085\u2028\u2029]*", line)
    assert len(line.encode("utf-16-le")) // 2 <= MAX_LENGTH
    assert line == line.strip()
    assert truncate(one_line(line)) == line
    line.encode("utf-8")
