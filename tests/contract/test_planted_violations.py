"""Planted violations are found: each kind, in requests, answers and webhooks of both vendors."""

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from local.fake_vendor.traffic_recorder import RecordedCall, Vendor
from tests.contract.checker import check_answer, check_request, check_webhook
from tests.contract.documents import MISSING, MISSING_REASON
from tests.contract.report import Report
from tests.fakes.rillet.support import CUSTOMER, NOBODY, Json, full_invoice, money, recorded_invoice

pytestmark = pytest.mark.skipif(MISSING, reason=MISSING_REASON)

RILLET = {"Authorization": "Bearer key", "X-Rillet-API-Version": "4"}
SOLVIMON = {"X-API-KEY": "key"}
JSON = {"Content-Type": "application/json"}
NUMBER = "invoice_number"
YEN = money("1.00", "JPY")
ORGANIZATION = {"type": "ORGANIZATION", "organization": {"name": "x"}}
CUSTOMER_ANSWER = {"id": CUSTOMER, "name": "Bob", "updated_at": "2026-03-10T12:00:00Z"}


def recorded_call(
    vendor: Vendor,
    method: str,
    path: str,
    body: object = None,
    answer: object = None,
    *,
    query: str = "",
    status: int | None = 200,
    without: str = "",
    **headers: str,
) -> RecordedCall:
    """A request with all that it needs, and an answer."""
    sent = {**(RILLET if vendor == "rillet" else SOLVIMON), **({} if body is None else JSON), **headers}
    return RecordedCall(
        vendor=vendor,
        method=method,
        path=path,
        query=query,
        headers=Headers({name: value for name, value in sent.items() if name != without}),
        body=b"" if body is None else json.dumps(body).encode(),
        status=status,
        answer_headers=Headers(JSON),
        answer=b"" if answer is None else json.dumps(answer).encode(),
    )


def asked(*args: Any, **more: Any) -> set[tuple[str, str]]:
    return {(found.field, found.kind) for found in check_request(recorded_call(*args, **more))}


def answered(*args: Any, **more: Any) -> set[tuple[str, str]]:
    return {(found.field, found.kind) for found in check_answer(recorded_call(*args, **more))}


def without(document: Json, field: str) -> Json:
    return {name: value for name, value in document.items() if name != field}


@pytest.mark.parametrize(
    ("vendor", "method", "path", "body", "query"),
    [
        ("rillet", "POST", "/invoices", full_invoice(), ""),
        ("rillet", "POST", "/invoices", recorded_invoice(), ""),
        ("rillet", "GET", f"/customers/{CUSTOMER}", None, ""),
        ("rillet", "GET", "/invoices", None, "limit=100&updated.gt=2026-01-01T00:00:00Z&status=PAID"),
        ("solvimon", "GET", "/v1/invoices", None, "statuses[]=FINAL&statuses[]=DRAFT&page=2&limit=100"),
        ("solvimon", "POST", "/v1/customers", {"type": "ORGANIZATION"}, ""),
        ("solvimon", "POST", "/v1/customers/cust_1/activate", None, ""),
    ],
)
def test_a_correct_request_has_no_violation(
    vendor: str, method: str, path: str, body: Json, query: str
) -> None:
    assert asked(vendor, method, path, body, query=query) == set()


@pytest.mark.parametrize(
    ("vendor", "method", "path"),
    [
        ("rillet", "GET", "/credit-notes"),
        ("rillet", "PATCH", f"/customers/{CUSTOMER}"),
        ("rillet", "GET", "/v1/invoices"),
        ("solvimon", "GET", "/invoices"),
        ("solvimon", "GET", "/v1/nothing"),
        ("solvimon", "GET", "/v1/customers/"),
        ("solvimon", "GET", "/v2/invoices"),
        ("solvimon", "DELETE", "/v1/payments/paym_1"),
    ],
)
def test_an_operation_that_is_not_in_the_document(vendor: str, method: str, path: str) -> None:
    assert asked(vendor, method, path) == {("", "unknown operation")}


