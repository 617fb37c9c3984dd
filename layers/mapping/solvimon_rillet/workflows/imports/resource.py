"""What tells the imports apart: where rows come from, what they become, and how they are linked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.formatting import validation_problems
from solvimon_rillet.mapping.solvimon_fields import MappedRecord
from solvimon_rillet.rillet.client import RilletClient, RowPage
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient

Json = dict[str, Any]
M = TypeVar("M", bound=BaseModel)
DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class ImportCandidate:
    """A row of Rillet's list, read and mapped.

    Attributes:
        id: Rillet's id.
        name: for people.
        mapped: the request that would create it.
        link: what the export wants to know of it.
        pinned: the Solvimon id that the settings name for it.
        hints: Solvimon ids that Rillet's own record names.
    """

    id: str
    name: str
    mapped: MappedRecord
    link: Mapping[str, Any]
    pinned: str | None = None
    hints: Sequence[str] = ()


def _everything(imported: ImportCandidate, _current: Json) -> tuple[Json, list[str]]:
    return dict(imported.mapped.payload), []


def _nothing(_imported: ImportCandidate, _solvimon: SolvimonClient) -> None:
    """Names need not be unique."""


def _link(imported: ImportCandidate, _record: Json) -> Json:
    return dict(imported.link)


@dataclass(frozen=True, slots=True)
class ImportedResource:
    """One kind of rows.

    Attributes:
        name: what a row is called in the ledger.
        plural: what rows are called in an answer.
        collection: Solvimon's collection.
        field_name: the custom field that holds the Rillet id, as people see it.
        resource_type: what that custom field is on.
        rows: one page of Rillet's list, by cursor and the moment after which rows must have changed.
        read: reads and maps a row, with the settings and the category's id; raises ``NeedsAttention``.
        wanted: what a record that is there already should say, and notes about it.
        check_new: has a last look before a record is created; raises ``NeedsAttention``.
        link_facts: what is remembered for the export, from the row and Solvimon's record.
        filtered: whether Rillet's list can be cut to what changed since a moment.
        categorised: whether the records belong into the category for imported products.
        has_status: whether the records are activated and archived.
        link_seconds: how long the export remembers the link; ``None`` for good.
    """

    name: str
    plural: str
    collection: str
    field_name: str
    resource_type: str
    rows: Callable[[RilletClient, str | None, str | None], RowPage]
    read: Callable[[object, Settings, str], ImportCandidate]
    eligible: Callable[[ImportCandidate, Json], tuple[Json, list[str]]] = field(default=_everything)
    check_new: Callable[[ImportCandidate, SolvimonClient], None] = field(default=_nothing)
    link_facts: Callable[[ImportCandidate, Json], Json] = field(default=_link)
    filtered: bool = False
    categorised: bool = False
    has_status: bool = True
    link_seconds: int | None = DAY

    def is_on(self, settings: Settings) -> bool:
        """Whether the workflow is switched on."""
        return bool(getattr(settings.workflows, f"import_{self.plural}"))

    def reference(self, settings: Settings) -> str:
        """Reference of the custom field that holds the Rillet id."""
        return str(getattr(settings.custom_fields, self.name))


def read_row(row: object, model: type[M]) -> M:
    """Read a row of Rillet's list.

    Raises:
        NeedsAttention: something is missing or has another form.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        raise NeedsAttention(
            Code.ROW_UNREADABLE,
            f"Rillet's row cannot be read: {validation_problems(error, 'row', limit=5)}.",
            "Correct it in Rillet; if it looks right there, report it to Rillet's support with the id.",
        ) from None
