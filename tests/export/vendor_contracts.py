"""The vendors' own OpenAPI documents as judges of the requests that reached the twins."""

import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from local.rillet_twin.calls import Call

Json = dict[str, Any]

CONTRACTS = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[3] / "shared/contracts/openapi"))
RILLET = CONTRACTS / "rillet-v4.json"
SOLVIMON = (CONTRACTS / "solvimon-transaction.json", CONTRACTS / "solvimon-configuration.json")
MISSING = not all(document.exists() for document in (RILLET, *SOLVIMON))
MISSING_REASON = f"the vendors' OpenAPI documents are not in CONTRACTS_DIR ({CONTRACTS})"


@cache
def _document(path: Path) -> Json:
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def _operation(paths: Json, method: str, path: str) -> Json | None:
    for template, operations in sorted(paths.items(), key=lambda each: each[0].count("{")):
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", template.replace("v{version}", "v1"))
        if re.fullmatch(pattern, path) and method.lower() in operations:
            found: Json = operations[method.lower()]
            return found
    return None


def solvimon_knows(method: str, path: str) -> bool:
    """Whether Solvimon's documents have this operation."""
    return any(_operation(_document(document)["paths"], method, path) for document in SOLVIMON)


def errors_in(call: Call) -> list[str]:
    """What Rillet's document does not allow in a request: its path, query, body, or an unknown field."""
    operation = _operation(_document(RILLET)["paths"], call.method, call.path)
    if operation is None:
        return [f"there is no {call.method} {call.path}"]
    parameters = [_resolved(parameter) for parameter in operation.get("parameters", [])]
    named = {parameter["name"] for parameter in parameters if parameter["in"] == "query"}
    wrong = [f"?{name}: not in the document" for name in call.query if name not in named]
    if "requestBody" not in operation:
        return wrong + ([] if call.request_body is None else ["a body that nobody asked for"])
    schema = _variant(operation["requestBody"]["content"]["application/json"]["schema"], call.request_body)
    body = json.loads(json.dumps(call.request_body, default=float))
    whole = schema | {"components": _document(RILLET)["components"]}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    wrong += [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
    return wrong + list(_unknown(body, schema, "$"))


def _resolved(part: Json) -> Json:
    while "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = _document(RILLET)["components"][kind][name]
    return part


def _variant(schema: Json, body: Json) -> Json:
    """The schema that the discriminator chooses, where there is one."""
    chooser = _resolved(schema).get("discriminator")
    return {"$ref": chooser["mapping"][body[chooser["propertyName"]]]} if chooser else schema


def _properties(schema: Json) -> Json:
    schema = _resolved(schema)
    found: Json = dict(schema.get("properties", {}))
    for part in (*schema.get("allOf", []), *schema.get("oneOf", [])):
        found |= _properties(part)
    return found


def _unknown(value: object, schema: Json, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _unknown(each, _resolved(schema).get("items", {}), f"{path}[{index}]")
    elif isinstance(value, dict):
        known = _properties(schema)
        for name, each in value.items():
            if name in known:
                yield from _unknown(each, known[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}: not in the schema"
