"""Configurations: the switches of the workflows, and the settings; a change is reviewed first."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.functions import AnswerIsError
from solvimon_rillet.panel.notifications import notices
from solvimon_rillet.panel.page import MenuPage, Outcome
from solvimon_rillet.panel.product_picker import products_of
from solvimon_rillet.panel.reading import Json, rows, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.settings_form import in_words, read_form, settings_form
from solvimon_rillet.panel.visit import Visit

PAGE = MenuPage("configurations")
_BACK = (("Back to the form", "/configurations"),)


@PAGE.get("/configurations")
def show(visit: Visit) -> Response[str]:
    """The values in force, and the versions before."""
    answer = visit.ask("configure", {"show": True, "products": True})
    faults = answer.get("faults")
    view = {
        "form": settings_form(answer),
        "faults": [str(each) for each in faults] if isinstance(faults, list) else [],
        "history": [_version(row) for row in rows(answer, "history")],
        "notices": notices(visit.check()),
    }
    return visit.render("configurations.html.j2", "Configurations", view)


@PAGE.post("/configurations/review", Role.ADMIN, "settings")
def review_configuration(visit: Visit) -> Outcome:
    """Show what a filled form, or an earlier version, would change."""
    form = visit.form
    version = _version_number(form.get("version"))
    wanted: dict[str, Any] = {"restore": _version_number(form.get("restore"))}
    shown: Json = {}
    if not wanted["restore"]:
        shown = visit.act("configure", visit.event(show=True, products=True)).answer
        filled = read_form(shown, form)
        if filled.problems:
            return _refused(visit, shown, "This cannot be read", filled.problems)
        if not filled.changes:
            return Outcome("Reviewed settings", "Nothing would change", state="skipped", links=_BACK)
        wanted = {"set": filled.changes}
    try:
        answered = visit.act("configure", visit.event(**wanted, version=version, dry_run=True))
    except AnswerIsError as error:
        if not shown or not rows(error.answered.answer, "problems"):
            raise
        return _refused(visit, shown, error.error, rows(error.answered.answer, "problems"))
    answer = answered.answer
    changes = rows(answer, "changes")
    return Outcome(
        what="Reviewed settings",
        text=f"Review {plural(len(changes), 'change')}" if changes else "Nothing would change",
        state="todo",
        answer=answer,
        function="configure",
        event=answered.invocation.event,
        template="configurations_review.html.j2",
        view={
            "version": version,
            "changes": [_change(row, products_of(shown)) for row in changes],
            "effect": [str(each) for each in answer.get("effect") or ()],
            "set": json.dumps(wanted["set"], ensure_ascii=False) if "set" in wanted else "",
            "restore": wanted.get("restore", 0),
        },
        links=_BACK,
        path="/configurations",
    )


@PAGE.post("/configurations/confirm", Role.ADMIN, "settings")
def confirm(visit: Visit) -> Outcome:
    """Put reviewed changes in force."""
    form, version = visit.form, _version_number(visit.form.get("version"))
    wanted: dict[str, Any] = {"restore": _version_number(form.get("restore"))}
    if not wanted["restore"]:
        try:
            wanted = {"set": json.loads(form.get("set"))}
        except ValueError:
            lines = ("Nothing was saved. Go back to the form, and review your changes again.",)
            return Outcome("Did not save", "The changes are missing", state="needs", lines=lines, links=_BACK)
    answered = visit.act("configure", visit.event(**wanted, version=version))
    answer = answered.answer
    changes = [text(row, "in_words") for row in rows(answer, "changes")]
    written = bool(answer.get("written"))
    return Outcome(
        what=f"Restored version {wanted['restore']}" if "restore" in wanted else "Changed settings",
        on="; ".join(changes),
        text=f"Version {text(answer, 'version')} is saved" if written else "Nothing was changed",
        state="booked" if written else "skipped",
        lines=(
            *changes,
            *[str(each) for each in [*_listed_under(answer, "effect"), *_listed_under(answer, "warnings")]],
        ),
        answer=answer,
        function="configure",
        event=answered.invocation.event,
        links=(("Configurations", "/configurations"), ("Overview", "")),
        path="/configurations",
    )


def _refused(visit: Visit, shown: Json, error: str, problems: list[Any]) -> Outcome:
    """The form again, as it was filled, with each problem at its field."""
    form = settings_form(shown, visit.form, problems)
    given = visit.form.get("version")
    return Outcome(
        what="Did not save",
        text="Not saved",
        state="needs",
        lines=(error,),
        function="configure",
        event=visit.asked[-1].invocation.event,
        template="configurations_refused.html.j2",
        view={
            "form": {**asdict(form), "version": _version_number(given) or form.version},
            "notices": notices(visit.check()),
        },
        path="/configurations",
    )


def _version(row: Json) -> dict[str, Any]:
    return {
        "version": text(row, "version"),
        "at": text(row, "at"),
        "by": text(row, "by"),
        "changes": [text(each, "in_words") for each in rows(row, "changes")],
    }


def _change(row: Json, products: Mapping[str, str]) -> dict[str, str]:
    words = text(row, "in_words").partition(":")[0]
    return {
        "path": text(row, "path"),
        "label": words or text(row, "path"),
        "old": _named_value(row.get("old"), products),
        "new": _named_value(row.get("new"), products),
    }


def _named_value(value: object, products: Mapping[str, str]) -> str:
    """A value for people; a product of Rillet with its name."""
    name = products.get(value) if isinstance(value, str) else None
    return f"{name} ({value})" if name else in_words(value)


def _listed_under(answer: Json, name: str) -> list[Any]:
    found = answer.get(name)
    return found if isinstance(found, list) else []


def _version_number(given: str) -> int:
    return int(given[:9]) if given.isascii() and given.isdigit() else 0
