"""Whether another connection books the same Solvimon platform into the same Rillet organisation.

Each document would be booked twice. So an authorisation that would make a second such connection is refused,
the checklist says it of one with an API key, and nothing is written by it (``connections/pairs.py``).
"""

import contextlib

from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.connections.owner import RILLET_SIDE, SOLVIMON_SIDE
from solvimon_rillet.errors import ConnectionBroken, SolvimonRilletError
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.settings import Settings
from solvimon_rillet.workflows.connect.checklist import Check

_CHECK_NAME = "only connection"


def connection_of_pair(
    connection: str,
    settings: Settings,
    organisation_id: str,
    configuration: Configuration,
    connections: Connections,
) -> str:
    """The name of another connection with the platform of this one and with an organisation.

    Empty if there is none, or if Solvimon's key does not say whose platform it opens: a platform without an
    invoice, or no valid key. Then the first write finds it.

    Args:
        connection: name of the connection.
        settings: of the connection.
        organisation_id: of Rillet.
        configuration: names the connections.
        connections: knows their owners.

    Raises:
        RetryLater: a service or Solvimon does not answer.
    """
    others = [
        other
        for other in configuration.connections()
        if other != connection and _organisation(connections, other) == organisation_id
    ]
    platform = _platform(connections, connection, settings) if others else ""
    if not platform:
        return ""
    holder = connections.owners.pair_holder(platform, organisation_id)
    if holder in others:
        return holder
    same = (each for each in others if _platform(connections, each, configuration.settings(each)) == platform)
    return next(same, "")


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
        other = (
            connection_of_pair(connection, settings, organisation_id, configuration, connections)
            if organisation_id
            else ""
        )
        bound = connections.owners.owner(connection, SOLVIMON_SIDE) if other else None
        has_pair = bool(bound and connections.owners.pair_holder(bound.id, organisation_id) == connection)
    except SolvimonRilletError as error:
        again = "Request the status again in a minute."
        return Check(_CHECK_NAME, False, f"not known: {error}", again, blocking=False)
    if not other:
        return Check(_CHECK_NAME, True, "no other connection books this platform into this organisation")
    waits = other if has_pair else "one of them" if bound else connection
    return Check(
        _CHECK_NAME,
        False,
        f"the connection {other} books the same Solvimon platform into the same Rillet organisation; "
        f"the exports of {waits} wait, since each document would be booked twice",
        f"Remove the settings of {other} or of {connection}, or give one of them other credentials.",
        blocking=not has_pair,
    )


def _organisation(connections: Connections, name: str) -> str:
    """The organisation of a connection, as far as it is known; empty if it is not."""
    if owner := connections.owners.owner(name, RILLET_SIDE):
        return owner.id
    with contextlib.suppress(ConnectionBroken):
        return connections.known_organisation(name)
    return ""


def _platform(connections: Connections, name: str, settings: Settings) -> str:
    """The platform of a connection; empty if nothing says it."""
    if owner := connections.owners.owner(name, SOLVIMON_SIDE):
        return owner.id
    with contextlib.suppress(ConnectionBroken, RequestRejected):
        return connections.solvimon(name, settings).platform_id()
    return ""