@pytest.mark.parametrize(
    ("vendor", "path", "query", "wrong"),
    [
        ("rillet", "/invoices", "sort_by=updated", ("?sort_by", "unknown parameter")),
        ("rillet", "/invoices", "limit=0", ("?limit", "wrong parameter")),
        ("rillet", "/invoices", "limit=many", ("?limit", "wrong parameter")),
        ("rillet", "/invoices", "limit=%2B1", ("?limit", "wrong parameter")),
        ("rillet", "/invoices", "limit=1&limit=2", ("?limit", "wrong parameter")),
        ("rillet", "/invoices", "updated.gt=yesterday", ("?updated.gt", "wrong parameter")),
        ("rillet", "/invoices", "customer_id=bob", ("?customer_id", "wrong parameter")),
        ("rillet", "/invoices/bob/payments", "", ("{invoice_id}", "wrong parameter")),
        ("solvimon", "/v1/products", "page=1", ("?page", "unknown parameter")),
        ("solvimon", "/v1/invoices", "include_lines=1", ("?include_lines", "wrong parameter")),
        ("solvimon", "/v1/attachments", "resource_type=INVOICE", ("?resource_id", "missing parameter")),
    ],
)
def test_a_wrong_parameter(vendor: str, path: str, query: str, wrong: tuple[str, str]) -> None:
    assert asked(vendor, "GET", path, query=query) == {wrong}


@pytest.mark.parametrize(
    ("vendor", "path", "header"),
    [
        ("rillet", "/invoices", "Authorization"),
        ("rillet", "/invoices", "X-Rillet-API-Version"),
        ("solvimon", "/v1/invoices", "X-API-KEY"),
    ],
)
def test_a_header_that_is_required_and_missing(vendor: str, path: str, header: str) -> None:
    assert asked(vendor, "GET", path, without=header) == {(header.lower(), "missing header")}


def test_another_version_and_a_header_that_no_document_has() -> None:
    headers = {"X-Rillet-API-Version": "3", "X-Colour": "red"}

    found = asked("rillet", "GET", "/invoices", **headers)

    assert found == {("x-rillet-api-version", "missing header"), ("x-colour", "unknown header")}


def test_missing_credentials_do_not_hide_another_violation() -> None:
    found = asked("rillet", "GET", "/invoices", query="colour=red", without="Authorization")

    assert found == {("authorization", "missing header"), ("?colour", "unknown parameter")}


@pytest.mark.parametrize(
    ("vendor", "path", "body", "field", "kind"),
    [
        ("rillet", "/invoices", full_invoice(colour="red"), "$.colour", "unknown field"),
        ("rillet", "/invoices", full_invoice(invoice_date="soon"), "$.invoice_date", "wrong value"),
        ("rillet", "/invoices", full_invoice(customer_id=7), "$.customer_id", "wrong value"),
        ("rillet", "/invoices", full_invoice(items=[]), "$.items", "wrong value"),
        ("rillet", "/invoices", full_invoice(scope="HALF"), "$.scope", "wrong value"),
        ("rillet", "/invoices", without(full_invoice(), "customer_id"), "$.customer_id", "missing field"),
        ("rillet", "/invoices", recorded_invoice(memo="Hello"), "$.memo", "unknown field"),
        ("rillet", "/invoices", without(recorded_invoice(), NUMBER), f"$.{NUMBER}", "missing field"),
        ("rillet", "/invoices", recorded_invoice(tax_amount=money("1.005")), "$.tax_amount", "wrong value"),
        ("rillet", "/invoices", recorded_invoice(tax_amount=YEN), "$.tax_amount", "wrong value"),
        ("rillet", "/invoices", None, "$", "wrong body"),
        ("solvimon", "/v1/customers", {"reference": "r"}, "$.type", "missing field"),
        ("solvimon", "/v1/customers", {"type": "COMPANY"}, "$.type", "wrong value"),
        ("solvimon", "/v1/customers", ORGANIZATION, "$.organization.name", "unknown field"),
        ("solvimon", "/v1/customers", {"type": "ORGANIZATION", "email": 7}, "$.email", "wrong value"),
        ("solvimon", "/v1/payments/paym_1/reverse", {}, "$", "wrong body"),
    ],
)
def test_a_wrong_body(vendor: str, path: str, body: Json | None, field: str, kind: str) -> None:
    assert asked(vendor, "POST", path, body) == {(field, kind)}


def test_a_body_that_is_no_json() -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    broken = replace(recorded_call("rillet", "POST", "/invoices", {}), body=b"{")

    assert asked("rillet", "POST", "/invoices", full_invoice(), **form) == {("content-type", "wrong body")}
    assert [found.reason for found in check_request(broken)] == ["not JSON"]


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (CUSTOMER_ANSWER, None),
        (without(CUSTOMER_ANSWER, "updated_at"), ("$.updated_at", "missing field")),
        (CUSTOMER_ANSWER | {"currency": "EUR"}, ("$.currency", "unknown field")),
        (CUSTOMER_ANSWER | {"id": "bob"}, ("$.id", "wrong value")),
        (CUSTOMER_ANSWER | {"fields": None}, None),
        (CUSTOMER_ANSWER | {"name": None}, ("$.name", "wrong value")),
        (CUSTOMER_ANSWER | {"updated_at": "2026-03-10"}, ("$.updated_at", "wrong value")),
    ],
)
def test_a_wrong_answer_of_the_fake_rillet(answer: Json, wrong: tuple[str, str] | None) -> None:
    found = answered("rillet", "GET", f"/customers/{CUSTOMER}", answer=answer)

    assert found == ({wrong} if wrong else set())


