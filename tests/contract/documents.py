"""The vendors' OpenAPI documents: where they are, where they come from, and the operations in them."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from local.fake_vendor.traffic_recorder import Vendor
from tests.contract.schemas import Json, Mismatch, Schema, plain

FOLDER = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[3] / "shared/contracts/openapi"))
OAUTH = "rillet-oauth-authorization-server.json"
SOURCES: Mapping[str, str] = {
    "rillet-v4.json": "https://docs.api.rillet.com (the OpenAPI document of version 4)",
    OAUTH: "https://api.rillet.com/.well-known/oauth-authorization-server",
    "solvimon-transaction.json": "https://docs.solvimon.com/.well-known/api-catalog (Transaction API)",
    "solvimon-configuration.json": "https://docs.solvimon.com/.well-known/api-catalog (Configuration API)",
}
ABSENT = tuple(name for name in SOURCES if not (FOLDER / name).exists())
MISSING = bool(ABSENT)
MISSING_REASON = f"{', '.join(ABSENT)} not in CONTRACTS_DIR ({FOLDER})"

Parameters = Mapping[tuple[str, str], Json]
"""Parameters by place and name, references resolved."""


def how_to_get_them() -> str:
    """Where to get the documents that are missing, and where to put them."""
    lines = [
        f"The vendors' documents are not in {FOLDER}:",
        *(f"  {name}  from {SOURCES[name]}" for name in ABSENT),
        "Download them, save them as JSON under these names, and say where: CONTRACTS_DIR=… make contracts",
    ]
    return "\n".join(lines)


@dataclass(frozen=True)
class Operation:
    """One operation of an API.

    Attributes:
        name: method and path pattern, such as `GET /invoices/{invoice_id}`.
        document: the document that has it; references point into it.
        description: the operation's own part of the document.
        parameters: those of its path and its own.
        path_values: what stands for the pattern's names in the path that was asked for.
    """

    name: str
    document: "Document"
    description: Json
    parameters: Parameters
    path_values: Mapping[str, str]


class Document:
    """One OpenAPI document, its schemas made plain JSON Schema that allows no other fields.

    Args:
        content: the document as the vendor published it.
    """

    def __init__(self, content: Json) -> None:
        self.content = content
        self._published: Json = content["components"]["schemas"]
        self.schemas: Json = {
            name: plain(schema, self._published) for name, schema in self._published.items()
        }
        self._ready: dict[str, Schema] = {}

    def mismatches(self, schema: Json, value: object) -> Iterator[Mismatch]:
        """What is wrong with a value by a schema from anywhere in the document."""
        key = json.dumps(schema)
        if key not in self._ready:
            self._ready[key] = Schema(plain(schema, self._published), self.schemas)
        return self._ready[key].mismatches(value)

    def resolved(self, part: Json) -> Json:
        """Follow a reference; what stands beside it counts too."""
        if "$ref" not in part:
            return part
        found = self.content
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return {**found, **{name: value for name, value in part.items() if name != "$ref"}}

    def parameters(self, *lists: Iterable[Json]) -> Parameters:
        """Parameters by place and name, headers' in lower case; a later list wins over an earlier one."""
        each = (self.resolved(parameter) for parameters in lists for parameter in parameters)
        return {
            (one["in"], one["name"].lower() if one["in"] == "header" else one["name"]): one for one in each
        }

    def operations(self, method: str, path: str) -> Iterator[Operation]:
        """Every operation that a request may mean."""
        for template, item in self.content["paths"].items():
            template = template.replace("{version}", "1")  # Solvimon's, always 1
            match = re.fullmatch(re.sub(r"\{[^}]+\}", "([^/]+)", template), path)
            description = item.get(method.lower())
            if match and description is not None:
                yield Operation(
                    name=f"{method} {template.removeprefix('/v1')}",
                    document=self,
                    description=description,
                    parameters=self.parameters(item.get("parameters", []), description.get("parameters", [])),
                    path_values=dict(zip(re.findall(r"\{([^}]+)\}", template), match.groups(), strict=True)),
                )


@cache
def documents(vendor: Vendor) -> tuple[Document, ...]:
    """A vendor's documents."""
    return tuple(Document(_read(name)) for name in SOURCES if name.startswith(vendor) and name != OAUTH)


@cache
def oauth_metadata() -> Json:
    """Rillet's RFC 8414 metadata."""
    return _read(OAUTH)


def _read(name: str) -> Json:
    content: Json = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


@cache
def operation(vendor: Vendor, method: str, path: str) -> Operation | None:
    """The operation that a request uses; a literal path wins over a pattern. None if there is none."""
    fits = [fit for document in documents(vendor) for fit in document.operations(method, path)]
    return min(fits, key=lambda fit: len(fit.path_values), default=None)


def document_of(vendor: Vendor, schema: str) -> Document:
    """The document that has a named schema.

    Raises:
        StopIteration: none has.
    """
    return next(document for document in documents(vendor) if schema in document.schemas)
