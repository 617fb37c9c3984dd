"""Where an item's tax comes from: lines or header (design 4; dossier 5, trap 22)."""

import pytest

from solvimon_rillet.errors import Code
from tests.support.builders import (
    GROUP,
    SCOPES,
    Check,
    Json,
    amount,
    canadian,
    each_case,
    expect,
    group,
    invoice,
    line,
    mapped,
    refusal,
    refuse,
    tax,
    taxed,
)

UNATTRIBUTABLE = Code.TAX_NOT_ATTRIBUTABLE


def by_line(paid: str, *categories: list[Json]) -> Json:
    """An invoice of 100 euros whose only group leaves the taxes to its lines."""
    return invoice(group("100.00", lines=[line(tax_categories=each) for each in categories]), paid=paid)


def beside(*header: Json, paid: str = "21.00") -> Json:
    """100 euros at 21 %, 40 euros that state no tax, and a header with these categories."""
    return invoice(taxed(), group("40.00"), net="140.00", paid=paid, tax_categories=list(header))


GST, PST = {"name": "GST", "percentage": "5"}, {"name": "PST", "percentage": "7"}
BOTH, ONE = (tax(base, paid, None, "CA") for base, paid in (("60.00", "7.20"), ("40.00", "2.00")))
NOTHING, SOMETHING = (tax(base, "0.00", "9", category="REDUCED") for base in ("0.004", "0.006"))
WHOLE = tax("100.00", "21.00")

LINES: dict[str, Check] = {
    "a group without categories of its own has those of its lines": expect(
        by_line("21.00", [tax("75.00", "15.75")], [tax("25.00", "5.25")]), nets=["100.00"], taxes=["21.00"]
    ),
    "different rates split the group": expect(
        by_line("17.40", [tax("60.00", "12.60")], [tax("30.00", "2.70", "9")], [tax("10.00", "2.10")]),
        nets=["70.00", "30.00"],
        taxes=["14.70", "2.70"],
        rates=[(21, "BTW"), (9, "BTW")],
    ),
    "stacked taxes stack in the group": expect(
        by_line("12.00", *[canadian("50.00", "2.50", "3.50")["tax_categories"]] * 2),
        nets=["100.00"],
        rates=[(12, "GST + PST")],
    ),
    "one that does not state its tax makes it the percentage of the group": expect(
        by_line("21.00", [tax("60.00", "12.60")], [tax("40.00", "0") | {"tax_amount": None}]),
        nets=["100.00"],
        taxes=["21.00"],
    ),
    "different stacks under one name stay apart": expect(
        by_line("9.20", [BOTH | {"rates": [GST, PST]}], [ONE | {"rates": [GST]}]),
        nets=["60.00", "40.00"],
        rates=[(12, "GST + PST"), (5, "GST")],
    ),
    "the group's own categories win over its lines": expect(
        invoice(taxed(lines=[line(tax_categories=[tax("100.00", "9.00", "9")])])), taxes=["21.00"]
    ),
}


@each_case(LINES)
def test_the_taxes_of_lines_make_those_of_their_group(check: Check) -> None:
    check()


def test_origins_name_the_lines_or_the_header() -> None:
    lines = [line(tax_categories=[tax("75.00", "15.75")]), line(tax_categories=[tax("25.00", "5.25")])]
    header = invoice(group("30.00"), group("70.00"), paid="21.00", tax_categories=[WHOLE])

    from_lines = mapped(invoice(group("100.00", lines=lines), paid="21.00")).origins
    from_header = mapped(header).origins

    assert from_lines["items[0].tax_rate.percentage"] == f"{GROUP}.lines[].tax_categories.percentage"
    assert from_header["items[1].tax_rate.description"] == "tax_categories[0].name"


HEADER: dict[str, Check] = {
    "groups that state no tax share its only category": expect(
        invoice(group("30.00"), group("-10.00"), group("80.00"), paid="21.00", tax_categories=[WHOLE]),
        nets=["30.00", "-10.00", "80.00"],
        taxes=["6.30", "-2.10", "16.80"],
        rates=[(21, "BTW")] * 3,
    ),
    "groups that state no tax share its stack": expect(
        invoice(
            *(group("40.00"), group("60.00")),
            paid="12.00",
            tax_categories=[tax("100.00", "5.00", "5", "GST"), tax("100.00", "7.00", "7", "PST")],
        ),
        taxes=["4.80", "7.20"],
        rates=[(12, "GST + PST")] * 2,
    ),
    "what other groups have claimed is not left": expect(
        invoice(taxed("60.00", "12.60"), group("40.00"), paid="21.00", tax_categories=[WHOLE]),
        taxes=["12.60", "8.40"],
        rates=[(21, "BTW")] * 2,
    ),
    "a group without tax stays so beside groups that claimed all of it": expect(
        invoice(taxed("60.00", "12.60"), group("40.00"), tax_categories=[tax("60.00", "12.60")]),
        taxes=["12.60", None],
    ),
    "what rounding left is not a tax on another group": expect(
        invoice(
            *(taxed("33.3333", "7"), taxed("66.6663", "14"), group("40.00")),
            net="140.00",
            paid="21.00",
            tax_categories=[WHOLE],
        ),
        nets=["33.33", "66.67", "40.00"],
        taxes=["7.00", "14.00", None],
    ),
    "a claim on one category leaves the others whole": expect(
        beside(WHOLE, tax("40.00", "3.60", "9"), paid="24.60"),
        taxes=["21.00", "3.60"],
        rates=[(21, "BTW"), (9, "BTW")],
    ),
    "a reverse charge of the header is a rate of nothing": expect(
        beside(WHOLE, tax("40.00", "0.00", "0", "Reverse charge")), rates=[(21, "BTW"), (0, "Reverse charge")]
    ),
    **{
        f"less than a cent beside one claim is rounding: {left}": expect(
            beside(tax(left, "21.00")), taxes=["21.00", None]
        )
        for left in ("100.00", "100.009", "99.991")
    },
    "less than half a cent that nobody claims is rounding": expect(
        beside(WHOLE, NOTHING), taxes=["21.00", None]
    ),
    **{
        f"groups without tax need no summary: {summary}": expect(
            invoice(group("100.00")) | {"tax_summary": summary}, taxes=[None]
        )
        for summary in (None, {}, {"tax_amount": None}, {"tax_amount": amount("0.00")})
    },
}

