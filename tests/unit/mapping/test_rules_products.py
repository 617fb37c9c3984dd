"""Products and descriptions of items (design 4; dossier, traps 18 and 19)."""

import pytest

from solvimon_rillet.errors import Code
from solvimon_rillet.mapping.links import Links
from tests.support.builders import (
    API_CALLS,
    CUSTOMER,
    FALLBACK,
    GROUP,
    PLATFORM_FEE,
    SUBSIDIARY,
    Check,
    Json,
    amount,
    each_case,
    group,
    invoice,
    items,
    line,
    mapped,
    nets,
    product,
    refuse,
    taxed,
)

BY_KIND = {kind: FALLBACK.replace("fa", mark, 1) for kind, mark in (("discount", "d1"), ("commitment", "c1"))}
BY_KIND |= {"one_off": FALLBACK.replace("fa", "0f", 1), "default": FALLBACK}


def booked_under(bare: Json, **products: str | None) -> str:
    """The Rillet product of a group without product of its own."""
    found = items(invoice(group("100.00"), bare), fallback_products=products)
    return str(found[-1]["price"]["product_id"])


def bare(net: str = "5.00", **more: object) -> Json:
    """A group without product."""
    return group(net, products=[], **more)  # type: ignore[arg-type]


# Products


def test_a_group_has_the_product_that_is_linked_with_its_own() -> None:
    found = items(invoice(group("1.00"), group("2.00", products=[product("prod_calls", "API calls")])))

    assert [item["price"]["product_id"] for item in found] == [PLATFORM_FEE, API_CALLS]


@pytest.mark.parametrize(
    ("without_product", "kind"),
    [
        pytest.param(bare("-5.00"), "discount", id="negative"),
        pytest.param(bare("-5.00") | {"products": None}, "discount", id="null products"),
        pytest.param(bare(type="DISCOUNT"), "discount", id="group type discount"),
        pytest.param(
            bare(lines=[line(type="DISCOUNT"), line(type="DISCOUNT")]), "discount", id="discount lines"
        ),
        pytest.param(bare(type="COMMITMENT"), "commitment", id="group type commitment"),
        pytest.param(bare("-5.00", lines=[line(type="COMMITMENT")]), "commitment", id="negative commitment"),
        pytest.param(bare(type="PRICING", lines=[line(type="ONE_OFF")]), "one_off", id="one-off line"),
        pytest.param(bare(), "default", id="nothing said"),
        pytest.param(bare(type="SOMETHING_NEW"), "default", id="unknown type"),
        pytest.param(bare(lines=[line(type="ONE_OFF"), line(type="REVENUE")]), "default", id="mixed lines"),
        pytest.param(bare(lines=[line(type=None)]), "default", id="untyped line"),
    ],
)
def test_a_group_without_product_has_the_fallback_of_its_kind(without_product: Json, kind: str) -> None:
    assert booked_under(without_product, **BY_KIND) == BY_KIND[kind]


@pytest.mark.parametrize("kind", ["DISCOUNT", "COMMITMENT", "ONE_OFF", "PRICING"])
def test_a_kind_without_fallback_of_its_own_has_the_default_one(kind: str) -> None:
    assert booked_under(bare(type=kind), default=FALLBACK) == FALLBACK


def test_a_group_of_nothing_without_product_is_left_out_with_a_warning() -> None:
    document = invoice(taxed(), bare("0.00"), group("0.00", products=[product("prod_new")]))

    mapping = mapped(document)

    assert nets(items(document)) == ["100.00"]
    assert mapping.warnings == (
        "The group periods[0].groups[1] is zero and has no Rillet product; it was left out.",
        "The group periods[0].groups[2] is zero and has no Rillet product; it was left out.",
    )


def test_a_group_of_nothing_with_a_product_is_an_item() -> None:
    document = invoice(taxed(), group("0.00"), bare("0.00"))

    mapping = mapped(document, fallback_products={"default": FALLBACK})

    assert nets(items(document, fallback_products={"default": FALLBACK})) == ["100.00", "0.00", "0.00"]
    assert mapping.warnings == ()


def test_a_group_of_nothing_is_no_discount() -> None:
    document = invoice(taxed(), bare("0.00"), bare("-0.00"))

    assert nets(items(document, fallback_products={"discount": FALLBACK, "default": None})) == ["100.00"]


