"""A Solvimon fake with one platform, and calls to it."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from werkzeug.datastructures import Headers

from local.fake_solvimon import FakeSolvimon, Platform
from local.fake_vendor.traffic_recorder import RecordedCall
from local.sample_data import solvimon_seed
from tests.contract.documents import MISSING
from tests.contract.exceptions import EXCEPTIONS, Excused
from tests.contract.report import Report

Json = dict[str, Any]

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC).timestamp()
KEY = "key-of-the-first-platform"
READ_ONLY_KEY = "key-that-only-reads"
OTHER_KEY = "key-of-the-second-platform"
NEWER = (
    Excused(
        name="fields that the newer SDK has and the documents have not",
        source="solvimon-python-sdk 0.0.4b0",
        vendor="solvimon",
        kind="unknown field",
        field=r".*\.(disabled_reason|integration_type)",
        side="answer",
    ),
)


@cache
def _seed() -> dict[str, list[Json]]:
    """Build the demo's data once; the platform takes copies."""
    return solvimon_seed()


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class Solvimon:
    """A running fake, its clock, and a caller; every answer is held against the vendor's schema."""

    platform: Platform

    def __init__(self) -> None:
        self.clock = HandClock()
        self.fake = FakeSolvimon(self.clock.now)
        self.state = self.fake.state
        self.session = requests.Session()

    def renew(self) -> "Solvimon":
        """Forget the previous test; the platform has the demo's data."""
        self.state.reset()
        self.clock.time = NOON
        self.platform = self.state.add_platform(KEY, _seed(), read_only_key=READ_ONLY_KEY)
        return self

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        api_key: str | None = KEY,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        checked: bool = True,
        timeout: float = 10,
        **query: object,
    ) -> requests.Response:
        """Call the API; a query parameter may be a list."""
        sent = dict(headers or {})
        if api_key is not None:
            sent["X-API-KEY"] = api_key
        if key is not None:
            sent["Idempotency-Key"] = key
        params: Any = query
        response = self.session.request(
            method, self.fake.url + path, json=body, params=params, headers=sent, timeout=timeout
        )
        if checked and not MISSING:
            check(response)
        return response

    def get(self, path: str, **query: object) -> requests.Response:
        return self.call("GET", path, **query)  # type: ignore[arg-type]

    def post(self, path: str, body: object = None, key: str | None = None) -> requests.Response:
        return self.call("POST", path, body, key=key)

    def patch(self, path: str, body: object) -> requests.Response:
        return self.call("PATCH", path, body)

    def admin(self, path: str, body: object = None) -> requests.Response:
        method = "GET" if path == "state" else "POST"
        return self.session.request(method, f"{self.fake.origin}/_fake/{path}", json=body, timeout=10)


def check(response: requests.Response) -> None:
    """Hold an answer, and the request if it was accepted, against the vendor's documents."""
    assert response.headers["X-REQUEST-ID"].startswith("reqr_")
    report = Report([*EXCEPTIONS, *NEWER])
    report.check(recorded_call(response), request=response.status_code < 400)
    assert report.violations == [], [str(found) for found in report.violations[:5]]


def recorded_call(response: requests.Response) -> RecordedCall:
    """A call and its answer, as the recorder of the fake would have recorded it."""
    asked = response.request
    url, sent = urlsplit(asked.url or ""), json.loads(asked.body or "null")
    # A null clears a field; the documents know nulls for some fields only. We send none.
    given = {name: value for name, value in sent.items() if value is not None} if sent else sent
    return RecordedCall(
        vendor="solvimon",
        method=asked.method or "GET",
        path=str(url.path),
        query=str(url.query),
        headers=Headers(list(asked.headers.items())),
        body=b"" if asked.body is None else json.dumps(given).encode(),
        status=response.status_code,
        answer_headers=Headers(list(response.headers.items())),
        answer=response.content,
    )
