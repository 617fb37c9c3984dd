"""Field types of Solvimon's objects."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf

T = TypeVar("T")


def _parse_moment(value: object) -> object:
    """Parse an ISO 8601 text: a date stays a date; a time without a time zone is UTC."""
    if not isinstance(value, str):
        return value
    if len(value) == len("2026-01-31"):
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value)
    if not date.min.year < moment.year < date.max.year:
        raise ValueError("should be a moment whose day every time zone knows")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _drop_nulls(value: object) -> object:
    """An empty list for ``null``; a list without its nulls."""
    if isinstance(value, list):
        return [item for item in value if item is not None]
    return [] if value is None else value


def _objects(value: object) -> list[object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


# datetime is a date in Python: InstanceOf keeps which of the two it is.
Moment = Annotated[InstanceOf[date], BeforeValidator(_parse_moment)]

Several = Annotated[list[T], BeforeValidator(_drop_nulls)]

# Bounds within which Python's decimals neither lose a cent nor produce very long texts.
Number = Annotated[Decimal, Field(gt=-(10**18), lt=10**18, max_digits=100)]

Percentage = Annotated[Decimal, Field(ge=-1000, le=1000, max_digits=100)]


Objects = Annotated[list[dict[str, Any]], BeforeValidator(_objects)]
"""A list of JSON objects as they came, for what is sent back whole; anything else in it is left out."""


class Model(BaseModel):
    """Base of all wire models: tolerant on input."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)