OFF = [tax("90.00", "18.90"), tax("90.00", "8.10", "9")]
HEADER |= {
    "a discount over two rates leaves a group beside it without tax": expect(
        invoice(
            *(taxed(), taxed("100.00", "9.00", "9"), group("50.00"), group("-20.00")),
            paid="27.00",
            tax_categories=OFF,
        ),
        nets=["100.00", "100.00", "50.00", "-10.00", "-10.00"],
        taxes=["21.00", "9.00", None, "-2.10", "-0.90"],
    ),
    "a discount over a group with tax and one without bears tax on its share": expect(
        invoice(taxed(), group("100.00"), group("-20.00"), paid="18.90", tax_categories=OFF[:1]),
        nets=["100.00", "100.00", "-10.00", "-10.00"],
        taxes=["21.00", None, "-2.10", None],
    ),
    "a tax on one of two groups, although the other one takes off more": expect(
        invoice(group("-80.00"), group("50.00"), paid="10.50", tax_categories=[tax("50.00", "10.50")]),
        settings={"negative_invoices": "send"},
        nets=["-80.00", "50.00"],
        taxes=[None, "10.50"],
    ),
}


@each_case(HEADER)
def test_the_taxes_of_the_header_go_to_the_groups_that_state_none(check: Check) -> None:
    check()


REFUSED: dict[str, Check] = {
    "a tax that nobody states by group": refuse(
        invoice(group("100.00"), paid="21.00"), UNATTRIBUTABLE, "21 EUR", "0 EUR", scopes=SCOPES
    ),
    "a small tax on lines that bear none": refuse(
        invoice(*[group("10.00")] * 5, paid="0.02"),
        *(UNATTRIBUTABLE, "0.02 EUR", "periods[0].groups[4]) state 0 EUR"),
        scopes=SCOPES,
    ),
    **{
        f"a cent beside one claim: {base}, {paid}": refuse(beside(tax(base, paid), paid=paid), UNATTRIBUTABLE)
        for base, paid in (("100.01", "21.00"), ("99.99", "21.00"), ("100.00", "21.01"))
    },
    "a tax too high on one group, which the other one would make up for": refuse(
        invoice(
            taxed("100.00", "22.00"), group("50.00"), paid="31.50", tax_categories=[tax("150.00", "31.50")]
        ),
        *(Code.DOES_NOT_TIE_OUT, "leaves 9.5 EUR", "10.5 EUR"),
        scopes=SCOPES,
    ),
    "a discount that could be of one group or in proportion of two": refuse(
        invoice(
            *(taxed(), group("100.00"), group("-20.00"), group("-8.00")),
            paid="18.06",
            tax_categories=[tax("86.00", "18.06")],
        ),
        *(UNATTRIBUTABLE, "in more than one way"),
    ),
    "half a cent that nobody claims": refuse(beside(WHOLE, SOMETHING), UNATTRIBUTABLE),
    "a tax on groups that cancel out": refuse(
        invoice(group("100.00"), group("-100.00"), paid="0.05", tax_categories=[tax("0.00", "0.05")]),
        *(Code.DOES_NOT_TIE_OUT, "0.05 EUR"),
    ),
}


@each_case(REFUSED)
def test_a_tax_that_belongs_to_no_group_is_refused(check: Check) -> None:
    check()


@pytest.mark.parametrize("lacking", ["base_amount", "tax_amount"])
@pytest.mark.parametrize("where", ["header", "group"])
def test_categories_without_amounts_are_refused_where_they_are_needed(where: str, lacking: str) -> None:
    document = beside(tax("140.00", "29.40"), paid="29.40")
    own = document["periods"][0]["groups"][0] if where == "group" else document
    own["tax_categories"][0][lacking] = None

    assert refusal(document).code in {UNATTRIBUTABLE, Code.DOES_NOT_TIE_OUT}
