"""The guide's three import tables, row by row; odd records are mapped by a stated rule, or fail alone."""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.system import LocalSystem
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping import customers, products, subsidiaries
from solvimon_rillet.mapping.customers import to_solvimon_customer
from solvimon_rillet.mapping.field_table import Row
from solvimon_rillet.mapping.products import to_solvimon_product
from solvimon_rillet.mapping.solvimon_fields import MAX_TEXT_LENGTH, MappedRecord, one_line, truncate
from solvimon_rillet.mapping.subsidiaries import to_solvimon_billing_entity, to_subsidiary_link
from solvimon_rillet.rillet.models import Customer, Product, Subsidiary
from solvimon_rillet.settings import Settings
from tests.integration.imports.support import (
    Json,
    connect,
    customer,
    linked,
    product,
    rillet_id,
    run,
    subsidiary,
)

ADDRESS = "organization.registered_address"
GUIDE: dict[str, dict[str, tuple[str, object]]] = {
    "customers": {
        "reference": ("id", rillet_id(1)),
        "email": ("emails (MAIN_SENDER)", "books1@customer.example"),
        "organization.legal_name": ("name", "Customer 1"),
        f"{ADDRESS}.line1": ("address.line1", "Kade 1"),
        f"{ADDRESS}.line2": ("address.line2", "Unit 4"),
        f"{ADDRESS}.city": ("address.city", "Rotterdam"),
        f"{ADDRESS}.postal_code": ("address.zip_code", "3011 XD"),
        f"{ADDRESS}.country": ("address.country", "NL"),
        "custom_fields": ("id", {"rillet_customer_id": rillet_id(1)}),
    },
    "products": {
        "name": ("name", "Product 1"),
        "reference": ("id", rillet_id(1)),
        "description": ("description", "What product 1 is"),
        "custom_fields": ("id", {"rillet_product_id": rillet_id(1)}),
    },
    "subsidiaries": {
        "reference": ("id", rillet_id(1)),
        "legal_name": ("trade_name", "Tideway 1 B.V."),
        "timezone": ("timezone", "Europe/Amsterdam"),
        "custom_fields": ("id", {"rillet_subsidiary_id": rillet_id(1)}),
    },
}
"""Solvimon's field, Rillet's field, and what arrives."""
ARRIVES = [
    *((kind, target, arrives) for kind, rows in GUIDE.items() for target, (_, arrives) in rows.items()),
    # Beyond the guide:
    ("customers", f"{ADDRESS}.state", "ZH"),
    ("customers", "type", "ORGANIZATION"),
    ("customers", "status", "ACTIVE"),
    ("products", "status", "ACTIVE"),
]
TABLES: dict[str, tuple[Row[Any], ...]] = {
    "customers": customers.IMPORT_ROWS,
    "products": products.IMPORT_ROWS,
    "subsidiaries": subsidiaries.IMPORT_ROWS,
}


def at(record: Mapping[str, Any], path: str) -> object:
    """The value at a path; custom fields as reference and value."""
    found: Any = record
    for step in path.split("."):
        found = found[step]
    return {each["reference"]: each["value"] for each in found} if path == "custom_fields" else found


@pytest.mark.parametrize("kind", GUIDE)
def test_the_table_has_every_row_of_the_guides(kind: str) -> None:
    rows = {(row.target, row.source) for row in TABLES[kind]}

    assert rows >= {(target, source) for target, (source, _) in GUIDE[kind].items()}


@pytest.fixture(scope="module")
def arrived(running_system: LocalSystem) -> dict[str, Json]:
    """What Solvimon has of one row of each kind after the imports."""
    running_system.reset()
    connection = connect(
        running_system, customers=[customer()], products=[product()], subsidiaries=[subsidiary()]
    )
    for kind in GUIDE:
        run(running_system, kind)
    return {kind: deepcopy(linked(connection, 1, kind)) for kind in GUIDE}


@pytest.mark.parametrize(("kind", "field", "arrives"), ARRIVES)
def test_the_field_arrives_in_solvimon(
    arrived: dict[str, Json], kind: str, field: str, arrives: object
) -> None:
    assert at(arrived[kind], field) == arrives


def test_a_product_arrives_in_the_category_rillet_products(system: LocalSystem) -> None:
    connection = connect(system, products=[product()])

    run(system, "products")

    [category] = connection.platform.records["product-categories"].values()
    assert (category["name"], category["reference"]) == ("Rillet Products", "rillet_products")
    assert linked(connection, 1, "products")["category_id"] == category["id"]


MOST = 256
NAME_CUT = "The name is longer than the 256 characters that Solvimon takes, and was cut."
DESCRIPTION_CUT = "The description is longer than the 256 characters that Solvimon takes, and was cut."
SEVERAL_SENDERS = "Several MAIN_SENDER addresses: Solvimon takes one, and got the first."
ABSENT = object()


def of_customer(settings: Settings | None = None, **more: Any) -> MappedRecord:
    return to_solvimon_customer(Customer.model_validate(customer(**more)), settings)


def of_product(**more: Any) -> MappedRecord:
    return to_solvimon_product(Product.model_validate(product(**more)), "proc_1")


def of_subsidiary(settings: Settings | None = None, **more: Any) -> MappedRecord:
    return to_solvimon_billing_entity(Subsidiary.model_validate(subsidiary(**more)), settings)


def value_at(mapped: MappedRecord, path: str) -> object:
    """The value at a path of the payload."""
    found: Any = mapped.payload
    for step in path.split("."):
        found = found.get(step, ABSENT)
    return found


def senders(*addresses: str) -> list[Json]:
    return [{"email": address, "type": "MAIN_SENDER"} for address in addresses]


