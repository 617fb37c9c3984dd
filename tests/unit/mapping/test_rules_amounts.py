"""Rounding and totals (design 4; dossier, traps 20 and 21)."""

import pytest

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.totals import verify_payload_totals
from tests.support.builders import (
    GROUP,
    SCOPES,
    Check,
    Json,
    amount,
    each_case,
    expect,
    group,
    invoice,
    line,
    mapped,
    refuse,
    tax,
    taxed,
)

TIES_NOT = Code.DOES_NOT_TIE_OUT
EXEMPT = group("900.00", tax("900.00", "0.00", "0", "Exempt"))


def rounding(where: str) -> tuple[str, ...]:
    """The warning that says where a cent went."""
    return (f"0.01 EUR of rounding is in the {where}, so that the items sum to the invoice's total.",)


ROUNDED: dict[str, Check] = {
    "yen have no decimals": expect(
        invoice(taxed("1000", "100", "10", currency="JPY")),
        nets=["1000"],
        taxes=["100"],
        currency="JPY",
        totals=["1000", "100", "1100"],
    ),
    "dinars have three decimals": expect(
        invoice(taxed("10.5", "1.05", "10", currency="BHD")), nets=["10.500"], taxes=["1.050"]
    ),
    "it goes to the part that rounding moved furthest": expect(
        invoice(group("1.004"), group("1.003"), group("1.004"), net="3.01", paid="0"),
        nets=["1.01", "1.00", "1.00"],
    ),
    "among equals it goes to the largest amount": expect(
        invoice(group("0.02"), group("1000.00"), group("2.00"), net="1002.01", paid="0"),
        nets=["0.02", "999.99", "2.00"],
    ),
    "lines of nothing and lines without tax take up none": expect(
        invoice(taxed("0.00", "0.00"), EXEMPT, taxed("10.02", "2.10"), taxed("10.02", "2.10"), paid="4.21"),
        taxes=["0.00", "0.00", "2.11", "2.10"],
    ),
    "a line of nothing takes no cent even if its rounding is best": expect(
        invoice(group("0.00"), *[group("1.007")] * 3, net="3.04", paid="0"),
        nets=["0.00", "1.02", "1.01", "1.01"],
    ),
    "a line without tax takes no cent even if its rounding is best": expect(
        invoice(group("5.00", tax("5.00", "0.00", "0")), *[taxed("10.00", "1.007", "10")] * 3, paid="3.04"),
        taxes=["0.00", "1.02", "1.01", "1.01"],
    ),
    "a tax on nothing can take it up": expect(
        invoice(taxed("10.00", "2.10"), *[taxed("0.00", "0.505")] * 2, paid="3.11"),
        taxes=["2.10", "0.50", "0.51"],
    ),
    "nothing is never negative": expect(
        invoice(taxed(), taxed("-0.00", "-0.00"), taxed("-0.001", "0"), net="100.00", paid="21.00"),
        nets=["100.00", "0.00", "0.00"],
        taxes=["21.00", "0.00", "0.00"],
    ),
    "unrounded groups sum to the rounded total and the warning says where it went": expect(
        invoice(
            *[taxed("33.3333", "6.999993")] * 2, taxed("33.3334", "7.000014"), net="100.00", paid="21.00"
        ),
        nets=["33.33", "33.33", "33.34"],
        taxes=["7.00", "7.00", "7.00"],
        warnings=rounding("net of periods[0].groups[2]"),
    ),
    "the tax can take up rounding too": expect(
        invoice(*[taxed("10.02", "2.10")] * 2, taxed("10.03", "2.11"), paid="6.32"),
        taxes=["2.10", "2.10", "2.12"],
        warnings=rounding("tax of periods[0].groups[2]"),
    ),
    "an unrounded header is rounded as the customer sees it": expect(
        invoice(taxed("10.004", "2.004")), currency="EUR", totals=["10.00", "2.01", "12.01"], taxes=["2.01"]
    ),
    "an unrounded header need not add up to the last digit": expect(
        invoice(taxed("3.334", "0.668"), *[taxed("3.335", "0.668")] * 2, gross="12.0229"),
        totals=["10.00", "2.02", "12.02"],
    ),
}


@each_case(ROUNDED)
def test_items_are_rounded_to_the_currency_and_sum_to_the_total(check: Check) -> None:
    check()


