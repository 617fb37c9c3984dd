"""Type and country of an item's tax (design 4; dossier, trap 23)."""

import pytest

from solvimon_rillet.errors import Code
from tests.support.builders import Json, group, invoice, items, refusal, taxed


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
