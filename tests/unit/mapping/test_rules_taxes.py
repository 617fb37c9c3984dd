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
        invoice(group("100.00", tax("100.00", "0.00", None, category="EXEMPT")), paid="0.00"),
        {"rates": [(0, "BTW")]},
    ),
    "a missing percentage of an unstated tax is zero": (
        invoice(
            group("100.00", tax("100.00", "0.00", None, category="EXEMPT") | {"tax_amount": None}),
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


def test_bases_that_do_not_sum_to_the_group_are_rejected() -> None:
    error = refusal(invoice(group("150.00", tax("100.00", "21.00"), tax("40.00", "3.60", "9"))))

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert error.message == (f"The group {GROUP} is 150 EUR, but its tax categories have bases of 140 EUR.")


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


def test_a_missing_percentage_of_some_tax_is_rejected() -> None:
    error = refusal(invoice(group("100.00", tax("100.00", "21.00", None))))

    assert error.code is Code.TAX_NOT_ATTRIBUTABLE
    assert f"The group {GROUP} has a tax of 21 EUR without a percentage." == error.message


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
