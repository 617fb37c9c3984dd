"""Actions of forms: each form is worth one action, whose result is kept and shown again."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import simplejson

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.panel.page import Outcome
from solvimon_rillet.panel.sessions import Session

RESULT_KEPT_SECONDS = 86_400
_MAX_RESULT_BYTES = 350_000
"""Largest result that is kept; DynamoDB takes 400 KB."""
_ACTION_ID = re.compile(r"[\w-]{16,64}", re.ASCII)


class Actions:
    """The actions of people, each by the id that its form carries.

    ::

        begin ──▶ running ──finish──▶ done
                     └── a crash: the result is unknown; the page says so, and nothing is done again

    Args:
        table: the panel's table.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def begin(self, session: Session, action_id: str, path: str) -> bool:
        """Use a form's id up; ``False`` if it was used already."""
        now = int(self._clock())
        facts = {"path": path, "begun": now, "expires_at": now + RESULT_KEPT_SECONDS}
        try:
            self._table.put(_action_key(session, action_id), facts, "attribute_not_exists(pk)")
        except ConditionFailed:
            return False
        return True

    def finish(self, session: Session, action_id: str, outcome: Outcome) -> None:
        """Keep the result of an action."""
        text = simplejson.dumps(asdict(outcome), use_decimal=True)
        if len(text) > _MAX_RESULT_BYTES:
            text = simplejson.dumps({**asdict(outcome), "answer": {}}, use_decimal=True)
        self._table.update_attributes(
            _action_key(session, action_id), {"outcome": text}, "attribute_exists(pk)", {}
        )

    def result(self, session: Session, action_id: str) -> tuple[Outcome | None, int] | None:
        """The result of an action, ``None`` while it has none, and the unix second at which it began.

        Returns:
            ``None`` if this session began no such action.
        """
        item = self._table.get(_action_key(session, action_id)) if is_action_id(action_id) else None
        if not item:
            return None
        outcome = _kept_outcome(simplejson.loads(str(item["outcome"]))) if "outcome" in item else None
        return outcome, int(item["begun"])


def is_action_id(text: str) -> bool:
    """Whether a text has the form of an action's id."""
    return _ACTION_ID.fullmatch(text) is not None


def _action_key(session: Session, action_id: str) -> str:
    return f"action#{session.key.partition('#')[2]}#{action_id}"


def _kept_outcome(fields: dict[str, Any]) -> Outcome:
    links = tuple((str(text), str(path)) for text, path in fields["links"])
    return Outcome(**{**fields, "lines": tuple(fields["lines"]), "links": links})
