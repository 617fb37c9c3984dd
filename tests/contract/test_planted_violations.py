"""Planted violations are found: each kind, in requests, answers and webhooks of both vendors."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from werkzeug.datastructures import Headers

from local.fake_vendor.traffic_recorder import RecordedCall, Vendor
from tests.contract.checker import Violation, check_answer, check_request, check_webhook
from tests.contract.documents import MISSING, MISSING_REASON
from tests.contract.report import Report
from tests.fakes.rillet.support import CUSTOMER, UNKNOWN_ID, Json, full_invoice, recorded_invoice

pytestmark = pytest.mark.skipif(MISSING, reason=MISSING_REASON)

ACCESS: dict[str, Json] = {
    "rillet": {"Authorization": "Bearer key", "X-Rillet-API-Version": "4"},
    "solvimon": {"X-API-KEY": "key"},
}
JSON = {"Content-Type": "application/json"}
_TEXT = Path(__file__).with_name("planted_violations.yaml").read_text(encoding="utf-8")
TABLES: Json = yaml.safe_load(_TEXT.replace("CUSTOMER", CUSTOMER))


def rows(table: str) -> pytest.MarkDecorator:
    """Runs a test with each row of a table."""
    each = [
        pytest.param(row, id=f"{group}-{number}")
        for group, some in TABLES[table].items()
        for number, row in enumerate(some)
    ]
    return pytest.mark.parametrize("row", each)


def recorded_call(row: Json) -> RecordedCall:
    """The request of a row with all that it needs, and its answer."""
    vendor: Vendor = "rillet" if "rillet" in row else "solvimon"
    method, url = row[vendor].split(" ")
    body = row.get("body")
    for name, invoice in (("full", full_invoice), ("recorded", recorded_invoice)):
        if name in row:
            body = without(invoice(**row[name]), row.get("lacks"))
    sent = {**ACCESS[vendor], **({} if body is None else JSON), **row.get("headers", {})}
    return RecordedCall(
        vendor=vendor,
        method=method,
        path=urlsplit(url).path,
        query=urlsplit(url).query,
        headers=Headers(without(sent, row.get("lacks"))),
        body=row.get("form", "" if body is None else json.dumps(body)).encode(),
        status=row.get("status", 200),
        answer_headers=Headers(JSON),
        answer=json.dumps(row["answer"]).encode() if "answer" in row else b"",
    )


def without(document: Json, field: str | None) -> Json:
    return {name: value for name, value in document.items() if name != field}


def found(violations: Iterable[Violation]) -> set[str]:
    return {f"{violation.field}: {violation.kind}" for violation in violations}


@rows("requests")
def test_a_violation_of_a_request_is_found_and_nothing_else(row: Json) -> None:
    assert found(check_request(recorded_call(row))) == set(row.get("wrong", ()))


@rows("answers")
def test_a_violation_of_an_answer_is_found_and_nothing_else(row: Json) -> None:
    assert found(check_answer(recorded_call(row))) == set(row.get("wrong", ()))


@rows("authorization")
def test_a_violation_of_a_request_to_the_authorization_server_is_found(row: Json) -> None:
    report, form = Report(), {"Content-Type": "application/x-www-form-urlencoded"}
    call = recorded_call({**row, "lacks": "Authorization", "headers": form, "status": None})

    report.check(call)

    assert found(report.violations) == set(row["wrong"])


def test_a_body_that_is_no_json_and_an_answer_without_a_type_are_named() -> None:
    request = recorded_call({"rillet": "POST /invoices", "body": {}})
    answer = recorded_call({"rillet": "GET /customers", "answer": {}})

    not_json = check_request(replace(request, body=b"{"))
    untyped = check_answer(replace(answer, answer_headers=Headers()))

    assert [each.reason for each in not_json] == ["not JSON"]
    assert [(each.field, each.reason) for each in untyped] == [
        ("content-type", "none instead of application/json")
    ]


def test_a_wrong_webhook() -> None:
    headers = {
        "X-Rillet-Signature": "s",
        "X-Rillet-Timestamp": "2026-03-10T12:00:00Z",
        "X-Rillet-Id": UNKNOWN_ID,
        "X-Rillet-Entity": "INVOICE",
        "X-Rillet-Event": "DELETED",
    }
    changed = without(headers, "X-Rillet-Id") | {"X-Rillet-Event": "GONE", "X-Colour": "red"}

    assert check_webhook("invoice-deleted", headers, UNKNOWN_ID) == []
    assert found(check_webhook("invoice-deleted", changed, 7)) == {
        "x-rillet-id: missing header",
        "x-rillet-event: wrong parameter",
        "x-colour: unknown header",
        "$: wrong value",
    }
    assert [each.kind for each in check_webhook("invoice-shredded", headers, "")] == ["unknown operation"]
