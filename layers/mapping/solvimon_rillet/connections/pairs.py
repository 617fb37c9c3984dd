"""Which connection books a Solvimon platform into Rillet: two of one pair would book each document twice.

::

    (deployment)#pair#{platform}-{organisation}   claimed before the first write of a connection
    (deployment)#pair#{platform}-{subsidiary}     claimed with the first document of a subsidiary

A subsidiary belongs to one organisation, so a document needs no call to Rillet to know its pair.
"""

from collections.abc import Callable

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.ledger.records import SCHEMA

_FREE = "attribute_not_exists(pk) OR claimed_by IN (:name, :owner)"


class SharedPair(ConnectionBroken):
    """Another connection has the pair; the documents wait until a person removes one of both.

    Attributes:
        other: name of that connection.
    """

    def __init__(self, connection: str, other: str) -> None:
        super().__init__(
            f"The connection {other} books the same Solvimon platform into the same Rillet organisation as "
            f"{connection}: each document would be booked twice. Remove the settings of one of them."
        )
        self.other = other


def pair_holder(table: Table, platform_id: str, rillet_id: str) -> str:
    """The connection that has claimed a pair, whether it still exists or not; empty if there is none.

    Raises:
        RetryLater: the table does not answer.
    """
    return str((table.get(_key(platform_id, rillet_id)) or {}).get("claimed_by", ""))


def claim_pair(
    table: Table,
    holds: Callable[[str], bool],
    connection: str,
    platform_id: str | None,
    rillet_id: str,
    *,
    dry_run: bool = False,
) -> None:
    """Claim a platform and an organisation or subsidiary for a connection, unless another one has them.

    Args:
        table: keeps the claims.
        holds: whether a connection that has claimed the pair still has it; if not, the claim is taken over.
        connection: name of the connection.
        platform_id: of Solvimon; ``None`` if it is not known, then nothing is claimed.
        rillet_id: id of the organisation or the subsidiary.
        dry_run: write nothing.

    Raises:
        SharedPair: another connection has them.
        RetryLater: the table or the settings cannot be read.
    """
    if platform_id is None:
        return
    owner = pair_holder(table, platform_id, rillet_id)
    if owner == connection:
        return
    if owner and holds(owner):
        raise SharedPair(connection, owner)
    if dry_run:
        return
    facts = {"schema_version": SCHEMA, "claimed_by": connection}
    try:
        table.put(_key(platform_id, rillet_id), facts, _FREE, {":name": connection, ":owner": owner})
    except ConditionFailed:
        raise RetryLater("Another connection claims the same platform and organisation.", after=1) from None


def _key(platform_id: str, rillet_id: str) -> str:
    return f"(deployment)#pair#{platform_id}-{rillet_id}"
