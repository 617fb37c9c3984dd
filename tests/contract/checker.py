"""Checks of one request, answer or webhook against the vendor's OpenAPI document."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from werkzeug.datastructures import Headers

from local.fake_vendor.traffic_recorder import RecordedCall, Vendor
from tests.contract.documents import Document, Operation, Parameters, document_of, operation
from tests.contract.schemas import Json, Mismatch

_HTTP = {
    *("accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"),
    "authorization",
}
"""Headers of HTTP itself, which OpenAPI leaves out of a document's parameters."""


@dataclass(frozen=True)
class Violation:
    """What a vendor's document does not allow.

    Attributes:
        vendor: whose document.
        operation: method and path pattern, or what was asked for where there is no such operation.
        side: `request`, `answer` or `webhook`.
        status: of the answer; 0 for a request.
        field: where it is: a JSON path, a parameter such as `?page`, a header.
        kind: `unknown operation`, `unknown parameter`, `missing parameter`, `wrong parameter`,
            `unknown header`, `missing header`, `wrong body`, `unknown field`, `missing field`,
            `wrong value`, `unknown status`.
        reason: for the reader of the report.
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


def check_request(call: RecordedCall) -> list[Violation]:
    """What is wrong with a request: its operation, path, query, headers or body."""
    found = operation(call.vendor, call.method, call.path)
    if found is None:
        return [_unknown(call.vendor, f"{call.method} {call.path}")]
    mismatches = [
        *_wrong_parameters(found.document, found.parameters, _sent(found, call)),
        *_wrong_access(found, call.headers),
        *_wrong_request_body(found, call),
    ]
    return _violations(call.vendor, found.name, "request", mismatches)


def check_answer(call: RecordedCall) -> list[Violation]:
    """What is wrong with an answer: its status, its type or its body. No answer has nothing wrong."""
    found = operation(call.vendor, call.method, call.path)
    if call.status is None or found is None:
        return []
    return _violations(call.vendor, found.name, "answer", _wrong_answer(found, call), call.status)


def check_payload(vendor: Vendor, method: str, path: str, payload: object) -> list[Violation]:
    """What is wrong with the body of a request that is not sent; amounts may be `Decimal`."""
    found = operation(vendor, method, path)
    if found is None:
        return [_unknown(vendor, f"{method} {path}")]
    value = json.loads(json.dumps(payload, default=float))
    schema = _schema(found.description["requestBody"])
    return _violations(vendor, found.name, "request", found.document.mismatches(schema, value))


def check_record(vendor: Vendor, name: str, record: object) -> list[Violation]:
    """What is wrong with a record by a named schema, such as `Invoice`."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return _violations(vendor, name, "answer", document_of(vendor, name).mismatches(schema, record))


def check_webhook(name: str, headers: dict[str, str], body: object) -> list[Violation]:
    """What is wrong with a webhook of Rillet's; Solvimon's documents describe none."""
    document = document_of("rillet", "WebhookResponse")
    if name not in document.content["webhooks"]:
        return [_unknown("rillet", name, "webhook")]
    described = document.content["webhooks"][name]["post"]
    sent = {("header", header.lower()): [value] for header, value in headers.items()}
    mismatches = [
        *_wrong_parameters(document, document.parameters(described["parameters"]), sent),
        *document.mismatches(_schema(described["requestBody"]), body),
    ]
    return _violations("rillet", name, "webhook", mismatches)


def operation_name(call: RecordedCall) -> str:
    """The vendor and the operation that a request uses, or what it asks for where there is none."""
    found = operation(call.vendor, call.method, call.path)
    return f"{call.vendor} {found.name if found else f'{call.method} {call.path}'}"


def schema_names(call: RecordedCall) -> tuple[str | None, str | None]:
    """The names of the schemas of a request's body and of its answer's, where they have one."""
    found = operation(call.vendor, call.method, call.path)
    if found is None:
        return None, None
    answers = found.description["responses"]
    return _schema_name(found.description.get("requestBody")), _schema_name(answers.get(str(call.status)))


def _unknown(vendor: Vendor, name: str, side: str = "request") -> Violation:
    return Violation(vendor, name, side, 0, "", "unknown operation", "not in the document")


def _violations(
    vendor: Vendor, name: str, side: str, mismatches: Iterable[Mismatch], status: int = 0
) -> list[Violation]:
    return [Violation(vendor, name, side, status, *mismatch) for mismatch in mismatches]


Sent = dict[tuple[str, str], list[str]]
"""The values of parameters by place and name."""


