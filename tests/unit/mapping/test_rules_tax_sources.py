"""Where an item's tax comes from: lines or header (design 4; dossier 5, trap 22)."""

from decimal import Decimal

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


def net_line(net: str, *categories: Json) -> Json:
    """A line with its own net amount and taxes."""
    return line(amount_excluding_tax=amount(net), tax_categories=list(categories))


GST_PST = [tax("40.00", "2.00", "5", "GST"), tax("40.00", "2.80", "7", "PST")]
BY_LINE: dict[str, tuple[Json, Json]] = {
    "a taxed line beside an untaxed one": (
        invoice(
            group("100.00", lines=[net_line("60.00", tax("60.00", "12.60")), net_line("40.00")]), paid="12.60"
        ),
        {"nets": ["60.00", "40.00"], "taxes": ["12.60", None]},
    ),
    "taxes rounded on each line, once in the header": (
        invoice(
            group("30.09", lines=[net_line("10.03", tax("10.03", "2.11"))] * 3),
            paid="6.32",
            tax_categories=[tax("30.09", "6.32")],
        ),
        {"nets": ["30.09"], "taxes": ["6.32"]},
    ),
    "line nets that sum to a cent beside the group": (
        invoice(
            group("10.00", lines=[net_line("3.33", tax("3.33", "0.70"))] * 3),
            paid="2.10",
        ),
        {"nets": ["10.00"], "taxes": ["2.10"]},
    ),
    "two taxes on one line and one on another": (
        invoice(
            group(
                "100.00",
                lines=[net_line("40.00", *GST_PST), net_line("60.00", tax("60.00", "3.00", "5", "GST"))],
            ),
            paid="7.80",
        ),
        {"nets": ["40.00", "60.00"], "taxes": ["4.80", "3.00"], "rates": [(12, "GST + PST"), (5, "GST")]},
    ),
    "the lines say what the bases of the group leave open": (
        invoice(
            group(
                "150.00",
                tax("100.00", "5.00", "5", "GST"),
                tax("40.00", "2.80", "7", "PST"),
                lines=[
                    net_line("40.00", *GST_PST),
                    net_line("60.00", tax("60.00", "3.00", "5", "GST")),
                    net_line("50.00"),
                ],
            ),
        ),
        {"nets": ["40.00", "60.00", "50.00"], "taxes": ["4.80", "3.00", None]},
    ),
    "a line of which a part is taxed": (
        invoice(
            group(
                "110.00", lines=[net_line("100.00", tax("80.00", "6.60", "8.25", "TX")), net_line("10.00")]
            ),
            paid="6.60",
        ),
        {"nets": ["80.00", "30.00"], "taxes": ["6.60", None]},
    ),
}


@pytest.mark.parametrize(("document", "expected"), BY_LINE.values(), ids=BY_LINE)
def test_lines_with_amounts_say_which_part_bears_which_tax(document: Json, expected: Json) -> None:
    assert columns(items(document), *expected) == expected


def test_the_explanation_names_the_lines_of_an_item() -> None:
    document = BY_LINE["two taxes on one line and one on another"][0]

    assert mapped(document).explanation == (
        f"{GROUP}: 40 with 12 % GST + PST. Line 1 states this tax.",
        f"{GROUP}: 60 with 5 % GST. Line 2 states this tax.",
    )


def test_a_lost_line_is_not_explained_by_the_rounding_of_the_others() -> None:
    lines = [net_line("1.00", tax("1.00", "0.21"))] * 9 + [net_line("0.03", tax("0.03", "0.01"))]

    error = refusal(invoice(group("9.03", lines=lines), group("0.03"), net="9.03", paid="1.90"))

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert "9.06 EUR" in error.message
    assert "9.03 EUR" in error.message


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


def discounted(*discounts: str, off: str) -> Json:
    """Two groups of 100 at 21 and at 9 %, and discounts of which each rate bears one half."""
    base = 100 + Decimal(off) / 2
    document = invoice(taxed(), taxed("100.00", "9.00", "9"), *map(group, discounts))
    left = [tax(f"{base}", f"{base * rate / 100:.2f}", f"{rate}") for rate in (21, 9)]
    document["tax_categories"] = left
    paid = sum((Decimal(each["tax_amount"]["quantity"]) for each in left), Decimal())
    document["tax_summary"]["tax_amount"] = amount(paid)
    gross = Decimal(document["tax_summary"]["base_amount"]["quantity"]) + paid
    document["invoice_amount_including_tax"] = document["tax_summary"]["total_amount"] = amount(gross)
    return document


