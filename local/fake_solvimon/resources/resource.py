"""The description of one kind of resource, and what it accepts from a caller."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from local.fake_solvimon.errors import Json, invalid_field, missing_field
from local.fake_solvimon.field_checks import Check


def names(text: str) -> tuple[str, ...]:
    """Return the names in a text, in which a long list stays readable."""
    return tuple(text.split())


@dataclass(frozen=True)
class Resource:
    """One kind of resource.

    Attributes:
        collection: Its path segment, also the name of its collection in a platform.
        object_type: Solvimon's name for it.
        prefix: What its ids begin with.
        writable: The rule of every field a caller may set.
        read_only: Fields that Solvimon sets; sent by a caller they are ignored, as the guide says of a
            product's nested `category`.
        required: Fields that a new resource must have.
        defaults: Values of fields a caller leaves out.
        orderable: Fields that `order_by` accepts.
        filters: Query parameters of the list that filter it.
        listing: Whether the list is paged, or answers all at once with or without links.
        transitions: Status calls, such as `POST /customers/{id}/activate`.
        announced: Whether it has webhook events; custom fields are not on Solvimon's list.
    """

    collection: str
    object_type: str
    prefix: str
    writable: Mapping[str, Check]
    read_only: frozenset[str]
    required: tuple[str, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    orderable: frozenset[str] = frozenset({"name", "reference"})
    filters: frozenset[str] = frozenset()
    listing: Literal["paged", "links", "bare"] = "links"
    transitions: Mapping[str, str] = field(default_factory=dict)
    announced: bool = True

    def accept(self, body: Json, *, new: bool) -> Json:
        """Return the writable part of a body once every value obeys its rule; a null stays, it clears.

        Raises:
            ApiProblem: MISSING_FIELD for a required field, INVALID_FIELD for a bad or unknown one.
        """
        for name in self.required:
            if (name in body or new) and body.get(name) is None:
                raise missing_field(name)
        accepted: Json = {}
        for name, value in body.items():
            if name in self.read_only:
                continue
            rule = self.writable.get(name)
            if rule is None:
                raise invalid_field(name, "unknown field")
            if value is not None:
                rule(value, name)
            accepted[name] = value
        return accepted
