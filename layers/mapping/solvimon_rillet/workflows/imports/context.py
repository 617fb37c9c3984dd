"""What all rows of an import have in common, and the result of one."""

from collections.abc import Sequence
from dataclasses import dataclass

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.ledger.import_state import ImportState
from solvimon_rillet.ledger.matches import Match
from solvimon_rillet.workflows.imports.resource import ImportedResource
from solvimon_rillet.workflows.linking.matching import MatchFinder


@dataclass(frozen=True, slots=True)
class ImportTarget:
    """The custom field and the category: found or created once, before the first row.

    Attributes:
        field_is_new: whether the custom field was created by this import, so that no record has it yet.
        category_id: Solvimon's id of the category for products.
    """

    field_is_new: bool = False
    category_id: str = ""


@dataclass(frozen=True, slots=True)
class ImportContext:
    """The things that all rows of an import have in common.

    Attributes:
        resource: what is imported.
        connection: the connection.
        run: name of the execution, the same after a crash.
        state: the rows that the ledger remembers.
        target: the custom field and the category.
        matching: finds records in Solvimon that are like a row without link.
        dry_run: write nothing anywhere.
        recheck: look at every record in Solvimon, also where Rillet's row has not changed.
    """

    resource: ImportedResource
    connection: Connection
    run: str
    state: ImportState
    target: ImportTarget
    matching: MatchFinder
    dry_run: bool = False
    recheck: bool = False

    @property
    def field(self) -> str:
        """Reference of the custom field that holds the Rillet id."""
        return self.resource.reference(self.connection.settings)


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of a row.

    Attributes:
        outcome: ``created``, ``updated``, ``archived``, ``unchanged``, ``skipped`` or ``proposed``.
        writes: requests that change something in Solvimon.
        notes: for people.
        matches: the records in Solvimon that a proposed row is like.
        fields: names of the fields that an update changes.
    """

    outcome: str
    writes: int = 0
    notes: Sequence[str] = ()
    matches: Sequence[Match] = ()
    fields: Sequence[str] = ()
