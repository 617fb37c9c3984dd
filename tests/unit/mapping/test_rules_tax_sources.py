"""Where an item's tax comes from: lines or header (design 4; dossier 5, trap 22)."""

import pytest

from solvimon_rillet.errors import Code
from tests.support.builders import (
    GROUP,
    SCOPES,
    Json,
    amount,
    canadian,
    columns,
    group,
    invoice,
    items,
    line,
    mapped,
    nets,
    rates,
    refusal,
    tax,
    taxed,
    taxes,
)

# From the lines


def test_without_categories_of_its_own_a_group_has_those_of_its_lines() -> None:
    lines = [line(tax_categories=[tax("75.00", "15.75")]), line(tax_categories=[tax("25.00", "5.25")])]

    mapping = mapped(invoice(group("100.00", lines=lines), paid="21.00"))

    found = items(invoice(group("100.00", lines=lines), paid="21.00"))
    assert nets(found) == ["100.00"]
    assert taxes(found) == ["21.00"]
    assert mapping.origins["items[0].tax_rate.percentage"] == f"{GROUP}.lines[].tax_categories.percentage"


def by_line(paid: str, *categories: list[Json]) -> Json:
    """An invoice of 100 euros whose only group leaves the taxes to its lines."""
    return invoice(group("100.00", lines=[line(tax_categories=each) for each in categories]), paid=paid)


GST, PST = {"name": "GST", "percentage": "5"}, {"name": "PST", "percentage": "7"}
BOTH, ONE = (tax(base, paid, None, "CA") for base, paid in (("60.00", "7.20"), ("40.00", "2.00")))
LINES: dict[str, tuple[Json, Json]] = {
    "different rates split the group": (
        by_line("17.40", [tax("60.00", "12.60")], [tax("30.00", "2.70", "9")], [tax("10.00", "2.10")]),
        {"nets": ["70.00", "30.00"], "taxes": ["14.70", "2.70"], "rates": [(21, "BTW"), (9, "BTW")]},
    ),
    "stacked taxes stack in the group": (
        by_line("12.00", *[canadian("50.00", "2.50", "3.50")["tax_categories"]] * 2),
        {"nets": ["100.00"], "rates": [(12, "GST + PST")]},
    ),
    "one that does not state its tax makes it the percentage of the group": (
        by_line("21.00", [tax("60.00", "12.60")], [tax("40.00", "0") | {"tax_amount": None}]),
        {"nets": ["100.00"], "taxes": ["21.00"]},
    ),
    "different stacks under one name stay apart": (
        by_line("9.20", [BOTH | {"rates": [GST, PST]}], [ONE | {"rates": [GST]}]),
        {"nets": ["60.00", "40.00"], "rates": [(12, "GST + PST"), (5, "GST")]},
    ),
}


@pytest.mark.parametrize(("document", "expected"), LINES.values(), ids=LINES)
def test_the_taxes_of_lines_make_those_of_their_group(document: Json, expected: Json) -> None:
    assert columns(items(document), *expected) == expected


def test_the_groups_own_categories_win_over_its_lines() -> None:
    lines = [line(tax_categories=[tax("100.00", "9.00", "9")])]

    assert taxes(items(invoice(taxed(lines=lines)))) == ["21.00"]


# From the header


def test_groups_that_state_no_tax_share_the_headers_only_category() -> None:
    document = invoice(group("30.00"), group("-10.00"), group("80.00"), paid="21.00")
    document |= {"tax_categories": [tax("100.00", "21.00")]}

    mapping, found = mapped(document), items(document)

    assert nets(found) == ["30.00", "-10.00", "80.00"]
    assert taxes(found) == ["6.30", "-2.10", "16.80"]
    assert rates(found) == [(21, "BTW")] * 3
    assert mapping.origins["items[2].tax_rate.description"] == "tax_categories[0].name"


HEADER: dict[str, tuple[Json, Json]] = {
    "groups that state no tax share its stack": (
        invoice(
            group("40.00"),
            group("60.00"),
            paid="12.00",
            tax_categories=[tax("100.00", "5.00", "5", "GST"), tax("100.00", "7.00", "7", "PST")],
        ),
        {"taxes": ["4.80", "7.20"], "rates": [(12, "GST + PST")] * 2},
    ),
    "what other groups have claimed is not left": (
        invoice(
            taxed("60.00", "12.60"), group("40.00"), paid="21.00", tax_categories=[tax("100.00", "21.00")]
        ),
        {"taxes": ["12.60", "8.40"], "rates": [(21, "BTW")] * 2},
    ),
    "a group without tax stays so beside groups that claimed all of it": (
        invoice(taxed("60.00", "12.60"), group("40.00"), tax_categories=[tax("60.00", "12.60")]),
        {"taxes": ["12.60", None]},
    ),
    "what rounding left is not a tax on another group": (
        invoice(
            taxed("33.3333", "7"),
            taxed("66.6663", "14"),
            group("40.00"),
            net="140.00",
            paid="21.00",
            tax_categories=[tax("100.00", "21.00")],
        ),
        {"nets": ["33.33", "66.67", "40.00"], "taxes": ["7.00", "14.00", None]},
    ),
}


