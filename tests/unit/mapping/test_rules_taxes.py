"""Which tax an item bears: one, several apart, or several stacked (design 4; dossier 5, trap 22)."""

from decimal import Decimal

import pytest

from solvimon_rillet.errors import Code
from tests.support.builders import (
    GROUP,
    Json,
    amount,
    canadian,
    columns,
    group,
    invoice,
    items,
    mapped,
    nets,
    rates,
    refusal,
    tax,
    taxed,
    taxes,
)

# Several categories on one group


def test_a_group_with_two_rates_becomes_one_item_per_rate() -> None:
    mixed = group("150.00", tax("100.00", "21.00", "21"), tax("50.00", "4.50", "9", "BTW laag"))

    mapping = mapped(invoice(mixed))

    found = items(invoice(mixed))
    assert nets(found) == ["100.00", "50.00"]
    assert taxes(found) == ["21.00", "4.50"]
    assert rates(found) == [(21, "BTW"), (9, "BTW laag")]
    assert mapping.origins["items[0].tax_rate.percentage"] == f"{GROUP}.tax_categories[0].percentage"
    assert mapping.origins["items[1].tax_rate.percentage"] == f"{GROUP}.tax_categories[1].percentage"


def test_a_split_group_keeps_its_product_period_and_description_on_each_item() -> None:
    mixed = group(
        "150.00",
        tax("100.00", "21.00"),
        tax("50.00", "4.50", "9"),
        start_at="2026-01-01",
        end_at="2026-01-31",
    )

    first, second = items(invoice(mixed))

    assert first["revenue"] == second["revenue"] == {"period": {"start": "2026-01-01", "end": "2026-01-31"}}
    assert first["description"] == second["description"] == "Platform fee"
    assert first["price"]["product_id"] == second["price"]["product_id"]


GST, QST = {"name": "GST", "percentage": "5"}, {"name": "QST", "percentage": "9.975"}
NAMELESS = {"name": None, "percentage": None, "tax_amount": None}
REVERSE = tax("100.00", "0.00", "0", "VAT reverse charged", category="REVERSE_CHARGE")
ITEMS: dict[str, tuple[Json, Json]] = {
    "stacked taxes on the same base become one rate with both names": (
        invoice(canadian()),
        {"nets": ["100.00"], "taxes": ["12.00"], "rates": [(12, "GST + PST")]},
    ),
    "a stack on the smallest amount is not taken for a split": (
        invoice(canadian("0.01", "0.00", "0.00")),
        {"nets": ["0.01"], "rates": [(12, "GST + PST")]},
    ),
    "a stack on nothing is one item": (
        invoice(canadian(), canadian("0.00", "0.00", "0.00")),
        {"nets": ["100.00", "0.00"], "rates": [(12, "GST + PST")] * 2},
    ),
    "a category that lists its rates becomes their sum": (
        invoice(group("100.00", tax("100.00", "14.98", None, "Québec", rates=[GST, QST]))),
        {"taxes": ["14.98"], "rates": [(Decimal("14.975"), "GST + QST")]},
    ),
    "rates without percentages leave the category's own": (
        invoice(group("100.00", tax("100.00", "21.00", "21", rates=[NAMELESS]))),
        {"rates": [(21, "BTW")]},
    ),
    "two taxes on one base and one on another become two items": (
        invoice(
            group(
                "150.00",
                tax("100.00", "5.00", "5", "GST"),
                tax("100.00", "7.00", "7", "PST"),
                tax("50.00", "6.50", "13", "HST"),
            )
        ),
        {
            "nets": ["100.00", "50.00"],
            "taxes": ["12.00", "6.50"],
            "rates": [(12, "GST + PST"), (13, "HST")],
        },
    ),
    "a charge and a deduction in one group keep their own taxes": (
        invoice(group("60.00", tax("100.00", "21.00"), tax("-40.00", "-3.60", "9"))),
        {"nets": ["100.00", "-40.00"], "taxes": ["21.00", "-3.60"]},
    ),
    "a reverse charge keeps its rate of nothing": (
        invoice(group("100.00", REVERSE)),
        {"taxes": ["0.00"], "rates": [(0, "VAT reverse charged")]},
    ),
    "a missing percentage of no tax is zero": (
        invoice(group("100.00", tax("100.00", "0.00", None, category="ZERO_RATED")), paid="0.00"),
        {"rates": [(0, "BTW")]},
    ),
    "a missing percentage of an unstated tax is zero": (
        invoice(
            group("100.00", tax("100.00", "0.00", None, category="ZERO_RATED") | {"tax_amount": None}),
            paid="0.00",
        ),
        {"rates": [(0, "BTW")]},
    ),
    "a missing tax amount is the percentage of the net": (
        invoice(group("100.01", tax("100.01", "0") | {"tax_amount": None}), paid="21.00"),
        {"taxes": ["21.00"]},
    ),
    "a missing base is the whole group": (
        invoice(group("100.00", tax("0", "21.00") | {"base_amount": None})),
        {"nets": ["100.00"], "taxes": ["21.00"]},
    ),
}


