"""How the three imports differ: where rows come from, what they become, and how they are linked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.ledger.links import LINK_TTL
from solvimon_rillet.mapping.solvimon_fields import MappedRecord
from solvimon_rillet.rillet.answers import RowPage
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.settings import Settings

Json = dict[str, Any]
M = TypeVar("M", bound=BaseModel)
ListRecords = Callable[[], list[Json]]


@dataclass(frozen=True, slots=True)
class ImportCandidate:
    """A row of Rillet's list, read and mapped.

    Attributes:
        id: Rillet's id.
        name: for people.
        mapped: the request that would create it in Solvimon.
        link: facts that the export needs about it.
        pinned: the Solvimon id that the settings name for it.
        hints: Solvimon ids that Rillet's own record names.
    """

    id: str
    name: str
    mapped: MappedRecord
    link: Mapping[str, Any]
    pinned: str | None = None
    hints: Sequence[str] = ()


def _whole_payload(candidate: ImportCandidate, _current: Json) -> tuple[Json, list[str]]:
    return dict(candidate.mapped.payload), []


def _no_check(_candidate: ImportCandidate, _records: ListRecords) -> None:
    """Two records may have the same name."""


def _candidate_link(candidate: ImportCandidate, _record: Json) -> Json:
    return dict(candidate.link)


@dataclass(frozen=True, slots=True)
class ImportedResource:
    """One of the resources that are imported.

    Attributes:
        name: singular, as the ledger's keys have it.
        plural: as answers and settings have it.
        collection: Solvimon's collection.
        field_name: the custom field that holds the Rillet id, as people see it.
        resource_type: Solvimon's type of the records that have this custom field.
        list_rows: one page of Rillet's list, by cursor and the moment after which rows must have changed.
        map_row: reads and maps a row, with the settings and the category's id; raises ``NeedsAttention``.
        update_payload: what an existing record should contain, and notes about it.
        check_before_create: a last check before a record is created, with what lists Solvimon's records;
            raises ``NeedsAttention``.
        link_facts: what the ledger keeps for the export, from the row and Solvimon's record.
        filtered: whether Rillet's list can be restricted to rows that changed since a moment.
        categorised: whether the records belong to the category of imported products.
        has_status: whether the records are activated and archived.
        guard: whether rows are written under the lease of a customer, whose edits go to Rillet.
        link_seconds: how long the ledger keeps the link; ``None`` for ever.
    """

    name: str
    plural: str
    collection: str
    field_name: str
    resource_type: str
    list_rows: Callable[[RilletClient, str | None, str | None], RowPage]
    map_row: Callable[[object, Settings, str], ImportCandidate]
    update_payload: Callable[[ImportCandidate, Json], tuple[Json, list[str]]] = field(default=_whole_payload)
    check_before_create: Callable[[ImportCandidate, Callable[[], list[Json]]], None] = field(
        default=_no_check
    )
    link_facts: Callable[[ImportCandidate, Json], Json] = field(default=_candidate_link)
    filtered: bool = False
    categorised: bool = False
    has_status: bool = True
    guard: bool = False
    link_seconds: int | None = LINK_TTL

    def is_on(self, settings: Settings) -> bool:
        """Whether the workflow is switched on."""
        return bool(getattr(settings.workflows, f"import_{self.plural}"))

    def reference(self, settings: Settings) -> str:
        """Reference of the custom field that holds the Rillet id."""
        return str(getattr(settings.custom_fields, self.name))


def parse_row(row: object, model: type[M]) -> M:
    """A row of Rillet's list as its model.

    Raises:
        NeedsAttention: a field is missing or has another form.
    """
    try:
        return model.model_validate(row)
    except ValidationError as error:
        raise NeedsAttention(
            Code.ROW_UNREADABLE,
            "Rillet's row cannot be read.",
            "Correct it in Rillet; if it looks right there, report it to Rillet's support with the id.",
            quoted=problems_in_words(error, whole="row", limit=5),
        ) from None
