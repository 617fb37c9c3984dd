"""Whether Rillet has the products that the settings name."""

import difflib
from typing import Any

from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.errors import SolvimonRilletError
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.invalid_values import InvalidValue
from solvimon_rillet.mapping.likeness import Record
from solvimon_rillet.workflows.configure.changes import Change

_FALLBACKS = "fallback_products."


class ProductCheck:
    """Looks for the settings' products in Rillet.

    Args:
        connections: opens a connection.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def active(self, connection: str) -> dict[str, Any]:
        """The products that a setting may name, by their names; why they are not known otherwise."""
        try:
            found = self._connections.open(connection).directory.in_rillet("product").by_id.values()
        except (SolvimonRilletError, RequestRejected) as error:
            return {"products": [], "products_problem": f"Rillet's products cannot be read: {error}"}
        rows = [{"id": each.id, "name": each.name} for each in found if not each.archived]
        return {"products": sorted(rows, key=lambda row: (row["name"].casefold(), row["id"]))}

    def check(self, connection: str, changes: list[Change]) -> tuple[list[InvalidValue], list[str]]:
        """The problems of changed fallback products, and notes about what could not be checked."""
        changed = {
            each.path: str(each.new) for each in changes if each.path.startswith(_FALLBACKS) and each.new
        }
        if not changed:
            return [], []
        try:
            found = self._connections.open(connection).directory.in_rillet("product").by_id
        except (SolvimonRilletError, RequestRejected) as error:
            # A connection that is being set up has settings before it has a credential.
            return [], [f"Whether Rillet has the products was not checked: {error}"]
        problems = [
            problem for path, given in changed.items() if (problem := _product_problem(path, given, found))
        ]
        return problems, []


def _product_problem(path: str, given: str, found: dict[str, Record]) -> InvalidValue | None:
    record = found.get(given)
    if record and not record.archived:
        return None
    if record:
        return InvalidValue(path, "is not active in Rillet", f"{record.name} is not active in Rillet")
    text = "Rillet has no product with this id"
    by_name = {each.name.casefold(): each for each in found.values() if not each.archived}
    names = difflib.get_close_matches(given.casefold(), by_name, n=1) or difflib.get_close_matches(
        given, found, n=1, cutoff=0.8
    )
    like = by_name.get(names[0]) or found.get(names[0]) if names else None
    quoted = f'"{given[:100]}": {text}'
    if like:
        quoted += f" – did you mean {like.id} ({like.name})?"
    return InvalidValue(path, text, quoted)