@pytest.mark.parametrize(
    ("discounts", "nets_", "taxes_"),
    [
        (("-20.00",), ["-10.00", "-10.00"], ["-2.10", "-0.90"]),
        (("20.00",), ["10.00", "10.00"], ["2.10", "0.90"]),
        (("-20.00", "-8.00"), ["-10.00", "-10.00", "-4.00", "-4.00"], ["-2.10", "-0.90", "-0.84", "-0.36"]),
    ],
)
def test_a_document_discount_is_split_over_the_rates_of_the_groups(
    discounts: tuple[str, ...], nets_: list[str], taxes_: list[str]
) -> None:
    document = discounted(*discounts, off=f"{sum(map(Decimal, discounts))}")

    found = items(document)[2:]

    assert (nets(found), taxes(found)) == (nets_, taxes_)


def test_the_categories_of_a_period_go_to_its_own_groups() -> None:
    document = invoice(group("50.00"), group("30.00"), paid="14.10")
    first, second = ({"groups": [each]} for each in document["periods"][0]["groups"])
    second["tax_categories"] = [tax("20.00", "4.20"), tax("10.00", "0.90", "9")]
    document["periods"] = [first | {"tax_categories": [tax("50.00", "9.00", "18", "IGST")]}, second]

    found = items(document)

    assert nets(found) == ["50.00", "20.00", "10.00"]
    assert rates(found) == [(18, "IGST"), (21, "BTW"), (9, "BTW")]


def test_the_header_splits_one_group_that_states_no_tax() -> None:
    document = invoice(group("100.00"), paid="16.50")
    document["tax_categories"] = [tax("60.00", "12.90", "21.5"), tax("40.00", "3.60", "9")]

    assert nets(items(document)) == ["60.00", "40.00"]


LEFT: dict[str, tuple[list[Json], Json]] = {
    "two rates": (
        [tax("60.00", "12.60"), tax("40.00", "3.60", "9")],
        {"nets": ["60.00", "40.00"], "taxes": ["12.60", "3.60"], "rates": [(21, "BTW"), (9, "BTW")]},
    ),
    "a tax on one of them": (
        [tax("60.00", "16.20", "27")],
        {"nets": ["60.00", "40.00"], "taxes": ["16.20", None]},
    ),
    "a second tax on one of them": (
        [tax("100.00", "12.60", "12.6", "GST"), tax("40.00", "3.60", "9", "PST")],
        {"nets": ["60.00", "40.00"], "taxes": ["7.56", "8.64"]},
    ),
}


@pytest.mark.parametrize(("left", "expected"), LEFT.values(), ids=LEFT)
def test_taxes_of_the_header_go_to_the_groups_whose_amounts_are_their_bases(
    left: list[Json], expected: Json
) -> None:
    document = invoice(group("60.00"), group("40.00"), paid="16.20") | {"tax_categories": left}

    assert columns(items(document), *expected) == expected


@pytest.mark.parametrize(
    ("nets", "left", "bases"),
    [
        pytest.param(("60.00", "40.00"), [tax("30.00", "16.20")], "30 EUR", id="the sum of none"),
        pytest.param(
            ("50.00", "50.00"),
            [tax("50.00", "10.50"), tax("50.00", "5.70", "11.4")],
            "50, 50 EUR for them, which fit them in more than one way",
            id="two groups that may be either",
        ),
        pytest.param(("60.00", "40.00"), [tax("160.00", "16.20")], "160 EUR", id="more than their sum"),
    ],
)
def test_taxes_of_the_header_that_fit_no_group_are_rejected(
    nets: tuple[str, str], left: list[Json], bases: str
) -> None:
    document = invoice(*map(group, nets), paid="16.20") | {"tax_categories": left}

    error = refusal(document)

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert "periods[0].groups[0], periods[0].groups[1] sum to 100 EUR" in error.message
    assert f"bases of {bases}" in error.message
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
