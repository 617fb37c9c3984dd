"""Answers of a moment ago, shared by all pages and people, so that a page needs few invocations."""

import hashlib
import json
from collections.abc import Callable, Mapping

import simplejson

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.panel.functions import Answered, Invocation

_KEPT_SECONDS = 3600
_MAX_ANSWER_BYTES = 300_000
"""Largest answer that is kept; DynamoDB takes 400 KB."""
KEPT = {"sync_status", "connect_rillet"}
"""Functions whose answers are kept: those of the frame, which is around every page."""


class AnswerCache:
    """Keeps the last answer to a question.

    Args:
        table: the panel's table.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def keep(self, answered: Answered) -> None:
        """Keep an answer to one of the questions that the frame asks, too."""
        if answered.invocation.function not in KEPT or not is_overview(answered.invocation.event):
            return
        text = simplejson.dumps(answered.answer, use_decimal=True)
        if len(text) <= _MAX_ANSWER_BYTES:
            facts = {"answer": text, "at": int(answered.at), "expires_at": int(answered.at) + _KEPT_SECONDS}
            self._table.put(key_of(answered.invocation), facts)

    def read(self, invocation: Invocation, read: Mapping[str, Item]) -> Answered | None:
        """The answer among records that were read, if there is one."""
        item = read.get(key_of(invocation))
        return Answered(invocation, simplejson.loads(str(item["answer"])), int(item["at"])) if item else None

    def forget(self, invocation: Invocation) -> None:
        """Forget an answer, because something was changed."""
        self._table.pop(key_of(invocation))


def is_overview(event: Mapping[str, object]) -> bool:
    """Whether a question is about a whole connection, or about all of them; such ones are asked often."""
    return set(event) <= {"connection", "action", "list"}


def key_of(invocation: Invocation) -> str:
    """The key of an answer's record."""
    question = json.dumps([invocation.function, invocation.event], sort_keys=True)
    return f"answer#{hashlib.sha256(question.encode()).hexdigest()}"
