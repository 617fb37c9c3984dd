"""Rillet's own OpenAPI document as a judge of what its twin is asked and answers."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from local.rillet_twin.calls import Call
from local.rillet_twin.webhook_events import Event

Json = dict[str, Any]

CONTRACTS = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[3] / "shared/contracts/openapi"))
DOCUMENT = CONTRACTS / "rillet-v4.json"
UNREAD_BODIES = ("/health", "/api-key")
CLOSED_SCHEMAS = (
    *("Invoice", "InvoiceItem", "InvoicePayment", "InvoicingBankAccount", "BankAccount"),
    *("CreditMemo", "CreditMemoItem", "CreditMemoApplication"),
    *("Product", "Subsidiary", "Organization", "Pagination", "Book"),
)
MISSING = not DOCUMENT.exists()
MISSING_REASON = f"{DOCUMENT.name} is not in CONTRACTS_DIR ({CONTRACTS})"


@cache
def contract() -> Json:
    """Read the OpenAPI document with its schemas made plain JSON Schema."""
    document: Json = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: plain(schema) for name, schema in schemas.items()}
    for name in CLOSED_SCHEMAS:
        document["components"]["schemas"][name]["additionalProperties"] = False
    return document


def plain(schema: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    """Turn `nullable` and `discriminator`, which JSON Schema does not know, into what it does know."""
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {
        name: plain(part)
        for name, part in schema.items()
        if name not in ("nullable", "discriminator", "example")
    }
    if "discriminator" in schema:
        converted.pop("oneOf")
        converted |= by_discriminator(schema["discriminator"])
    return {"anyOf": [converted, {"type": "null"}]} if schema.get("nullable") else converted


def by_discriminator(discriminator: Json) -> Json:
    """Choose the variant by its property; the first variant is the one without it."""
    name, mapping = discriminator["propertyName"], discriminator["mapping"]
    variants = [
        {"if": {"required": [name], "properties": {name: {"const": value}}}, "then": {"$ref": target}}
        for value, target in mapping.items()
    ]
    absent = {"if": {"not": {"required": [name]}}, "then": {"$ref": next(iter(mapping.values()))}}
    return {"properties": {name: {"enum": list(mapping)}}, "allOf": [*variants, absent]}


def check(schema: Json, value: object) -> None:
    whole = schema | {"components": contract()["components"]}
    checker = jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    checker.validate(value)


def operation(call: Call) -> Json:
    """Find the operation that a call used."""
    paths: Json = contract()["paths"]
    for template, operations in paths.items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), call.path):
            found: Json = operations[call.method.lower()]
            return found
    raise AssertionError(f"{call.path} is not in the contract")


def check_answer(call: Call) -> None:
    responses = operation(call)["responses"]
    response = responses.get(str(call.status)) or responses["default"]
    if "content" not in response:
        assert call.response_body is None or call.path in UNREAD_BODIES
        return
    check(response["content"]["application/json"]["schema"], call.response_body)


def check_request(call: Call) -> None:
    check(operation(call)["requestBody"]["content"]["application/json"]["schema"], call.request_body)


def check_event(event: Event) -> None:
    """Hold the body of a webhook against the schema of its name."""
    webhook = contract()["webhooks"][event.name]["post"]
    check(webhook["requestBody"]["content"]["application/json"]["schema"], event.document)


def event_names() -> list[str]:
    """Return the names of all webhooks."""
    return list(contract()["webhooks"])
