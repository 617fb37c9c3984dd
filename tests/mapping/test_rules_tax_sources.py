"""Where an item's tax comes from: lines, header, country (design 4; dossier 5, traps 22 and 23)."""

import pytest

from solvimon_rillet.errors import Code
from tests.mapping.builders import (
    GROUP,
    SCOPES,
    Json,
    canadian,
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


def test_lines_with_different_rates_split_the_group() -> None:
    lines = [
        line(tax_categories=[tax("60.00", "12.60", "21")]),
        line(tax_categories=[tax("30.00", "2.70", "9")]),
        line(tax_categories=[tax("10.00", "2.10", "21")]),
    ]

    found = items(invoice(group("100.00", lines=lines), paid="17.40"))

    assert nets(found) == ["70.00", "30.00"]
    assert taxes(found) == ["14.70", "2.70"]
    assert rates(found) == [(21, "BTW"), (9, "BTW")]


def test_lines_with_stacked_taxes_stack_in_the_group() -> None:
    lines = [line(tax_categories=canadian("50.00", "2.50", "3.50")["tax_categories"]) for _ in range(2)]

    found = items(invoice(group("100.00", lines=lines), paid="12.00"))

    assert nets(found) == ["100.00"]
    assert rates(found) == [(12, "GST + PST")]


def test_a_line_that_does_not_state_its_tax_makes_it_the_percentage_of_the_group() -> None:
    silent = tax("40.00", "0") | {"tax_amount": None}
    lines = [line(tax_categories=[tax("60.00", "12.60")]), line(tax_categories=[silent])]

    found = items(invoice(group("100.00", lines=lines), paid="21.00"))

    assert nets(found) == ["100.00"]
    assert taxes(found) == ["21.00"]


def test_lines_that_stack_different_rates_under_one_name_stay_apart() -> None:
    both = [{"name": "GST", "percentage": "5"}, {"name": "PST", "percentage": "7"}]
    lines = [
        line(tax_categories=[tax("60.00", "7.20", None, "CA", rates=both)]),
        line(tax_categories=[tax("40.00", "2.00", None, "CA", rates=both[:1])]),
    ]

    found = items(invoice(group("100.00", lines=lines), paid="9.20"))

    assert nets(found) == ["60.00", "40.00"]
    assert rates(found) == [(12, "GST + PST"), (5, "GST")]


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


def test_groups_that_state_no_tax_share_the_headers_stack() -> None:
    document = invoice(group("40.00"), group("60.00"), paid="12.00")
    document |= {"tax_categories": [tax("100.00", "5.00", "5", "GST"), tax("100.00", "7.00", "7", "PST")]}

    found = items(document)

    assert taxes(found) == ["4.80", "7.20"]
    assert rates(found) == [(12, "GST + PST")] * 2


def test_what_other_groups_have_claimed_is_not_left_in_the_header() -> None:
    document = invoice(taxed("60.00", "12.60"), group("40.00"), paid="21.00")
    document |= {"tax_categories": [tax("100.00", "21.00")]}

    found = items(document)

    assert taxes(found) == ["12.60", "8.40"]
    assert rates(found) == [(21, "BTW")] * 2


def test_a_group_without_tax_stays_so_beside_groups_that_claimed_all_of_the_headers() -> None:
    document = invoice(taxed("60.00", "12.60"), group("40.00"))
    document |= {"tax_categories": [tax("60.00", "12.60")]}

    found = items(document)

    assert taxes(found) == ["12.60", None]


def test_what_rounding_left_in_the_header_is_not_a_tax_on_another_group() -> None:
    untaxed = group("40.00")
    document = invoice(taxed("33.3333", "7"), taxed("66.6663", "14"), untaxed, net="140.00", paid="21.00")
    document |= {"tax_categories": [tax("100.00", "21.00")]}

    found = items(document)

    assert nets(found) == ["33.33", "66.67", "40.00"]
    assert taxes(found) == ["7.00", "14.00", None]


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


# Type and country


@pytest.mark.parametrize(
    ("country", "kind"),
    [("NL", "VAT"), ("DE", "VAT"), ("GB", "VAT"), ("US", "SALES_TAX"), ("ca", "SALES_TAX")],
)
def test_the_type_of_a_tax_follows_its_country(country: str, kind: str) -> None:
    document = invoice(taxed())
    document["tax_summary"] |= {"country_code": country}

    (item,) = items(document)

    assert item["tax_rate"]["type"] == kind
    assert item["tax_rate"]["country"] == country.upper()


@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ({"NL:STANDARD": "SALES_TAX", "STANDARD": "VAT", "NL": "VAT"}, "SALES_TAX"),
        ({"STANDARD": "SALES_TAX", "NL": "VAT"}, "SALES_TAX"),
        ({"NL": "SALES_TAX"}, "SALES_TAX"),
        ({"DE:STANDARD": "SALES_TAX", "EXEMPT": "SALES_TAX", "DE": "SALES_TAX"}, "VAT"),
        ({}, "VAT"),
    ],
)
def test_the_table_of_tax_types_goes_from_country_and_category_to_country(table: Json, kind: str) -> None:
    (item,) = items(invoice(taxed()), tax_types=table)

    assert item["tax_rate"]["type"] == kind


def test_the_country_of_a_tax_is_the_summarys_then_the_billing_entitys_then_the_settings() -> None:
    summary = invoice(taxed()) | {"billing_entity": {"registered_address": {"country": "DE"}}}
    entity = summary | {"tax_summary": summary["tax_summary"] | {"country_code": None}}
    setting = entity | {"billing_entity": {"registered_address": {"country": None}}}

    countries = [
        items(document, tax_country="FR")[0]["tax_rate"]["country"] for document in (summary, entity, setting)
    ]

    assert countries == ["NL", "DE", "FR"]


@pytest.mark.parametrize("entity", [None, {}, {"registered_address": None}, {"registered_address": {}}])
def test_a_tax_of_no_country_is_rejected(entity: Json | None) -> None:
    document = invoice(taxed()) | {"billing_entity": entity}
    document["tax_summary"] |= {"country_code": None}

    error = refusal(document)

    assert error.code is Code.TAX_COUNTRY_MISSING
    assert "tax_country" in error.remedy


@pytest.mark.parametrize("scope", ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"])
def test_no_country_is_needed_where_no_rate_travels(scope: str) -> None:
    document = invoice(taxed())
    document["tax_summary"] |= {"country_code": None}

    (item,) = items(document, invoice_scope=scope)

    assert item["tax_amount"]["amount"] == "21.00"


def test_no_country_is_needed_where_there_is_no_tax() -> None:
    document = invoice(group("100.00"))
    document["tax_summary"] |= {"country_code": None}

    assert "tax_rate" not in items(document)[0]
