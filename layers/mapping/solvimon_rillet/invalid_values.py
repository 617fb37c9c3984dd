"""The problems of invalid settings in words that a person knows, with what was probably meant."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args, get_origin

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
}
_LIMITS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
NO_SUCH_SETTING = "there is no such setting"


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """One problem of invalid settings.

    Attributes:
        path: the setting's, such as ``workflows.export_invoice``; empty for the settings as a whole.
        problem: what is wrong, in own words that quote no value, for logs too.
        quoted: the same with the value, for answers.
        did_you_mean: the setting that was probably meant by an unknown name.
    """

    path: str
    problem: str
    quoted: str
    did_you_mean: str | None = None

    def as_answer(self) -> dict[str, str | None]:
        """The problem as JSON."""
        return {"path": self.path, "problem": self.quoted, "did_you_mean": self.did_you_mean}

    @property
    def in_words(self) -> str:
        """Path and problem in one line, without the value."""
        return f"{self.path or 'settings'}: {self.problem}{self.suggestion}"

    @property
    def suggestion(self) -> str:
        """What was probably meant, to be appended; empty if nothing is like it."""
        return f" – did you mean {self.did_you_mean}?" if self.did_you_mean else ""


def invalid_values(error: "ValidationError", model: type["BaseModel"]) -> list[InvalidValue]:
    """The problems of an invalid value of a model, in its order."""
    found: dict[str, InvalidValue] = {}
    for problem in error.errors(include_url=False):
        path = _path(problem["loc"], model)
        # A value that may be of several types has a problem with each of them.
        found.setdefault(path, _described(path, problem, model))
    return list(found.values())


def setting_paths(model: type["BaseModel"], prefix: str = "") -> Iterator[str]:
    """The paths of all settings, such as ``workflows.export_invoice``; not those of groups."""
    for name, field in model.model_fields.items():
        if group := as_group(field.annotation):
            yield from setting_paths(group, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def as_group(annotation: Any) -> type["BaseModel"] | None:  # noqa: ANN401 - any type annotation
    """The model of a group of settings; ``None`` for the type of a single one."""
    is_model = isinstance(annotation, type) and hasattr(annotation, "model_fields")
    return annotation if is_model else None


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


def _described(path: str, problem: Any, model: type["BaseModel"]) -> InvalidValue:  # noqa: ANN401 - pydantic's
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        like = closest_setting(path, list(setting_paths(model)))
        return InvalidValue(path, NO_SUCH_SETTING, NO_SUCH_SETTING, like)
    if kind == "value_error":
        text = str(context.get("error", "")) or "is not valid"
        return InvalidValue(path, text, text)
    if kind == "json_invalid":
        text = f"is not a JSON object: {context.get('error', '')}"
        return InvalidValue(path, text, text)
    if kind.endswith("too_short"):
        return InvalidValue(path, "should not be empty", "should not be empty")
    expected, choices = _expected(kind, context)
    value = clip(json.dumps(problem["input"], ensure_ascii=False, default=str), _SHOWN_BYTES)
    by_upper = {each.upper(): each for each in choices}
    close = difflib.get_close_matches(str(problem["input"]).upper(), by_upper, n=1)
    meant = by_upper[close[0]] if close else ""
    quoted = f"{value} is not {'one of ' if choices else ''}{expected}"
    return InvalidValue(
        path, f"should be {expected}", quoted + (f" – did you mean {meant}?" if meant else "")
    )


def _expected(kind: str, context: Mapping[str, Any]) -> tuple[str, list[str]]:
    """What a value should be, and the choices if there are some."""
    if kind in {"enum", "literal_error"}:
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        return f"{', '.join(choices[:-1])} or {choices[-1]}", choices
    if kind in _LIMITS:
        words, name = _LIMITS[kind]
        return f"{words} {context[name]:g}", []
    if kind == "string_pattern_mismatch":
        return _FORMS.get(str(context["pattern"]), "a text of another form"), []
    return next((text for name, text in _EXPECTED.items() if kind.startswith(name + "_")), "valid"), []


def _path(location: tuple[str | int, ...], model: type["BaseModel"]) -> str:
    """The path of a setting, without the parts that name one of several types of its value."""
    parts: list[str] = []
    annotation: Any = model
    for part in location:
        if group := as_group(annotation):
            parts.append(str(part))
            field = group.model_fields.get(str(part))
            annotation = field.annotation if field else None
        elif get_origin(annotation) is dict:
            parts.append(str(part))
            annotation = get_args(annotation)[1]
        elif annotation is None or isinstance(part, int):
            parts.append(str(part))
    return ".".join(parts)
