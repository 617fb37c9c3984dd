"""Which tax an item bears, one or several, and its type and country (design 4; dossier, traps 22 and 23)."""

from decimal import Decimal

import pytest

from solvimon_rillet.errors import Code
from solvimon_rillet.mapping.texts import iso_country
from tests.support.builders import (
    GROUP,
    Check,
    Json,
    amount,
    canadian,
    each_case,
    expect,
    group,
    invoice,
    items,
    mapped,
    nets,
    rates,
    refusal,
    refuse,
    tax,
    taxed,
    taxes,
)


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


def off_by(count: int, off: str) -> Json:
    """An invoice of a group with one or two rates, whose gross is off by so many euros."""
    parts = [tax(base, "10.00", rate) for base, rate in (("100.00", "10"), ("50.00", "20"))[:count]]
    net = Decimal(100 if count == 1 else 150)
    return invoice(group(f"{net}", *parts, amount_including_tax=amount(net + 10 * count + Decimal(off))))


GST, QST = {"name": "GST", "percentage": "5"}, {"name": "QST", "percentage": "9.975"}
NAMELESS = {"name": None, "percentage": None, "tax_amount": None}
REVERSE = tax("100.00", "0.00", "0", "VAT reverse charged", category="REVERSE_CHARGE")
ITEMS: dict[str, Check] = {
    "stacked taxes on the same base become one rate with both names": expect(
        invoice(canadian()), nets=["100.00"], taxes=["12.00"], rates=[(12, "GST + PST")]
    ),
    "a stack on the smallest amount is not taken for a split": expect(
        invoice(canadian("0.01", "0.00", "0.00")), nets=["0.01"], rates=[(12, "GST + PST")]
    ),
    "a stack on nothing is one item": expect(
        invoice(canadian(), canadian("0.00", "0.00", "0.00")),
        nets=["100.00", "0.00"],
        rates=[(12, "GST + PST")] * 2,
    ),
    "a category that lists its rates becomes their sum": expect(
        invoice(group("100.00", tax("100.00", "14.98", None, "Québec", rates=[GST, QST]))),
        taxes=["14.98"],
        rates=[(Decimal("14.975"), "GST + QST")],
    ),
    "rates without percentages leave the category's own": expect(
        invoice(group("100.00", tax("100.00", "21.00", "21", rates=[NAMELESS]))), rates=[(21, "BTW")]
    ),
    "two taxes on one base and one on another become two items": expect(
        invoice(
            group(
                "150.00",
                tax("100.00", "5.00", "5", "GST"),
                tax("100.00", "7.00", "7", "PST"),
                tax("50.00", "6.50", "13", "HST"),
            )
        ),
        nets=["100.00", "50.00"],
        taxes=["12.00", "6.50"],
        rates=[(12, "GST + PST"), (13, "HST")],
    ),
    "a charge and a deduction in one group keep their own taxes": expect(
        invoice(group("60.00", tax("100.00", "21.00"), tax("-40.00", "-3.60", "9"))),
        nets=["100.00", "-40.00"],
        taxes=["21.00", "-3.60"],
    ),
    "a reverse charge keeps its rate of nothing": expect(
        invoice(group("100.00", REVERSE)), taxes=["0.00"], rates=[(0, "VAT reverse charged")]
    ),
    "a missing percentage of no tax is zero": expect(
        invoice(group("100.00", tax("100.00", "0.00", None, category="ZERO_RATED")), paid="0.00"),
        rates=[(0, "BTW")],
    ),
    "a missing percentage of an unstated tax is zero": expect(
        invoice(
            group("100.00", tax("100.00", "0.00", None, category="ZERO_RATED") | {"tax_amount": None}),
            paid="0.00",
        ),
        rates=[(0, "BTW")],
    ),
    "a missing tax amount is the percentage of the net": expect(
        invoice(group("100.01", tax("100.01", "0") | {"tax_amount": None}), paid="21.00"), taxes=["21.00"]
    ),
    "a missing base is the whole group": expect(
        invoice(group("100.00", tax("0", "21.00") | {"base_amount": None})), nets=["100.00"], taxes=["21.00"]
    ),
    "a group whose gross was rounded apart is fine": expect(
        invoice(taxed("10.01", "2.10", amount_including_tax=amount("12.12"))), taxes=["2.10"]
    ),
    "no tax category anywhere is no tax rate": expect(invoice(group("100.00")), taxes=[None]),
    **{
        f"the rate of {name} in category {category} is described as {described}": expect(
            invoice(group("100.00", tax("100.00", "21.00") | {"name": name, "category": category})),
            rates=[(21, described)],
        )
        for name, category, described in (
            ("BTW", "STANDARD", "BTW"),
            (None, "STANDARD", "STANDARD"),
            ("", None, "Tax"),
            (None, None, "Tax"),
        )
    },
    **{
        f"{percentage} percent are whole percent and travel exactly": expect(
            invoice(group("100.00", tax("100.00", "0.50", percentage))), rates=[(Decimal(percentage), "BTW")]
        )
        for percentage in ("21", "21.00", "8.875", "0.5")
    },
    **{
        f"the gross of a group with {count} rates may be off by its roundings": expect(
            off_by(count, "0.014" if count == 1 else "0.019"), taxes=["10.00"] * count
        )
        for count in (1, 2)
    },
}


