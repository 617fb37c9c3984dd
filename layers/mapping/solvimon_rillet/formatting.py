"""Timestamps, durations and validation errors as text for users."""

import difflib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

MAX_TEXT_BYTES = 1024
"""Size of a text that a vendor may have written, in records and answers."""
_MAX_SHOWN = 24
"""Characters of a value that a problem repeats; a longer one may be a secret in the wrong field."""
_BOUNDS = {
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
    "min_length": "at least",
    "max_length": "at most",
}
_LENGTH_UNITS = {"string": " characters", "too": " entries"}
_WORDS = {
    "missing": "is missing",
    "string": "should be a text",
    "bool": "should be true or false",
    "int": "should be a whole number",
    "float": "should be a number",
    "decimal": "should be a number",
    "finite": "should be a number",
    "list": "should be a list",
    "dict": "should be an object, such as {…}",
    "model": "should be an object, such as {…}",
    "mapping": "should be an object, such as {…}",
    "datetime": "should be a time such as 2026-10-01T08:00:00Z",
    "timezone": "should be a time such as 2026-10-01T08:00:00Z",
    "date": "should be a day such as 2026-10-01",
    "none": "should be null",
}
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def format_timestamp(seconds: Any) -> str:  # noqa: ANN401 - a number of the ledger
    """Unix seconds as a timestamp in UTC: ``2026-11-01T08:00:00Z``."""
    return format_utc(datetime.fromtimestamp(int(seconds), UTC))


def format_utc(moment: datetime) -> str:
    """A datetime as a timestamp in UTC, to the second: ``2026-11-01T08:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_timestamp(text: str) -> int:
    """Unix seconds of a timestamp of ``format_timestamp``."""
    return int(datetime.fromisoformat(text).timestamp())


def format_duration(seconds: float) -> str:
    """A duration such as ``about 50 minutes``, in the largest unit of which it has at least two."""
    if seconds < 60:
        return "less than a minute"
    unit, length = next((unit for unit in _UNITS if seconds >= 2 * unit[1]), ("minute", 60))
    count = round(seconds / length)
    return f"about {count} {unit}{'' if count == 1 else 's'}"


def clip(text: str, limit: int = MAX_TEXT_BYTES) -> str:
    """A text of at most so many bytes in UTF-8; a longer one ends with an ellipsis.

    Half a surrogate pair, which JSON can carry and UTF-8 cannot, becomes a question mark.
    """
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"


def validation_problems(
    error: "ValidationError",
    whole: str = "",
    limit: int | None = None,
    model: "type[BaseModel] | None" = None,
) -> str:
    """The problems of an invalid value: the path of each field, and what is wrong with it.

    Args:
        error: of a pydantic model.
        whole: path of a problem that concerns the whole value, such as ``settings``.
        limit: largest number of problems; ``None`` for all.
        model: the model, for the names of fields that somebody may have meant.
    """
    problems = []
    for problem in error.errors()[:limit]:
        path = ".".join(map(str, problem["loc"])) or whole
        known = _field_names(model, problem["loc"]) if model else []
        words = _problem_words(problem, known)
        problems.append(f"{path}: {words}" if path else words)
    return "; ".join(problems)


def did_you_mean(given: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a given one; ``None`` if none is."""
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def _problem_words(problem: "ErrorDetails", known: list[str]) -> str:
    """A problem in words for people; pydantic's own sentences are for programmers."""
    kind, given, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "value_error":
        return problem["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        meant = did_you_mean(str(problem["loc"][-1]), known)
        return f"there is no such field{f' – did you mean {meant}?' if meant else ''}"
    if kind in {"literal_error", "enum"}:
        allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        meant = did_you_mean(given, allowed) if isinstance(given, str) else None
        shown = f"“{given}”" if isinstance(given, str) and len(given) <= _MAX_SHOWN else "this"
        return f"{shown} is not one of {', '.join(allowed)}{f' – did you mean {meant}?' if meant else ''}"
    if kind == "json_invalid":
        return f"this is no valid JSON ({context.get('error', 'it cannot be read')})"
    if kind == "string_pattern_mismatch":
        return f"should have the form {context.get('pattern')}"
    bounds = {name: context[name] for name in _BOUNDS if name in context}
    if bounds:
        unit = _LENGTH_UNITS.get(kind.partition("_")[0], "") if kind.endswith(("_long", "_short")) else ""
        limits = [f"{_BOUNDS[name]} {bound}{unit}" for name, bound in bounds.items()]
        return f"should {'have' if unit else 'be'} {' and '.join(limits)}"
    return next((words for name, words in _WORDS.items() if kind.startswith(name)), "cannot be used")


def _field_names(model: "type[BaseModel]", path: tuple[int | str, ...]) -> list[str]:
    """The names of the fields beside the last one of a path; empty if they are not known."""
    at: Any = model
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        field = next((f for name, f in at.model_fields.items() if part in {name, f.alias}), None)
        inner = (
            [t for t in (field.annotation, *get_args(field.annotation)) if _has_fields(t)] if field else []
        )
        if not inner:
            return []
        at = inner[0]
    return [field.alias or name for name, field in at.model_fields.items()]


def _has_fields(annotation: object) -> bool:
    return isinstance(annotation, type) and hasattr(annotation, "model_fields")
