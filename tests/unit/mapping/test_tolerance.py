"""What Solvimon leaves out, adds or garbles: mapped, or refused in words; no crash (dossier, trap 36)."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.links import Links
from tests.support.builders import (
    CUSTOMER,
    FALLBACK,
    LINKS,
    SCOPES,
    SUBSIDIARY,
    Json,
    group,
    invoice,
    mapped,
    sent,
    taxed,
)

ABROAD = Links(CUSTOMER, SUBSIDIARY, "USD", LINKS.products)
GROSS = "160.40"
GROUP_PATH = ("periods", 0, "groups", 0)
Place = tuple[str | int, ...]


def full_invoice() -> Json:
    """An invoice that fills every field the product reads, and each in every place where it reads it."""
    text = Path(__file__).with_name("full_invoice.yaml").read_text(encoding="utf-8")
    document: Json = yaml.safe_load(text)
    return document


def places(value: object, path: Place = ()) -> Iterator[Place]:
    """The path of everything inside a document, containers before their contents."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (*path, step)
        yield from places(inner, (*path, step))


def changed(document: Json, path: Place, value: object) -> Json:
    """A copy of a document with something else in one place."""
    result = copy.deepcopy(document)
    holder: object = result
    for step in path[:-1]:
        holder = holder[step]  # type: ignore[index]
    holder[path[-1]] = value  # type: ignore[index]
    return result


def outcome(document: Json, scope: str = "FULL") -> str:
    """What becomes of a document: the gross that is sent, or why it is refused. Nothing else is raised."""
    try:
        mapping = mapped(document, ABROAD, invoice_scope=scope, fallback_products={"default": FALLBACK})
    except ValidationError:
        return "unreadable"  # what the client makes of it: invoice_unreadable
    except NeedsAttention as error:
        return str(error.code) if error.message and error.remedy else "refused without words"
    return str(mapping.totals.gross)


def test_the_full_invoice_is_sent() -> None:
    assert outcome(full_invoice()) == GROSS


@pytest.mark.parametrize("scope", SCOPES)
def test_a_null_in_any_place_is_tolerated_or_refused_in_words(scope: str) -> None:
    document = full_invoice()

    outcomes = {path: outcome(changed(document, path, None), scope) for path in places(document)}

    unreadable = {path for path, came in outcomes.items() if came == "unreadable"}
    refused = {path for path, came in outcomes.items() if came in set(Code)}
    sent = {path for path, came in outcomes.items() if came == GROSS}
    assert unreadable | refused | sent == set(outcomes)
    assert {path[-1] for path in unreadable} == {"id", "quantity", "currency"}
    assert [path for path in unreadable if path[-1] == "id"] == [("id",)]
    assert len(sent) > len(outcomes) * 3 / 5
    assert {("notes",), ("notes", 0), ("due_date",), ("tax_summary",), ("customer",), ("timezone",)} <= sent
    assert {("invoice_date",), ("periods",), ("periods", 0, "groups", 0, "amount_excluding_tax")} <= refused


def test_fields_that_nobody_knows_are_ignored_everywhere() -> None:
    document = full_invoice()
    expected = sent(document, fallback_products={"default": FALLBACK})
    objects = [path for path in places(document) if isinstance(_at(document, path), dict)]
    for path in objects:
        document = changed(document, path, _at(document, path) | {"surprise": {"in": ["here"]}})

    assert sent(document | {"surprise": 1}, fallback_products={"default": FALLBACK}) == expected


@pytest.mark.parametrize("field", ["type", "status", "billing_type", "object_type", "category"])
def test_enum_values_that_nobody_knows_are_tolerated(field: str) -> None:
    document = full_invoice()
    for path in list(places(document)):
        if path[-1] == field:
            document = changed(document, path, "BRAND_NEW")

    assert outcome(document | {field: "BRAND_NEW"}) == GROSS


@pytest.mark.parametrize(
    "value", ["", " ", "x", "0", "-1", "2026-13-01", 0, -1, 1.5, True, [], {}, ["x"], [[]], {"id": 1}]
)
def test_a_wrong_value_in_any_place_is_tolerated_or_refused_in_words(value: object) -> None:
    document = full_invoice()

    outcomes = {outcome(changed(document, path, value)) for path in places(document)}

    assert outcomes <= {GROSS, "unreadable", *Code}
    assert "unreadable" in outcomes


@pytest.mark.parametrize(
    "number", ["NaN", "sNaN", "Infinity", "-Infinity", "1e18", "-1E+18", "1e400", "1e-400", "1,5", ""]
)
def test_numbers_that_are_none_or_too_large_are_unreadable(number: str) -> None:
    document = full_invoice()
    numbers = [
        path for path in places(document) if path[-1] in {"quantity", "percentage", "number", "count", "rate"}
    ]

    outcomes = {outcome(changed(document, path, number)) for path in numbers}

    assert outcomes == {"unreadable"}
    assert len(numbers) > 40


@pytest.mark.parametrize("percentage", ["1000.01", "-1000.01"])
def test_percentages_beyond_all_taxes_are_unreadable(percentage: str) -> None:
    assert outcome(changed(full_invoice(), (*GROUP_PATH, "tax_categories", 0, "percentage"), percentage)) == (
        "unreadable"
    )


@pytest.mark.parametrize("scope", SCOPES)
def test_amounts_of_a_quadrillion_are_exact_to_the_cent(scope: str) -> None:
    document = invoice(taxed("123456789012345678.91", "25925925692592592.57", "21"))

    found = mapped(document, invoice_scope=scope).totals.as_text()

    assert found["net"] == "123456789012345678.91"
    assert found["gross"] == "149382714704938271.48"


def test_many_decimals_are_read_exactly() -> None:
    thirds = [group("3." + "3" * 60), group("3." + "3" * 60), group("3." + "3" * 59 + "4")]

    assert outcome(invoice(*thirds, net="10.00", paid="0")) == "10.00"


@pytest.mark.parametrize("field", ["start_at", "end_at"])
@pytest.mark.parametrize(
    "moment",
    [f"{year}-01-01T00:00:00Z" for year in ("0001", "10000")]
    + ["9999-12-31T23:59:59Z", "soon", "2026-02-30", "23:59:59"],
)
def test_moments_that_no_calendar_has_are_unreadable(field: str, moment: str) -> None:
    assert outcome(changed(full_invoice(), (*GROUP_PATH, field), moment)) == "unreadable"


def _at(document: object, path: Place) -> Json:
    for step in path:
        document = document[step]  # type: ignore[index]
    return document  # type: ignore[return-value]
