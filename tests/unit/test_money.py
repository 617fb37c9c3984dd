"""Money to the cent."""

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from iso4217 import Currency

from solvimon_rillet import money

CURRENCIES = ("EUR", "JPY", "BHD", "CLF")
AMOUNTS = st.decimals(-(10**9), 10**9, places=6)
PARTS = st.lists(AMOUNTS, min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("currency", "decimals"),
    [
        ("EUR", 2),
        ("USD", 2),
        ("eur", 2),
        ("JPY", 0),
        ("jpy", 0),
        ("KRW", 0),
        ("ISK", 0),
        ("BHD", 3),
        ("CLF", 4),
    ],
)
def test_currencies_have_their_own_decimals(currency: str, decimals: int) -> None:
    assert money.decimals(currency) == decimals
    assert money.unit(currency) == Decimal(10) ** -decimals


def test_the_table_of_decimals_agrees_with_iso_4217() -> None:
    published = {currency.code: currency.exponent for currency in Currency if currency.exponent is not None}

    assert {code: money.decimals(code) for code in published} == published
    assert money._MINOR_UNITS.keys() <= published.keys()


@pytest.mark.parametrize(
    ("exact", "currency", "text"),
    [
        ("1.005", "EUR", "1.01"),
        ("-1.005", "EUR", "-1.01"),
        ("1.004999", "EUR", "1.00"),
        ("100", "EUR", "100.00"),
        ("1E+3", "EUR", "1000.00"),
        ("-0.00", "EUR", "0.00"),
        ("-0.004", "EUR", "0.00"),
        ("-0.4", "JPY", "0"),
        ("0.5", "JPY", "1"),
        ("10.00", "JPY", "10"),
        ("1.0005", "BHD", "1.001"),
        ("999999999999999999.995", "EUR", "1000000000000000000.00"),
    ],
)
def test_amounts_are_rounded_half_up_and_written_with_the_currencys_decimals(
    exact: str, currency: str, text: str
) -> None:
    assert money.format_amount(Decimal(exact), currency) == text
    assert str(money.rounded(Decimal(exact), currency)) == text


@given(exact=AMOUNTS, currency=st.sampled_from(CURRENCIES))
def test_rounding_moves_an_amount_by_half_a_unit_at_most(exact: Decimal, currency: str) -> None:
    result = money.rounded(exact, currency)

    assert abs(result - exact) * 2 <= money.unit(currency)
    assert result.as_tuple().exponent == -money.decimals(currency)
    assert result or not result.is_signed()
    assert money.rounded(-exact, currency) == -result


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("100", "100"),
        ("100.50", "100.5"),
        ("100.00", "100"),
        ("1E+2", "100"),
        ("0.10", "0.1"),
        ("-2.50", "-2.5"),
        ("1.0000000123", "1.0000000123"),
    ],
)
def test_plain_numbers_have_no_exponent_and_no_needless_zeros(number: str, text: str) -> None:
    assert money.format_number(Decimal(number)) == text
    assert money.exact_number(Decimal(number)) == text


def test_a_message_shows_no_digits_that_only_a_division_left() -> None:
    whole = sum((Decimal("1.00") * net / 3 for net in (1, 1, 1)), Decimal())

    assert whole == Decimal("0.9999999999999999999999999999")
    assert money.format_number(whole) == "1"


@given(exact=PARTS, currency=st.sampled_from(CURRENCIES))
def test_parts_of_their_own_rounded_sum_move_by_less_than_a_unit(exact: list[Decimal], currency: str) -> None:
    total = money.rounded(sum(exact, Decimal()), currency)

    parts = money.allocate(total, exact, currency)

    assert sum(parts) == total
    assert all(abs(part - given_) < money.unit(currency) for part, given_ in zip(parts, exact, strict=True))


