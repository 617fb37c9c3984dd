"""Taxes that are not one base on the whole group: which part of it bears which (design 4)."""

from decimal import Decimal

import pytest

from solvimon_rillet.errors import Code
from tests.support.builders import (
    GROUP,
    Json,
    amount,
    expect,
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

HST, LEVY = tax("100.00", "19.00", "19", "VAT"), tax("119.00", "1.19", "1", "Cash payment levy")
PARTS: dict[str, tuple[Json, Json]] = {
    "of 80 % that is taxed, 20 % is an item without tax": (
        group("1000.00", tax("800.00", "66.00", "8.25", "TX")),
        {"nets": ["800.00", "200.00"], "taxes": ["66.00", None]},
    ),
    "a capped local tax lies on a part": (
        group("12000.00", tax("12000.00", "840.00", "7", "State"), tax("5000.00", "137.50", "2.75", "Local")),
        {
            "nets": ["7000.00", "5000.00"],
            "taxes": ["490.00", "487.50"],
            "rates": [(7, "State"), (Decimal("9.75"), "State + Local")],
        },
    ),
    "GST is on all, and two rates of PST are on parts": (
        group(
            "100.00",
            tax("100.00", "5.00", "5", "GST"),
            tax("60.00", "4.20", "7", "PST"),
            tax("40.00", "4.00", "10", "PST"),
        ),
        {"nets": ["60.00", "40.00"], "taxes": ["7.20", "6.00"]},
    ),
    "two rates of one tax lie beside each other and leave the rest": (
        group("150.00", tax("100.00", "21.00"), tax("40.00", "3.60", "9")),
        {"nets": ["100.00", "40.00", "10.00"], "taxes": ["21.00", "3.60", None]},
    ),
    "a negative group is split alike": (
        group("-1000.00", tax("-800.00", "-66.00", "8.25", "TX")),
        {"nets": ["-800.00", "-200.00"], "taxes": ["-66.00", None]},
    ),
    "a tax on tax is on the same amount, at its effective rate": (
        group("100.00", HST, LEVY),
        {"nets": ["100.00"], "taxes": ["20.19"], "rates": [(Decimal("20.19"), "VAT + Cash payment levy")]},
    ),
    "a tax on two taxes is too": (
        group(
            "200.00",
            tax("200.00", "20.00", "10", "A"),
            tax("200.00", "10.00", "5", "B"),
            tax("230.00", "2.30", "1", "C"),
        ),
        {"nets": ["200.00"], "taxes": ["32.30"], "rates": [(Decimal("16.15"), "A + B + C")]},
    ),
    "a fixed fee without percentage has its effective rate": (
        group("50.00", tax("50.00", "2.50", None, "Recycling fee")),
        {"nets": ["50.00"], "taxes": ["2.50"], "rates": [(5, "Recycling fee")]},
    ),
    "a fixed fee without base is on the whole group": (
        group("50.00", tax("50.00", "10.50"), tax("0.00", "1.00", None, "Fee")),
        {"nets": ["50.00"], "taxes": ["11.50"], "rates": [(23, "BTW + Fee")]},
    ),
}


@pytest.mark.parametrize(("given", "expected"), PARTS.values(), ids=PARTS)
def test_the_parts_of_a_group_bear_the_taxes_whose_bases_they_are(given: Json, expected: Json) -> None:
    expect(invoice(given), settings={"negative_invoices": "send"}, **expected)()


@pytest.mark.parametrize(
    ("fields", "said", "name"),
    [
        ({"paid": "-150.00", "percentage": "-15"}, "-15 %, which is -150 EUR on 1000 EUR", "IRPF"),
        ({"paid": "-150.00", "percentage": None}, "-15 %, which is -150 EUR on 1000 EUR", "IRPF"),
        ({"paid": "1500.00", "percentage": "150"}, "171 %, which is 1710 EUR on 1000 EUR", "BTW + IRPF"),
    ],
)
def test_a_rate_that_rillet_does_not_take_is_rejected_with_its_name(
    fields: Json, said: str, name: str
) -> None:
    withheld = tax("1000.00", name="IRPF", **fields)

    error = refusal(invoice(group("1000.00", tax("1000.00", "210.00"), withheld)))

    assert error.code is Code.TAX_RATE_NOT_ACCEPTED
    assert f"The group {GROUP} bears a tax at {said}" in error.message
    assert error.quoted == name
    assert "by hand" in error.remedy


@pytest.mark.parametrize("category", ["NO_TAX", "EXEMPT"])
def test_what_is_no_tax_has_no_rate_and_needs_no_country(category: str) -> None:
    document = invoice(group("100.00", tax("100.00", "0.00", "0", "None", category=category)))
    document["tax_summary"]["country_code"] = None

    assert rates(items(document)) == [None]
    assert rates(items(document, tax_types={category: "VAT"}, tax_country="NL")) == [(0, "None")]


def test_a_category_may_be_set_to_be_no_tax() -> None:
    document = invoice(group("100.00", tax("100.00", "0.00", "0", "Outside", category="OUT_OF_SCOPE")))

    assert rates(items(document, tax_types={"OUT_OF_SCOPE": "none"})) == [None]


def test_a_category_that_is_no_tax_but_has_one_keeps_its_rate() -> None:
    document = invoice(group("100.00", tax("100.00", "21.00", "21", "BTW", category="EXEMPT")))

    assert rates(items(document)) == [(21, "BTW")]


def test_a_dry_run_explains_why_each_item_bears_its_tax() -> None:
    explained = mapped(invoice(PARTS["of 80 % that is taxed, 20 % is an item without tax"][0])).explanation

    assert explained == (
        f"{GROUP}: 800 with 8.25 % TX. The tax categories cover 800 of 1000.",
        f"{GROUP}: 200 with no tax rate. No tax category covers these 200 of 1000.",
    )


@pytest.mark.parametrize(
    ("case", "ends"),
    [
        (
            "a tax on tax is on the same amount, at its effective rate",
            "The tax categories cover all of it. Cash payment levy is a tax on tax: its base of 119 contains "
            "the taxes before it, so its rate is the effective one.",
        ),
        (
            "a fixed fee without percentage has its effective rate",
            "The tax categories cover all of it. Recycling fee states no percentage, so its rate is the "
            "effective one of its amount.",
        ),
    ],
)
def test_a_dry_run_explains_a_rate_that_nobody_states(case: str, ends: str) -> None:
    (explained,) = mapped(invoice(PARTS[case][0])).explanation

    assert explained.endswith(ends)


# From lines


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
        invoice(group("10.00", lines=[net_line("3.33", tax("3.33", "0.70"))] * 3), paid="2.10"),
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
            )
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
    expect(document, **expected)()


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