@pytest.mark.parametrize(("document", "expected"), HEADER.values(), ids=HEADER)
def test_the_taxes_of_the_header_go_to_the_groups_that_state_none(document: Json, expected: Json) -> None:
    assert columns(items(document), *expected) == expected


@pytest.mark.parametrize(
    ("left", "bases"),
    [
        pytest.param([tax("60.00", "12.60"), tax("40.00", "3.60", "9")], "60, 40 EUR", id="two rates"),
        pytest.param([tax("60.00", "16.20")], "60 EUR", id="a part of them"),
        pytest.param(
            [tax("100.00", "12.60"), tax("40.00", "3.60", "9")], "100, 40 EUR", id="a stack on part"
        ),
    ],
)
def test_taxes_of_the_header_that_fit_no_group_are_rejected(left: list[Json], bases: str) -> None:
    document = invoice(group("60.00"), group("40.00"), paid="16.20") | {"tax_categories": left}

    error = refusal(document)

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert "periods[0].groups[0], periods[0].groups[1] sum to 100 EUR" in error.message
    assert f"bases of {bases} for them" in error.message
    assert "book it by hand" in error.remedy


@pytest.mark.parametrize("scope", SCOPES)
def test_a_tax_that_nobody_states_by_group_is_rejected(scope: str) -> None:
    error = refusal(invoice(group("100.00"), paid="21.00"), invoice_scope=scope)

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert "21 EUR" in error.message
    assert "0 EUR" in error.message


@pytest.mark.parametrize("scope", SCOPES)
def test_a_small_tax_is_not_put_on_lines_that_bear_none(scope: str) -> None:
    groups = [group("10.00") for _ in range(5)]

    error = refusal(invoice(*groups, paid="0.02"), invoice_scope=scope)

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert "0.02 EUR" in error.message
    assert "periods[0].groups[4]) state 0 EUR" in error.message


# What the header leaves for groups that state no tax, to the cent


def beside(*header: Json, paid: str = "21.00") -> Json:
    """100 euros at 21 %, 40 euros that state no tax, and a header with these categories."""
    document = invoice(taxed(), group("40.00"), net="140.00", paid=paid)
    return document | {"tax_categories": list(header)}


def test_a_claim_on_one_category_leaves_the_others_whole() -> None:
    found = items(beside(tax("100.00", "21.00"), tax("40.00", "3.60", "9"), paid="24.60"))

    assert taxes(found) == ["21.00", "3.60"]
    assert rates(found) == [(21, "BTW"), (9, "BTW")]


def test_a_reverse_charge_of_the_header_is_a_rate_of_nothing() -> None:
    found = items(beside(tax("100.00", "21.00"), tax("40.00", "0.00", "0", "Reverse charge")))

    assert rates(found) == [(21, "BTW"), (0, "Reverse charge")]


@pytest.mark.parametrize("left", ["100.00", "100.009", "99.991"])
def test_less_than_a_cent_beside_one_claim_is_rounding(left: str) -> None:
    assert taxes(items(beside(tax(left, "21.00")))) == ["21.00", None]


@pytest.mark.parametrize("header", [tax("100.01", "21.00"), tax("99.99", "21.00"), tax("100.00", "21.01")])
def test_a_cent_beside_one_claim_is_not_rounding(header: Json) -> None:
    assert refusal(beside(header, paid=header["tax_amount"]["quantity"])).code is Code.TAX_NOT_ATTRIBUTABLE


def test_half_a_cent_that_nobody_claims_is_not_rounding() -> None:
    nothing, something = (tax(base, "0.00", "9", category="REDUCED") for base in ("0.004", "0.006"))

    assert taxes(items(beside(tax("100.00", "21.00"), nothing))) == ["21.00", None]
    assert refusal(beside(tax("100.00", "21.00"), something)).code is Code.TAX_NOT_ATTRIBUTABLE


@pytest.mark.parametrize("lacking", ["base_amount", "tax_amount"])
@pytest.mark.parametrize("where", ["header", "group"])
def test_categories_without_amounts_are_refused_where_they_are_needed(where: str, lacking: str) -> None:
    document = beside(tax("140.00", "29.40"), paid="29.40")
    own = document["periods"][0]["groups"][0] if where == "group" else document
    own["tax_categories"][0][lacking] = None

    assert refusal(document).code in {Code.TAX_NOT_ATTRIBUTABLE, Code.DOES_NOT_TIE_OUT}


@pytest.mark.parametrize("summary", [None, {}, {"tax_amount": None}, {"tax_amount": amount("0.00")}])
def test_groups_without_tax_need_no_summary(summary: Json | None) -> None:
    assert taxes(items(invoice(group("100.00")) | {"tax_summary": summary})) == [None]


def test_a_tax_on_groups_that_cancel_out_is_rejected() -> None:
    document = invoice(group("100.00"), group("-100.00"), paid="0.05")

    error = refusal(document | {"tax_categories": [tax("0.00", "0.05")]})

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert "0.05 EUR" in error.message
