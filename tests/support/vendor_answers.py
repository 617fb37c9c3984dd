"""Answers over HTTP that nobody sent: of a vendor, good ones and rubbish, without a server."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

from tests.support.arrange import patched

_JSON_HEADERS = {"Content-Type": "application/json"}
_FIELDS = (
    *("id", "data", "links", "next", "code", "field", "message", "resource_id", "status", "title", "detail"),
    *("type", "violations", "invoices", "credit_memos", "customers", "subsidiaries", "payments", "products"),
    *("pagination", "next_cursor", "total", "amount", "currency", "net_amount", "taxed_amount", "name"),
    *("invoice_number", "invoice_date", "updated_at", "start", "end", "trade_name", "emails", "address"),
    *("error", "error_description", "access_token", "refresh_token", "expires_in", "expires_at", "scope"),
)
_SCALARS = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    st.sampled_from(
        ["1E+999999999", "NaN", "300.0", "2026-99-99", "0000-00-00T00:00:00Z", "x" * 500, "\ud800"]
    ),
    st.sampled_from([10**30, -(10**300), 1e300, 2**63]),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=8),
    max_leaves=20,
)
BODIES = st.one_of(
    _JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=60),
    st.sampled_from([b"[" * 3000, b'{"data":' * 3000, b"9" * 5000, b"1e9999999999999999999", b"\xff"]),
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 422, 429, 500, 503, 599])
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Location", "Retry-After", "Content-Type", "Set-Cookie", "X-REQUEST-ID", "Idempotency-Retryable"]
    ),
    st.text(st.characters(max_codepoint=255), max_size=40) | st.sampled_from(["http://[", "9" * 5000, "Ã"]),
    max_size=3,
)


def answer_to(
    request: requests.PreparedRequest, status: int, body: bytes, headers: Mapping[str, str] = _JSON_HEADERS
) -> requests.Response:
    """Return an answer to a request, as `requests` does."""
    made = requests.Response()
    made.status_code, made.request, made.url = status, request, str(request.url)
    made.headers = CaseInsensitiveDict(headers)
    made._content = body
    made.raw = HTTPResponse(body=b"", status=status)
    return made


@contextmanager
def answering(
    status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> Iterator[list[requests.PreparedRequest]]:
    """Let every vendor give one answer while this lasts; the requests that it is an answer to."""
    sent: list[requests.PreparedRequest] = []

    def send(_self: HTTPAdapter, request: requests.PreparedRequest, **_: object) -> requests.Response:
        sent.append(request)
        return answer_to(request, status, body, headers or {})

    with patched(HTTPAdapter, "send", send):
        yield sent