NEW_PRODUCT = product("prod_new", "New product")
REFUSED: dict[str, Check] = {
    "a product that is not linked, by its name": refuse(
        invoice(group("1.00", products=[NEW_PRODUCT])),
        *(Code.PRODUCT_NOT_LINKED, GROUP, "New product (prod_new)"),
        remedy="rillet_product_id",
    ),
    "a product that is not linked is not booked under a fallback": refuse(
        invoice(group("1.00", products=[NEW_PRODUCT])),
        Code.PRODUCT_NOT_LINKED,
        remedy="erp_product",
        fallback_products=BY_KIND,
        custom_fields={"product": "erp_product"},
    ),
    **{
        f"without any fallback the remedy names the setting {kind}": refuse(
            invoice(group("100.00"), without_product | {"description": "Welcome back"}),
            *(Code.FALLBACK_PRODUCT_MISSING, "periods[0].groups[1]"),
            ends="no fallback is set: Welcome back.",
            remedy=f"Set fallback_products.{kind} (or fallback_products.default)",
        )
        for kind, without_product in {
            "discount": bare("-5.00"),
            "commitment": bare(type="COMMITMENT"),
            "one_off": bare(type="ONE_OFF"),
            "default": bare(type="PRICING"),
        }.items()
    },
    "a group of nothing that bears a tax is not left out": refuse(
        invoice(taxed(), taxed("0.00", "0.50", "21", products=[])), Code.FALLBACK_PRODUCT_MISSING
    ),
    "a total without groups": refuse(
        invoice(net="100.00", paid="21.00"),
        *(Code.DOES_NOT_TIE_OUT, "The groups (none) have a net of 0 EUR", "100 EUR"),
    ),
}


@each_case(REFUSED)
def test_what_has_no_product_or_nothing_to_book_is_refused(check: Check) -> None:
    check()


def test_negative_groups_stay_negative_items() -> None:
    document = invoice(taxed(), taxed("-10.00", "-2.10", products=[]))

    found = items(document, fallback_products=BY_KIND)

    assert nets(found) == ["100.00", "-10.00"]
    assert found[1]["tax_rate"]["tax_amount"]["amount"] == "-2.10"
    assert found[1]["price"]["quantity"] == 1


# Descriptions


SAME = Links(CUSTOMER, SUBSIDIARY, products=dict.fromkeys(("prod_fee", "prod_calls", "prod_x"), API_CALLS))


def described(*, net: str = "10.00", **fields: object) -> str:
    """The description of a group's item."""
    settings = {"default": FALLBACK, "discount": FALLBACK}
    (item,) = items(invoice(group(net, **fields)), SAME, fallback_products=settings)  # type: ignore[arg-type]
    return str(item["description"])


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"description": "Welcome discount", "type": "DISCOUNT"}, "Welcome discount"),
        (
            {"lines": [line(description="Seats"), line(description="Support"), line(description="Seats")]},
            "Seats, Support",
        ),
        ({"lines": [line(product_items=[{"name": None}, {"name": "Installation"}])]}, "Installation"),
        ({"product_category": {"name": "Services"}, "type": "PRICING"}, "Services"),
        ({"product_category": {"name": None}, "type": "ONE_OFF"}, "One off"),
        ({}, "Amount"),
    ],
)
def test_a_group_without_product_is_described_by_the_next_best_text(fields: Json, text: str) -> None:
    assert described(products=[], **fields) == text


@pytest.mark.parametrize(
    ("products", "text"),
    [
        pytest.param(
            [product(), product("prod_calls", "API calls"), product(), {"id": "prod_x", "name": None}],
            "Platform fee, API calls",
            id="all named once",
        ),
        pytest.param([product(name=" \n ")], "Fee of January", id="a blank name is none"),
        pytest.param([product(name="Platform\nfee,\t monthly ")], "Platform fee, monthly", id="one line"),
    ],
)
def test_a_group_is_described_by_the_names_of_its_products(products: list[Json], text: str) -> None:
    assert described(products=products, description="Fee of January") == text


def metered(**value: object) -> Json:
    """A line with a meter's value."""
    return {"meter_value": value}


USAGES: dict[str, list[Json]] = {
    "12,500 api_calls": [metered(reference="api_calls", number="12500")],
    "3 seats": [metered(reference="seats", count="3")],
    "1.5 gb": [{"details": metered(reference="gb", number="1.50")}],
    "7 gb": [metered(reference="gb") | {"details": metered(number="7")}],
    "1,000.5 USD volume": [metered(reference="volume", amount=amount("1000.50", "USD"))],
    "2": [metered(number="2")],
    "200 gb": [metered(reference="gb", number=number) for number in ("120", "80")],  # tiers
    "2,000 calls": [metered(reference="calls", number="1000")] * 2,  # tiers of equal volume
    "150 kg": [
        metered(reference="kg", number="150") | {"product_items": [{"id": i}]} for i in "ab"
    ],  # priced twice
    "350 km": [
        metered(reference="km", number=number) | {"product_items": [{"id": i}]}
        for i, number in (("a", "100"), ("a", "100"), ("b", "150"))
    ],
    "2 gb; 2 seats": [metered(reference=unit, number="2") for unit in ("gb", "seats")],
}


@pytest.mark.parametrize(("usage", "lines"), USAGES.items(), ids=USAGES)
def test_the_usage_behind_an_amount_is_in_its_description(usage: str, lines: list[Json]) -> None:
    assert described(lines=lines) == f"Platform fee ({usage})"


@pytest.mark.parametrize("meter", [None, {}, {"reference": "gb"}, {"reference": "gb", "number": None}])
def test_a_meter_without_a_value_adds_nothing(meter: Json | None) -> None:
    assert described(lines=[{"meter_value": meter, "details": None}]) == "Platform fee"