@pytest.mark.parametrize(("document", "expected"), ITEMS.values(), ids=ITEMS)
def test_a_group_becomes_items_with_the_taxes_it_states(document: Json, expected: Json) -> None:
    assert columns(items(document), *expected) == expected


def test_bases_that_exceed_the_group_are_rejected() -> None:
    error = refusal(invoice(group("90.00", tax("100.00", "21.00"), tax("40.00", "3.60", "9"))))

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert error.message == (f"The group {GROUP} is 90 EUR, but its tax categories have bases of 140 EUR.")


def test_bases_that_fit_the_group_in_two_ways_are_rejected_with_both() -> None:
    error = refusal(
        invoice(group("150.00", tax("100.00", "5.00", "5", "GST"), tax("40.00", "2.80", "7", "PST")))
    )

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert error.message == (
        f"The taxes of the group {GROUP} can be read in two ways: 100 GST, 40 PST, 10 without tax or "
        "60 GST, 40 GST + PST, 50 without tax (EUR)."
    )


def test_a_group_whose_own_gross_differs_from_net_and_tax_is_rejected() -> None:
    error = refusal(invoice(taxed("100.00", "21.00", amount_including_tax=amount("122.00"))))

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert f"The group {GROUP} with its tax is 121 EUR" in error.message
    assert "122 EUR" in error.message


def test_a_group_whose_gross_was_rounded_apart_is_fine() -> None:
    rounded_apart = taxed("10.01", "2.10", amount_including_tax=amount("12.12"))

    assert taxes(items(invoice(rounded_apart))) == ["2.10"]


@pytest.mark.parametrize(("rates", "off"), [(1, "0.015"), (2, "0.02")])
def test_a_group_whose_gross_is_off_by_more_than_its_roundings_is_rejected(rates: int, off: str) -> None:
    parts = [tax(base, "10.00", rate) for base, rate in (("100.00", "10"), ("50.00", "20"))[:rates]]
    net = Decimal(100 if rates == 1 else 150)
    tax_paid = 10 * rates

    gross = net + tax_paid + Decimal(off)
    less = group(f"{net}", *parts, amount_including_tax=amount(gross - Decimal("0.001")))
    more = group(f"{net}", *parts, amount_including_tax=amount(gross))

    assert taxes(items(invoice(less))) == ["10.00"] * rates
    assert refusal(invoice(more)).code is Code.DOES_NOT_TIE_OUT


def test_bases_that_differ_by_a_cent_are_not_a_stack() -> None:
    error = refusal(invoice(group("100.00", tax("100.00", "5.00", "5"), tax("100.01", "7.00", "7"))))

    assert error.message.endswith("its tax categories have bases of 200.01 EUR.")


# Zero, none, unnamed


def test_no_tax_category_anywhere_is_no_tax_rate() -> None:
    found = items(invoice(group("100.00")))

    assert "tax_rate" not in found[0]


def test_a_tax_on_nothing_without_percentage_is_rejected() -> None:
    error = refusal(invoice(taxed(), group("0.00", tax("0.00", "21.00", None)), paid="42.00"))

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert "a tax of 21 EUR without a percentage, on an amount of 0" in error.message


@pytest.mark.parametrize(
    ("name", "category", "described"),
    [("BTW", "STANDARD", "BTW"), (None, "STANDARD", "STANDARD"), ("", None, "Tax"), (None, None, "Tax")],
)
def test_the_rate_is_described_by_name_else_category(
    name: str | None, category: str | None, described: str
) -> None:
    named = tax("100.00", "21.00") | {"name": name, "category": category}

    assert rates(items(invoice(group("100.00", named)))) == [(21, described)]


@pytest.mark.parametrize("percentage", ["21", "21.00", "8.875", "0.5"])
def test_percentages_are_whole_percent_and_travel_exactly(percentage: str) -> None:
    (found,) = items(invoice(group("100.00", tax("100.00", "0.50", percentage))))

    assert found["tax_rate"]["percentage"] == Decimal(percentage)


# Taxes that are not one base on the whole group

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
    assert columns(items(invoice(given), negative_invoices="send"), *expected) == expected


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"paid": "-150.00", "percentage": "-15"}, "IRPF at -15 %"),
        ({"paid": "-150.00", "percentage": None}, "IRPF at -15 %"),
        ({"paid": "1500.00", "percentage": "150"}, "BTW + IRPF at 171 %"),
    ],
)
def test_a_rate_that_rillet_does_not_take_is_rejected_with_its_name(fields: Json, said: str) -> None:
    withheld = tax("1000.00", name="IRPF", **fields)

    error = refusal(invoice(group("1000.00", tax("1000.00", "210.00"), withheld)))

    assert error.code is Code.TAX_RATE_NOT_ACCEPTED
    assert f"The group {GROUP} bears {said}" in error.message
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
