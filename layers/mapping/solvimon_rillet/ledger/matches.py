"""Pairs of records that are alike: proposed, linked, or said to be different by a user.

::

    {connection}#match-customer#{solvimon id}/{rillet id}    names of both, what they share, the state
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table
from solvimon_rillet.ledger.record_store import BY_STATE
from solvimon_rillet.ledger.records import SCHEMA, Document

MatchState = Literal["proposed", "linked", "different"]
_BATCH_SIZE = 100


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
    """

    kind: str
    solvimon_id: str
    rillet_id: str
    solvimon_name: str = ""
    rillet_name: str = ""
    alike: tuple[str, ...] = ()

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
        for start in range(0, len(keys), _BATCH_SIZE):
            stored |= self._table.get_many(keys[start : start + _BATCH_SIZE])
        return [match for key, match in pairs.items() if stored.get(key, {}).get("state") != "different"]

    def propose(self, matches: Iterable[Match]) -> None:
        """Store pairs that wait for an answer; one that has an answer keeps it, one that waits its time."""
        for match in matches:
            try:
                self._put(match, "proposed", "", "attribute_not_exists(pk)")
            except ConditionFailed:
                continue

    def answer(self, match: Match, state: MatchState, by: str) -> None:
        """Store a user's answer.

        Args:
            match: the pair.
            state: ``linked`` or ``different``; ``proposed`` takes an answer back.
            by: who gave it.
        """
        self._put(match, state, by, "")

    def in_state(self, kind: str, state: MatchState) -> Iterator[Match]:
        """The pairs of a kind in a state, longest unchanged first."""
        index_key = Document(self._connection, f"match-{kind}", "").index_key(state)
        keys = [str(item["pk"]) for item in self._table.query(BY_STATE, "listed", index_key)]
        for start in range(0, len(keys), _BATCH_SIZE):
            batch = keys[start : start + _BATCH_SIZE]
            stored = self._table.get_many(batch)
            yield from (
                _match(kind, stored[key]) for key in batch if stored.get(key, {}).get("state") == state
            )

    def forget(self, match: Match) -> None:
        """Delete a pair, because it is not alike any more."""
        self._table.pop(match.document(self._connection).key)

    def _put(self, match: Match, state: MatchState, by: str, condition: str) -> None:
        document = match.document(self._connection)
        facts: Item = {
            "schema_version": SCHEMA,
            "state": state,
            "listed": document.index_key(state),
            "updated_at": int(self._clock()),
            "solvimon_id": match.solvimon_id,
            "rillet_id": match.rillet_id,
            "solvimon_name": match.solvimon_name,
            "rillet_name": match.rillet_name,
            "alike": list(match.alike),
            **({"by": by} if by else {}),
        }
        self._table.put(document.key, facts, condition)


def _match(kind: str, item: Item) -> Match:
    return Match(
        kind,
        str(item["solvimon_id"]),
        str(item["rillet_id"]),
        str(item["solvimon_name"]),
        str(item["rillet_name"]),
        tuple(map(str, item["alike"])),
    )
