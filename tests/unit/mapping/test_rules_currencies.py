"""Currencies, exchange rates, mail and texts of the header (design 4; dossier, trap 24)."""

import pytest

from solvimon_rillet.errors import Code
from solvimon_rillet.mapping.links import Links
from tests.support.builders import (
    CUSTOMER,
    LINKS,
    SUBSIDIARY,
    Check,
    Json,
    amount,
    each_case,
    group,
    invoice,
    items,
    line,
    mapped,
    nets,
    refuse,
    sent,
    tax,
    taxed,
)

# Currencies


DOLLARS, DOLLAR_TAX = amount("1.00", "USD"), tax("1.00", "0.21", currency="USD")
NAMED, TAX_NAMED = "periods[0].groups[1] is in another", "A tax of the group periods[0].groups[1]"
MIXED = Code.CURRENCY_MIXED
HEADERS: dict[str, Json] = {
    "invoice_amount_including_tax is in another currency than the invoice: EUR": {"billing_currency": "USD"},
    "tax_categories[0] is in another currency than the invoice: USD": {
        "tax_categories": [tax("1", "0", currency="USD")]
    },
    **{
        f"tax_summary.{field} is in another currency than the invoice: USD": {
            "tax_summary": {field: amount("100.00", "USD")}
        }
        for field in ("base_amount", "tax_amount", "total_amount")
    },
}
REFUSED: dict[str, Check] = {
    **{
        f"a header with another currency: {named}": refuse(invoice(taxed()) | change, MIXED, named)
        for named, change in HEADERS.items()
    },
    **{
        f"a group with another currency in its {what}": refuse(
            invoice(taxed(), other, billing_currency="EUR", net="101.00", paid="21.21"),
            *(MIXED, named),
            ends="is in another currency than the invoice: USD, not EUR.",
        )
        for what, other, named in (
            ("net", group("1.00", currency="USD"), NAMED),
            ("gross", group("1.00", amount_including_tax=DOLLARS), NAMED),
            ("tax", group("1.00", DOLLAR_TAX), TAX_NAMED),
            ("tax amount", group("1.00", tax("1.00", "0.21") | {"tax_amount": DOLLARS}), TAX_NAMED),
            ("line's tax", group("1.00", lines=[line(tax_categories=[DOLLAR_TAX])]), TAX_NAMED),
            (
                "line that counts",
                group("1.00", lines=[line(amount_excluding_tax=DOLLARS)])
                | {"amount_excluding_tax": None, "total": None},
                NAMED,
            ),
        )
    },
    "no currency at all": refuse(
        invoice(taxed(), billing_currency=None) | {"invoice_amount_including_tax": None},
        MIXED,
        message="The invoice names no currency.",
    ),
}


@each_case(REFUSED)
def test_mixed_or_missing_currencies_are_refused(check: Check) -> None:
    check()


def test_prices_and_local_amounts_may_be_in_another_currency() -> None:
    priced = line(amount_excluding_tax=amount("110.00", "USD"), details={"amount": amount("110.00", "USD")})
    document = invoice(taxed(lines=[priced]))
    document["tax_summary"]["local_amounts"] = {"total_amount": amount("131.00", "USD")}

    assert nets(items(document)) == ["100.00"]


def test_the_gross_names_the_currency_where_the_invoice_does_not() -> None:
    assert mapped(invoice(taxed(currency="USD"), billing_currency=None)).totals.currency == "USD"


# Exchange rates


def abroad(*used: Json, books: str | None = "USD", local: Json | None = None, **settings: object) -> Json:
    """What is sent for an invoice of 100 euros to a subsidiary with books in dollars."""
    document = invoice(taxed(), used_exchange_rates=list(used), invoice_date="2026-01-31T23:30:00Z")
    document["tax_summary"]["local_amounts"] = local
    return sent(document, Links(CUSTOMER, SUBSIDIARY, books, LINKS.products), **settings)


