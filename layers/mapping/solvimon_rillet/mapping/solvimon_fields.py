"""Rules that the three imports share: valid texts, and the fields that an import leaves unchanged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.mapping.texts import without_control_characters

MAX_TEXT_LENGTH = 256
"""Characters of a name, a description or an e-mail address in Solvimon (its SDK's patterns)."""
_READ_ONLY = {"display_name", "integration_details"}  # of tax ids and custom fields (Solvimon's SDK)


@dataclass(frozen=True, slots=True)
class MappedRecord:
    """Solvimon's request for a Rillet record.

    Attributes:
        payload: the request body that would create it.
        notes: the rules that changed or left out a value, worded for any number of records.
        active: whether it is in use in Rillet; an inactive record is archived, and never created.
    """

    payload: dict[str, object]
    notes: tuple[str, ...] = ()
    active: bool = True


def one_line(text: str | None) -> str:
    """A text without superfluous space, and without the control characters that Solvimon rejects."""
    return " ".join(without_control_characters(text or "").split())


def truncate(text: str, max_length: int = MAX_TEXT_LENGTH) -> str:
    """The beginning of a text, at most ``max_length`` UTF-16 units, in which an emoji counts as two."""
    return text.encode("utf-16-le")[: 2 * max_length].decode("utf-16-le", "ignore").rstrip()


def custom_field(reference: str, rillet_id: str) -> list[dict[str, str]]:
    """The custom field that holds a record's Rillet id."""
    return [{"reference": reference, "value": rillet_id}]


def custom_value(record: Mapping[str, Any], reference: str) -> str | None:
    """The value of a record's custom field, without blanks around it, or ``None``; the record is JSON."""
    for each in record.get("custom_fields") or ():
        if isinstance(each, Mapping) and each.get("reference") == reference:
            return str(each.get("value") or next(iter(each.get("values") or ()), "")).strip() or None
    return None


def without_custom_field(values: Sequence[Mapping[str, Any]], reference: str) -> list[Any]:
    """A record's custom field values without one field, as a PATCH takes them."""
    kept: list[Any] = _without_read_only(list(values))
    return [each for each in kept if each.get("reference") != reference]


def patch_body(current: Mapping[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    """The PATCH that makes a record in Solvimon equal to the one in Rillet.

    A record's own reference, category, type and status stay, and so does every field that Rillet leaves
    empty; an address is one field. Nested objects and lists are sent whole, with the values that only
    Solvimon has: Solvimon does not say whether PATCH merges them (dossier, trap 31).

    Args:
        current: the record as read from Solvimon.
        desired: the request body that would create the record.

    Returns:
        The body of the PATCH; empty when nothing differs.
    """
    changed: dict[str, Any] = {}
    for name, value in desired.items():
        present = current.get(name)
        if name in {"type", "status"} or (name in {"reference", "category_id"} and present):
            continue
        if name == "custom_fields":
            value = _merge_custom_fields(present or [], value)
        elif name == "organization":
            value = _merge_organization(present or {}, value)
        if _without_empty(value) != _without_empty(_without_read_only(present)):
            changed[name] = value
    return changed


def _merge_organization(present: Mapping[str, Any], desired: Mapping[str, Any]) -> dict[str, Any]:
    """A customer's organization with the imported values; an address that already contains them stays."""
    address = desired.get("registered_address", {})
    present_address = _without_empty(present.get("registered_address") or {})
    merged = {**_without_read_only(present), **desired}
    if address.items() <= present_address.items():
        merged["registered_address"] = present_address
    return {name: part for name, part in merged.items() if part not in (None, "", {}, [])}


def _merge_custom_fields(
    present: Sequence[Mapping[str, Any]], desired: Sequence[Mapping[str, Any]]
) -> list[Any]:
    """A record's custom field values, with the imported ones added."""
    kept = list(_without_read_only(present))
    for value in desired:
        if all(field.get("reference") != value["reference"] for field in kept):
            kept.append(dict(value))
    return kept


def _without_read_only(value: object) -> Any:  # noqa: ANN401 - a JSON value of any shape
    """A value without the fields that only Solvimon writes."""
    if isinstance(value, Mapping):
        return {name: _without_read_only(part) for name, part in value.items() if name not in _READ_ONLY}
    return [_without_read_only(part) for part in value] if isinstance(value, list) else value


def _without_empty(value: object) -> Any:  # noqa: ANN401 - a JSON value of any shape
    """A value without its empty parts, to compare the values of two systems."""
    if isinstance(value, Mapping):
        parts = {name: _without_empty(part) for name, part in value.items()}
        return {name: part for name, part in parts.items() if part not in (None, "", {}, [])}
    if isinstance(value, list):
        return [_without_empty(part) for part in value]
    return value