NO_ADDRESSES = ("books", "Ann <ann@x.example>", "a@b", f"{'a' * 250}@x.example", "", "@x.example")


@pytest.mark.parametrize(
    ("emails", "email", "notes"),
    [
        ([], ABSENT, []),
        (None, ABSENT, []),
        ([{"email": "cc@x.example", "type": "CC"}], ABSENT, []),
        (senders("a@x.example", "b@x.example"), "a@x.example", [SEVERAL_SENDERS]),
        (senders("a@x.example", " a@x.example "), "a@x.example", []),
        (senders("none", "b@x.example"), "b@x.example", ["", ""]),
        *((senders(address), ABSENT, ["left out"]) for address in NO_ADDRESSES),
    ],
)
def test_the_email_is_the_first_usable_main_sender(emails: object, email: object, notes: list[str]) -> None:
    mapped = of_customer(emails=emails)

    assert value_at(mapped, "email") == email
    assert len(mapped.notes) == len(notes)
    assert all(part in note for part, note in zip(notes, mapped.notes, strict=True))


def test_a_customer_without_address_has_none() -> None:
    mapped = of_customer(address=None)

    assert mapped.payload["organization"] == {"legal_name": "Customer 1"}


@pytest.mark.parametrize(
    ("field", "given_value", "arrives", "notes"),
    [
        ("state", None, ABSENT, 0),
        ("state", "", ABSENT, 0),
        ("state", "  ", ABSENT, 0),
        ("country", "Netherlands", ABSENT, 1),
        ("country", "nl", "NL", 0),
    ],
)
def test_a_part_of_an_address_that_solvimon_does_not_take_is_left_out(
    field: str, given_value: object, arrives: object, notes: int
) -> None:
    mapped = of_customer(address={**customer()["address"], field: given_value})

    assert value_at(mapped, f"organization.registered_address.{field}") == arrives
    assert value_at(mapped, "organization.registered_address.city") == "Rotterdam"
    assert [field in note for note in mapped.notes] == [True] * notes


@pytest.mark.parametrize(
    ("name", "arrives", "notes"),
    [
        ("Quay\r\n  & Sons\u2028Ltd\x85\t.", "Quay & Sons Ltd .", ()),
        ("x" * MOST, "x" * MOST, ()),
        ("x" * (MOST + 1), "x" * MOST, (NAME_CUT,)),
        ("x" * (MOST - 1) + "🚢 afloat", "x" * (MOST - 1), (NAME_CUT,)),  # no emoji is cut in half
        ("Ōsaka 港湾 🚢👩‍🚀", "Ōsaka 港湾 🚢👩‍🚀", ()),
    ],
)
def test_a_name_is_one_line_of_at_most_256_characters(
    name: str, arrives: str, notes: tuple[str, ...]
) -> None:
    mapped = of_customer(name=name)

    assert (value_at(mapped, "organization.legal_name"), mapped.notes) == (arrives, notes)


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
    assert mapped.notes == (DESCRIPTION_CUT,)


@pytest.mark.parametrize("description", ["", None, " \n "])
def test_a_product_without_description_has_none(description: str | None) -> None:
    assert "description" not in of_product(description=description).payload


@pytest.mark.parametrize(("status", "active"), [("INACTIVE", False), ("ACTIVE", True)])
def test_an_inactive_product_is_not_in_use(status: str, active: bool) -> None:
    assert of_product(status=status).active is active


@pytest.mark.parametrize(
    ("name", "arrives", "notes"),
    [
        *((name, name, 0) for name in ("Europe/Amsterdam", "UTC", "GMT+1", "UTC-3")),
        *((name, ABSENT, 1) for name in ("Atlantis/Central", "../etc/passwd", "🕰")),
        *((name, ABSENT, 0) for name in (None, "")),
        ("Amsterdam time", "Europe/Amsterdam", 0),
    ],
)
def test_a_time_zone_is_one_that_is_known_or_that_the_settings_name(
    name: str | None, arrives: object, notes: int
) -> None:
    settings = Settings(time_zones={"Amsterdam time": "Europe/Amsterdam"})

    mapped = of_subsidiary(settings, timezone=name)

    assert value_at(mapped, "timezone") == arrives
    assert ["time_zones" in note for note in mapped.notes] == [True] * notes


def test_a_time_zone_is_known_without_settings() -> None:
    assert of_subsidiary(timezone="UTC").payload["timezone"] == "UTC"


def test_a_long_trade_name_is_cut_with_a_note() -> None:
    mapped = of_subsidiary(trade_name="Tideway " * 40)

    assert len(str(mapped.payload["legal_name"])) <= MOST
    assert "cut" in mapped.notes[0]


def test_a_subsidiary_that_the_settings_link_carries_nothing_but_the_link() -> None:
    mapped = to_subsidiary_link(Subsidiary.model_validate(subsidiary()))

    assert mapped.payload == {"custom_fields": [{"reference": "rillet_subsidiary_id", "value": rillet_id(1)}]}


def test_the_custom_fields_references_are_settings() -> None:
    mapped = of_customer(Settings.model_validate({"custom_fields": {"customer": "erp_id"}}))

    assert mapped.payload["custom_fields"] == [{"reference": "erp_id", "value": rillet_id(1)}]


@given(st.text(max_size=600))
def test_whatever_the_text_solvimon_takes_what_becomes_of_it(text: str) -> None:
    line = truncate(one_line(text))

    assert re.fullmatch(r"[^\n\r\u0085\u2028\u2029]*", line)
    assert len(line.encode("utf-16-le")) // 2 <= MAX_TEXT_LENGTH
    assert line == line.strip()
    assert truncate(one_line(line)) == line
    line.encode("utf-8")
