"""Whether another connection books the same Solvimon platform into the same Rillet organisation.

Exports refuse the second of two such connections (``export/connection_pairs.py``). The checklist says it
before the first document waits, as far as the owners of both are known.
"""

from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.connections.owner import RILLET_SIDE, SOLVIMON_SIDE
from solvimon_rillet.errors import SolvimonRilletError
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.connect.checklist import Check

_CHECK_NAME = "only connection"


def only_connection(
    connection: str,
    settings: Settings,
    organisation_id: str,
    configuration: Configuration,
    connections: Connections,
) -> Check:
    """A line of the checklist: no other connection has this pair of platform and organisation.

    Args:
        connection: name of the connection.
        settings: of the connection.
        organisation_id: of Rillet; empty while it is unknown.
        configuration: names the connections.
        connections: knows their owners.
    """
    try:
        others = [
            other
            for other in configuration.connections()
            if organisation_id and other != connection and _owner_id(connections, other) == organisation_id
        ]
        platform = connections.solvimon(connection, settings).platform_id() if others else ""
        same = [
            other
            for other in others
            if platform and (owner := connections.owners.owner(other, SOLVIMON_SIDE)) and owner.id == platform
        ]
    except (SolvimonRilletError, RequestRejected) as error:
        again = "Request the status again in a minute."
        return Check(_CHECK_NAME, False, f"not known: {error}", again, blocking=False)
    if same:
        return Check(
            _CHECK_NAME,
            False,
            f"the connection {same[0]} books the same Solvimon platform into the same Rillet organisation; "
            "the exports of one of them wait, since each document would be booked twice",
            f"Remove the settings of {same[0]} or of {connection}, or give one of them other credentials.",
        )
    return Check(_CHECK_NAME, True, "no other connection books this platform into this organisation")


def _owner_id(connections: Connections, name: str) -> str:
    owner = connections.owners.owner(name, RILLET_SIDE)
    return owner.id if owner else ""
