"""Changes of settings: applied to what is stored, validated, and compared with what was in force."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.invalid_values import (
    NO_SUCH_SETTING,
    InvalidValue,
    closest_setting,
    invalid_values,
    setting_paths,
)
from solvimon_rillet.settings import Matching, Settings
from solvimon_rillet.workflows.configure.fields import flat, label_of

Json = dict[str, Any]
_NOT_THERE = object()


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """A stored text, as far as it can be read.

    Attributes:
        values: its JSON object; empty if it is none.
        settings: what it means; ``None`` if it is invalid.
        problems: why it is invalid.
    """

    values: Json
    settings: Settings | None
    problems: list[InvalidValue]

    @property
    def effective(self) -> Json:
        """The values in force by path; those that are stored, if they are invalid."""
        return flat(self.settings.model_dump(mode="json")) if self.settings else flat(self.values)


@dataclass(frozen=True, slots=True)
class Change:
    """A setting with another value than before."""

    path: str
    old: Any
    new: Any

    def as_answer(self) -> Json:
        """The change as JSON."""
        return {"path": self.path, "old": self.old, "new": self.new, "in_words": self.in_words}

    @property
    def in_words(self) -> str:
        """The change in one line."""
        return f"{label_of(self.path)}: {_value_text(self.old)} → {_value_text(self.new)}"


def read_settings(text: str, hosts: AllowedHosts) -> ReadSettings:
    """Read a stored text; it may be invalid."""
    values: Any = {}
    try:
        values = json.loads(text or "{}")
        settings = Settings.model_validate_json(text or "{}", context=hosts)
    except ValidationError as error:
        problems = invalid_values(error, Settings)
        return ReadSettings(values if isinstance(values, dict) else {}, None, problems)
    except (ValueError, RecursionError) as error:
        found = f"is not a JSON object ({type(error).__name__})"
        if isinstance(error, json.JSONDecodeError):
            found = f"is not a JSON object: {error.msg} (line {error.lineno}, column {error.colno})"
        return ReadSettings({}, None, [InvalidValue("", found, found)])
    return ReadSettings(values, settings, [])


def with_changes(values: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[Json, list[InvalidValue]]:
    """Stored values with changes by path, and the problems of paths that lead nowhere.

    Args:
        values: the stored JSON object.
        changes: new values by path; ``None`` removes a value, so that the default is in force.
    """
    changed: Json = json.loads(json.dumps(values))
    problems = []
    known = list(setting_paths(Settings))
    for path, value in changes.items():
        is_known = any(path == each or f"{each}.".startswith(f"{path}.") for each in known)
        if value is None and _remove(changed, path.split(".")) is _NOT_THERE and not is_known:
            like = closest_setting(path, known)
            problems.append(InvalidValue(path, NO_SUCH_SETTING, NO_SUCH_SETTING, like))
        elif value is not None:
            _put_setting(changed, path, value)
    return changed, problems


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The settings whose values differ, in their order; both by path."""
    paths = dict.fromkeys((*before, *after))
    return [
        Change(path, before.get(path), after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    ]


def _put_setting(values: Json, path: str, value: object) -> None:
    """Put a value at a path; a key of an object such as ``time_zones`` is the rest of the path."""
    parent, names = values, _path_names(path)
    for name in names[:-1]:
        child = parent.get(name)
        if name == "matching" and isinstance(child, str):  # one word stands for all kinds
            child = dict.fromkeys(Matching.model_fields, child)
        parent[name] = child if isinstance(child, dict) else {}
        parent = parent[name]
    parent[names[-1]] = value


def _remove(values: Json, names: list[str]) -> object:
    """Remove a value and the objects that become empty; ``_NOT_THERE`` if there is none."""
    name, *rest = names
    if name not in values:
        return _NOT_THERE
    if not rest:
        return values.pop(name)
    child = values[name]
    if name == "matching" and isinstance(child, str):
        child = values[name] = dict.fromkeys(Matching.model_fields, child)
    if not isinstance(child, dict):
        return _NOT_THERE
    removed = _remove(child, rest) if rest[0] in child else _remove(child, [".".join(rest)])
    if not child:
        del values[name]
    return removed


def _path_names(path: str) -> list[str]:
    """The names of a path; the rest behind an object of free keys is one key, whatever is in it."""
    for each in setting_paths(Settings):
        if path.startswith(f"{each}."):
            return [*each.split("."), path.removeprefix(f"{each}.")]
    return path.split(".")


def _value_text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value in (None, {}, []):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