# From the header or the period


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


def test_a_dry_run_explains_what_the_header_leaves() -> None:
    document = discounted("-20.00", off="-20")

    why = "It states no tax; the header's tax categories leave this one for it on -10 of -20."
    assert mapped(document).explanation[2:] == (
        f"periods[0].groups[2]: -10 with 21 % BTW. {why}",
        f"periods[0].groups[2]: -10 with 9 % BTW. {why}",
    )


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

    expect(document, **expected)()


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


def test_a_header_of_two_rates_over_a_thousand_groups_is_refused_and_no_crash() -> None:
    document = invoice(*[group("1.00")] * 1200, paid="186.00")
    document["tax_categories"] = [tax("600.00", "126.00"), tax("600.00", "60.00", "10")]

    error = refusal(document)

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert "in more than one way" in error.message


def test_six_taxes_that_fit_nothing_are_refused_at_once() -> None:
    categories = [tax(f"70.0{n}", "0.001", "1", f"T{n}") for n in range(6)]

    assert refusal(invoice(group("60.00", *categories))).code is Code.DOES_NOT_TIE_OUT


def test_the_groups_own_taxes_count_where_a_line_contradicts_itself() -> None:
    lines = [net_line("100.00", tax("300.00", "63.00")), net_line("50.00", tax("50.00", "4.50", "9"))]
    document = invoice(group("150.00", tax("100.00", "21.00"), tax("50.00", "4.50", "9"), lines=lines))

    assert nets(items(document)) == ["100.00", "50.00"]
