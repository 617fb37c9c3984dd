"""The audit trail in a document's record: attempts, payloads' hashes, results, and causes of waits."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from solvimon_rillet.errors import OutcomeUnknown, Recoverable
from solvimon_rillet.ledger.actor import current_actor

MAX_ENTRIES = 40
"""Entries that a record keeps: the first five, and the latest."""
_KEPT_FIRST = 5
_ENTRY_FACTS = (
    "key",
    "payload_hash",
    "rillet_id",
    "rillet_number",
    "totals",
    "code",
    "message",
    "reason",
    "payment_status",
    "changed",
    "applied",
    "unapplied",
    "note",
)
"""Facts that an entry contains."""

Entry = dict[str, Any]


def entry(what: str, at: int, facts: Mapping[str, Any]) -> Entry:
    """An entry of the audit trail.

    Args:
        what: the event, such as ``sent``, ``exported`` or ``waits``.
        at: unix seconds.
        facts: the facts that were written with it; the entry keeps those of ``_ENTRY_FACTS``.
    """
    kept = {name: facts[name] for name in _ENTRY_FACTS if name in facts}
    return _with_actor({"at": at, "what": what, **kept})


def waiting_entry(error: Recoverable, at: int) -> Entry:
    """The entry of an attempt that failed for now, or whose outcome is unknown.

    ``needs_person`` is there if time alone does not end the wait, ``next`` if the error says when it may end.
    """
    what = "answer_lost" if isinstance(error, OutcomeUnknown) else "waits"
    new: Entry = {"at": at, "what": what, "reason": error.message}
    if error.needs_person:
        new["needs_person"] = True
    if error.after is not None:
        new["next"] = at + math.ceil(error.after)
    return _with_actor(new)


def append_entry(history: Sequence[Entry], new: Entry) -> list[Entry]:
    """A history with one more entry. A repeated wait is counted; of a long history the middle is dropped."""
    last = history[-1] if history else {}
    same = ("what", "reason")
    if new["what"] == "waits" and all(last.get(name) == new.get(name) for name in same):
        again = {**new, "since": last.get("since", last["at"]), "times": last.get("times", 1) + 1}
        return [*history[:-1], again]
    if len(history) < MAX_ENTRIES:
        return [*history, new]
    return [*history[:_KEPT_FIRST], *history[_KEPT_FIRST - MAX_ENTRIES + 1 :], new]


def trim_history(history: Sequence[Entry], fits: Callable[[list[Entry]], bool]) -> list[Entry]:
    """A history without so many entries of its middle that it fits; the first and the newest entry stay."""
    kept = list(history)
    while len(kept) > 2 and not fits(kept):
        del kept[min(_KEPT_FIRST, len(kept) - 2)]
    return kept


def _with_actor(entry: Entry) -> Entry:
    """The entry with the person who asked for the work, if there is one."""
    return {**entry, "by": by} if (by := current_actor()) else entry