NO_SUMMARY: Json = {"tax_summary": {"country_code": "NL"}}
REFUSED: dict[str, Check] = {
    "lines of nothing do not excuse a difference": refuse(
        invoice(group("10.00"), *[group("0.00")] * 6, net="10.02", paid="0"),
        *(TIES_NOT, f"{GROUP} 10", "10.02 EUR"),
        scopes=SCOPES,
    ),
    "lines without tax do not excuse a difference in tax": refuse(
        invoice(taxed("10.00", "2.10"), *[EXEMPT] * 6, paid="2.12"),
        *(TIES_NOT, "have a tax of 2.1 EUR, but the invoice's tax is 2.12 EUR"),
        scopes=SCOPES,
    ),
    "an unrounded header that is off in the last digit": refuse(
        invoice(taxed("3.334", "0.668"), *[taxed("3.335", "0.668")] * 2, gross="12.0231"), TIES_NOT
    ),
    **{
        f"a header whose {name} differs from the groups, with both amounts": refuse(
            invoice(taxed(), **header), TIES_NOT, GROUP, *named, remedy="Nothing was sent", scopes=SCOPES
        )
        for name, header, named in (
            ("net", {"net": "100.50", "gross": "121.50"}, ("100 EUR", "100.5 EUR")),
            ("tax", {"paid": "21.50"}, ("21 EUR", "21.5 EUR")),
            ("gross", {"gross": "121.01"}, ("121 EUR", "121.01 EUR")),
            ("sign", {"gross": "-121.00"}, ("121 EUR", "-121 EUR")),
        )
    },
    "a header without net and tax still binds by its gross": refuse(
        invoice(taxed(), gross="122.00") | NO_SUMMARY, TIES_NOT, "121 EUR", "122 EUR"
    ),
    "the summary's total stands in for a missing gross": refuse(
        invoice(taxed(), gross="122.00") | {"invoice_amount_including_tax": None}, TIES_NOT
    ),
    "a group without any amount": refuse(
        invoice(taxed(), group("0", lines=[line()]) | {"amount_excluding_tax": None}, net="100", paid="21"),
        TIES_NOT,
        message="The group periods[0].groups[1] has no amount.",
    ),
}


@each_case(REFUSED)
def test_what_does_not_tie_out_is_refused(check: Check) -> None:
    check()


def test_a_long_invoice_lists_twenty_groups_in_its_refusal() -> None:
    with pytest.raises(NeedsAttention, match=r"groups\[19\] 100\)") as caught:
        mapped(invoice(*(taxed() for _ in range(22)), gross="1.00"))

    assert "groups[20]" not in caught.value.message


PARTS = [line(amount_excluding_tax=amount("60.00")), line(amount_excluding_tax=amount("40.00")), line()]
IN_NL = {"billing_entity": {"registered_address": {"country": "NL"}}}
STATED_NET = {"base_amount": amount("100.00"), "total_amount": amount("121.02")}
TOTALS: dict[str, Check] = {
    "prices that include tax tie out by their own nets": expect(
        invoice(
            taxed("8.26", "1.74", amount_including_tax=amount("10.00")),
            taxed("16.53", "3.47", amount_including_tax=amount("20.00")),
            pricing_amount_type="INCLUDING_TAX",
            net="24.79",
            paid="5.21",
        ),
        nets=["8.26", "16.53"],
        totals=["24.79", "5.21", "30.00"],
    ),
    **{
        f"a header without {name}": expect(
            invoice(taxed()) | IN_NL | header, totals=["100.00", "21.00", "121.00"]
        )
        for name, header in {
            "summary": {"tax_summary": None},
            "anything": NO_SUMMARY | {"invoice_amount_including_tax": None},
            "tax": {"tax_summary": {"base_amount": amount("100.00"), "country_code": "NL"}},
            "net": {"tax_summary": {"tax_amount": amount("21.00"), "country_code": "NL"}},
            "gross": {"invoice_amount_including_tax": None},
        }.items()
    },
    "without a stated tax the gross may differ by rounding": expect(
        invoice(*[taxed("25.00", "5.25")] * 4, gross="121.02")
        | {"tax_summary": NO_SUMMARY["tax_summary"] | STATED_NET},
        totals=["100.00", "21.02", "121.02"],
        taxes=["5.26", "5.26", "5.25", "5.25"],
    ),
    "a group without amount has the sum of its lines": expect(
        invoice(group("100.00", lines=PARTS) | {"amount_excluding_tax": None}, net="100.00"), nets=["100.00"]
    ),
}


@each_case(TOTALS)
def test_what_the_header_or_a_group_lacks_is_summed(check: Check) -> None:
    check()


def priced(net: str, paid: str) -> Json:
    """An item of ``FULL`` scope, as far as the check of a payload looks at it."""
    return {"price": {"amount_per_unit": {"amount": net}}, "tax_rate": {"tax_amount": {"amount": paid}}}


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        ({"items": [priced("99.99", "21.00")]}, "net"),
        ({"items": [priced("100.00", "0.21")]}, "tax"),
        ({"items": [{"total_amount": {"amount": "100.00"}}]}, "tax"),
        ({"items": [{}]}, "net"),
        pytest.param(
            {
                "items": [{"total_amount": {"amount": "100.00"}, "tax_amount": {"amount": "20.99"}}],
                "tax_amount": {"amount": "21.00"},
            },
            "tax",
            id="even beside a tax in the header",
        ),
    ],
)
def test_a_payload_is_checked_once_more_before_it_is_sent(payload: Json, what: str) -> None:
    totals = mapped(invoice(taxed())).totals

    with pytest.raises(NeedsAttention, match=f"The items to send have a {what} of") as caught:
        verify_payload_totals(payload, totals)

    assert caught.value.code is TIES_NOT