@each_case(ITEMS)
def test_a_group_becomes_items_with_the_taxes_it_states(check: Check) -> None:
    check()


REFUSED: dict[str, Check] = {
    "bases that exceed the group": refuse(
        invoice(group("90.00", tax("100.00", "21.00"), tax("40.00", "3.60", "9"))),
        Code.DOES_NOT_TIE_OUT,
        message=f"The group {GROUP} is 90 EUR, but its tax categories have bases of 140 EUR.",
    ),
    "bases that fit the group in two ways, with both": refuse(
        invoice(group("150.00", tax("100.00", "5.00", "5", "GST"), tax("40.00", "2.80", "7", "PST"))),
        Code.TAX_NOT_ATTRIBUTABLE,
        message=f"The taxes of the group {GROUP} can be read in two ways: 100 GST, 40 PST, 10 without tax or "
        "60 GST, 40 GST + PST, 50 without tax (EUR).",
    ),
    "a group whose own gross differs from net and tax": refuse(
        invoice(taxed("100.00", "21.00", amount_including_tax=amount("122.00"))),
        *(Code.DOES_NOT_TIE_OUT, f"The group {GROUP} with its tax is 121 EUR", "122 EUR"),
    ),
    **{
        f"a gross of a group with {count} rates that is off by more than its roundings": refuse(
            off_by(count, "0.015" if count == 1 else "0.02"), Code.DOES_NOT_TIE_OUT
        )
        for count in (1, 2)
    },
    "bases that differ by a cent are not a stack": refuse(
        invoice(group("100.00", tax("100.00", "5.00", "5"), tax("100.01", "7.00", "7"))),
        Code.DOES_NOT_TIE_OUT,
        ends="its tax categories have bases of 200.01 EUR.",
    ),
    "a tax on nothing without percentage": refuse(
        invoice(taxed(), group("0.00", tax("0.00", "21.00", None)), paid="42.00"),
        Code.TAX_NOT_ATTRIBUTABLE,
        "a tax of 21 EUR without a percentage, on an amount of 0",
    ),
}


@each_case(REFUSED)
def test_taxes_that_contradict_their_group_are_refused(check: Check) -> None:
    check()


# Type and country


def in_country(code: str | None, bearing: Json | None = None) -> Json:
    """An invoice whose tax summary names this country; of a group at 21 % unless another one is given."""
    document = invoice(bearing or taxed())
    document["tax_summary"]["country_code"] = code
    return document


@pytest.mark.parametrize(
    ("country", "kind"),
    [("NL", "VAT"), ("DE", "VAT"), ("GB", "VAT"), ("US", "SALES_TAX"), ("ca", "SALES_TAX")],
)
def test_the_type_of_a_tax_follows_its_country(country: str, kind: str) -> None:
    (item,) = items(in_country(country))

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
    error = refusal(in_country(None) | {"billing_entity": entity})

    assert error.code is Code.TAX_COUNTRY_MISSING
    assert "tax_country" in error.remedy


@pytest.mark.parametrize("scope", ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"])
def test_no_country_is_needed_where_no_rate_travels(scope: str) -> None:
    (item,) = items(in_country(None), invoice_scope=scope)

    assert item["tax_amount"]["amount"] == "21.00"


def test_no_country_is_needed_where_there_is_no_tax() -> None:
    (item,) = items(in_country(None, group("100.00")))

    assert "tax_rate" not in item


@pytest.mark.parametrize(
    ("stated", "country"),
    [("EL", "GR"), ("UK", "GB"), ("XI", "GB"), ("el", "GR"), (" nl ", "NL"), ("DE", "DE")],
)
def test_a_country_in_vat_spelling_becomes_iso(stated: str, country: str) -> None:
    (item,) = items(in_country(stated, taxed("100.00", "24.00", "24")))

    assert (item["tax_rate"]["country"], item["tax_rate"]["type"]) == (country, "VAT")


@pytest.mark.parametrize("text", [None, "", "Greece", "GRC", "G1"])
def test_what_is_no_code_of_two_letters_is_no_country(text: str | None) -> None:
    assert iso_country(text) is None


def test_the_next_source_counts_where_one_names_no_country_code() -> None:
    document = in_country("Greece") | {"billing_entity": {"registered_address": {"country": "EL"}}}

    assert items(document)[0]["tax_rate"]["country"] == "GR"


@pytest.mark.parametrize("key", ["EL:STANDARD", "GR:STANDARD", "EL", "GR"])
def test_a_setting_may_spell_the_country_either_way(key: str) -> None:
    (item,) = items(in_country("EL"), tax_types={key: "SALES_TAX"})

    assert item["tax_rate"]["type"] == "SALES_TAX"
