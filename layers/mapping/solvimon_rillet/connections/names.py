"""Names of connections."""

import re
from typing import TypeGuard

from solvimon_rillet.errors import Code, NeedsAttention

_MAX_SHOWN_NAME = 64  # characters of a given name that a message shows
_NAME_FORM = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


class UnknownConnection(NeedsAttention):
    """No connection has this name.

    Attributes:
        name: what was given as the name, shortened.
    """

    def __init__(self, name: object) -> None:
        super().__init__(
            Code.CONNECTION_UNKNOWN,
            "There is no connection with this name.",
            "Name a connection that has its settings and secrets (letters a-z, digits and hyphens).",
            quoted=repr(name)[:_MAX_SHOWN_NAME],
        )
        self.name = str(name)[:_MAX_SHOWN_NAME]


def is_connection_name(name: object) -> TypeGuard[str]:
    """Whether a value has the form of a connection's name."""
    return isinstance(name, str) and _NAME_FORM.fullmatch(name) is not None


def connection_name(name: object) -> str:
    """Check a connection's name, which becomes part of the names of secrets, and return it.

    Raises:
        UnknownConnection: the name is invalid.
    """
    if is_connection_name(name):
        return name
    raise UnknownConnection(name)
