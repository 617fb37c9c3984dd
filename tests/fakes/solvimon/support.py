"""A Solvimon fake with one platform, calls to it, and sums of the amounts it answers."""

import json
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from werkzeug.datastructures import Headers

from local.fake_solvimon import FakeSolvimon, Platform
from local.fake_solvimon.webhooks import Webhooks
from local.fake_vendor.traffic_recorder import RecordedCall
from local.sample_data import invoice_id, solvimon_seed
from tests.contract.documents import MISSING
from tests.contract.exceptions import EXCEPTIONS, Excused
from tests.contract.report import Report
from tests.fakes.support import Harness, ManualClock

Json = dict[str, Any]

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC).timestamp()
KEY = "key-of-the-first-platform"
READ_ONLY_KEY = "key-that-only-reads"
OTHER_KEY = "key-of-the-second-platform"
SECRET = "whsec-one"
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


class Solvimon(Harness):
    """A running fake, its clock, and a caller; every answer is held against the vendor's schema."""

    fake: FakeSolvimon
    platform: Platform
    new_customer: ClassVar[Json] = {"type": "ORGANIZATION"}
    created = 201
    hours_kept = 48

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.fake = FakeSolvimon(self.clock.now)
        self.state = self.fake.state
        self.session = requests.Session()

    def reset(self) -> "Solvimon":
        """Remove what the previous test left; the platform has the demo's data."""
        self.state.reset()
        self.clock.reset()
        self.platform = self.state.add_platform(KEY, _seed(), read_only_key=READ_ONLY_KEY)
        return self

    def __exit__(self, *failure: object) -> None:
        super().__exit__(*failure)
        self.session.close()

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

    def customers(self) -> int:
        return len(self.platform.records["customers"])

    def listed_customers(self) -> int:
        """Return how many customers the list shows."""
        return len(self.get("/customers").json()["data"])

    def was_replayed(self, response: requests.Response) -> bool:
        """Tell whether an answer came from the idempotency store."""
        return response.headers.get("Idempotent-Replayed") == "true"

    def add_webhook(self, url: str) -> Webhooks:
        self.platform.add_webhook(url, SECRET)
        return self.platform.webhooks

    def add_other(self, api_key: str) -> None:
        """Add a second platform."""
        self.state.add_platform(api_key)


def check(response: requests.Response) -> None:
    """Hold an answer, and the request if it was accepted, against the vendor's documents."""
    assert response.headers["X-REQUEST-ID"].startswith("reqr_")
    report = Report([*EXCEPTIONS, *NEWER])
    report.check(recorded_call(response), request=response.status_code < 400)
    assert report.violations == [], [str(found) for found in report.violations[:5]]


def recorded_call(response: requests.Response) -> RecordedCall:
    """Return a call and its answer as the fake's recorder would record it."""
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


def money(quantity: str, currency: str = "EUR") -> Json:
    return {"quantity": quantity, "currency": currency}


def figures(invoice: Json) -> tuple[str, str, str]:
    summary = invoice["tax_summary"]
    return tuple(summary[f"{name}_amount"]["quantity"] for name in ("base", "tax", "total"))


def total(parts: list[Json], name: str = "amount_excluding_tax") -> Decimal:
    return sum((Decimal(part[name]["quantity"]) for part in parts), Decimal(0))


def cent(document: Json) -> Decimal:
    """The smallest amount in a document's currency."""
    return Decimal(1) if document["billing_currency"] == "JPY" else Decimal("0.01")


def check_sums(note: Json) -> None:
    """Check that every level is the sum of the level below, up to the rounded header."""
    for name in ("amount_excluding_tax", "amount_including_tax"):
        for period in note["periods"]:
            for group in period["groups"]:
                assert total(group["lines"], name) == Decimal(group[name]["quantity"])
            assert total(period["groups"], name) == Decimal(period[name]["quantity"])
    net, tax, gross = (Decimal(text) for text in figures(note))
    assert total(note["periods"]).quantize(cent(note), ROUND_HALF_UP) == net
    assert net + tax == gross == Decimal(note["invoice_amount_including_tax"]["quantity"])
    assert sum(Decimal(c["tax_amount"]["quantity"]) for c in note["tax_categories"]) == tax


def error_of(response: requests.Response) -> tuple[int, str, str | None]:
    body = response.json()
    return response.status_code, body["code"], body.get("field")


FIRST = invoice_id("first")


def line(quantity: str = "10.00", currency: str = "EUR", **more: object) -> Json:
    return {"description": "x", "amount_excluding_tax": money(quantity, currency), **more}


def one_off(*lines: Json, **more: object) -> Json:
    groups = [{"group_order": 1, "lines": list(lines) or [line()]}]
    customer = {"customer_reference": "waddenveer"}
    return {"type": "ONE_OFF_CREDIT", **customer, "periods": [{"period_order": 1, "groups": groups}], **more}


def payment(quantity: str = "1000.00", **more: object) -> Json:
    body = {"invoice_id": FIRST, "external_reference": "4" * 32, "timestamp": "2026-11-02T10:15:00Z"}
    return {"result": "AUTHORIZED", "amount": money(quantity), **body, **more}
