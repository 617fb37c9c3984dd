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
    {"csv": "products"},
    {"csv_in": "lists/default/links-products.csv", "dry_run": True},
]
KIND_OF_PLURAL = {"customers": "customer", "products": "product", "subsidiaries": "subsidiary"}

_ACTS = ("list", "link", "unlink", "different", "accept", "doubles", "csv", "csv_in")
Plural = Literal["customers", "products", "subsidiaries"]
Kind = Literal["customer", "product", "subsidiary"]
Only = Literal["unlinked", "proposed", "ambiguous", "linked", "different", "removed"]


def _checked_id(value: object) -> object:
    if is_id(value):
        return value
    raise ValueError("should be an id such as prod_AbC123")


RecordId = Annotated[str, BeforeValidator(_checked_id)]


class _RequestPart(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PairRequest(_RequestPart):
    """A Solvimon and a Rillet record."""

    kind: Kind
    solvimon_id: RecordId
    rillet_id: RecordId


class UnlinkRequest(_RequestPart):
    """A Solvimon record whose link is removed."""

    kind: Kind
    solvimon_id: RecordId


class LinkRequest(RequestedBy):
    """The event of ``link_records``: one of its acts.

    Attributes:
        connection: name of the connection.
        list: the kind of records to list, with ``only`` and ``page``.
        link: the pair to link.
        unlink: the record whose link to remove.
        different: the pair that is never to be proposed again.
        accept: ``all`` links the proposals of a ``kind`` that are not ambiguous.
        doubles: the kind of records to look for twice in the same system.
        csv: the kind of records to write as CSV, with both sides' names; with ``only`` those of one state.
        csv_in: key of a CSV file in the bucket of reports, whose rows say what to do.
        from_row: the line of that file to begin with; the answer of a part of it names the next one.
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
    different: PairRequest | None = None
    accept: Literal["all"] | None = None
    doubles: Plural | None = None
    csv: Plural | None = None
    csv_in: str | None = Field(default=None, max_length=1024)
    from_row: int = Field(default=2, ge=2)
    kind: Kind | None = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_act(self) -> Self:
        if sum(getattr(self, act) is not None for act in _ACTS) != 1:
            raise ValueError(f"should have one of {', '.join(map(json.dumps, _ACTS))}")
        if (self.accept is None) != (self.kind is None):
            raise ValueError('"accept" and "kind" go together')
        if self.csv and self.only == "removed":
            raise ValueError('links that were removed can be listed: {"list": …, "only": "removed"}')
        return self


def plural_of(kind: str) -> str:
    """The kind of records as requests to list them name it."""
    return next(plural for plural, each in KIND_OF_PLURAL.items() if each == kind)
