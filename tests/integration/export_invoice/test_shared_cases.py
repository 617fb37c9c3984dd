"""Documents and edits that billing systems are known to produce, from the folder CASES_DIR, end to end."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local import sample_data
from tests.support.arrange import edit, load
from tests.support.assertions import invoice_posts
from tests.support.builders import DEMO_CUSTOMER_IN_RILLET, Json, nets, rates, taxes
from tests.support.connected import Connected

CASES = Path(os.environ.get("CASES_DIR", Path(__file__).parents[4] / "shared/cases"))
CASE = "invo_case0000000000001"


def case(name: str) -> Any:  # noqa: ANN401
    """A case; its test is skipped where the folder is missing."""
    path = CASES / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{name}.json is not in CASES_DIR ({CASES})")
    return json.loads(path.read_text(encoding="utf-8"))


def exported(connection: Connected, name: str) -> Json:
    """Load the invoice of a case, and export it."""
    load(connection, *case(name)["documents"])
    [result] = connection.export(CASE)
    return result


def sent(connection: Connected, name: str) -> Json:
    """Export the invoice of a case; the request that reached Rillet."""
    result = exported(connection, name)
    assert result["outcome"] == "exported", result
    [posted] = invoice_posts(connection.system)
    body: Json = posted.request_body
    return body


def test_a_bundle_is_booked_on_both_products(default: Connected) -> None:
    body = sent(default, "bundle_of_two_products")

    prices = [item["price"] for item in body["items"]]
    booked = [(price["product_id"], price["amount_per_unit"]["amount"]) for price in prices]
    assert booked == [
        (sample_data.rillet_id("product", "harbour-planner"), "1000.00"),
        (sample_data.rillet_id("product", "onboarding"), "5000.00"),
    ]


TAXES: dict[str, Json] = {
    "tax_rounded_per_line_in_one_group": {"nets": ["30.09"], "taxes": ["6.32"], "rates": [(21, "BTW")]},
    "texas_80_percent_taxable": {
        "nets": ["800.00", "200.00"],
        "taxes": ["66.00", None],
        "rates": [(Decimal("8.25"), "TX State and Local Sales Tax"), None],
    },
    "discount_over_two_vat_rates": {
        "nets": ["100.00", "100.00", "-10.00", "-10.00"],
        "taxes": ["21.00", "9.00", "-2.10", "-0.90"],
        "rates": [(21, "BTW"), (9, "BTW"), (21, "BTW"), (9, "BTW")],
    },
    "compound_tax": {
        "nets": ["100.00"],
        "taxes": ["20.19"],
        "rates": [(Decimal("20.19"), "VAT + Cash payment levy")],
    },
}


@pytest.mark.parametrize(("name", "expected"), TAXES.items(), ids=TAXES)
def test_taxes_are_booked_on_the_parts_that_bear_them(default: Connected, name: str, expected: Json) -> None:
    load(default, *case(name)["documents"])

    [dry] = default.export(CASE, dry_run=True)
    [result] = default.export(CASE)

    items = dry["payload"]["items"]
    assert {"nets": nets(items), "taxes": taxes(items), "rates": rates(items)} == expected
    assert len(dry["explanation"]) == len(items)
    assert result["outcome"] == "exported", result


def test_a_withholding_is_refused_with_its_name(default: Connected) -> None:
    result = exported(default, "vat_and_withholding")

    assert (result["outcome"], result["code"]) == ("rejected", "tax_rate_not_accepted")
    assert "a tax at -15 %" in result["message"]
    assert "IRPF" in result["message"]


def test_an_invoice_without_groups_is_skipped(default: Connected) -> None:
    result = exported(default, "zero_invoice_without_groups")

    assert (result["outcome"], "nothing to book" in result["reason"]) == ("skipped", True)


def test_vats_spelling_of_greece_is_booked_as_iso(default: Connected) -> None:
    body = sent(default, "tax_country_EL_greece")

    assert body["items"][0]["tax_rate"]["country"] == "GR"


def test_of_two_rates_the_proven_one_is_sent(default: Connected) -> None:
    body = sent(default, "two_exchange_rates_for_one_pair")

    assert body["exchange_rate"]["rate"] == "0.92"


def test_control_characters_are_not_sent(default: Connected) -> None:
    body = sent(default, "control_characters")

    assert not any(text in str(body) for text in (r"\x00", r"\x02", r"\u202e"))


def test_a_customer_that_moved_to_dublin_has_no_dutch_province(default: Connected) -> None:
    edit(default, **case("customer_moves_country_without_state")["edit"])

    [result] = default.sync()

    address = default.organisation.customers.get(DEMO_CUSTOMER_IN_RILLET).document.get("address")
    assert result["outcome"] == "synced", result
    assert not address or (address["city"], address["state"]) != ("Dublin", "Zuid-Holland")
    assert "in another country" in result["warnings"][0]


def test_two_addresses_in_one_field_are_two(default: Connected) -> None:
    edit(default, **case("two_addresses_in_one_email_field")["edit"])

    [result] = default.sync()

    emails = default.organisation.customers.get(DEMO_CUSTOMER_IN_RILLET).document["emails"]
    assert result["outcome"] == "synced", result
    assert {"ap@example.com", "finance@example.com"} <= {each["email"] for each in emails}
