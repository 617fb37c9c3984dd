"""Currencies, rounding, totals and exchange rates (design 4; dossier, traps 20 and 21)."""

import pytest

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.totals import verify_payload_totals
from tests.support.builders import (
    GROUP,
    SCOPES,
    Json,
    amount,
    columns,
    group,
    invoice,
    items,
    line,
    mapped,
    nets,
    refusal,
    tax,
    taxed,
    taxes,
)

# Rounding


def test_yen_have_no_decimals() -> None:
    document = invoice(taxed("1000", "100", "10", currency="JPY"))

    assert nets(items(document)) == ["1000"]
    assert taxes(items(document)) == ["100"]
    assert mapped(document).totals.as_text() == {
        "currency": "JPY",
        "net": "1000",
        "tax": "100",
        "gross": "1100",
    }


EXEMPT = group("900.00", tax("900.00", "0.00", "0", "Exempt"))
ROUNDED: dict[str, tuple[Json, Json]] = {
    "dinars have three decimals": (
        invoice(taxed("10.5", "1.05", "10", currency="BHD")),
        {"nets": ["10.500"], "taxes": ["1.050"]},
    ),
    "it goes to the part that rounding moved furthest": (
        invoice(group("1.004"), group("1.003"), group("1.004"), net="3.01", paid="0"),
        {"nets": ["1.01", "1.00", "1.00"]},
    ),
    "among equals it goes to the largest amount": (
        invoice(group("0.02"), group("1000.00"), group("2.00"), net="1002.01", paid="0"),
        {"nets": ["0.02", "999.99", "2.00"]},
    ),
    "lines of nothing and lines without tax take up none": (
        invoice(taxed("0.00", "0.00"), EXEMPT, taxed("10.02", "2.10"), taxed("10.02", "2.10"), paid="4.21"),
        {"taxes": ["0.00", "0.00", "2.11", "2.10"]},
    ),
    "a line of nothing takes no cent even if its rounding is best": (
        invoice(group("0.00"), *[group("1.007")] * 3, net="3.04", paid="0"),
        {"nets": ["0.00", "1.02", "1.01", "1.01"]},
    ),
    "a line without tax takes no cent even if its rounding is best": (
        invoice(group("5.00", tax("5.00", "0.00", "0")), *[taxed("10.00", "1.007", "10")] * 3, paid="3.04"),
        {"taxes": ["0.00", "1.02", "1.01", "1.01"]},
    ),
    "a tax on nothing can take it up": (
        invoice(taxed("10.00", "2.10"), *[taxed("0.00", "0.505")] * 2, paid="3.11"),
        {"taxes": ["2.10", "0.50", "0.51"]},
    ),
    "nothing is never negative": (
        invoice(taxed(), taxed("-0.00", "-0.00"), taxed("-0.001", "0"), net="100.00", paid="21.00"),
        {"nets": ["100.00", "0.00", "0.00"], "taxes": ["21.00", "0.00", "0.00"]},
    ),
}


@pytest.mark.parametrize(("document", "expected"), ROUNDED.values(), ids=ROUNDED)
def test_items_are_rounded_to_the_currency_and_sum_to_the_total(document: Json, expected: Json) -> None:
    assert columns(items(document), *expected) == expected


def test_unrounded_groups_sum_to_the_rounded_total_and_the_warning_says_where_it_went() -> None:
    groups = [taxed("33.3333", "6.999993"), taxed("33.3333", "6.999993"), taxed("33.3334", "7.000014")]
    document = invoice(*groups, net="100.00", paid="21.00")

    mapping = mapped(document)

    assert nets(items(document)) == ["33.33", "33.33", "33.34"]
    assert taxes(items(document)) == ["7.00", "7.00", "7.00"]
    assert mapping.warnings == (
        "0.01 EUR of rounding is in the net of periods[0].groups[2], "
        "so that the items sum to the invoice's total.",
    )


def test_the_tax_can_take_up_rounding_too() -> None:
    groups = [taxed("10.02", "2.10"), taxed("10.02", "2.10"), taxed("10.03", "2.11")]
    document = invoice(*groups, paid="6.32")

    mapping = mapped(document)

    assert taxes(items(document)) == ["2.10", "2.10", "2.12"]
    assert mapping.warnings == (
        "0.01 EUR of rounding is in the tax of periods[0].groups[2], "
        "so that the items sum to the invoice's total.",
    )


@pytest.mark.parametrize("scope", SCOPES)
def test_lines_of_nothing_do_not_excuse_a_difference(scope: str) -> None:
    nothing = [group("0.00") for _ in range(6)]

    error = refusal(invoice(group("10.00"), *nothing, net="10.02", paid="0"), invoice_scope=scope)

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert f"{GROUP} 10" in error.message
    assert "10.02 EUR" in error.message


@pytest.mark.parametrize("scope", SCOPES)
def test_lines_without_tax_do_not_excuse_a_difference_in_tax(scope: str) -> None:
    document = invoice(taxed("10.00", "2.10"), *[EXEMPT] * 6, paid="2.12")

    error = refusal(document, invoice_scope=scope)

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert "have a tax of 2.1 EUR, but the invoice's tax is 2.12 EUR" in error.message


def test_an_unrounded_header_is_rounded_as_the_customer_sees_it() -> None:
    document = invoice(taxed("10.004", "2.004"))

    mapping = mapped(document)

    assert mapping.totals.as_text() == {"currency": "EUR", "net": "10.00", "tax": "2.01", "gross": "12.01"}
    assert taxes(items(document)) == ["2.01"]


