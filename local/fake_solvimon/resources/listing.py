"""Lists: filters, search bodies, order and pages (Solvimon, query parameters)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from local.fake_solvimon import timestamps
from local.fake_solvimon.errors import Json, invalid_field
from local.fake_solvimon.field_checks import timestamp
from local.fake_solvimon.resources.resource import Resource

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 100
"""Solvimon names no maximum; the fake cuts a larger `limit` down silently, so that only a caller who follows
`links.next` sees everything."""

_SEARCH_KEYS = {"search_fields", "filter_fields", "selection_rule_fields"}


def ordered(
    records: Iterable[Json], resource: Resource, args: "MultiDict[str, str]", field: str, direction: str
) -> list[Json]:
    """Return records in the order the caller or the default asks for; absent values come last.

    Raises:
        ApiProblem: The field cannot be ordered by, or the direction is neither asc nor desc.
    """
    field = args.get("order_by", field)
    direction = args.get("order_direction", direction).lower()
    if field not in resource.orderable:
        raise invalid_field("order_by", f"must be one of {', '.join(sorted(resource.orderable))}")
    if direction not in ("asc", "desc"):
        raise invalid_field("order_direction", "must be asc or desc")
    by_id = sorted(records, key=lambda record: str(record["id"]))
    present = [record for record in by_id if _orderable(record, field) is not None]
    absent = [record for record in by_id if _orderable(record, field) is None]
    present.sort(key=lambda record: _orderable(record, field), reverse=direction == "desc")
    return present + absent


def _orderable(record: Json, field: str) -> Any:  # noqa: ANN401
    if field == "name":
        return display_name(record)
    value = record.get(field)
    if isinstance(value, dict):
        return Decimal(value["quantity"])
    return value


def display_name(record: Json) -> str | None:
    """Return what a record of any kind is called."""
    organization = record.get("organization") or {}
    person = (record.get("individual") or {}).get("name") or {}
    return (
        record.get("name")
        or record.get("legal_name")
        or organization.get("legal_name")
        or person.get("last_name")
    )


def page_of(
    records: Sequence[Json], args: "MultiDict[str, str]", url: str, show: Callable[[Json], Json]
) -> Json:
    """Return one page in Solvimon's wrapper.

    Args:
        records: All records, in order.
        args: The query, with `page` and `limit`.
        url: The list's address, for `links`.
        show: Makes the record's representation.

    Raises:
        ApiProblem: `page` or `limit` is not a positive integer.
    """
    page = _positive(args, "page", 1)
    limit = min(_positive(args, "limit", DEFAULT_LIMIT), LARGEST_LIMIT)
    pages = max(1, -(-len(records) // limit))

    def link(number: int) -> str | None:
        if not 1 <= number <= pages:
            return None
        query = [item for item in args.items(multi=True) if item[0] not in ("page", "limit")]
        return f"{url}?{urlencode([*query, ('page', number), ('limit', limit)])}"

    return {
        "data": [show(record) for record in records[(page - 1) * limit : page * limit]],
        "page": page,
        "limit": limit,
        "total_number_of_pages": pages,
        "links": {
            "first": link(1),
            "previous": link(page - 1),
            "current": link(page),
            "next": link(page + 1),
        },
    }


def _positive(args: "MultiDict[str, str]", name: str, default: int) -> int:
    value = args.get(name, str(default))
    if not value.isdecimal() or int(value) < 1:
        raise invalid_field(name, "must be a positive integer")
    return int(value)


def boolean(args: "MultiDict[str, str]", name: str) -> bool | None:
    """Return a query parameter that is true or false, None when it is absent.

    Raises:
        ApiProblem: It is something else.
    """
    value = args.get(name)
    if value not in (None, "true", "false"):
        raise invalid_field(name, "must be true or false")
    return None if value is None else value == "true"


def date_range(args: "MultiDict[str, str]", name: str) -> tuple[datetime, datetime] | None:
    """Return the bounds of `[2026-10-01T00:00:00Z,2026-11-01T00:00:00Z]`, both included.

    Raises:
        ApiProblem: It is not such a range.
    """
    value = args.get(name)
    if value is None:
        return None
    bounds = value.removeprefix("[").removesuffix("]").split(",")
    if not (value.startswith("[") and value.endswith("]")) or len(bounds) != 2:
        raise invalid_field(name, "must be a range such as [2023-01-01T00:00:00Z,2023-04-01T00:00:00Z]")
    for bound in bounds:
        timestamp(bound, name)
    return timestamps.from_text(bounds[0]), timestamps.from_text(bounds[1])


def filtered(records: Iterable[Json], resource: Resource, args: "MultiDict[str, str]") -> list[Json]:
    """Return the records that a list's own filters let through.

    Raises:
        ApiProblem: A custom-field filter is not `reference:value`.
    """
    kept = list(records)
    for name in resource.filters & set(args):
        value = args[name]
        if name == "custom_field":
            reference, colon, wanted = value.partition(":")
            if not colon:
                raise invalid_field(name, "must be reference:value")
            kept = [record for record in kept if wanted in custom_values_of(record, reference)]
        elif name == "statuses[]":
            kept = [record for record in kept if record.get("status") in args.getlist(name)]
        else:
            field = "category_id" if name == "product_category_id" else name
            kept = [record for record in kept if record.get(field) == value]
    return kept


def custom_values_of(record: Json, reference: str) -> list[str]:
    """Return a record's values of the custom field with this reference or id."""
    return [
        text
        for value in record.get("custom_fields") or []
        if reference in (value.get("reference"), value.get("id"))
        for text in [value.get("value"), *(value.get("values") or [])]
        if text is not None
    ]


