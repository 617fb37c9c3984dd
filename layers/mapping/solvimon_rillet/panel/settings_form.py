"""The form of the settings: what it shows of each, and the changes that a filled form asks for."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.panel.product_picker import options_of, products_of
from solvimon_rillet.panel.reading import Json, rows, text
from solvimon_rillet.panel.visit import Form

JSON_FIELD = "advanced"
"""The field with all settings that have no field of their own."""
_ADVANCED = "Advanced"
_SWITCHES = {
    "Automatic workflows": (
        "workflows.export_invoice",
        "workflows.export_credit_memo",
        "workflows.sync_customer",
        "workflows.mark_invoice_paid",
    ),
    "Manual workflows": (
        "workflows.import_subsidiaries",
        "workflows.import_products",
        "workflows.import_customers",
    ),
}
"""The seven switches, in the groups of the guide."""
_OFF = {
    "workflows.export_invoice": "Off: finalised invoices are skipped, not queued; a back-fill books them "
    "later (Synchronise).",
    "workflows.export_credit_memo": "Off: finalised credit notes are skipped, not queued; a back-fill books "
    "them later (Synchronise).",
    "workflows.sync_customer": "Off: edits of customers are skipped; the sweep finds them once it is on.",
    "workflows.mark_invoice_paid": "Off: payments in Rillet are skipped; the sweep finds them once it is on.",
}
"""What stops while a switch is off."""
_ORDER = ("What is booked", "Products", "Taxes", "Payments", "Notifications", "Workflows")
_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class SettingField:
    """A field of the form.

    Attributes:
        path: of the setting.
        label: its name for people.
        about: its description.
        kind: ``switch``, ``choice``, ``date``, ``json`` or ``text``.
        shown: what the field holds: a value as text.
        default: as text.
        changed: whether it is not the default.
        options: for a choice: value and text.
        problem: why it was refused; empty if it was not.
        meant: the setting that was probably meant.
    """

    path: str
    label: str
    about: str
    kind: str
    shown: str
    default: str
    changed: bool
    options: list[tuple[str, str]]
    problem: str = ""
    meant: str = ""


@dataclass(frozen=True, slots=True)
class SettingGroup:
    """Fields under one heading."""

    name: str
    title: str
    fields: list[SettingField]


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """The form.

    Attributes:
        version: of the settings that it shows.
        groups: the fields.
        products_problem: why no product of Rillet can be picked; empty if some can.
        json_text: all other settings.
        json_problems: why those were refused: path, problem, what was probably meant.
    """

    version: int
    groups: list[SettingGroup]
    products_problem: str
    json_text: str
    json_problems: list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled form: the changes by path, and what cannot be read."""

    changes: dict[str, Any]
    problems: list[dict[str, str]]


def settings_form(
    answer: Json, filled: Form | None = None, problems: list[Json] | None = None
) -> SettingsForm:
    """The form for an answer of ``configure``.

    Args:
        answer: to ``show``.
        filled: what a person wrote into it; ``None`` for the values in force.
        problems: why it was refused.
    """
    described, products = _described(answer), products_of(answer)
    said = {text(problem, "path"): problem for problem in problems or ()}
    fields = {
        text(row, "path"): _field(row, _typed(row, filled), said.pop(text(row, "path"), {}), products)
        for row in described
    }
    listed = {path for paths in _SWITCHES.values() for path in paths}
    groups = [
        SettingGroup(_name(title), title, [fields[path] for path in paths if path in fields])
        for title, paths in _SWITCHES.items()
    ]
    named = dict.fromkeys(text(row, "group") for row in described if text(row, "path") not in listed)
    titles = sorted(named, key=lambda title: _ORDER.index(title) if title in _ORDER else len(_ORDER))
    for title in titles:
        own = [row for row in described if text(row, "group") == title and text(row, "path") not in listed]
        heading = "Other workflows" if title == "Workflows" else title
        groups.append(SettingGroup(_name(heading), heading, [fields[text(row, "path")] for row in own]))
    current = json.dumps(_others(answer), indent=2, ensure_ascii=False)
    return SettingsForm(
        version=_whole_number(answer.get("version")),
        groups=[group for group in groups if group.fields],
        products_problem=text(answer, "products_problem"),
        json_text=filled.get(JSON_FIELD) if filled and JSON_FIELD in filled.values else current,
        json_problems=[
            (path, text(problem, "problem"), text(problem, "did_you_mean")) for path, problem in said.items()
        ],
    )