def test_an_unrounded_header_need_not_add_up_to_the_last_digit() -> None:
    groups = taxed("3.334", "0.668"), taxed("3.335", "0.668"), taxed("3.335", "0.668")
    less, more = (invoice(*groups, gross=gross) for gross in ("12.0229", "12.0231"))

    assert mapped(less).totals.as_text()["gross"] == "12.02"
    assert refusal(more).code is Code.DOES_NOT_TIE_OUT


# Totals


def test_prices_that_include_tax_tie_out_by_their_own_nets() -> None:
    groups = [
        taxed("8.26", "1.74", amount_including_tax=amount("10.00")),
        taxed("16.53", "3.47", amount_including_tax=amount("20.00")),
    ]
    document = invoice(*groups, pricing_amount_type="INCLUDING_TAX", net="24.79", paid="5.21")

    assert nets(items(document)) == ["8.26", "16.53"]
    assert mapped(document).totals.as_text()["gross"] == "30.00"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"tax_summary": None}, id="no summary"),
        pytest.param(
            {"tax_summary": {"country_code": "NL"}, "invoice_amount_including_tax": None}, id="nothing"
        ),
        pytest.param({"tax_summary": {"base_amount": amount("100.00"), "country_code": "NL"}}, id="no tax"),
        pytest.param({"tax_summary": {"tax_amount": amount("21.00"), "country_code": "NL"}}, id="no net"),
        pytest.param({"invoice_amount_including_tax": None}, id="no gross"),
    ],
)
def test_what_the_header_lacks_is_summed_from_the_groups(header: Json) -> None:
    document = invoice(taxed()) | {"billing_entity": {"registered_address": {"country": "NL"}}} | header

    found = mapped(document).totals.as_text()

    assert (found["net"], found["tax"], found["gross"]) == ("100.00", "21.00", "121.00")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    ("header", "named"),
    [
        pytest.param({"net": "100.50", "gross": "121.50"}, ("100 EUR", "100.5 EUR"), id="net"),
        pytest.param({"paid": "21.50"}, ("21 EUR", "21.5 EUR"), id="tax"),
        pytest.param({"gross": "121.01"}, ("121 EUR", "121.01 EUR"), id="gross"),
        pytest.param({"gross": "-121.00"}, ("121 EUR", "-121 EUR"), id="sign"),
    ],
)
def test_a_header_that_differs_from_the_groups_is_rejected_with_both_amounts(
    scope: str, header: Json, named: tuple[str, str]
) -> None:
    error = refusal(invoice(taxed(), **header), invoice_scope=scope)

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert GROUP in error.message
    assert all(amount in error.message for amount in named)
    assert "Nothing was sent" in error.remedy


def test_a_header_without_net_and_tax_still_binds_by_its_gross() -> None:
    error = refusal(invoice(taxed(), gross="122.00") | {"tax_summary": {"country_code": "NL"}})

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert "121 EUR" in error.message
    assert "122 EUR" in error.message


def test_without_a_stated_tax_the_gross_may_differ_by_rounding() -> None:
    document = invoice(*(taxed("25.00", "5.25") for _ in range(4)), gross="121.02")
    document["tax_summary"]["tax_amount"] = None

    assert mapped(document).totals.as_text()["tax"] == "21.02"
    assert taxes(items(document)) == ["5.26", "5.26", "5.25", "5.25"]


def test_a_long_invoice_lists_twenty_groups_in_its_refusal() -> None:
    error = refusal(invoice(*(taxed() for _ in range(22)), gross="1.00"))

    assert "groups[19] 100)" in error.message
    assert "groups[20]" not in error.message


def test_the_summarys_total_stands_in_for_a_missing_gross() -> None:
    document = invoice(taxed(), gross="122.00") | {"invoice_amount_including_tax": None}

    assert refusal(document).code is Code.DOES_NOT_TIE_OUT


def test_a_group_without_amount_has_the_sum_of_its_lines() -> None:
    lines = [line(amount_excluding_tax=amount("60.00")), line(amount_excluding_tax=amount("40.00")), line()]
    document = invoice(group("100.00", lines=lines))
    document["periods"][0]["groups"][0]["amount_excluding_tax"] = None

    assert nets(items(document)) == ["100.00"]


def test_a_group_without_any_amount_is_rejected() -> None:
    document = invoice(taxed(), group("0", lines=[line()]))
    document["periods"][0]["groups"][1]["amount_excluding_tax"] = None

    error = refusal(document)

    assert error.code is Code.DOES_NOT_TIE_OUT
    assert error.message == "The group periods[0].groups[1] has no amount."


def priced(net: str, paid: str) -> Json:
    """An item of ``FULL`` scope, as far as the proof looks at it."""
    return {"price": {"amount_per_unit": {"amount": net}}, "tax_rate": {"tax_amount": {"amount": paid}}}


@pytest.mark.parametrize(
    ("item", "what"),
    [
        (priced("99.99", "21.00"), "net"),
        (priced("100.00", "0.21"), "tax"),
        ({"total_amount": {"amount": "100.00"}}, "tax"),
        ({}, "net"),
    ],
)
def test_a_payload_is_proved_once_more_before_it_is_sent(item: Json, what: str) -> None:
    totals = mapped(invoice(taxed())).totals

    with pytest.raises(NeedsAttention, match=f"The items to send have a {what} of") as caught:
        verify_payload_totals({"items": [item]}, totals)

    assert caught.value.code is Code.DOES_NOT_TIE_OUT


def test_taxes_on_items_are_proved_even_beside_one_in_the_header() -> None:
    item = {"total_amount": {"amount": "100.00"}, "tax_amount": {"amount": "20.99"}}

    with pytest.raises(NeedsAttention, match="have a tax of"):
        verify_payload_totals(
            {"items": [item], "tax_amount": {"amount": "21.00"}}, mapped(invoice(taxed())).totals
        )
