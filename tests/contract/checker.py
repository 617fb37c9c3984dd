"""One request and one answer held against the vendor's document."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.fake_vendor.traffic_recorder import RecordedCall, Vendor
from tests.contract.documents import Document, Operation, document_of, operation
from tests.contract.schemas import Json, Schema

_HTTP = {
    *("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"),
    "authorization",
}
"""Headers of HTTP itself, which a document need not name."""
_VERSION = {"solvimon": "/v1", "rillet": ""}


@dataclass(frozen=True)
class Violation:
    """Something that a vendor's document does not allow.

    Attributes:
        vendor: whose document.
        operation: method and path pattern, or what was asked for where there is no such operation.
        side: `request`, `answer` or `webhook`.
        status: of the answer; 0 for a request.
        field: where it is: a JSON path, a parameter such as `?page`, a header.
        kind: what sort of slip: `unknown operation`, `unknown parameter`, `missing parameter`,
            `wrong parameter`, `unknown header`, `missing header`, `wrong body`, `unknown field`,
            `missing field`, `wrong value`, `unknown status`.
        reason: in words.
    """

    vendor: Vendor
    operation: str
    side: str
    status: int
    field: str
    kind: str
    reason: str

    def __str__(self) -> str:
        side = f"{self.side} {self.status}" if self.status else self.side
        return f"{self.vendor} {self.operation} ({side}) {self.field}: {self.kind}, {self.reason}"


def check_request(exchange: RecordedCall) -> list[Violation]:
    """What is wrong with a request: its operation, path, query, headers or body."""
    found = _operation(exchange)
    if found is None:
        name = f"{exchange.method} {exchange.path}"
        missing = Violation(exchange.vendor, name, "request", 0, "", "unknown operation", "no such path")
        return [missing]
    faults = [
        *_wrong_path(found),
        *_wrong_query(found, exchange.query),
        *_wrong_headers(found, exchange),
        *_wrong_body(found, exchange),
    ]
    return [Violation(exchange.vendor, found.name, "request", 0, *fault) for fault in faults]


def check_answer(exchange: RecordedCall) -> list[Violation]:
    """What is wrong with an answer: its status, its type or its body. No answer has nothing wrong."""
    found = _operation(exchange)
    if exchange.status is None or found is None:
        return []
    status = exchange.status
    return [
        Violation(exchange.vendor, found.name, "answer", status, *fault)
        for fault in _wrong_answer(found, exchange)
    ]


def check_payload(vendor: Vendor, method: str, path: str, payload: object) -> list[Violation]:
    """What is wrong with the body of a request that is not sent; amounts may be `Decimal`."""
    found = operation(vendor, method, path)
    if found is None:
        return [Violation(vendor, f"{method} {path}", "request", 0, "", "unknown operation", "no such path")]
    schema = _schema(found.document, _json_of(found.description["requestBody"]))
    value = json.loads(json.dumps(payload, default=float))
    return [Violation(vendor, found.name, "request", 0, *fault) for fault in schema.faults(value)]


def check_record(vendor: Vendor, name: str, record: object) -> list[Violation]:
    """What is wrong with a record by a named schema, such as `Invoice`."""
    found = _schema(document_of(vendor, name), {"$ref": f"#/components/schemas/{name}"})
    return [Violation(vendor, name, "answer", 0, *fault) for fault in found.faults(record)]


def check_webhook(name: str, headers: dict[str, str], body: object) -> list[Violation]:
    """What is wrong with a webhook of Rillet's; Solvimon's documents describe none."""
    document = document_of("rillet", "WebhookResponse")
    webhook = document.content["webhooks"].get(name)
    if webhook is None:
        return [Violation("rillet", name, "webhook", 0, "", "unknown operation", "no such webhook")]
    sent = {header.lower(): value for header, value in headers.items()}
    faults = []
    for (_, header), parameter in document.parameters(webhook["post"]["parameters"]).items():
        if header not in sent:
            faults.append((header, "missing header", "required"))
        else:
            faults += _wrong_parameter(document, header, parameter, [sent[header]])
    faults += _schema(document, _json_of(webhook["post"]["requestBody"])).faults(body)
    return [Violation("rillet", name, "webhook", 0, *fault) for fault in faults]


def name_of(exchange: RecordedCall) -> str:
    """The vendor and the operation that a request uses, or what it asks for where there is none."""
    found = _operation(exchange)
    return f"{exchange.vendor} {found.name if found else f'{exchange.method} {exchange.path}'}"


def schema_names(exchange: RecordedCall) -> tuple[str | None, str | None]:
    """The names of the schemas of a request's body and of its answer's, where they have one."""
    found = _operation(exchange)
    if found is None:
        return None, None
    parts = (
        found.description.get("requestBody"),
        found.description["responses"].get(str(exchange.status)),
    )
    refs = (_json_of(part).get("$ref") if part and "content" in part else None for part in parts)
    asked, answered = (ref.rsplit("/", 1)[1] if ref else None for ref in refs)
    return asked, answered


def _operation(exchange: RecordedCall) -> Operation | None:
    version = _VERSION[exchange.vendor]
    if version and not exchange.path.startswith(f"{version}/"):
        return None
    return _cached_operation(exchange.vendor, exchange.method, exchange.path.removeprefix(version))


@cache
def _cached_operation(vendor: Vendor, method: str, path: str) -> Operation | None:
    return operation(vendor, method, path)


Fault = tuple[str, str, str]
"""Field, kind and reason."""


def _wrong_path(found: Operation) -> Iterator[Fault]:
    for name, value in found.path_values.items():
        parameter = found.parameters.get(("path", name))
        if parameter:
            yield from _wrong_parameter(found.document, f"{{{name}}}", parameter, [unquote(value)])


def _wrong_query(found: Operation, query: str) -> Iterator[Fault]:
    sent: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        sent.setdefault(name, []).append(value)
    for name, values in sent.items():
        parameter = found.parameters.get(("query", name))
        if parameter is None:
            yield f"?{name}", "unknown parameter", "not in the document"
        else:
            yield from _wrong_parameter(found.document, f"?{name}", parameter, values)
    for (place, name), parameter in found.parameters.items():
        if place == "query" and parameter.get("required") and name not in sent:
            yield f"?{name}", "missing parameter", "required"


def _wrong_parameter(document: Document, name: str, parameter: Json, values: list[str]) -> Iterator[Fault]:
    schema = document.resolved(parameter["schema"])
    kind = schema.get("type")
    if kind == "array":
        value: object = values
    elif len(values) > 1:
        yield name, "wrong parameter", f"given {len(values)} times"
        return
    else:
        value = _typed(values[0], str(kind))
    for _, _, reason in _schema(document, parameter["schema"]).faults(value):
        yield name, "wrong parameter", reason


def _typed(text: str, kind: str) -> object:
    """A parameter's text as what the document says it stands for; the text itself if it cannot be that."""
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _wrong_headers(found: Operation, exchange: RecordedCall) -> Iterator[Fault]:
    sent = {name.lower(): value for name, value in exchange.headers.items()}
    for (place, name), parameter in found.parameters.items():
        if place == "header" and parameter.get("required") and name not in sent:
            yield name, "missing header", "required"
    schemes = found.document.content["components"]["securitySchemes"]
    demanded = found.description.get("security", found.document.content.get("security", []))
    if demanded and not any(_authorised(schemes[name], sent) for each in demanded for name in each):
        yield "authorization", "missing header", f"one of {[name for each in demanded for name in each]}"
    pinned = found.document.content.get("x-readme", {}).get("headers", [])
    for header in pinned:
        if sent.get(header["key"].lower()) != header["value"]:
            yield header["key"].lower(), "missing header", f"{header['value']} is pinned"
    known = _HTTP | {name for place, name in found.parameters if place == "header"}
    for name in sent.keys() - known - {header["key"].lower() for header in pinned}:
        yield name, "unknown header", "not in the document"


