"""JSON Schema from the vendors' dialects of OpenAPI 3.1, and validation by it."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from local.fake_rillet.wire import CURRENCY_DECIMALS

Json = dict[str, Any]
Mismatch = tuple[str, str, str]
"""Field, kind and reason."""

_ROUNDED = "x-class-extra-annotation"
"""Rillet's own mark on amounts that its server wants rounded (`IsRoundedAmount`)."""
_DROPPED = ("example", "examples", "description", "title", "default", "discriminator", "nullable")
_FORMATS = FormatChecker(formats=())


def plain(schema: Any, schemas: Json) -> Any:  # noqa: ANN401 - any part of a JSON document
    """Turn a schema into one that says the same in JSON Schema 2020-12 and allows no unknown field.

    `nullable`, `discriminator` and `allOf` for inheritance are OpenAPI's ways to say what JSON Schema
    says otherwise; a field that a vendor's schema does not have is an error of ours or of a fake.

    Args:
        schema: the schema.
        schemas: the document's named schemas, as the vendor wrote them.
    """
    if isinstance(schema, list):
        return [plain(part, schemas) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _part(name, part, schemas) for name, part in schema.items() if name not in _DROPPED}
    if "allOf" in made:
        made = _merged(schema, schemas)
    if "discriminator" in schema:
        del made["oneOf"]
        made |= _by_discriminator(schema["discriminator"], schema.get("properties", {}))
    elif "properties" in made:
        made.setdefault("additionalProperties", False)
    if len(made.get("oneOf", ())) == 2 and {"type": "null"} in made["oneOf"]:
        [other] = (part for part in made.pop("oneOf") if part != {"type": "null"})
        made |= {"if": {"type": "null"}, "else": other}  # so that an error says what is wrong with it
    if schema.get("nullable"):
        return {"if": {"not": {"type": "null"}}, "then": made}
    return made


def _part(name: str, part: Any, schemas: Json) -> Any:  # noqa: ANN401 - any part of a JSON document
    if name == "properties":
        return {field: plain(schema, schemas) for field, schema in part.items()}
    return part if name in ("enum", "const", "required") else plain(part, schemas)


def _merged(schema: Json, schemas: Json) -> Json:
    """One schema instead of several that must all hold, so that it can be closed to other fields."""
    whole: Json = {name: part for name, part in schema.items() if name not in ("allOf", *_DROPPED)}
    for part in schema["allOf"]:
        while "$ref" in part:
            part = schemas[part["$ref"].rsplit("/", 1)[1]]
        if "allOf" in part:
            part = _merged(part, schemas)
        required = [*whole.get("required", []), *part.get("required", [])]
        properties = {**whole.get("properties", {}), **part.get("properties", {})}
        whole = {**whole, **part}
        whole |= {"required": sorted(set(required))} if required else {}
        whole |= {"properties": properties} if properties else {}
    made: Json = plain(whole, schemas)
    return made


def _by_discriminator(discriminator: Json, own: Json) -> Json:
    """Choose the variant by its property; the first variant is the one without it."""
    name, mapping = discriminator["propertyName"], discriminator["mapping"]
    variants = [
        {"if": {"required": [name], "properties": {name: {"const": value}}}, "then": {"$ref": target}}
        for value, target in mapping.items()
    ]
    absent = {"if": {"not": {"required": [name]}}, "then": {"$ref": next(iter(mapping.values()))}}
    known = {"properties": {**own, name: {"enum": list(mapping)}}}
    return {**known, "type": "object", "allOf": [*variants, absent]}


def _rounded(_: object, __: object, value: object, ___: object) -> Iterator[ValidationError]:
    if not isinstance(value, dict) or not isinstance(value.get("amount"), str):
        return
    decimals = CURRENCY_DECIMALS.get(str(value.get("currency")), 2)
    scale = rf"\.[0-9]{{{decimals}}}" if decimals else ""
    if not re.fullmatch(rf"-?[0-9]+{scale}", value["amount"]):
        yield ValidationError(f"{value['amount']!r} is not rounded to {decimals} decimals")


def _whole_date_time(value: str) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*", value)) and bool(
        datetime.fromisoformat(value).tzinfo
    )


for _name, _check in {
    "date": lambda value: bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value) and date.fromisoformat(value)),
    "date-time": _whole_date_time,
    "uuid": lambda value: len(value) == 36 and bool(UUID(value)),
    "uri": lambda value: bool(urlsplit(value).scheme) and not re.search(r"\s", value),
    "email": lambda value: bool(re.fullmatch(r"\S+@\S+", value)),
}.items():
    _FORMATS.checks(_name, raises=ValueError)(
        lambda value, _check=_check: not isinstance(value, str) or _check(value)
    )

_Validator = extend(Draft202012Validator, {_ROUNDED: _rounded})  # type: ignore[no-untyped-call]


class Schema:
    """A schema of a document, ready to validate values.

    Args:
        schema: as `plain` makes it.
        named: the document's named schemas, made plain too.
    """

    def __init__(self, schema: Json, named: Mapping[str, Json]) -> None:
        whole = {**schema, "components": {"schemas": named}}
        self._validator = _Validator(whole, format_checker=_FORMATS)

    def mismatches(self, value: object) -> Iterator[Mismatch]:
        """What is wrong with a value.

        Kinds: `unknown field`, `missing field`, `wrong value`.
        """
        for error in self._validator.iter_errors(value):
            yield from _mismatches(error)


def _mismatches(error: ValidationError) -> Iterator[Mismatch]:
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        for name in error.instance:
            if name not in known:
                yield f"{error.json_path}.{name}", "unknown field", "not in the schema"
    elif error.validator == "required":
        name = error.message.split("'")[1]
        yield f"{error.json_path}.{name}", "missing field", "required by the schema"
    else:
        yield error.json_path, "wrong value", error.message[:200]
