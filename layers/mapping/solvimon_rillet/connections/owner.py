"""Whose a connection is: one Solvimon platform and one Rillet organisation, whatever key is in its secrets.

A key that was pasted into the wrong connection is valid, and would book into another company's books. So the
owner of each side is in the table, beside a fingerprint of the credential that proved it. Before the first
write with a credential that is new, its owner is asked for once; another owner breaks the connection. So does
a pair of owners that another connection has (``pairs``); then neither side is bound.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.connections.pairs import claim_pair, pair_holder
from solvimon_rillet.connections.token_fields import fingerprint
from solvimon_rillet.errors import ConnectionBroken


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a connection.

    Attributes:
        vendor: its name.
        noun: what owns the side.
        key: the end of the key of its record.
        field: prefix of the record's fields.
    """

    vendor: str
    noun: str
    key: str
    field: str


# The record of an organisation is older than this module; connect_rillet has always written it.
RILLET_SIDE = Side("Rillet", "organisation", "oauth#organisation", "organisation")
SOLVIMON_SIDE = Side("Solvimon", "platform", "owner#solvimon", "platform")


@dataclass(frozen=True, slots=True)
class Owner:
    """An organisation or a platform; without a name, its id is its name."""

    id: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


class AnotherOwner(ConnectionBroken):
    """A credential belongs to another owner than the connection.

    Attributes:
        bound: the connection's owner.
        found: the credential's owner.
    """

    def __init__(self, side: Side, bound: Owner, found: Owner) -> None:
        super().__init__(
            f"The credential for {side.vendor} belongs to another {side.noun} than the connection. Nothing "
            "was written; the documents wait. Put a credential of the connection's own into its secret, or "
            "use another connection for the other one.",
            quoted=f"{found}, not {bound}",
        )
        self.bound = bound
        self.found = found


