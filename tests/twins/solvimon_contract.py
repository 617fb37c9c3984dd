"""Solvimon's own OpenAPI documents as a judge of what its twin answers."""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from jsonschema import Draft202012Validator

Json = dict[str, Any]

CONTRACTS = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[3] / "shared/contracts/openapi"))
DOCUMENTS = ("solvimon-transaction.json", "solvimon-configuration.json")
MISSING = not all((CONTRACTS / name).exists() for name in DOCUMENTS)
MISSING_REASON = f"{' and '.join(DOCUMENTS)} are not in CONTRACTS_DIR ({CONTRACTS})"

_SDK_ONLY = {"disabled_reason", "integration_type"}
"""Fields that the newer SDK has and the OpenAPI documents do not."""


@cache
def _documents() -> tuple[Json, ...]:
    return tuple(json.loads((CONTRACTS / name).read_text(encoding="utf-8")) for name in DOCUMENTS)


def _operation(method: str, path: str) -> tuple[Json, Json]:
    """Return the document and operation that describe a request; a literal path goes before a pattern."""
    fits: list[tuple[int, Json, Json]] = []
    for document in _documents():
        for template, operations in document["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template.replace("v{version}", "v1"))
            if re.fullmatch(pattern, path) and method.lower() in operations:
                fits.append((template.count("{"), document, operations[method.lower()]))
    assert fits, f"Solvimon has no {method} {path}"
    _, document, operation = min(fits, key=lambda fit: fit[0])
    return document, operation


def errors_in(instance: object, name: str, document: Json | None = None) -> list[str]:
    """Return what is wrong with an instance of a named schema, unknown fields included."""
    if document is None:
        document = next(d for d in _documents() if name in d["components"]["schemas"])
    reference = {"$ref": f"#/components/schemas/{name}"}
    validator = Draft202012Validator(reference | {"components": document["components"]})
    wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(instance)]
    return wrong + list(_unknown(instance, reference, document, "$"))


def _unknown(instance: object, schema: Json, document: Json, path: str) -> Iterator[str]:
    while "$ref" in schema or "oneOf" in schema:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        else:
            schema = next(variant for variant in schema["oneOf"] if variant != {"type": "null"})
    if isinstance(instance, list):
        for index, item in enumerate(instance):
            yield from _unknown(item, schema.get("items", {}), document, f"{path}[{index}]")
    elif isinstance(instance, dict) and "properties" in schema:
        for field, value in instance.items():
            if field in schema["properties"]:
                yield from _unknown(value, schema["properties"][field], document, f"{path}.{field}")
            elif field not in _SDK_ONLY:
                yield f"{path}.{field}: not in the schema"


def check(response: requests.Response) -> None:
    """Hold an answer of the API, and the body it accepted, against the vendor's schemas.

    Raises:
        AssertionError: It breaks the schema, or the operation does not exist.
    """
    assert response.headers["X-REQUEST-ID"].startswith("reqr_")
    method, status = response.request.method or "GET", str(response.status_code)
    if response.status_code >= 400:
        wrong = errors_in(response.json(), "ApiError")
        assert wrong == [], f"{method} {response.url}: {wrong[:5]}"
        return
    document, operation = _operation(method, urlsplit(response.url).path)
    assert status in operation["responses"], f"{method} {response.url} cannot answer {status}"
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    wrong = errors_in(response.json(), schema["$ref"].rsplit("/", 1)[1], document)
    assert wrong == [], f"{method} {response.url}: {wrong[:5]}"
    if response.request.body:
        # A null clears a field; the documents know nulls for some fields only.
        sent = {name: value for name, value in json.loads(response.request.body).items() if value is not None}
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        wrong = errors_in(sent, body["$ref"].rsplit("/", 1)[1], document)
        assert wrong == [], f"{method} {response.url} was accepted: {wrong[:5]}"


def schema(name: str) -> Json:
    """Return a named schema, whichever document has it."""
    document = next(d for d in _documents() if name in d["components"]["schemas"])
    found: Json = document["components"]["schemas"][name]
    return found