@given(exact=PARTS, units=st.integers(-7, 7), currency=st.sampled_from(CURRENCIES))
def test_parts_of_a_total_within_rounding_move_by_one_and_a_half_units_at_most(
    exact: list[Decimal], units: int, currency: str
) -> None:
    total = money.rounded(sum(exact, Decimal()), currency) + units * money.unit(currency)
    assume(money.within_rounding(total - sum(exact), len(exact), currency))

    parts = money.allocate(total, exact, currency)

    moved = [abs(part - given_) / money.unit(currency) for part, given_ in zip(parts, exact, strict=True)]
    assert sum(parts) == total
    assert max(moved) <= Decimal("1.5")
    assert all(
        abs(part - money.rounded(e, currency)) <= money.unit(currency)
        for part, e in zip(parts, exact, strict=True)
    )


@given(exact=PARTS, units=st.integers(-10_000, 10_000), currency=st.sampled_from(CURRENCIES))
def test_any_total_is_met_exactly_and_spread_evenly(exact: list[Decimal], units: int, currency: str) -> None:
    total = units * money.unit(currency)

    parts = money.allocate(total, exact, currency)

    steps = [
        (part - money.rounded(e, currency)) / money.unit(currency)
        for part, e in zip(parts, exact, strict=True)
    ]
    assert sum(parts) == total
    assert max(steps) - min(steps) <= 1
    assert all(part.as_tuple().exponent == -money.decimals(currency) for part in parts)


@given(exact=PARTS, currency=st.sampled_from(CURRENCIES))
def test_parts_that_need_no_rounding_stay_as_they_are(exact: list[Decimal], currency: str) -> None:
    rounded = [money.rounded(part, currency) for part in exact]

    assert money.allocate(sum(rounded, Decimal()), rounded, currency) == rounded


def test_the_missing_cent_goes_where_rounding_took_most_then_to_the_largest() -> None:
    by_remainder = money.allocate(
        Decimal("3.01"), [Decimal("1.003"), Decimal("1.004"), Decimal("1.003")], "EUR"
    )
    by_size = money.allocate(Decimal("5.99"), [Decimal("1.00"), Decimal("-4.00"), Decimal("9.00")], "EUR")

    assert by_remainder == [Decimal("1.00"), Decimal("1.01"), Decimal("1.00")]
    assert by_size == [Decimal("1.00"), Decimal("-4.00"), Decimal("8.99")]


def test_nothing_can_only_be_allocated_to_no_parts() -> None:
    assert money.allocate(Decimal("0.00"), [], "EUR") == []
    with pytest.raises(ValueError, match="no parts"):
        money.allocate(Decimal("0.01"), [], "EUR")


@pytest.mark.parametrize(
    ("difference", "parts", "currency", "within"),
    [
        ("0", 0, "EUR", True),
        ("0.004", 0, "EUR", True),
        ("0.01", 0, "EUR", False),
        ("0.01", 1, "EUR", False),
        ("-0.01", 1, "EUR", False),
        ("0.01", 2, "EUR", True),
        ("-0.01", 2, "EUR", True),
        ("0.02", 3, "EUR", False),
        ("0.02", 4, "EUR", True),
        ("1", 1, "JPY", False),
        ("1", 2, "JPY", True),
        ("0.001", 2, "BHD", True),
        ("0.002", 2, "BHD", False),
    ],
)
def test_a_difference_is_rounding_below_half_a_unit_per_amount(
    difference: str, parts: int, currency: str, within: bool
) -> None:
    assert money.within_rounding(Decimal(difference), parts, currency) is within


@given(exact=PARTS, currency=st.sampled_from(CURRENCIES))
def test_parts_and_their_total_rounded_apart_differ_by_rounding_alone(
    exact: list[Decimal], currency: str
) -> None:
    total = money.rounded(sum(exact, Decimal()), currency)
    parts = [money.rounded(part, currency) for part in exact]

    assert money.within_rounding(sum(parts, Decimal()) - total, len(parts), currency)
