"""The runs of imports and reconciliations: a small record each, for those who cannot wait for the answer.

Lambda invokes a durable function that may take longer than 15 minutes only asynchronously, so its answer
reaches no caller. Its record has it::

    {connection}#run#{hash of the execution}    request, start, progress, end, result; expires after 30 days
    {connection}#last-run#{kind}                the latest run of a kind: its start, its state, its end

A reconciliation of all connections, and a request that names none, are recorded under ``*``.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import simplejson

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table
from solvimon_rillet.formatting import clip
from solvimon_rillet.ledger.actor import UNKNOWN_ACTOR
from solvimon_rillet.ledger.record_store import BY_STATE
from solvimon_rillet.ledger.records import SCHEMA, Document

EVERY_CONNECTION = "*"
_RUN_TTL = 30 * 86_400
_MAX_REQUEST, _MAX_RESULT = 2 * 1024, 32 * 1024  # bytes of JSON
_SHORTER = ((100, 1024), (20, 1024), (20, 256), (5, 128), (0, 64))  # items of a list, bytes of a text


class RunLog:
    """Reads and writes the records of runs; every method may raise ``RetryLater``.

    Args:
        table: the ledger's table.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def begin(
        self, connection: str, kind: str, execution: str, request: object, by: str = UNKNOWN_ACTOR
    ) -> Item:
        """The record of a run, which is made where it has none yet.

        Args:
            connection: its name, or ``EVERY_CONNECTION``.
            kind: the function, such as ``import_customers``.
            execution: ARN of the durable execution, the same after every interruption.
            request: the event.
            by: who started it.
        """
        key = self.key(connection, execution)
        if found := self._table.get(key):
            return found
        now = int(self._clock())
        run = {
            "pk": key,
            "schema_version": SCHEMA,
            "kind": kind,
            "execution": execution,
            "request": _fitting_json(request, _MAX_REQUEST),
            "by": by,
            "started": now,
            "expires_at": now + _RUN_TTL,
        }
        begun = self._write(run, {"state": "running"})
        self._note_latest(begun)
        return begun

    def record_progress(self, run: Item, progress: dict[str, Any]) -> Item:
        """Write how far a run is: its step, its rows so far, what it waits for.

        A run that was recorded as failed is under way again: Lambda has repeated the invocation.
        """
        under_way = {name: value for name, value in run.items() if name not in {"ended", "result"}}
        return self._write(under_way, {"state": "running", "progress": _fitting_json(progress, _MAX_REQUEST)})

    def end(self, run: Item, state: str, result: object) -> Item:
        """Write the end of a run: ``completed``, ``stopped`` by an error with a remedy, or ``failed``."""
        facts = {"state": state, "ended": int(self._clock()), "result": _fitting_json(result, _MAX_RESULT)}
        ended = self._write(run, facts)
        self._note_latest(ended)
        return ended

    def latest(self, connection: str, kinds: Iterable[str]) -> dict[str, Item]:
        """The latest run of each kind that has one, without request and result, in one read."""
        keys = {_latest_key(name, kind): kind for kind in kinds for name in (connection, EVERY_CONNECTION)}
        found = dict[str, Item]()
        for key, item in self._table.get_many(keys).items():
            kind = keys[key]
            if kind not in found or int(item["started"]) > int(found[kind]["started"]):
                found[kind] = item
        return found

    def _note_latest(self, run: Item) -> None:
        """Remember a run as the latest of its kind, unless a later one has begun."""
        connection, kind = str(run["pk"]).partition("#")[0], str(run["kind"])
        names = ("kind", "started", "state", "ended", "execution", "expires_at")
        facts = {name: run[name] for name in names if name in run}
        with contextlib.suppress(ConditionFailed):
            self._table.put(
                _latest_key(connection, kind),
                {"schema_version": SCHEMA, **facts},
                "attribute_not_exists(pk) OR started <= :started",
                {":started": run["started"]},
            )

    def newest(self, connection: str | None, *, ended: bool, limit: int) -> list[Item]:
        """The newest runs of a connection (``None``: of all) that have ended, or those that have not."""
        return [run for key in islice(self._keys(connection, ended), limit) if (run := self._table.get(key))]

    @staticmethod
    def key(connection: str, execution: str) -> str:
        """The key of a run's record."""
        return Document(connection, "run", hashlib.sha256(execution.encode()).hexdigest()[:20]).key

    def _keys(self, connection: str | None, ended: bool) -> Iterator[str]:
        wanted = None if connection is None else (f"{connection}#", f"{EVERY_CONNECTION}#")
        for item in self._table.query(BY_STATE, "listed", _listed(ended), newest_first=True):
            if wanted is None or str(item["pk"]).startswith(wanted):
                yield str(item["pk"])

    def _write(self, run: Item, facts: Item) -> Item:
        new = {**run, **facts, "updated_at": int(self._clock())}
        new["listed"] = _listed(new["state"] != "running")
        self._table.put(str(run["pk"]), new)
        return new


def _latest_key(connection: str, kind: str) -> str:
    return Document(connection, "last-run", kind).key


def _listed(ended: bool) -> str:
    return f"runs#{'ended' if ended else 'running'}"


def _fitting_json(value: object, limit: int) -> str:
    """The value as JSON of at most so many bytes; long lists and texts are shortened, and say so."""
    for items, size in _SHORTER:
        text = simplejson.dumps(_shortened_value(value, items, size), use_decimal=True, default=str)
        if len(text) <= limit:
            return text
    return simplejson.dumps({"shortened": clip(text, limit // 2)})


def _shortened_value(value: object, items: int, size: int) -> object:
    if isinstance(value, str):
        return clip(value, size)
    if isinstance(value, dict):
        return {clip(str(name), size): _shortened_value(part, items, size) for name, part in value.items()}
    if isinstance(value, list):
        more = [f"and {len(value) - items} more"] if len(value) > items else []
        return [*(_shortened_value(part, items, size) for part in value[:items]), *more]
    return value
