"""The connections of this deployment, and what to do about one that does not exist."""

import difflib
from typing import Any

from solvimon_rillet.connections.configuration import Configuration, uses_oauth
from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.connections.names import UnknownConnection, is_connection_name
from solvimon_rillet.connections.owner import RILLET_SIDE
from solvimon_rillet.errors import SolvimonRilletError

Json = dict[str, Any]
_DETAILED = 100
"""Connections whose secret and owner are read, so that the answer comes in time."""


class KnownConnections:
    """Names the connections, without a call to a vendor.

    Args:
        configuration: settings and secrets.
        connections: knows the owner of each.
    """

    def __init__(self, configuration: Configuration, connections: Connections) -> None:
        self._configuration = configuration
        self._connections = connections

    def answer(self) -> Json:
        """All connections; the first hundred with their organisation and authentication.

        Raises:
            RetryLater: Parameter Store or the ledger does not answer.
        """
        names = self._configuration.connections()
        rows: list[Json] = [{"connection": name, "organisation": None, "auth": None} for name in names]
        for row in rows[:_DETAILED]:
            row |= {
                "organisation": self._organisation(row["connection"]),
                "auth": self._auth(row["connection"]),
            }
        shown = [
            f"{row['connection']} ({row['organisation'] or 'not connected yet'})" for row in rows[:_DETAILED]
        ]
        more = f" and {len(rows) - _DETAILED} more" if len(rows) > _DETAILED else ""
        noun = "connection" if len(names) == 1 else "connections"
        words = f"{len(names)} {noun}: {', '.join(shown)}{more}."
        if not names:
            words = f"There is none yet. To make one: {self._recipe('default')}"
        return {"connections": rows, "in_words": words}

    def unknown(self, error: UnknownConnection) -> Json:
        """The answer to a name that no connection has: which exist, and how to make one.

        Raises:
            RetryLater: Parameter Store does not answer.
        """
        names = self._configuration.connections()
        like = difflib.get_close_matches(error.name, names, n=1)
        listed = f"{', '.join(names[:_DETAILED])}{' and more' if len(names) > _DETAILED else ''}"
        known = f"There are: {listed}." if names else "There is none yet."
        meant = f" Did you mean {like[0]}?" if like else ""
        if not is_connection_name(error.name):
            make = "A name has 1 to 32 of the letters a-z, digits and hyphens."
        else:
            make = f"To make {error.name}: {self._recipe(error.name)}"
        return {
            "error": error.message,
            "remedy": f"{known}{meant} {make}",
            "connections": names,
            "did_you_mean": like[0] if like else None,
        }

    def _recipe(self, name: str) -> str:
        stack = self._configuration.stack
        return (
            f"create the SSM parameter /{stack}/{name}/settings (String, {{}} is enough) and the secret "
            f'{stack}/{name}/solvimon ({{"api_key": "…"}}), then invoke connect_rillet with '
            f'{{"connection": "{name}"}}. See docs/connections.md, Add a connection.'
        )

    def _organisation(self, name: str) -> str | None:
        owner = self._connections.owners.owner(name, RILLET_SIDE)
        return (owner.name or owner.id) if owner else None

    def _auth(self, name: str) -> str | None:
        try:
            return "oauth" if uses_oauth(self._configuration.rillet_secret(name).fields) else "api_key"
        except SolvimonRilletError:
            return None
