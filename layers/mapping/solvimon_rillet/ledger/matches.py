"""Pairs of records: proposed because they are alike, linked, unlinked, or said to be different by a user.

::

    {connection}#match-customer#{solvimon id}/{rillet id}    both names, what they share, state, history
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from solvimon_rillet.aws.dynamodb import MAX_KEYS, ConditionFailed, Item, Table
from solvimon_rillet.ledger.record_store import BY_STATE
from solvimon_rillet.ledger.records import SCHEMA, Document

MatchState = Literal["proposed", "linked", "unlinked", "different"]
_MAX_HISTORY = 20


@dataclass(frozen=True, slots=True)
class Match:
    """A Solvimon and a Rillet record of a kind that share a value.

    Attributes:
        kind: ``customer``, ``product`` or ``subsidiary``.
        solvimon_id: Solvimon's id.
        rillet_id: Rillet's id.
        solvimon_name: as people see it in Solvimon.
        rillet_name: as people see it in Rillet.
        alike: what they share, such as ``["e-mail", "name"]``.
        history: the users' answers, oldest first: ``at`` (unix seconds), ``what`` (the state), ``by``.
    """

    kind: str
    solvimon_id: str
    rillet_id: str
    solvimon_name: str = ""
    rillet_name: str = ""
    alike: tuple[str, ...] = ()
    history: tuple[Item, ...] = field(default=(), compare=False)

    def document(self, connection: str) -> Document:
        """The identity of its record."""
        return Document(connection, f"match-{self.kind}", f"{self.solvimon_id}/{self.rillet_id}")


class MatchStore:
    """The pairs of one connection.

    Every method may raise ``RetryLater`` when DynamoDB does not answer.

    Args:
        connection: name of the connection.
        table: the ledger's table.
        clock: unix seconds.
    """

    def __init__(self, connection: str, table: Table, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._table = table
        self._clock = clock

    def not_different(self, matches: Iterable[Match]) -> list[Match]:
        """The pairs that no user has said to be different."""
        pairs = {match.document(self._connection).key: match for match in matches}
        keys, stored = list(pairs), dict[str, Item]()
        for start in range(0, len(keys), MAX_KEYS):
            stored |= self._table.get_many(keys[start : start + MAX_KEYS])
        return [match for key, match in pairs.items() if stored.get(key, {}).get("state") != "different"]

    def propose(self, matches: Iterable[Match]) -> None:
        """Store pairs that wait for an answer; one that has an answer keeps it, one that waits its time.

        A pair whose link was removed has no answer, and is proposed again.
        """
        for match in matches:
            key, facts = match.document(self._connection).key, self._facts(match, "proposed")
            try:
                self._table.put(key, facts, "attribute_not_exists(pk)")
            except ConditionFailed:
                stored = self._table.get(key) or {}
                if stored.get("state") == "unlinked":
                    self._table.put(key, {**facts, "history": stored["history"]})

    def answer(self, match: Match, state: MatchState, by: str) -> None:
        """Store a user's answer, and keep the ones before it.

        Args:
            match: the pair.
            state: ``linked``, ``unlinked`` or ``different``; ``proposed`` takes an answer back.
            by: who gave it.
        """
        key = match.document(self._connection).key
        before = self._table.get(key) or {}
        new: Item = {"at": int(self._clock()), "what": state, **({"by": by} if by else {})}
        history = [*_history(before), new][-_MAX_HISTORY:]
        known = match if match.alike or not before else _match_of_item(match.kind, before)
        self._table.put(key, {**self._facts(known, state), "history": history, **({"by": by} if by else {})})

    def in_state(self, kind: str, state: MatchState) -> Iterator[Match]:
        """The pairs of a kind in a state, longest unchanged first."""
        index_key = Document(self._connection, f"match-{kind}", "").index_key(state)
        keys = [str(item["pk"]) for item in self._table.query(BY_STATE, "listed", index_key)]
        for start in range(0, len(keys), MAX_KEYS):
            batch = keys[start : start + MAX_KEYS]
            stored = self._table.get_many(batch)
            yield from (
                _match_of_item(kind, stored[key])
                for key in batch
                if stored.get(key, {}).get("state") == state
            )

    def forget(self, match: Match) -> None:
        """Delete a pair, because it is not alike any more."""
        self._table.pop(match.document(self._connection).key)

    def _facts(self, match: Match, state: MatchState) -> Item:
        return {
            "schema_version": SCHEMA,
            "state": state,
            "listed": match.document(self._connection).index_key(state),
            "updated_at": int(self._clock()),
            "solvimon_id": match.solvimon_id,
            "rillet_id": match.rillet_id,
            "solvimon_name": match.solvimon_name,
            "rillet_name": match.rillet_name,
            "alike": list(match.alike),
        }


def _history(item: Item) -> list[Item]:
    """The answers that a record keeps; an older record keeps only the last one."""
    if "history" in item or item.get("state") not in {"linked", "different"}:
        return list(item.get("history", ()))
    by = {"by": item["by"]} if "by" in item else {}
    return [{"at": item["updated_at"], "what": item["state"], **by}]


def _match_of_item(kind: str, item: Item) -> Match:
    return Match(
        kind,
        str(item["solvimon_id"]),
        str(item["rillet_id"]),
        str(item["solvimon_name"]),
        str(item["rillet_name"]),
        tuple(map(str, item["alike"])),
        tuple(_history(item)),
    )