def _sent(found: Operation, call: RecordedCall) -> Sent:
    """What a request sends where parameters may be."""
    sent: Sent = {("path", name): [unquote(value)] for name, value in found.path_values.items()}
    for name, value in parse_qsl(call.query, keep_blank_values=True):
        sent.setdefault(("query", name), []).append(value)
    pinned = _pinned(found.document)
    headers = {name.lower(): [value] for name, value in call.headers.items()}
    return sent | {("header", name): value for name, value in headers.items() if name not in pinned}


def _pinned(document: Document) -> dict[str, str]:
    """Headers of which a document names the value."""
    headers = document.content.get("x-readme", {}).get("headers", [])
    return {header["key"].lower(): header["value"] for header in headers}


_FIELDS = {"path": "{{{}}}", "query": "?{}", "header": "{}"}


def _wrong_parameters(document: Document, described: Parameters, sent: Sent) -> Iterator[Mismatch]:
    for place, name in {**described, **sent}:
        if place == "header" and name in _HTTP:
            continue
        field, kind = _FIELDS[place].format(name), "header" if place == "header" else "parameter"
        parameter, values = described.get((place, name)), sent.get((place, name))
        if parameter and values:
            yield from _wrong_parameter(document, field, parameter["schema"], values)
        elif parameter and parameter.get("required") and place != "path":
            yield field, f"missing {kind}", "required"
        elif values and place != "path":
            yield field, f"unknown {kind}", "not in the document"


def _wrong_parameter(document: Document, field: str, schema: Json, values: list[str]) -> Iterator[Mismatch]:
    kind = document.resolved(schema).get("type")
    if kind != "array" and len(values) > 1:
        yield field, "wrong parameter", f"given {len(values)} times"
        return
    value: object = values if kind == "array" else _typed(values[0], kind)
    for _, _, reason in document.mismatches(schema, value):
        yield field, "wrong parameter", reason


def _typed(text: str, kind: object) -> object:
    """A parameter's text as a value of the described type; the text itself if it cannot be that."""
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _wrong_access(found: Operation, headers: Headers) -> Iterator[Mismatch]:
    content = found.document.content
    schemes = content["components"]["securitySchemes"]
    required = found.description.get("security", content.get("security")) or []
    accepted = [name for each in required for name in each]
    if accepted and not any(_authorised(schemes[name], headers) for name in accepted):
        yield "authorization", "missing header", f"one of {accepted}"
    for name, value in _pinned(found.document).items():
        if headers.get(name) != value:
            yield name, "missing header", f"{value} is pinned"


def _authorised(scheme: Json, headers: Headers) -> bool:
    if scheme["type"] == "http":
        return headers.get("Authorization", "").lower().startswith(f"{scheme['scheme'].lower()} ")
    return scheme["name"] in headers


def _wrong_request_body(found: Operation, call: RecordedCall) -> Iterator[Mismatch]:
    described = found.description.get("requestBody")
    if call.body and described:
        yield from _wrong_body(found.document, described, call.headers, call.body)
    elif call.body:
        yield "$", "wrong body", "the operation takes none"
    elif described and described.get("required"):
        yield "$", "wrong body", "there is none"


def _wrong_answer(found: Operation, call: RecordedCall) -> Iterator[Mismatch]:
    responses = found.description["responses"]
    described = responses.get(str(call.status)) or responses.get("default")
    if described is None:
        yield "status", "unknown status", f"{call.status} is not one of {', '.join(responses)}"
        # The body is held against another answer of the same class: all errors have one schema.
        described = next((responses[each] for each in responses if each[0] == str(call.status)[0]), {})
    if "content" in described:
        yield from _wrong_body(found.document, described, call.answer_headers, call.answer)
    elif call.answer and call.status == 204:
        yield "$", "wrong body", "a body that the document does not describe"


def _wrong_body(document: Document, described: Json, headers: Headers, body: bytes) -> Iterator[Mismatch]:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in described["content"]:
        yield "content-type", "wrong body", f"{kind or 'none'} instead of {', '.join(described['content'])}"
        if not kind.endswith("json"):
            return
    try:
        value = json.loads(body)
    except ValueError:
        yield "$", "wrong body", "not JSON"
        return
    yield from document.mismatches(_schema(described), value)


def _schema(described: Json) -> Json:
    """The schema of a described body."""
    schema: Json = described["content"]["application/json"]["schema"]
    return schema


def _schema_name(described: Json | None) -> str | None:
    ref = _schema(described).get("$ref") if described and "content" in described else None
    return ref.rsplit("/", 1)[1] if ref else None
