"""What ``link_records`` can be asked for."""

import json
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from solvimon_rillet.events import is_id
from solvimon_rillet.ledger.actor import RequestedBy

LINK_EXAMPLES = [
    {"list": "customers", "only": "proposed"},
    {
        "link": {
            "kind": "product",
            "solvimon_id": "prod_AbC123",
            "rillet_id": "0198c1d2-0000-4000-8000-000000000001",
        }
    },
    {"accept": "all", "kind": "product", "dry_run": True},
    {"candidates": {"kind": "product", "solvimon_id": "prod_AbC123"}},
    {"csv": "products"},
    {"csv_in": "lists/default/links-products.csv", "dry_run": True},
]
KIND_OF_PLURAL = {"customers": "customer", "products": "product", "subsidiaries": "subsidiary"}

LINK_COLUMNS = ("act", "kind", "state", "solvimon_id", "solvimon_name", "rillet_id", "rillet_name", "same")
"""The columns of a list of links."""
MAX_ROWS_IN_EVENT = 200

_ACTS = (
    *("list", "candidates", "link", "unlink", "different", "accept", "doubles"),
    *("csv", "csv_in", "rows"),
)
Plural = Literal["customers", "products", "subsidiaries"]
Kind = Literal["customer", "product", "subsidiary"]
Only = Literal["unlinked", "proposed", "ambiguous", "linked", "different", "removed"]


def _checked_id(value: object) -> object:
    if is_id(value):
        return value
    raise ValueError("should be an id such as prod_AbC123")


RecordId = Annotated[str, BeforeValidator(_checked_id)]


def _few(value: object) -> object:
    if isinstance(value, list) and len(value) > MAX_ROWS_IN_EVENT:
        raise ValueError(
            f"there are {len(value):,}, and an event takes {MAX_ROWS_IN_EVENT} at most; split them, or put "
            "the file into the bucket of reports and send its key as csv_in"
        )
    return value


class _RequestPart(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RecordRequest(_RequestPart):
    """A Solvimon record."""

    kind: Kind
    solvimon_id: RecordId


class PairRequest(RecordRequest):
    """A Solvimon and a Rillet record."""

    rillet_id: RecordId


class UnlinkRequest(RecordRequest):
    """A Solvimon record whose link is removed."""


class DifferentRequest(RecordRequest):
    """A pair that is not the same; without ``rillet_id`` the Solvimon record and all that are like it."""

    rillet_id: RecordId | None = None


class RowRequest(_RequestPart):
    """A row of a list of links, with what a person has decided; a wrong one is refused alone.

    Attributes:
        row: its line in the person's file.
    """

    row: int | None = Field(default=None, ge=2)
    act: str = Field(default="", max_length=300)
    kind: str = Field(default="", max_length=300)
    state: str = Field(default="", max_length=300)
    solvimon_id: str = Field(default="", max_length=300)
    solvimon_name: str = Field(default="", max_length=300)
    rillet_id: str = Field(default="", max_length=300)
    rillet_name: str = Field(default="", max_length=300)
    same: str = Field(default="", max_length=300)

    def cells(self) -> dict[str, str]:
        """The row as a file has it."""
        return {name: str(getattr(self, name)).strip() for name in LINK_COLUMNS}


Rows = Annotated[list[RowRequest], BeforeValidator(_few)]


class LinkRequest(RequestedBy):
    """The event of ``link_records``: one of its acts.

    Attributes:
        connection: name of the connection.
        list: the kind of records to list, with ``only``, ``find`` and ``page``.
        candidates: the Solvimon record for which to list Rillet's records, with ``find`` and ``page``.
        link: the pair to link.
        unlink: the record whose link to remove.
        different: the pair that is never to be proposed again; without ``rillet_id`` all pairs of a record.
        accept: ``all`` links the proposals of a ``kind`` that are not ambiguous.
        doubles: the kind of records to look for twice in the same system.
        csv: the kind of records to write as CSV, with both sides' names; with ``only`` those of one state.
        file: the name of the file that ``csv`` writes, so that it is known before the answer.
        csv_in: key of a CSV file in the bucket of reports, whose rows say what to do.
        from_row: the line of that file to begin with; the answer of a part of it names the next one.
        rows: rows of such a file, without the file.
        find: a part of the names to list, or an id.
        within_seconds: begin no further row or link after this time; what is left is named in the answer.
        kind: of the proposals to accept.
        dry_run: check, and write nothing.
    """

    model_config = ConfigDict(extra="forbid")

    connection: str = "default"
    list: Plural | None = None
    only: Only = "unlinked"
    page: int = Field(default=1, ge=1)
    link: PairRequest | None = None
    unlink: UnlinkRequest | None = None
    candidates: RecordRequest | None = None
    different: DifferentRequest | None = None
    accept: Literal["all"] | None = None
    doubles: Plural | None = None
    csv: Plural | None = None
    file: str | None = Field(default=None, pattern=r"^links-[a-z]{1,20}-\d{8}T\d{6}Z\.csv$")
    csv_in: str | None = Field(default=None, max_length=1024)
    from_row: int = Field(default=2, ge=2)
    rows: Rows | None = None
    find: str = Field(default="", max_length=200)
    within_seconds: int | None = Field(default=None, ge=1, le=900)
    kind: Kind | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_act(self) -> Self:
        if sum(getattr(self, act) is not None for act in _ACTS) != 1:
            raise ValueError(f"should have one of {', '.join(map(json.dumps, _ACTS))}")
        if self.file and not self.csv:
            raise ValueError('"file" goes with "csv"')
        if (self.accept is None) != (self.kind is None):
            raise ValueError('"accept" and "kind" go together')
        if self.csv and self.only == "removed":
            raise ValueError('links that were removed can be listed: {"list": …, "only": "removed"}')
        return self


def plural_of(kind: str) -> str:
    """The kind of records as requests to list them name it."""
    return next(plural for plural, each in KIND_OF_PLURAL.items() if each == kind)
