"""What the three imports have in common: texts as Solvimon takes them, and what is left alone in Solvimon."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_LENGTH = 256
"""Characters of a name, a description or an e-mail address in Solvimon (its SDK's patterns)."""
_UNSEEN = {"Cc", "Cs"}  # control characters, and halves of surrogate pairs
_READ_ONLY = {"display_name", "integration_details"}  # of tax ids and custom fields (Solvimon's SDK)


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """A Rillet record as Solvimon takes it.

    Attributes:
        payload: the request body that would create it.
        notes: the rules that changed or left out something, in words that fit any number of records.
        active: whether it is in use in Rillet; what is not is archived, and never created.
    """

    payload: dict[str, object]
    notes: tuple[str, ...] = ()
    active: bool = True


def one_line(text: str | None) -> str:
    """A text without line breaks, control characters and superfluous space; Solvimon refuses the former."""
    kept = (sign for sign in text or "" if sign.isspace() or unicodedata.category(sign) not in _UNSEEN)
    return " ".join("".join(kept).split())


def truncate(text: str, most: int = MAX_LENGTH) -> str:
    """The beginning of a text that fits.

    Counted in UTF-16 units, in which an emoji is two: whoever counts it as one has room to spare.
    """
    return text.encode("utf-16-le")[: 2 * most].decode("utf-16-le", "ignore").rstrip()


def custom_field(reference: str, rillet_id: str) -> list[dict[str, str]]:
    """The custom field that holds a record's Rillet id."""
    return [{"reference": reference, "value": rillet_id}]


def changes(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be sent so that a record in Solvimon says what Rillet says.

    A record's own reference, category, type and status are left as they are, and so is every field that
    Rillet leaves empty; an address is one field. Nested objects and lists are sent whole, with what is in
    Solvimon only kept: Solvimon does not say whether PATCH merges them (dossier, trap 31).

    Args:
        current: the record as Solvimon answers it.
        wanted: the request body that would create it.

    Returns:
        The body of the PATCH; empty when nothing differs.
    """
    changed: dict[str, Any] = {}
    for name, value in wanted.items():
        now = current.get(name)
        if name in {"type", "status"} or (name in {"reference", "category_id"} and now):
            continue
        if name == "custom_fields":
            value = _with_fields(now or [], value)
        elif name == "organization":
            value = _organization(now or {}, value)
        if _filled(value) != _filled(_writable(now)):
            changed[name] = value
    return changed


def _organization(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A customer's organization with our values in it; an address that says as much and more stays."""
    address, there = wanted.get("registered_address", {}), _filled(now.get("registered_address") or {})
    merged = {**_writable(now), **wanted}
    if address.items() <= there.items():
        merged["registered_address"] = there
    return {name: part for name, part in merged.items() if part not in (None, "", {}, [])}


def _with_fields(now: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The custom field values of a record, with ours among them."""
    kept = list(_writable(now))
    for value in wanted:
        mine = next((each for each in kept if each.get("reference") == value["reference"]), None)
        if mine is None:
            kept.append(dict(value))
    return kept


def _writable(value: object) -> Any:  # noqa: ANN401 - a JSON value of any shape
    """A value without what only Solvimon writes."""
    if isinstance(value, Mapping):
        return {name: _writable(part) for name, part in value.items() if name not in _READ_ONLY}
    return [_writable(part) for part in value] if isinstance(value, list) else value


def _filled(value: object) -> Any:  # noqa: ANN401 - a JSON value of any shape
    """A value without its empty parts, to compare what two systems say."""
    if isinstance(value, Mapping):
        parts = {name: _filled(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in (None, "", {}, [])}
    if isinstance(value, list):
        return [_filled(part) for part in value]
    return value
