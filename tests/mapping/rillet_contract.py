"""Rillet's own OpenAPI document as a judge of what would be sent."""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import simplejson
from jsonschema import Draft202012Validator, FormatChecker

Json = dict[str, Any]

CONTRACTS = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[3] / "shared/contracts/openapi"))
DOCUMENT = CONTRACTS / "rillet-v4.json"
MISSING_REASON = f"{DOCUMENT.name} is not in CONTRACTS_DIR ({CONTRACTS})"


@cache
def _schemas() -> Json:
    schemas: Json = json.loads(DOCUMENT.read_text(encoding="utf-8"))["components"]["schemas"]
    return schemas


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": _schemas()}}
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _request_schema(payload: Json) -> str:
    """The variant of ``CreateInvoiceRequest`` that the payload's scope chooses."""
    mapping = _schemas()["CreateInvoiceRequest"]["discriminator"]["mapping"]
    return str(mapping[payload["scope"]]).rsplit("/", 1)[1]


def errors_in(payload: Json) -> list[str]:
    """What the schema for creating an invoice in the payload's scope refuses in it."""
    wire = json.loads(simplejson.dumps(payload, use_decimal=True))
    validator = _validator(_request_schema(payload))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(wire)]


def unknown_in(payload: Json) -> list[str]:
    """The properties in a payload, at any depth, that its schema does not know."""
    return list(_unknown(payload, _schemas()[_request_schema(payload)], "$"))


def _unknown(instance: object, schema: Json, path: str) -> Iterator[str]:
    while "$ref" in schema:
        schema = _schemas()[schema["$ref"].rsplit("/", 1)[1]]
    if isinstance(instance, list):
        for index, item in enumerate(instance):
            yield from _unknown(item, schema["items"], f"{path}[{index}]")
    elif isinstance(instance, dict):
        for name, value in instance.items():
            known = _properties(schema)
            if name in known:
                yield from _unknown(value, known[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"


def _properties(schema: Json) -> Json:
    found: Json = dict(schema.get("properties", {}))
    for part in (*schema.get("allOf", []), *schema.get("oneOf", [])):
        resolved = _schemas()[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
        found |= _properties(resolved)
    return found
