"""The problems of invalid settings, requests and answers of vendors, in words that a person knows.

This is the one place that translates pydantic's errors, whose own sentences are for programmers.
"""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from solvimon_rillet.formatting import clip

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_SHOWN_BYTES = 80
_FORMS = {
    "^[A-Z]{2}$": "two capital letters such as NL",
    r"^\S{1,256}$": "a text of 1 to 256 signs, no blanks",
}
_EXPECTED = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "decimal": "a number",
    "string": "a text in quotes",
    "date": "a day such as 2026-01-31",
    "datetime": "a time such as 2026-01-31T08:00:00Z",
    "timezone": "a time with its zone, such as 2026-01-31T08:00:00Z",
    "list": "a list in brackets",
    "tuple": "a list in brackets",
    "dict": "an object in braces",
    "model": "an object in braces",
    "mapping": "an object in braces",
    "none": "null",
}
_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_LENGTHS = {"too_short": ("at least", "min_length"), "too_long": ("at most", "max_length")}
_Noun = Literal["setting", "field"]
NO_SUCH_SETTING = "there is no such setting"


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """One problem of an invalid value.

    Attributes:
        path: of the setting or field, such as ``workflows.export_invoice``; empty for the value as a whole.
        problem: what is wrong, in own words that quote no value, for logs too.
        quoted: the same with the value, for answers.
        did_you_mean: the setting or field that was probably meant by an unknown name.
    """

    path: str
    problem: str
    quoted: str
    did_you_mean: str | None = None

    def as_answer(self) -> dict[str, str | None]:
        """The problem as JSON."""
        return {"path": self.path, "problem": self.quoted, "did_you_mean": self.did_you_mean}

    def in_words(self, whole: str = "") -> str:
        """Path and problem in one line, without the value; ``whole`` stands for an empty path."""
        path = self.path or whole
        return f"{path}: {self.problem}{self.suggestion}" if path else f"{self.problem}{self.suggestion}"

    @property
    def suggestion(self) -> str:
        """The name that was probably meant, to be appended; empty if nothing is like it."""
        return f" – did you mean {self.did_you_mean}?" if self.did_you_mean else ""


def invalid_values(
    error: "ValidationError", model: type["BaseModel"] | None = None, noun: _Noun = "setting"
) -> list[InvalidValue]:
    """The problems of an invalid value, in the model's order.

    Args:
        error: of a pydantic model.
        model: the model, for paths without pydantic's names of types, and for names that were meant.
        noun: what the model's names are.
    """
    found: dict[str, InvalidValue] = {}
    for problem in error.errors(include_url=False):
        path = _path(problem["loc"], model)
        # A value that may be of several types has a problem with each of them.
        found.setdefault(path, _invalid_value(path, problem, model, noun))
    return list(found.values())


def problems_in_words(
    error: "ValidationError",
    model: type["BaseModel"] | None = None,
    *,
    whole: str = "",
    noun: _Noun = "field",
    limit: int | None = None,
) -> str:
    """The problems of an invalid value in one line, without values: an answer may be recorded or logged.

    Args:
        error: of a pydantic model.
        model: see ``invalid_values``.
        whole: stands for the path of a problem of the whole value, such as ``event``.
        noun: what the model's names are.
        limit: largest number of problems; ``None`` for all.
    """
    return "; ".join(each.in_words(whole) for each in invalid_values(error, model, noun)[:limit])


def setting_paths(model: type["BaseModel"], prefix: str = "") -> Iterator[str]:
    """The paths of all settings or fields, such as ``workflows.export_invoice``; not those of groups."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        if group := as_group(field.annotation):
            yield from setting_paths(group, f"{path}.")
        else:
            yield path


def as_group(annotation: Any) -> type["BaseModel"] | None:  # noqa: ANN401 - any type annotation
    """The model of a group of settings, which may be optional; ``None`` for the type of a single one."""
    types = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return next((each for each in types if isinstance(each, type) and hasattr(each, "model_fields")), None)


def closest_setting(path: str, paths: Iterable[str]) -> str | None:
    """The setting or the group whose name is most like an unknown one; ``None`` if none is."""
    paths = list(paths)
    groups = [each.rpartition(".")[0] for each in paths if "." in each]
    by_name = {each.rpartition(".")[2].casefold(): each for each in paths}
    by_path = {each.casefold(): each for each in (*by_name.values(), *groups, *paths)}
    for candidates, wanted in ((by_path, path), (by_name, path.rpartition(".")[2])):
        if like := difflib.get_close_matches(wanted.casefold(), candidates, n=1, cutoff=0.75):
            return candidates[like[0]]
    return None


def _invalid_value(
    path: str,
    problem: Any,  # noqa: ANN401 - pydantic's
    model: type["BaseModel"] | None,
    noun: _Noun,
) -> InvalidValue:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        like = closest_setting(path, setting_paths(model)) if model else None
        return InvalidValue(path, f"there is no such {noun}", f"there is no such {noun}", like)
    if kind == "missing":
        return InvalidValue(path, "is missing", "is missing")
    if kind == "value_error":
        text = str(context.get("error", "")) or "is not valid"
        return InvalidValue(path, text, text)
    if kind == "json_invalid":
        text = f"is not a JSON object: {context.get('error', '')}"
        return InvalidValue(path, text, text)
    if text := _length_text(kind, context):
        return InvalidValue(path, text, text)
    expected, choices = _expected(kind, context)
    value = clip(json.dumps(problem["input"], ensure_ascii=False, default=str), _SHOWN_BYTES)
    by_upper = {each.upper(): each for each in choices}
    close = difflib.get_close_matches(str(problem["input"]).upper(), by_upper, n=1)
    meant = f" – did you mean {by_upper[close[0]]}?" if close else ""
    quoted = f"{value} is not {'one of ' if choices else ''}{expected}"
    return InvalidValue(path, f"should be {expected}{meant}", quoted + meant)


def _length_text(kind: str, context: Mapping[str, Any]) -> str:
    """The allowed length of a text or list, as text; empty for another problem."""
    words, name = _LENGTHS.get(kind[-len("too_short") :].removeprefix("_"), ("", ""))
    if not words:
        return ""
    if context[name] == 1 and name == "min_length":
        return "should not be empty"
    return f"should have {words} {context[name]} {'characters' if kind.startswith('string') else 'entries'}"


def _expected(kind: str, context: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The expected value as text, and the choices if there are some."""
    if kind in {"enum", "literal_error"}:
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return f"{', '.join(choices[:-1])} or {choices[-1]}", choices
    if kind in _LIMITS:
        words, name = _LIMITS[kind]
        return f"{words} {context[name]:g}", []
    if kind == "string_pattern_mismatch":
        return _FORMS.get(str(context["pattern"]), f"a text of the form {context['pattern']}"), []
    return next((text for name, text in _EXPECTED.items() if kind.startswith(name + "_")), "valid"), []


def _path(location: tuple[str | int, ...], model: type["BaseModel"] | None) -> str:
    """The path of a setting, without the parts that name one of several types of its value."""
    parts: list[str] = []
    annotation: Any = model
    for part in location:
        if group := as_group(annotation):
            parts.append(str(part))
            fields = group.model_fields.items()
            annotation = next((f.annotation for name, f in fields if part in {name, f.alias}), None)
        elif get_origin(annotation) is dict:
            parts.append(str(part))
            annotation = get_args(annotation)[1]
        elif annotation is None or isinstance(part, int):
            parts.append(str(part))
            annotation = get_args(annotation)[0] if get_origin(annotation) is list else annotation
    return ".".join(parts)
