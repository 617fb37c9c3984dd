"""A group that bills several products: split by its lines' product items, else refused (design 4)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvimon_rillet.errors import Code
from solvimon_rillet.mapping.links import Links
from tests.support.builders import (
    API_CALLS,
    CUSTOMER,
    FALLBACK,
    GROUP,
    PLATFORM_FEE,
    SUBSIDIARY,
    Json,
    amount,
    group,
    invoice,
    items,
    line,
    mapped,
    nets,
    product,
    rates,
    refusal,
    tax,
    taxed,
    taxes,
)

FEE, CALLS, NEW = product(), product("prod_calls", "API calls"), product("prod_new", "New product")
DAYS: Json = {"start_at": "2026-01-01T00:00:00+01:00", "end_at": "2026-02-01T00:00:00+01:00"}


def of(net: str, *products: str, **more: object) -> Json:
    """A line that says which products it bills."""
    named = [{"product_id": one, "name": f"Item of {one}"} for one in products]
    return line(amount_excluding_tax=amount(net), product_items=named, **more)


def vat(net: str, paid: str, *products: str, percentage: str = "21") -> Json:
    """A line that also states its tax."""
    return of(net, *products, tax_categories=[tax(net, paid, percentage)])


def bundle(net: str, *lines: Json, under: tuple[Json, ...] = (), **more: object) -> Json:
    """A group of two products."""
    return group(net, *under, products=more.pop("products", [FEE, CALLS]), lines=list(lines), **more)  # type: ignore[arg-type]


def booked(found: list[Json]) -> list[tuple[str, str]]:
    """Product and net of each item."""
    return [(item["price"]["product_id"], net) for item, net in zip(found, nets(found), strict=True)]


def test_a_bundle_of_two_products_is_booked_on_both() -> None:
    lines = (vat("1000.00", "210.00", "prod_fee"), vat("5000.00", "1050.00", "prod_calls"))
    whole = tax("6000.00", "1260.00")

    found = items(invoice(bundle("6000.00", *lines, under=(whole,), **DAYS)))

    assert booked(found) == [(PLATFORM_FEE, "1000.00"), (API_CALLS, "5000.00")]
    assert taxes(found) == ["210.00", "1050.00"]
    assert [item["description"] for item in found] == ["Platform fee", "API calls"]
    assert {item["revenue"]["period"]["end"] for item in found} == {"2026-01-31"}


FEE_10, CALLS_20 = of("10.00", "prod_fee"), of("20.00", "prod_calls")
BOOKED: dict[str, tuple[Json, list[tuple[str, str]]]] = {
    "the lines of one product are one item wherever they stand": (
        bundle("27.00", FEE_10, CALLS_20, of("-3.00", "prod_fee", type="DISCOUNT")),
        [(PLATFORM_FEE, "7.00"), (API_CALLS, "20.00")],
    ),
    "the cent between lines and group is in the largest part": (
        bundle("30.01", of("10.004", "prod_fee"), of("20.004", "prod_calls")),
        [(PLATFORM_FEE, "10.00"), (API_CALLS, "20.01")],
    ),
    "a product that bills nothing needs no Rillet product": (
        bundle("10.00", FEE_10, products=[FEE, NEW]),
        [(PLATFORM_FEE, "10.00")],
    ),
    "a line whose items name no product does not split a group of one": (
        group("10.00", lines=[line(product_items=[{"id": "proi_1", "name": "Plan"}])]),
        [(PLATFORM_FEE, "10.00")],
    ),
    "a group of the older layout is split by the amounts in its lines' details": (
        bundle(
            "30.00",
            line(product_items=[{"product_id": "prod_fee"}], details={"amount": amount("10")}),
            line(product_items=[{"product_id": "prod_calls"}], details={"amount": amount("20")}),
        ),
        [(PLATFORM_FEE, "10.00"), (API_CALLS, "20.00")],
    ),
}


@pytest.mark.parametrize(("billed", "expected"), BOOKED.values(), ids=BOOKED)
def test_a_group_is_booked_on_the_products_that_its_lines_bill(
    billed: Json, expected: list[tuple[str, str]]
) -> None:
    assert booked(items(invoice(billed))) == expected


def test_each_product_bears_the_tax_of_its_own_lines() -> None:
    lines = (vat("100.00", "21.00", "prod_fee"), vat("50.00", "4.50", "prod_calls", percentage="9"))

    found = items(invoice(bundle("150.00", *lines), paid="25.50"))

    assert taxes(found) == ["21.00", "4.50"]
    assert rates(found) == [(21, "BTW"), (9, "BTW")]


@pytest.mark.parametrize(
    ("under", "paid"),
    [
        pytest.param((tax("30.00", "6.30"),), ["2.10", "4.20"], id="on the whole group: in proportion"),
        pytest.param(
            (tax("10.00", "2.10"), tax("20.00", "1.80", "9")),
            ["2.10", "1.80"],
            id="on the amount of one product: to it",
        ),
    ],
)
def test_a_tax_of_the_group_goes_to_the_products_that_its_base_names(
    under: tuple[Json, ...], paid: list[str]
) -> None:
    found = items(invoice(bundle("30.00", FEE_10, CALLS_20, under=under)))

    assert taxes(found) == paid


@pytest.mark.parametrize(
    ("base", "paid"),
    [pytest.param("10.00", "2.10", id="either product"), pytest.param("16.00", "3.36", id="a part of both")],
)
def test_a_tax_that_no_figure_gives_to_a_product_is_refused(base: str, paid: str) -> None:
    lines = (of("10.00", "prod_fee"), of("10.00", "prod_calls"))

    error = refusal(invoice(bundle("20.00", *lines, under=(tax(base, paid),))))

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert f"is on {base[:2]} EUR" in error.message
    assert "10, 10 EUR" in error.message


def test_lines_that_do_not_sum_to_their_group_are_refused_with_both_amounts() -> None:
    error = refusal(invoice(bundle("40.00", FEE_10, CALLS_20)))

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert f"The group {GROUP} is 40 EUR" in error.message
    assert "sum to 30 EUR" in error.message


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="no lines"),
        pytest.param([of("30.00")], id="a line without product items"),
        pytest.param([of("10.00", "prod_fee"), of("20.00")], id="one that says, one that does not"),
        pytest.param([of("30.00", "prod_fee", "prod_calls")], id="a line of both"),
        pytest.param(
            [line(product_items=[{"id": "proi_1"}], amount_excluding_tax=amount("30"))], id="no product id"
        ),
        pytest.param([line(product_items=[{"product_id": "prod_fee"}])], id="a line without amount"),
    ],
)
def test_a_group_whose_lines_do_not_say_which_product_is_refused(lines: list[Json]) -> None:
    error = refusal(invoice(bundle("30.00", *lines)))

    assert error.code is Code.PRODUCT_NOT_ATTRIBUTABLE
    assert GROUP in error.message
    assert "Link all of these products to the same Rillet product" in error.remedy


def test_one_of_several_products_without_a_rillet_product_is_refused_by_its_name() -> None:
    lines = (of("10.00", "prod_fee"), of("20.00", "prod_new"))

    error = refusal(invoice(bundle("30.00", *lines, products=[FEE, NEW])))

    assert error.code is Code.PRODUCT_NOT_LINKED
    assert "New product (prod_new)" in error.message
    assert "Platform fee" not in error.message


def test_products_with_the_same_rillet_product_stay_one_item() -> None:
    links = Links(CUSTOMER, SUBSIDIARY, products={"prod_fee": PLATFORM_FEE, "prod_calls": PLATFORM_FEE})

    found = items(invoice(bundle("30.00")), links)

    assert booked(found) == [(PLATFORM_FEE, "30.00")]
    assert found[0]["description"] == "Platform fee, API calls"


def test_a_product_that_only_a_line_names_is_booked_on_its_own() -> None:
    found = items(invoice(bundle("30.00", FEE_10, CALLS_20, products=[FEE])))

    assert booked(found) == [(PLATFORM_FEE, "10.00"), (API_CALLS, "20.00")]
    assert found[1]["description"] == "Item of prod_calls"


def test_a_discount_of_a_bundle_that_names_no_product_takes_the_fallback_of_its_kind() -> None:
    lines = (FEE_10, CALLS_20, of("-3.00", type="DISCOUNT"))

    found = items(invoice(bundle("27.00", *lines)), fallback_products={"discount": FALLBACK})

    assert booked(found) == [(PLATFORM_FEE, "10.00"), (API_CALLS, "20.00"), (FALLBACK, "-3.00")]


def test_a_line_in_another_currency_is_refused() -> None:
    dollars = CALLS_20 | {"amount_excluding_tax": amount("20.00", "USD")}

    assert refusal(invoice(bundle("30.00", FEE_10, dollars))).code is Code.CURRENCY_MIXED


def test_a_dry_run_says_which_lines_an_item_comes_from() -> None:
    lines = (FEE_10, CALLS_20, of("5.00", "prod_calls"))

    origins = mapped(invoice(bundle("35.00", *lines, **DAYS))).origins

    assert origins["items[0].price.amount_per_unit"] == f"{GROUP}.lines[0].amount_excluding_tax"
    assert origins["items[1].price.amount_per_unit"] == f"{GROUP}.lines[1,2].amount_excluding_tax"
    assert origins["items[1].price.product_id"] == f"{GROUP}.lines[1,2].product_items (Rillet Product ID)"
    assert origins["items[1].revenue.period.start"] == f"{GROUP}.start_at"


def test_the_explanation_of_a_product_numbers_the_lines_of_the_whole_group() -> None:
    lines = (
        vat("100.00", "21.00", "prod_fee"),
        vat("50.00", "4.50", "prod_calls", percentage="9"),
        vat("10.00", "0.90", "prod_calls", percentage="9"),
    )

    explained = mapped(invoice(bundle("160.00", *lines), paid="26.40")).explanation

    assert explained == (
        f"{GROUP}.lines[0]: 100 with 21 % BTW. Line 1 states this tax.",
        f"{GROUP}.lines[1,2]: 60 with 9 % BTW. Lines 2, 3 state this tax.",
    )


CENTS = st.integers(-100_000, 100_000).filter(bool).map(lambda cents: Decimal(cents).scaleb(-2))


@given(lines=st.lists(st.tuples(st.sampled_from(["prod_fee", "prod_calls"]), CENTS), min_size=2, max_size=8))
def test_each_product_is_booked_with_exactly_what_its_lines_sum_to(lines: list[tuple[str, Decimal]]) -> None:
    net = sum((one for _, one in lines), Decimal())
    document = invoice(taxed(), bundle(f"{net}", *(of(f"{one}", name) for name, one in lines)))

    found = booked(items(document, negative_invoices="send"))[1:]

    expected = dict.fromkeys(
        [PLATFORM_FEE if name == "prod_fee" else API_CALLS for name, _ in lines], Decimal()
    )
    for name, one in lines:
        expected[PLATFORM_FEE if name == "prod_fee" else API_CALLS] += one
    assert {key: Decimal(one) for key, one in found} == expected
