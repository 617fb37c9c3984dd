"""What Rillet does not take is never sent: control characters, ids (design 4)."""

import json

import pytest

from solvimon_rillet.errors import Code
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.solvimon_fields import one_line
from solvimon_rillet.mapping.texts import without_control_characters
from solvimon_rillet.solvimon.models import Invoice
from tests.support.builders import (
    CUSTOMER,
    FALLBACK,
    SUBSIDIARY,
    Json,
    group,
    invoice,
    items,
    product,
    refusal,
    sent,
    taxed,
)

# Control characters


def test_control_characters_never_leave_us() -> None:
    dirty = taxed(products=[product(name="Harbour\x02 Planner\x00 \u202eRTL \U0001f6a2")])
    dirty["tax_categories"][0]["name"] = "BT\x9fW"
    document = invoice(
        dirty, notes=["See\x00 order 7\x02", "Two\r\nlines\x0b"], purchase_order_number="P\x7fO"
    )

    payload = sent(document)

    assert payload["items"][0]["description"] == "Harbour Planner RTL \U0001f6a2"
    assert payload["memo"] == "See order 7\nTwo\nlines "
    assert payload["items"][0]["tax_rate"]["description"] == "BTW"
    assert payload["purchase_order_number"] == "PO"
    assert not any(text in json.dumps(payload) for text in (r"\u0000", r"\u0002", r"\u202e", r"\u007f"))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("a\x0bb\x85c\x1dd", "a b c d"),
        ("half a pair \ud83d", "half a pair "),
        ("\u2067isolated\u2069", "isolated"),
        ("שלום\u200f, family \U0001f468\u200d\U0001f469", "שלום\u200f, family \U0001f468\u200d\U0001f469"),
    ],
)
def test_only_control_characters_are_taken_out_of_a_text(text: str, clean: str) -> None:
    assert without_control_characters(text) == clean


def test_a_name_of_control_characters_alone_is_none() -> None:
    (item,) = items(invoice(group("1.00", products=[product(name="\x00\x01")], description="Fee")))

    assert item["description"] == "Fee"
    assert one_line("\x00 \x01") == ""


# Ids


@pytest.mark.parametrize("bad", ["SKU-17", f"{FALLBACK}x", FALLBACK.replace("-", "")])
def test_a_product_id_that_is_no_uuid_is_refused_by_name(bad: str) -> None:
    error = refusal(invoice(taxed()), Links(CUSTOMER, SUBSIDIARY, products={"prod_fee": bad}))

    assert error.code is Code.RILLET_ID_INVALID
    assert repr(bad) in error.message
    assert "periods[0].groups[0]" in error.message


def test_a_fallback_that_is_no_uuid_is_refused_with_its_setting() -> None:
    error = refusal(invoice(group("1.00", products=[])), fallback_products={"default": "SKU-17"})

    assert error.code is Code.RILLET_ID_INVALID
    assert "fallback_products.default" in error.message


def test_blanks_around_an_id_are_taken_away() -> None:
    copied: Json = {
        "resource": {"type": "CUSTOMER"},
        "reference": "rillet_customer_id",
        "value": f" {CUSTOMER}\n",
    }
    read = Invoice.model_validate(invoice(other_custom_fields=[copied]))

    (item,) = items(invoice(group("1.00", products=[])), fallback_products={"default": f" {FALLBACK} "})

    assert read.copied_field("CUSTOMER", "rillet_customer_id") == CUSTOMER
    assert item["price"]["product_id"] == FALLBACK