def test_a_wrong_answer_of_the_fake_solvimon() -> None:
    page = {"data": [{"id": "cust_1", "type": "PERSON", "colour": "red"}], "page": "one"}

    assert answered("solvimon", "GET", "/v1/customers", answer=page) == {
        ("$.data[0].type", "wrong value"),
        ("$.data[0].colour", "unknown field"),
        ("$.page", "wrong value"),
    }


def test_a_status_or_a_media_type_that_the_document_does_not_have() -> None:
    teapot = {"type": "API_ERROR", "code": "BAD_REQUEST", "message": "no"}
    html = replace(recorded_call("rillet", "GET", "/customers", answer={}), answer_headers=Headers())

    assert answered("solvimon", "GET", "/v1/customers", answer=teapot, status=418) == {
        ("status", "unknown status")
    }
    assert [(found.field, found.reason) for found in check_answer(html)] == [
        ("content-type", "none instead of application/json")
    ]


def test_an_answer_of_204_with_a_body() -> None:
    path = f"/customers/{CUSTOMER}"

    assert answered("rillet", "DELETE", path, answer={}, status=204) == {("$", "wrong body")}
    assert answered("rillet", "DELETE", path, status=204) == set()


def test_an_error_without_the_fields_of_an_error() -> None:
    assert answered("rillet", "GET", "/customers", answer={"title": "No"}, status=400) == {
        ("$.type", "missing field")
    }
    assert answered("solvimon", "GET", "/v1/customers", answer={"message": "No"}, status=401) == {
        ("$.type", "missing field"),
        ("$.code", "missing field"),
    }


def test_a_call_without_an_answer_has_no_wrong_one() -> None:
    assert answered("rillet", "GET", "/customers", status=None) == set()


def test_a_wrong_webhook() -> None:
    headers = {
        "X-Rillet-Signature": "s",
        "X-Rillet-Timestamp": "2026-03-10T12:00:00Z",
        "X-Rillet-Id": NOBODY,
        "X-Rillet-Entity": "INVOICE",
        "X-Rillet-Event": "DELETED",
    }

    assert check_webhook("invoice-deleted", headers, NOBODY) == []
    changed = without(headers, "X-Rillet-Id") | {"X-Rillet-Event": "GONE", "X-Colour": "red"}
    wrong = check_webhook("invoice-deleted", changed, 7)
    assert {(found.field, found.kind) for found in wrong} == {
        ("x-rillet-id", "missing header"),
        ("x-rillet-event", "wrong parameter"),
        ("x-colour", "unknown header"),
        ("$", "wrong value"),
    }
    assert [found.kind for found in check_webhook("invoice-shredded", headers, "")] == ["unknown operation"]


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "wrong"),
    [
        ("POST", "/oauth2/tokens", "", "", {("", "unknown operation")}),
        (
            "GET",
            "/oauth2/authorize",
            "response_type=token&client_id=c&redirect_uri=u&state=s&scope=read+admin&code_challenge=x",
            "",
            {
                ("?response_type", "wrong parameter"),
                ("?scope", "wrong parameter"),
                ("?code_challenge_method", "missing parameter"),
                ("?code_challenge_method", "wrong parameter"),
            },
        ),
        ("POST", "/oauth2/token", "", "grant_type=password", {("grant_type", "wrong parameter")}),
        (
            "POST",
            "/oauth2/token",
            "",
            "grant_type=authorization_code&code=c&redirect_uri=u",
            {("code_verifier", "missing parameter")},
        ),
        ("POST", "/oauth2/revoke", "", "token=t", {("authorization", "missing header")}),
    ],
)
def test_wrong_requests_to_the_authorization_server(
    method: str, path: str, query: str, body: str, wrong: set[tuple[str, str]]
) -> None:
    report, form = Report(), {"Content-Type": "application/x-www-form-urlencoded"}
    sent = recorded_call("rillet", method, path, query=query, status=None, without="Authorization", **form)

    report.check(replace(sent, body=body.encode()))

    assert {(found.field, found.kind) for found in report.violations} == wrong