def read_form(answer: Json, form: Form) -> Filled:
    """The changes that a filled form asks for, compared with the values in force."""
    changes: dict[str, Any] = {}
    problems = list[dict[str, str]]()
    for row in _described(answer):
        path, written = text(row, "path"), _typed(row, form)
        if written is None or written == _shown(row, row.get("value")):
            continue
        try:
            changes[path] = _value(row, written)
        except ValueError as error:
            problems.append({"path": path, "problem": f"is no JSON: {error}"})
    if JSON_FIELD in form.values:
        try:
            others = json.loads(form.get(JSON_FIELD) or "{}")
            if not isinstance(others, dict):
                raise ValueError("it is no object; begin it with { and end it with }")
            changes |= _changes_by_path(_others(answer), others)
        except (ValueError, RecursionError) as error:
            problems.append({"path": "", "problem": f"This is no JSON: {error}"})
    return Filled(changes, problems)


def in_words(value: object) -> str:
    """A value of a setting for people."""
    if isinstance(value, bool):
        return "On" if value else "Off"
    if value is None or value in ([], {}):
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _described(answer: Json) -> list[Json]:
    """The settings that have a field of their own."""
    return [row for row in rows(answer, "fields") if text(row, "group") != _ADVANCED]


def _field(row: Json, written: str | None, problem: Json, products: Mapping[str, str]) -> SettingField:
    path, value, kind = text(row, "path"), row.get("value"), _field_kind(row)
    about = text(row, "description").replace("`", "")
    shown = _shown(row, value) if written is None else written
    picked = options_of(path, shown, products)
    return SettingField(
        path=path,
        label=text(row, "label") or path,
        about=f"{about} {_OFF[path]}" if path in _OFF else about,
        kind="choice" if picked else kind,
        shown=shown,
        default=_plain(row.get("default")) if kind == "choice" else in_words(row.get("default")),
        changed=bool(row.get("changed")),
        options=picked or [(_plain(choice), _plain(choice)) for choice in row.get("choices") or ()],
        problem=text(problem, "problem"),
        meant=text(problem, "did_you_mean"),
    )


def _field_kind(row: Json) -> str:
    path, sample = text(row, "path"), row.get("default")
    if any(path in paths for paths in _SWITCHES.values()):
        return "switch"
    if row.get("choices"):
        return "choice"
    if isinstance(sample, Mapping | list):
        return "json"
    return "date" if path.endswith("_date") else "text"


def _typed(row: Json, form: Form | None) -> str | None:
    """What a form holds for a setting; ``None`` if it has no such field."""
    if form is None:
        return None
    path = text(row, "path")
    if _field_kind(row) == "switch":
        return "yes" if path in form.values else "no"
    return form.get(path) if path in form.values else None


def _shown(row: Json, value: object) -> str:
    """A value as a field holds it."""
    if _field_kind(row) == "json":
        return json.dumps(value, ensure_ascii=False, default=str)
    return "" if value is None else _plain(value)


def _plain(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _value(row: Json, written: str) -> Any:  # noqa: ANN401 - JSON
    """The value that was written; ``None`` for the default.

    Raises:
        ValueError: it is to be JSON, and is none.
    """
    kind = _field_kind(row)
    choices = {_plain(choice): choice for choice in row.get("choices") or ()}
    if kind in {"switch", "choice"}:
        return choices.get(written, written)
    if not written:
        return None
    if kind == "json":
        return json.loads(written)
    return int(written) if isinstance(row.get("default"), int) and written.isdigit() else written


def _others(answer: Json) -> dict[str, Any]:
    """The stored settings that have no field of their own."""
    own = {text(row, "path") for row in _described(answer)}
    stored = answer.get("values")
    return _without(stored, own, "") if isinstance(stored, Mapping) else {}


def _without(values: Mapping[str, Any], own: set[str], prefix: str) -> dict[str, Any]:
    found = {}
    for name, value in values.items():
        path = f"{prefix}{name}"
        if path in own:
            continue
        if isinstance(value, Mapping) and value:
            if rest := _without(value, own, f"{path}."):
                found[name] = rest
        else:
            found[name] = value
    return found


def _changes_by_path(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The changes by path; what is gone is the default again."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return {
        path: new.get(path)
        for path in dict.fromkeys((*old, *new))
        if old.get(path, _MISSING) != new.get(path, _MISSING)
    }


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _name(title: str) -> str:
    return title.lower().replace(" ", "-")


def _whole_number(value: object) -> int:
    return value if isinstance(value, int) else 0
