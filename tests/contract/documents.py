"""The vendors' documents: where they are, where they come from, and the operations in them."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from local.fake_vendor.traffic_recorder import Vendor
from tests.contract.schemas import Json, plain

FOLDER = Path(os.environ.get("CONTRACTS_DIR", Path(__file__).parents[3] / "shared/contracts/openapi"))
OAUTH = "rillet-oauth-authorization-server.json"
FILES: Mapping[str, tuple[str, ...]] = {
    "rillet": ("rillet-v4.json",),
    "solvimon": ("solvimon-transaction.json", "solvimon-configuration.json"),
}
SOURCES: Mapping[str, str] = {
    "rillet-v4.json": "https://docs.api.rillet.com (the OpenAPI document of version 4)",
    OAUTH: "https://api.rillet.com/.well-known/oauth-authorization-server",
    "solvimon-transaction.json": "https://docs.solvimon.com/.well-known/api-catalog (Transaction API)",
    "solvimon-configuration.json": "https://docs.solvimon.com/.well-known/api-catalog (Configuration API)",
}
ABSENT = tuple(name for name in SOURCES if not (FOLDER / name).exists())
MISSING = bool(ABSENT)
MISSING_REASON = f"{', '.join(ABSENT)} not in CONTRACTS_DIR ({FOLDER})"


def how_to_get_them() -> str:
    """What to do about documents that are not there."""
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
        vendor: whose.
        document: the document that has it; references point into it.
        description: the operation's own part of the document.
        parameters: by place and name, references resolved.
        path_values: what stands for the pattern's names in the path that was asked for.
    """

    name: str
    vendor: Vendor
    document: "Document"
    description: Json
    parameters: Mapping[tuple[str, str], Json]
    path_values: Mapping[str, str]


class Document:
    """One OpenAPI document, its schemas made plain JSON Schema that knows no other fields."""

    def __init__(self, vendor: Vendor, content: Json) -> None:
        self.vendor = vendor
        self.content = content
        schemas = content["components"]["schemas"]
        self.schemas: Json = {name: plain(schema, schemas) for name, schema in schemas.items()}

    def schema(self, part: Json) -> Json:
        """Make a schema from anywhere in the document plain."""
        made: Json = plain(part, self.content["components"]["schemas"])
        return made

    def resolved(self, part: Json) -> Json:
        """Follow a reference; what stands beside it counts too."""
        if "$ref" not in part:
            return part
        found: Json = self.content
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return {**found, **{name: value for name, value in part.items() if name != "$ref"}}

    def parameters(self, *lists: list[Json]) -> dict[tuple[str, str], Json]:
        """Parameters by place and name; a later list goes before an earlier one."""
        each = (self.resolved(parameter) for parameters in lists for parameter in parameters)
        return {(parameter["in"], _name(parameter)): parameter for parameter in each}

    def operations(self, method: str, path: str) -> Iterator[tuple[int, Operation]]:
        """Every operation that a request may mean, and how many parts of its path are variable."""
        for template, item in self.content["paths"].items():
            description = item.get(method.lower())
            if description is None:
                continue
            template = template.removeprefix("/v{version}")
            match = re.fullmatch(re.sub(r"\{[^}]+\}", "([^/]+)", template), path)
            if match:
                names = re.findall(r"\{([^}]+)\}", template)
                yield (
                    len(names),
                    Operation(
                        name=f"{method} {template}",
                        vendor=self.vendor,
                        document=self,
                        description=description,
                        parameters=self.parameters(
                            item.get("parameters", []), description.get("parameters", [])
                        ),
                        path_values=dict(zip(names, match.groups(), strict=True)),
                    ),
                )


def _name(parameter: Json) -> str:
    """Names of headers know no case."""
    name: str = parameter["name"]
    return name.lower() if parameter["in"] == "header" else name


@cache
def documents(vendor: Vendor) -> tuple[Document, ...]:
    """A vendor's documents."""
    return tuple(Document(vendor, _read(name)) for name in FILES[vendor])


@cache
def oauth_metadata() -> Any:  # noqa: ANN401 - JSON
    """Rillet's RFC 8414 metadata."""
    return _read(OAUTH)


def _read(name: str) -> Json:
    content: Json = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return content


def operation(vendor: Vendor, method: str, path: str) -> Operation | None:
    """The operation that a request uses; a literal path goes before a pattern. None if there is none."""
    fits = [fit for document in documents(vendor) for fit in document.operations(method, path)]
    return min(fits, key=lambda fit: fit[0])[1] if fits else None


def document_of(vendor: Vendor, schema: str) -> Document:
    """The document that has a named schema.

    Raises:
        StopIteration: none has.
    """
    return next(document for document in documents(vendor) if schema in document.schemas)
