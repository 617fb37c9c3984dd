"""Before a record is created: does the other system probably have it already?

A record without link is compared with those of the other system that have no link either, or one to a
customer that was merged away (``mapping/likeness.py``). The setting ``matching`` decides what follows: the
pair is proposed to a user, it is linked, or a second record is created all the same.
"""

import json
from collections.abc import Sequence

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, Culprit, NeedsAttention
from solvimon_rillet.ledger.matches import Match, MatchStore
from solvimon_rillet.mapping.likeness import Record, Records
from solvimon_rillet.workflows.linking.merged_customers import MergedCustomers

_MAX_NAMED_PAIRS = 5  # pairs that a message names
_RECORD_NOUNS = {"customer": "customer", "product": "product", "subsidiary": "billing entity"}
_NOT_LINKED_CODES = {
    "customer": Code.CUSTOMER_NOT_LINKED,
    "product": Code.PRODUCT_NOT_LINKED,
    "subsidiary": Code.SUBSIDIARY_NOT_LINKED,
}


class MatchFinder:
    """Finds the records of the other system that are like one without link.

    Args:
        connection: the connection, with the directory of both systems.
        dry_run: store no proposal.
    """

    def __init__(self, connection: Connection, *, dry_run: bool = False) -> None:
        self._settings = connection.settings
        self._directory = connection.directory
        self._name = connection.name
        self._ledger = connection.ledger
        self._store = MatchStore(connection.name, connection.table, connection.clock)
        self._merged = MergedCustomers(connection.rillet)
        self._dry_run = dry_run

    def in_solvimon(self, kind: str, record: Record) -> list[Match]:
        """The pairs of a Rillet record without link; empty if a new one may be created in Solvimon.

        In the mode ``link`` the only pair is to be linked; otherwise the pairs are stored as proposals.
        """
        if self._settings.matching.mode(kind) == "create":
            return []
        records = self._directory.in_solvimon(kind)
        found = records.alike(record)
        free = [other for other in found if not self._is_linked_elsewhere(kind, other.id, record.id)]
        linked = records.alike_but_linked(record)
        free += [other for other in linked if self._merged.is_gone(kind, other.linked)]
        return self._proposed([_match_of_records(kind, other, record) for other in free])

    def in_rillet(self, kind: str, record: Record) -> list[Match]:
        """The pairs of a Solvimon record without link; empty if a new one may be created in Rillet."""
        if self._settings.matching.mode(kind) == "create":
            return []

        def alike(records: Records) -> list[Match]:
            return self._proposed([_match_of_records(kind, record, other) for other in records.alike(record)])

        # Documents that wait for the same answer cost no call each.
        remembered = self._directory.remembered_in_rillet(kind)
        return (alike(remembered) if remembered else []) or alike(self._directory.in_rillet(kind))

    def to_be_linked(self, matches: Sequence[Match]) -> Match | None:
        """The pair to link without asking: in the mode ``link``, if it is the only one on both sides."""
        if len(matches) != 1 or self._settings.matching.mode(matches[0].kind) != "link":
            return None
        kind, match = matches[0].kind, matches[0]
        in_solvimon, in_rillet = self._directory.in_solvimon(kind), self._directory.in_rillet(kind)
        ours, theirs = in_solvimon.by_id.get(match.solvimon_id), in_rillet.by_id.get(match.rillet_id)
        if ours is None or theirs is None:
            return None
        only = len(in_solvimon.alike(theirs)) == 1 and len(in_rillet.alike(ours)) == 1
        return match if only else None

    def _is_linked_elsewhere(self, kind: str, solvimon_id: str, rillet_id: str) -> bool:
        """Whether the ledger links a record to another one: an export created that in Rillet."""
        link = self._ledger.find_link(self._name, kind, solvimon_id) or {}
        return bool(link.get("rillet_id", rillet_id) != rillet_id)

    def _proposed(self, matches: list[Match]) -> list[Match]:
        waiting = self._store.not_different(matches)
        if not self._dry_run:
            self._store.propose(waiting)
        return waiting


def link_proposed(connection: str, matches: Sequence[Match]) -> NeedsAttention:
    """The error of a document whose record probably exists in Rillet, with the events that answer it."""
    first, noun = matches[0], _RECORD_NOUNS[matches[0].kind]
    named = ", ".join(
        f"{_named_pairs(match)}{match.rillet_id} (same {' and '.join(match.alike)})"
        for match in matches[:_MAX_NAMED_PAIRS]
    )
    more = f" and {len(matches) - _MAX_NAMED_PAIRS} more" if len(matches) > _MAX_NAMED_PAIRS else ""
    pair = {"kind": first.kind, "solvimon_id": first.solvimon_id, "rillet_id": first.rillet_id}
    return NeedsAttention(
        _NOT_LINKED_CODES[first.kind],
        f"The {noun} {first.solvimon_id} has no link, and Rillet has one that is alike.",
        f"Invoke link_records with {_event(connection, 'link', pair)} if they are the same, or with "
        f"{_event(connection, 'different', pair)} if not; what waits then continues automatically.",
        quoted=f"it is like {named}{more}",
        about=Culprit(first.kind, first.solvimon_id, first.solvimon_name),
    )


def _named_pairs(match: Match) -> str:
    """Rillet's name of a record, before its id; a customer's name is personal data, and the list has it."""
    return "" if match.kind == "customer" else f"{match.rillet_name} "


def _event(connection: str, act: str, pair: dict[str, str]) -> str:
    named = {} if connection == "default" else {"connection": connection}
    return json.dumps({**named, act: pair})


def _match_of_records(kind: str, ours: Record, theirs: Record) -> Match:
    return Match(kind, ours.id, theirs.id, ours.name, theirs.name, tuple(ours.alike_by(theirs)))
