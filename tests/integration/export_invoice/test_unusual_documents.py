"""Documents that are legitimate but unusual are booked as they should be (the cases of CASES_DIR)."""

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import edit, export, load, sync
from tests.support.assertions import rillet_customer
from tests.support.builders import DEMO_CUSTOMER, Json, nets, rates, taxes

CASES = Path(os.environ.get("CASES_DIR", Path(__file__).parents[4] / "shared/cases"))


def case(name: str) -> Json:
    """The input of a case."""
    path = CASES / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{name} is not in CASES_DIR ({CASES})")
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def exported(system: LocalSystem, connection: Connection, name: str) -> Json:
    """The result of exporting the case's only document, with the payload of its dry run."""
    (document,) = case(name)["documents"]
    load(connection, document)
    (dry,) = export(system, document["id"], dry_run=True)
    (result,) = export(system, document["id"])
    return dry | {"would": dry["outcome"], "state": result["outcome"]}


BOOKED: dict[str, Json] = {
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
    "bundle_of_two_products": {"nets": ["1000.00", "5000.00"]},
}


@pytest.mark.parametrize(("name", "expected"), BOOKED.items(), ids=BOOKED)
def test_it_is_booked_with_these_nets_and_taxes(
    system: LocalSystem, default: Connection, name: str, expected: Json
) -> None:
    found = exported(system, default, name)

    columns = {"nets": nets, "taxes": taxes, "rates": rates}
    items = found["payload"]["items"]
    assert {key: columns[key](items) for key in expected} == expected
    assert len(found["explanation"]) == len(items)
    assert found["state"] == "exported"


def test_a_bundle_is_booked_on_each_of_its_products(system: LocalSystem, default: Connection) -> None:
    items = exported(system, default, "bundle_of_two_products")["payload"]["items"]

    assert len({item["price"]["product_id"] for item in items}) == 2


def test_a_tax_of_el_is_one_of_gr(system: LocalSystem, default: Connection) -> None:
    (item,) = exported(system, default, "tax_country_EL_greece")["payload"]["items"]

    assert item["tax_rate"]["country"] == "GR"


def test_control_characters_are_left_out(system: LocalSystem, default: Connection) -> None:
    found = exported(system, default, "control_characters")

    assert not [c for c in json.dumps(found["payload"], ensure_ascii=False) if ord(c) < 32]
    assert "\\u00" not in json.dumps(found["payload"])
    assert found["state"] == "exported"


def test_a_document_of_nothing_is_skipped(system: LocalSystem, default: Connection) -> None:
    found = exported(system, default, "zero_invoice_without_groups")

    assert found["would"] == "would_skip"
    assert "nothing to book" in found["reason"]


def test_a_withholding_is_refused_with_its_name(system: LocalSystem, default: Connection) -> None:
    found = exported(system, default, "vat_and_withholding")

    assert found["would"] == "would_reject"
    assert "IRPF at -15 %" in found["message"]


def test_of_two_rates_for_one_pair_the_one_that_the_local_amounts_prove_is_sent(
    system: LocalSystem, default: Connection
) -> None:
    found = exported(system, default, "two_exchange_rates_for_one_pair")

    assert found["payload"]["exchange_rate"]["rate"] == "0.92"


def test_a_customer_who_moves_to_a_country_without_states_keeps_no_dutch_province(
    system: LocalSystem, default: Connection
) -> None:
    edit(default, **case("customer_moves_country_without_state")["edit"])

    sync(system, DEMO_CUSTOMER)

    # Rillet's schema demands a state, Ireland has none, and no setting gives one: no address is right.
    assert "Zuid-Holland" not in json.dumps(rillet_customer(default))


def test_two_addresses_in_one_field_are_two_addresses(system: LocalSystem, default: Connection) -> None:
    edit(default, **case("two_addresses_in_one_email_field")["edit"])

    sync(system, DEMO_CUSTOMER)

    found = {each["email"] for each in rillet_customer(default)["emails"]}
    assert {"ap@example.com", "finance@example.com"} <= found