def searched(records: Iterable[Json], resource: Resource, body: Json) -> list[Json]:
    """Return the records that meet every condition of a search body (OpenAPI `SearchCreateRequest`).

    Solvimon does not list the names it accepts: here any field of the resource, dotted into its objects,
    and for a custom field the name `custom_fields` with the `reference` beside it.

    Raises:
        ApiProblem: The body has an unknown part or name.
    """
    for name in body.keys() - _SEARCH_KEYS:
        raise invalid_field(name, "unknown field")
    kept = list(records)
    for index, condition in enumerate(body.get("search_fields") or []):
        _known(resource, condition, f"search_fields.{index}.name")
        kept = [record for record in kept if _found(_values(record, condition), condition)]
    for index, condition in enumerate(body.get("filter_fields") or []):
        _known(resource, condition, f"filter_fields.{index}.name")
        wanted = set(condition.get("values") or []) | {condition.get("value")} - {None}
        kept = [record for record in kept if wanted & set(_values(record, condition))]
    return kept


def _known(resource: Resource, condition: Json, path: str) -> None:
    first = str(condition.get("name")).split(".")[0]
    if first not in resource.writable.keys() | resource.read_only:
        raise invalid_field(path, f"{resource.object_type} cannot be searched by {condition.get('name')}")


def _values(record: Json, condition: Json) -> list[str]:
    if condition["name"] == "custom_fields":
        return custom_values_of(record, str(condition.get("reference")))
    value: object = record
    for part in condition["name"].split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if value is None:
        return []
    return ["true" if value is True else "false" if value is False else str(value)]


def _found(values: list[str], condition: Json) -> bool:
    wanted = str(condition.get("value", ""))
    if condition.get("ignore_case"):
        wanted, values = wanted.casefold(), [value.casefold() for value in values]
    start, end = bool(condition.get("wildcard_start")), bool(condition.get("wildcard_end"))
    return any(
        (start and end and wanted in value)
        or (start and value.endswith(wanted))
        or (end and value.startswith(wanted))
        or value == wanted
        for value in values
    )