def rate(base: str, currency: str, value: str | None) -> Json:
    """An exchange rate as Solvimon names it."""
    return {"base_currency": base, "currency": currency, "rate": value}


def test_the_rate_goes_from_the_documents_currency_to_the_subsidiarys() -> None:
    payload = abroad(rate("GBP", "USD", "1.30"), rate("EUR", "USD", "1.250"))

    assert payload["exchange_rate"] == {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-02-01"}


def test_a_rate_from_the_other_side_is_turned_round() -> None:
    assert abroad(rate("USD", "EUR", "0.8"))["exchange_rate"]["rate"] == "1.25"
    assert abroad(rate("USD", "EUR", "3"))["exchange_rate"]["rate"] == "0.3333333333"


@pytest.mark.parametrize(
    "local",
    [
        pytest.param({"total_amount": amount("151.25", "USD")}, id="by the gross"),
        pytest.param({"base_amount": amount("125.00", "USD")}, id="by the net"),
        pytest.param({"total_amount": None, "base_amount": amount("125.00", "USD")}, id="by the net alone"),
    ],
)
@pytest.mark.parametrize("pair", [("EUR", "USD"), ("USD", "EUR")])
@pytest.mark.parametrize("value", ["1.25", "0.8"])
def test_local_amounts_tell_which_way_the_rate_points(local: Json, pair: tuple[str, str], value: str) -> None:
    payload = abroad(rate(*pair, value), local=local)

    assert payload["exchange_rate"]["rate"] == "1.25"


@pytest.mark.parametrize("pair", [("EUR", "GBP"), ("GBP", "EUR")])
@pytest.mark.parametrize("value", ["1.25", "0.8"])
def test_local_amounts_tell_it_for_a_rate_below_one_too(pair: tuple[str, str], value: str) -> None:
    payload = abroad(rate(*pair, value), books="GBP", local={"total_amount": amount("96.80", "GBP")})

    assert payload["exchange_rate"]["rate"] == "0.8"


def test_local_amounts_in_a_third_currency_tell_nothing() -> None:
    payload = abroad(rate("USD", "EUR", "0.8"), local={"total_amount": amount("90.00", "GBP")})

    assert payload["exchange_rate"]["rate"] == "1.25"


@pytest.mark.parametrize("books", ["EUR", None])
def test_no_rate_is_sent_for_the_same_or_an_unknown_currency(books: str | None) -> None:
    assert "exchange_rate" not in abroad(rate("EUR", "USD", "1.25"), books=books)


PRICE_LIST, CENTRAL_BANK = rate("EUR", "USD", "1.10"), rate("EUR", "USD", "1.25")
PROOF = {
    "base_amount": amount("125.00", "USD"),
    "tax_amount": amount("26.25", "USD"),
    "total_amount": amount("151.25", "USD"),
}


@pytest.mark.parametrize("used", [[PRICE_LIST, CENTRAL_BANK], [CENTRAL_BANK, PRICE_LIST]])
def test_of_several_rates_for_one_pair_the_one_that_the_local_amounts_prove_counts(used: list[Json]) -> None:
    assert abroad(*used, local=PROOF)["exchange_rate"]["rate"] == "1.25"


@pytest.mark.parametrize(
    ("used", "local", "problem"),
    [
        pytest.param([PRICE_LIST, CENTRAL_BANK], None, "several rates (1.1, 1.25)", id="without a proof"),
        pytest.param(
            [PRICE_LIST, CENTRAL_BANK],
            {"total_amount": amount("145.20", "USD")},
            "do not prove one of the rates",
            id="a third rate is proven",
        ),
        pytest.param(
            [CENTRAL_BANK, rate("EUR", "USD", "1.2501")],
            {"base_amount": amount("125.00", "USD")},
            "do not prove one of the rates",
            id="two that both fit",
        ),
        pytest.param([rate("EUR", "USD", "-1.25")], PROOF, "not positive (-1.25)", id="negative"),
        pytest.param(
            [CENTRAL_BANK],
            {"total_amount": amount("-151.25", "USD")},
            "do not prove one of the rates",
            id="of the other sign",
        ),
    ],
)
def test_a_rate_that_the_document_does_not_prove_is_not_sent_and_a_warning_says_why(
    used: list[Json], local: Json | None, problem: str
) -> None:
    document = invoice(taxed(), used_exchange_rates=used)
    document["tax_summary"]["local_amounts"] = local

    mapping = mapped(document, Links(CUSTOMER, SUBSIDIARY, "USD", LINKS.products))

    assert "exchange_rate" not in mapping.payload
    (warning,) = mapping.warnings
    assert problem in warning
    assert warning.endswith("Rillet uses its own.")


def test_one_rate_stated_from_both_sides_is_one_rate() -> None:
    assert abroad(CENTRAL_BANK, rate("USD", "EUR", "0.8"))["exchange_rate"]["rate"] == "1.25"


def test_a_negative_rate_beside_a_positive_one_does_not_count() -> None:
    assert abroad(rate("EUR", "USD", "-1.10"), CENTRAL_BANK)["exchange_rate"]["rate"] == "1.25"


def test_a_rate_of_few_digits_is_proven_by_amounts_of_many() -> None:
    document = invoice(taxed("1000000.00", "210000.00"), used_exchange_rates=[rate("EUR", "USD", "1.2345")])
    document["tax_summary"]["local_amounts"] = {"base_amount": amount("1234538.00", "USD")}

    payload = sent(document, Links(CUSTOMER, SUBSIDIARY, "USD", LINKS.products))

    assert payload["exchange_rate"]["rate"] == "1.2345"


@pytest.mark.parametrize(
    "used", [[], [rate("EUR", "GBP", "0.86")], [rate("EUR", "USD", None)], [rate("EUR", "USD", "0")]]
)
def test_a_rate_that_solvimon_does_not_say_is_not_made_up_and_a_warning_says_so(used: list[Json]) -> None:
    document = invoice(taxed(), used_exchange_rates=used)

    mapping = mapped(document, Links(CUSTOMER, SUBSIDIARY, "USD", LINKS.products))

    assert "exchange_rate" not in mapping.payload
    assert mapping.warnings == (
        "The invoice is in EUR, the subsidiary's books are in USD, and Solvimon names no exchange rate; "
        "Rillet uses its own.",
    )


def test_a_rate_that_solvimon_says_needs_no_warning() -> None:
    document = invoice(taxed(), used_exchange_rates=[rate("EUR", "USD", "1.25")])

    assert mapped(document, Links(CUSTOMER, SUBSIDIARY, "USD", LINKS.products)).warnings == ()


# Mail


@pytest.mark.parametrize(
    ("scope", "mailed", "warned"),
    [("FULL", True, True), ("FULL", False, False), ("FULL", None, False), ("AR_ONLY", True, False)],
)
def test_a_customer_whom_rillet_mails_automatically_is_a_warning(
    scope: str, mailed: bool | None, warned: bool
) -> None:
    links = Links(CUSTOMER, SUBSIDIARY, None, LINKS.products, mailed)

    warnings = mapped(invoice(taxed()), links, invoice_scope=scope).warnings

    assert any("send_invoices_automatically" in warning for warning in warnings) == warned


# Texts


@pytest.mark.parametrize(
    ("notes", "memo"),
    [
        (["One.", "Two."], "One.\nTwo."),
        (["One.", "", None], "One."),
        (["First line\nsecond line"], "First line\nsecond line"),
        ([""], None),
        ([], None),
        (None, None),
    ],
)
def test_notes_are_joined_to_a_memo(notes: list[str] | None, memo: str | None) -> None:
    assert sent(invoice(taxed(), notes=notes)).get("memo") == memo


@pytest.mark.parametrize("number", [None, ""])
def test_no_purchase_order_number_is_none(number: str | None) -> None:
    assert "purchase_order_number" not in sent(invoice(taxed(), purchase_order_number=number))
