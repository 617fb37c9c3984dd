"""The field tables' own mechanics."""

import pytest

from solvimon_rillet.mapping.field_table import ALL_SCOPES, FULL, TOTALS_ONLY, Row, fill
from solvimon_rillet.settings import InvoiceScope


def test_a_row_fills_its_field_and_names_where_it_came_from() -> None:
    rows: list[Row[int]] = [
        Row("one", "price.amount", lambda n: n + 1),
        Row("two", "price.unit", lambda _: "EUR"),
    ]

    assert fill(rows, 1, InvoiceScope.FULL) == (
        {"price": {"amount": 2, "unit": "EUR"}},
        {"price.amount": "one", "price.unit": "two"},
    )


@pytest.mark.parametrize("value", [0, "", False, [], {}])
def test_only_none_leaves_a_field_out(value: object) -> None:
    rows: list[Row[object]] = [Row("a", "a", lambda it: it), Row("b", "b", lambda _: None)]

    filled, origins = fill(rows, value, InvoiceScope.FULL)

    assert filled == {"a": value}
    assert origins == {"a": "a"}


def test_a_row_of_other_scopes_is_not_even_worked_out() -> None:
    row: Row[int] = Row("a", "a", lambda n: 1 // n, FULL)

    assert fill([row], 0, InvoiceScope.AR_ONLY) == ({}, {})
    assert {InvoiceScope.FULL, *TOTALS_ONLY} == ALL_SCOPES


def test_a_table_cannot_put_a_field_inside_a_value() -> None:
    rows: list[Row[int]] = [Row("a", "price", lambda n: n), Row("b", "price.unit", lambda n: n)]

    with pytest.raises(TypeError, match="price is a value already"):
        fill(rows, 1, InvoiceScope.FULL)