class Owners:
    """The owners of all connections.

    Args:
        table: keeps them.
        exists: whether a connection of a name has settings.
    """

    def __init__(self, table: Table, exists: Callable[[str], bool] = lambda _name: True) -> None:
        self._table = table
        self._exists = exists
        self._checked: set[tuple[str, ...]] = set()
        self._seen: dict[tuple[str, Side], tuple[Owner, str]] = {}

    def owner(self, connection: str, side: Side) -> Owner | None:
        """The owner of a side; ``None`` before the first credential was used."""
        return _owner_of_item(self._table.get(_owner_key(connection, side)), side)

    def check(
        self,
        connection: str,
        side: Side,
        credential: str,
        ask: Callable[[], Owner | None],
        see_other: Callable[[], None] = lambda: None,
    ) -> None:
        """Make sure that a credential is the connection's own, before something is written with it.

        Args:
            connection: its name.
            side: of the connection.
            credential: what proves the owner; only its fingerprint is kept.
            ask: asks the vendor; called once for each credential. ``None``: the vendor does not say.
            see_other: asks the other vendor, and lets ``see`` know; called while that side is not bound.

        Raises:
            AnotherOwner: it is not.
            SharedPair: another connection has this platform and this organisation.
            RetryLater: the vendor or the table does not answer.
        """
        proof, found = fingerprint(credential), dict[Side, tuple[Owner, str]]()
        for each in (RILLET_SIDE, SOLVIMON_SIDE):
            if seen := self._seen.get((connection, each)):
                found[each] = seen
        if side not in found and (connection, side.vendor, proof) not in self._checked:
            item = self._table.get(_owner_key(connection, side)) or {}
            bound = _owner_of_item(item, side) if item.get("credential") == proof else None
            if bound is None and (answer := ask()):
                found[side] = answer, credential
            elif bound and not item.get("paired"):
                found[side] = bound, credential
        other = SOLVIMON_SIDE if side is RILLET_SIDE else RILLET_SIDE
        if side in found and other not in found and self.owner(connection, other) is None:
            see_other()
            if seen := self._seen.get((connection, other)):
                found[other] = seen
        self._bind(connection, found)
        self._checked.add((connection, side.vendor, proof))

    def see(self, connection: str, side: Side, found: Owner, credential: str) -> None:
        """Compare the owner that a record names with the connection's; the next write binds to it.

        Raises:
            AnotherOwner: it is another one.
            RetryLater: the table does not answer.
        """
        proof = fingerprint(credential)
        if (connection, side.vendor, proof, found.id) in self._checked:
            return
        item = self._table.get(_owner_key(connection, side))
        bound = _owner_of_item(item, side)
        if bound and bound.id != found.id:
            raise AnotherOwner(side, bound, found)
        if item and item.get("credential") == proof:
            self._remember(connection, side, found, credential)
        else:
            self._seen[connection, side] = found, credential

    def _remember(self, connection: str, side: Side, found: Owner, credential: str) -> None:
        proof = fingerprint(credential)
        self._checked |= {(connection, side.vendor, proof), (connection, side.vendor, proof, found.id)}
        self._seen.pop((connection, side), None)

    def claim(self, connection: str, side: Side, found: Owner, credential: str = "") -> None:
        """Bind a side of a connection to its owner, unless it is bound to another one.

        Of two who claim at the same time, the first one wins. Tokens are stored after the claim, so a crash
        between both leaves a connection without tokens, never one with another's.

        Raises:
            AnotherOwner: the side is bound to another owner.
            SharedPair: another connection has this platform and this organisation.
            RetryLater: the table does not answer.
        """
        self._bind(connection, {side: (found, credential)})

    def pair_holder(self, platform_id: str, organisation_id: str) -> str:
        """The connection that has a platform and an organisation; empty if there is none.

        Raises:
            RetryLater: the table or the settings cannot be read.
        """
        holder = pair_holder(self._table, platform_id, organisation_id)
        return holder if holder and self._has_pair(holder, platform_id, organisation_id) else ""

    def _bind(self, connection: str, found: Mapping[Side, tuple[Owner, str]]) -> None:
        """Bind sides to what was found: both to free owners that no other connection pairs, or none."""
        if not found:
            return
        bound = {side: self.owner(connection, side) for side in (RILLET_SIDE, SOLVIMON_SIDE)}
        for side, (owner, _) in found.items():
            before = bound[side]
            if before and before.id != owner.id:
                raise AnotherOwner(side, before, owner)
            bound[side] = owner
        platform, organisation = bound[SOLVIMON_SIDE], bound[RILLET_SIDE]
        if platform and organisation:

            def holds(other: str) -> bool:
                return self._has_pair(other, platform.id, organisation.id)

            claim_pair(self._table, holds, connection, platform.id, organisation.id)
        for side, (owner, credential) in found.items():
            self._put(connection, side, owner, credential, paired=bool(platform and organisation))
            if credential:
                self._remember(connection, side, owner, credential)

    def _has_pair(self, connection: str, platform_id: str, organisation_id: str) -> bool:
        """Whether a connection that has claimed a pair still has it: it may have got other credentials."""
        if not self._exists(connection):
            return False
        sides = ((SOLVIMON_SIDE, platform_id), (RILLET_SIDE, organisation_id))
        owners = ((self.owner(connection, side), expected) for side, expected in sides)
        return all(owner is None or owner.id == expected for owner, expected in owners)

    def _put(self, connection: str, side: Side, found: Owner, credential: str, *, paired: bool) -> None:
        facts: dict[str, Any] = {f"{side.field}_id": found.id, f"{side.field}_name": found.name}
        if credential:
            facts["credential"] = fingerprint(credential)
        if paired:
            facts["paired"] = True
        key = _owner_key(connection, side)
        try:
            self._table.put(
                key,
                facts,
                "attribute_not_exists(pk) OR #owner = :owner",
                {":owner": found.id},
                {"#owner": f"{side.field}_id"},
            )
        except ConditionFailed:
            before = _owner_of_item(self._table.get(key), side) or Owner("unknown")
            raise AnotherOwner(side, before, found) from None


def _owner_of_item(item: dict[str, Any] | None, side: Side) -> Owner | None:
    if not item:
        return None
    return Owner(str(item[f"{side.field}_id"]), str(item.get(f"{side.field}_name") or ""))


def _owner_key(connection: str, side: Side) -> str:
    return f"{connection}#{side.key}"