def _authorised(scheme: Json, sent: dict[str, str]) -> bool:
    if scheme["type"] == "http":
        prefix = scheme["scheme"].lower() + " "
        return sent.get("authorization", "").lower().startswith(prefix)
    return scheme["name"].lower() in sent


def _wrong_body(found: Operation, exchange: RecordedCall) -> Iterator[Fault]:
    asked = found.description.get("requestBody")
    if asked is None:
        if exchange.body:
            yield "$", "wrong body", "a body that nobody asked for"
        return
    if not exchange.body:
        if asked.get("required"):
            yield "$", "wrong body", "there is none"
        return
    kind = _media_type(exchange.headers.get("Content-Type"))
    if kind not in asked["content"]:
        yield "content-type", "wrong body", f"{kind or 'none'} instead of {', '.join(asked['content'])}"
        return
    yield from _wrong_json(found.document, asked, exchange.body)


def _wrong_answer(found: Operation, exchange: RecordedCall) -> Iterator[Fault]:
    responses = found.description["responses"]
    described = responses.get(str(exchange.status)) or responses.get("default")
    if described is None:
        yield "status", "unknown status", f"{exchange.status} is not one of {', '.join(responses)}"
        described = next((r for status, r in responses.items() if _same_class(status, exchange)), None)
    if described is None or "content" not in described:
        if described is not None and exchange.answer and exchange.status == 204:
            yield "$", "wrong body", "a body that the document does not describe"
        return
    kind = _media_type(exchange.answer_headers.get("Content-Type"))
    if kind not in described["content"]:
        yield "content-type", "wrong body", f"{kind or 'none'} instead of {', '.join(described['content'])}"
        if not kind.endswith("json"):
            return
    yield from _wrong_json(found.document, described, exchange.answer)


def _same_class(status: str, exchange: RecordedCall) -> bool:
    return status[0] == str(exchange.status)[0]


def _wrong_json(document: Document, described: Json, body: bytes) -> Iterator[Fault]:
    try:
        value = json.loads(body)
    except ValueError:
        yield "$", "wrong body", "not JSON"
        return
    yield from _schema(document, _json_of(described)).faults(value)


def _media_type(header: str | None) -> str:
    return (header or "").partition(";")[0].strip().lower()


def _json_of(described: Json) -> Json:
    schema: Json = described["content"]["application/json"]["schema"]
    return schema


def _schema(document: Document, part: Json) -> Schema:
    return _cached_schema(document, json.dumps(part, sort_keys=True))


@cache
def _cached_schema(document: Document, part: str) -> Schema:
    schema: Any = json.loads(part)
    return Schema(document.schema(schema), document.schemas)
