"""Show, change and restore the settings of one connection."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from solvimon_rillet.connections.settings_parameter import MAX_BYTES, SettingsParameter, SettingsVersion
from solvimon_rillet.formatting import format_utc
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.invalid_values import InvalidValue
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.configure.changes import (
    Change,
    ReadSettings,
    changes_between,
    read_settings,
    with_changes,
)
from solvimon_rillet.workflows.configure.effect import Effect
from solvimon_rillet.workflows.configure.fields import describe_fields, flat
from solvimon_rillet.workflows.configure.product_check import ProductCheck
from solvimon_rillet.workflows.configure.request import ConfigureRequest

logger = logging.getLogger(__name__)

Json = dict[str, Any]
_VERSIONS_SHOWN = 10
_IN_FORCE = "In force within a minute, for all functions."


class Configure:
    """Answers the requests of one connection.

    Args:
        connection: its name.
        parameter: its settings in Parameter Store.
        products: looks for products in Rillet.
        effect: counts the documents that a change affects.
        hosts: where the settings may send credentials.
    """

    def __init__(
        self,
        connection: str,
        parameter: SettingsParameter,
        products: ProductCheck,
        effect: Effect,
        hosts: AllowedHosts,
    ) -> None:
        self._connection = connection
        self._parameter = parameter
        self._products = products
        self._effect = effect
        self._hosts = hosts

    def run(self, request: ConfigureRequest) -> Json:
        """Answer a request.

        Raises:
            UnknownConnection: the connection has no settings parameter.
            RetryLater: a service does not answer, or another user changes the settings.
            OutcomeUnknown: whether the settings were written is not known.
        """
        if request.set is None and request.restore is None:
            return self._show() | (self._products.active(self._connection) if request.products else {})
        if request.dry_run:
            return self._change(request)
        with self._parameter.locked():
            return self._change(request)

    def _show(self) -> Json:
        current, versions = self._parameter.current(), self._parameter.versions()
        stored = read_settings(current.text, self._hosts)
        effective = stored.effective if stored.settings else self._last_valid(versions)
        return {
            "connection": self._connection,
            "parameter": self._parameter.name,
            "version": current.version,
            "values": stored.values,
            "effective": _nested_values(effective),
            "fields": describe_fields(effective),
            "faults": list(map(_with_value, stored.problems)),
            "history": self._history(versions)[:_VERSIONS_SHOWN],
            "schema": Settings.model_json_schema(),
        }

    def _last_valid(self, versions: list[SettingsVersion]) -> Json:
        """The values that stay in force while the current ones are invalid: the last valid ones."""
        for each in reversed(versions):
            if (read := read_settings(each.text, self._hosts)).settings:
                return read.effective
        return flat(Settings().model_dump(mode="json"))

    def _history(self, versions: list[SettingsVersion]) -> list[Json]:
        """The versions, newest first, each with what it changed."""
        before: Mapping[str, Any] = flat(Settings().model_dump(mode="json"))
        rows = []
        for each in versions:
            after = read_settings(each.text, self._hosts).effective
            changes = changes_between(before, after)
            rows.append(
                {
                    "version": each.version,
                    "at": format_utc(each.at) if each.at else None,
                    "by": each.by,
                    "changes": [change.as_answer() for change in changes],
                }
            )
            before = after
        return rows[::-1]

    def _change(self, request: ConfigureRequest) -> Json:
        current = self._parameter.current()
        if request.version not in (None, current.version):
            return self._stale(request, current)
        stored = read_settings(current.text, self._hosts)
        text, problems = self._wanted(request, stored)
        wanted = read_settings(text, self._hosts)
        if problems := [*problems, *wanted.problems]:
            return self._refused(problems)
        changes = changes_between(stored.effective, wanted.effective)
        problems, notes = self._products.check(self._connection, changes)
        if problems:
            return self._refused(problems)
        if (size := len(text.encode())) > MAX_BYTES:
            return {
                "error": f"The settings have {size:,} bytes; Parameter Store takes {MAX_BYTES:,}.",
                "remedy": "Remove what is not needed: values that are the defaults, and long tables such as "
                "tax_types or subsidiaries.",
                "problems": [],
            }
        effect = self._effects(stored, wanted, changes)
        return self._answer(request, current, text, changes, [*notes, *effect])

    def _wanted(self, request: ConfigureRequest, stored: ReadSettings) -> tuple[str, list[InvalidValue]]:
        """The text that is to be in force, and the problems of the request."""
        if request.restore is not None:
            versions = {each.version: each for each in self._parameter.versions()}
            if found := versions.get(request.restore):
                return found.text, []
            kept = f"Parameter Store keeps the versions {min(versions)} to {max(versions)}"
            text = f"there is no version {request.restore}; {kept}"
            return "{}", [InvalidValue("restore", text, text)]
        if any(not problem.path for problem in stored.problems):  # no JSON, so nothing can be kept
            return "{}", stored.problems
        values, problems = with_changes(stored.values, request.set or {})
        return json.dumps(values, indent=2, ensure_ascii=False), problems

    def _refused(self, problems: list[InvalidValue]) -> Json:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return {
            "error": f"{_with_value(first)}{more}",
            "remedy": "Nothing was written. Correct what problems names, and send it again."
            if first.path
            else 'Nothing was written. Correct the parameter by hand, or send {"restore": n} with a version '
            "that show lists.",
            "problems": [each.as_answer() for each in problems],
        }

    def _stale(self, request: ConfigureRequest, current: SettingsVersion) -> Json:
        seen = request.version or 0
        since = [row for row in self._history(self._parameter.versions()) if row["version"] > seen]
        changes = [f"{row['by']} changed {_changed(row)} ({row['at']})" for row in since[:_VERSIONS_SHOWN]]
        return {
            "error": f"The settings have version {current.version} by now, not {seen}: "
            f"{'. '.join(changes) or 'another user changed them'}.",
            "remedy": "Nothing was written. Look at these changes, then send yours with "
            f'"version": {current.version}.',
            "problems": [],
            "version": current.version,
            "since": since[:_VERSIONS_SHOWN],
        }

    def _effects(self, stored: ReadSettings, wanted: ReadSettings, changes: list[Change]) -> list[str]:
        if not changes or wanted.settings is None:
            return []
        if stored.settings is None:
            return ["The settings are invalid now; with this change they are valid.", _IN_FORCE]
        return [*self._effect.describe(stored.settings, wanted.settings), _IN_FORCE]

    def _answer(
        self,
        request: ConfigureRequest,
        current: SettingsVersion,
        text: str,
        changes: list[Change],
        effect: list[str],
    ) -> Json:
        answer: Json = {
            "connection": self._connection,
            "changes": [each.as_answer() for each in changes],
            "effect": effect or ["Nothing would change: these values are in force already."],
            "version": current.version,
            "written": False,
        }
        if request.dry_run or not changes:
            return answer
        version = self._parameter.write(text, current.version, request.by)
        paths = [each.path for each in changes]
        logger.info(
            "settings changed", extra={"connection": self._connection, "version": version, "paths": paths}
        )
        between = version - current.version - 1
        warnings = [
            f"Version {version - 1} was written by hand at the same moment, and is replaced. Look at it with "
            f'{{"show": true}}; {{"restore": {version - 1}}} brings it back.'
        ]
        return {
            **answer,
            "version": version,
            "written": True,
            "undo": {"restore": current.version, "version": version},
            **({"warnings": warnings} if between > 0 else {}),
        }


def _with_value(problem: InvalidValue) -> str:
    """A problem in one line, with the value."""
    return f"{problem.path or 'settings'}: {problem.quoted}{problem.suggestion}"


def _changed(row: Json) -> str:
    """The changes of a version as text."""
    return "; ".join(each["in_words"] for each in row["changes"]) or "no value"


def _nested_values(values: Mapping[str, Any]) -> Json:
    """Values by path as the nested object that they are stored in."""
    found: Json = {}
    for path, value in values.items():
        *groups, name = path.split(".")
        parent = found
        for group in groups:
            parent = parent.setdefault(group, {})
        parent[name] = value
    return found
