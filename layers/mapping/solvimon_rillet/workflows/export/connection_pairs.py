"""Two connections that book the same platform into the same organisation would book every document twice.

::

    (deployment)#pair#{Solvimon's platform}-{Rillet's subsidiary}    the connection that books this pair

A subsidiary belongs to one organisation, so no call to Rillet is needed to know it.
"""

from solvimon_rillet.aws.dynamodb import ConditionFailed
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.ledger.records import SCHEMA

_FREE = "attribute_not_exists(pk) OR claimed_by IN (:name, :owner)"


def claim_pair(
    connection: Connection, platform_id: str | None, subsidiary_id: str, *, dry_run: bool = False
) -> None:
    """Claim a platform and a subsidiary for a connection, unless another one has them.

    The claim of a connection that has no settings any more is taken over.

    Raises:
        ConnectionBroken: another connection has them; the documents wait until a person removes one.
        RetryLater: the table or the settings cannot be read.
    """
    if platform_id is None:
        return
    key = f"(deployment)#pair#{platform_id}-{subsidiary_id}"
    owner = str((connection.table.get(key) or {}).get("claimed_by", ""))
    if owner == connection.name:
        return
    if owner and connection.exists(owner):
        raise _taken(connection.name, owner)
    if dry_run:
        return
    facts = {"schema_version": SCHEMA, "claimed_by": connection.name}
    try:
        connection.table.put(key, facts, _FREE, {":name": connection.name, ":owner": owner})
    except ConditionFailed:
        raise RetryLater("Another connection claims the same platform and organisation.", after=1) from None


def _taken(name: str, owner: str) -> ConnectionBroken:
    return ConnectionBroken(
        f"The connection {owner} books the same Solvimon platform into the same Rillet organisation as "
        f"{name}: each document would be booked twice. Remove the settings of one of them."
    )
