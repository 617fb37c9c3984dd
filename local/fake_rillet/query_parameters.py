"""Checked access to query parameters; unknown ones are ignored, as Rillet does."""

from collections.abc import Collection as Choices

from flask import request

from local.fake_rillet.problems import Problem, invalid
from local.fake_rillet.timestamps import read_timestamp
from local.fake_rillet.validation import is_uuid


def text(name: str) -> str | None:
    """Read a text; empty counts as absent."""
    return request.args.get(name) or None


def choice(name: str, choices: Choices[str]) -> str | None:
    """Read one of several words."""
    value = text(name)
    if value is not None and value not in choices:
        raise _invalid_parameter(name, f"must be one of {', '.join(choices)}")
    return value


def uuid(name: str) -> str | None:
    """Read a UUID."""
    value = text(name)
    if value is not None and not is_uuid(value):
        raise _invalid_parameter(name, f'"{value}" is not a UUID')
    return value.lower() if value else None


def boolean(name: str) -> bool | None:
    """Read true or false."""
    value = choice(name, ("true", "false"))
    return None if value is None else value == "true"


def timestamp(name: str) -> int | None:
    """Read an RFC 3339 timestamp as microseconds since the epoch."""
    value = text(name)
    try:
        return None if value is None else read_timestamp(value)
    except ValueError:
        raise _invalid_parameter(name, f'"{value}" is not an RFC 3339 timestamp') from None


def together(first: str, second: str) -> tuple[str, str] | None:
    """Read two texts that each need the other."""
    values = (text(first), text(second))
    if values[0] is not None and values[1] is not None:
        return (values[0], values[1])
    if values == (None, None):
        return None
    missing, given = (first, second) if values[0] is None else (second, first)
    raise _invalid_parameter(missing, f"must be provided together with {given}")


def _invalid_parameter(name: str, message: str) -> Problem:
    return invalid([{"field": name, "message": message}])
