"""Values of custom fields on a resource: by id or reference, typed, unique where the field says so."""

import re
from collections.abc import Iterable, Sequence

from local.fake_solvimon.errors import ApiProblem, Json, invalid_field


def resolve(
    object_type: str, values: list[Json], definitions: Sequence[Json], others: Iterable[Json]
) -> list[Json]:
    """Return the values as Solvimon keeps them, with the id and reference of their fields.

    Args:
        object_type: What the values are put on.
        values: What the caller sent.
        definitions: All custom fields of the platform.
        others: The other resources of the same kind, for uniqueness.

    Raises:
        ApiProblem: INVALID_FIELD for a field that does not exist there or a value of another type,
            CUSTOM_FIELD_VALUE_ALREADY_EXISTS for a unique value that another resource has.
    """
    others = list(others)
    resolved: list[Json] = []
    for index, value in enumerate(values):
        path = f"custom_fields.{index}"
        definition = _definition(object_type, value, definitions, path)
        if any(seen["id"] == definition["id"] for seen in resolved):
            raise invalid_field(path, f"custom field {definition['reference']} comes twice")
        texts = _custom_texts(value, definition, path)
        if definition.get("unique_value"):
            _refuse_taken(definition, texts, others, path)
        kept: Json = {"id": definition["id"], "reference": definition["reference"]}
        kept |= {"integration_id": value["integration_id"]} if value.get("integration_id") else {}
        kept |= {"values": texts} if definition.get("multiple_values") else {"value": texts[0]}
        resolved.append(kept)
    return resolved


def copied(owner: Json, definitions: Iterable[Json]) -> list[Json]:
    """Return the owner's values that belong on its invoices, as `other_custom_fields` carries them."""
    shown = {d["id"]: d for d in definitions if d.get("copy_value_to_invoice")}
    return [
        {
            "resource": {"type": owner["object_type"], "id": owner["id"]},
            "name": shown[value["id"]].get("name"),
            **value,
        }
        for value in owner.get("custom_fields") or []
        if value.get("id") in shown
    ]


def _definition(object_type: str, value: Json, definitions: Sequence[Json], path: str) -> Json:
    for definition in definitions:
        same = definition["id"] == value["id"] if value.get("id") else False
        same = same or (not value.get("id") and definition["reference"] == value.get("reference"))
        if same and definition["resource_type"] == object_type:
            return definition
    raise invalid_field(path, f"there is no such custom field on {object_type}")


def _custom_texts(value: Json, definition: Json, path: str) -> list[str]:
    many = bool(definition.get("multiple_values"))
    given = (value.get("values") or []) if many else [value.get("value")]
    texts = [text for text in given if isinstance(text, str)]
    if not texts:
        raise invalid_field(f"{path}.{'values' if many else 'value'}", "value required, but not set")
    allowed = {
        "NUMBER": r"-?[0-9]+(\.[0-9]+)?",
        "BOOLEAN": "true|false",
        "ENUM": "|".join(map(re.escape, definition.get("enum_values") or [])),
    }.get(definition.get("type") or "STRING")
    for text in texts:
        if allowed is not None and re.fullmatch(allowed, text) is None:
            raise invalid_field(path, f"{text} is not a {definition['type']} of {definition['reference']}")
    return texts


def _refuse_taken(definition: Json, texts: list[str], others: Iterable[Json], path: str) -> None:
    for other in others:
        for value in other.get("custom_fields") or []:
            taken = {value.get("value"), *(value.get("values") or [])}
            if value.get("id") == definition["id"] and taken & set(texts):
                raise ApiProblem(
                    400,
                    "CUSTOM_FIELD_VALUE_ALREADY_EXISTS",
                    f"another resource has this value of {definition['reference']}",
                    field=path,
                    resource_id=other["id"],
                    resource_type=other.get("object_type"),
                )
