"""A Rillet fake with one organisation, and calls to it, for the fake's own tests."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import requests

from local.fake_rillet import FakeRillet
from local.fake_rillet.organisation import Organisation

Json = dict[str, Any]

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
KEY = "key-of-the-first-organisation"
SUBSIDIARY = "5b1d7c1e-0000-4000-8000-000000000001"
SECOND_SUBSIDIARY = "5b1d7c1e-0000-4000-8000-000000000002"
CUSTOMER = "c0570e12-0000-4000-8000-000000000001"
PRODUCT = "9704c700-0000-4000-8000-000000000001"
BANK_ACCOUNT = "ba2cacc0-0000-4000-8000-000000000001"
CASH = "10000"
NOBODY = "00000000-0000-4000-8000-000000000000"
ADDRESS = {
    "line1": "Keizersgracht 1",
    "city": "Amsterdam",
    "state": "NH",
    "zip_code": "1015 AA",
    "country": "NL",
}

SEED: Json = {
    "organization": {
        "trade_name": "Acme",
        "currency": "EUR",
        "timezone": "Europe/Amsterdam",
        "api_keys": [KEY, {"key": "read-only-key", "read_only": True}],
    },
    "subsidiaries": [
        {"id": SUBSIDIARY, "trade_name": "Acme BV", "currency": "EUR", "timezone": "Europe/Amsterdam"},
        {"id": SECOND_SUBSIDIARY, "trade_name": "Acme Inc.", "currency": "USD"},
    ],
    "customers": [{"id": CUSTOMER, "name": "Bob Industries", "address": ADDRESS}],
    "products": [{"id": PRODUCT, "name": "Seats", "revenue_pattern": "DAILY", "account_code": "40100"}],
    "bank_accounts": [
        {"id": BANK_ACCOUNT, "ach_account": "1", "ach_routing": "2", "bank_name": "First Bank"}
    ],
    "external_reference_types": [
        "solvimon_invoice_id",
        "solvimon_customer_id",
        {"type": "restricted_id", "restricted": True},
        {"type": "not_for_rev_rec", "accepted_for_rev_rec": False},
    ],
}


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class Rillet:
    """A running fake, its clock, its one organisation, and a caller with a key."""

    organisation: Organisation

    def __init__(self) -> None:
        self.clock = HandClock()
        self.fake = FakeRillet(self.clock.now, rate_limit=1000)
        self.state = self.fake.state

    def renew(self) -> "Rillet":
        """Forget the previous test."""
        self.state.reset()
        self.clock.time = NOON
        self.organisation = self.state.load(SEED)
        return self

    def __enter__(self) -> "Rillet":
        self.fake.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fake.stop()

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, str] | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        api_key: str = KEY,
        timeout: float = 10,
    ) -> requests.Response:
        """Call the API with a bearer key, version 4 and, if given, an idempotency key."""
        sent = {"Authorization": f"Bearer {api_key}", "X-Rillet-API-Version": "4"}
        if key is not None:
            sent["Idempotency-Key"] = key
        return requests.request(
            method,
            self.fake.url + path,
            json=body,
            params=query,
            headers=sent | (headers or {}),
            timeout=timeout,
        )

    def get(self, path: str, **query: str) -> requests.Response:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: object, key: str | None = None) -> requests.Response:
        return self.call("POST", path, body, key=key)

    def create(self, path: str, body: object) -> Json:
        """Create something that must be accepted."""
        response = self.post(path, body)
        assert response.status_code == 200, response.text
        created: Json = response.json()
        return created


def money(amount: str, currency: str = "EUR") -> Json:
    return {"amount": amount, "currency": currency}


def reference(number: str, slug: str = "solvimon_invoice_id") -> Json:
    return {"type": slug, "id": number}


def tax_rate(percentage: float = 21, **more: object) -> Json:
    return {"country": "NL", "description": "BTW", "type": "VAT", "percentage": percentage, **more}


def full_item(amount: str = "100.00", quantity: float = 1, currency: str = "EUR", **more: object) -> Json:
    price = {
        "product_id": PRODUCT,
        "quantity": quantity,
        "amount_per_unit": money(amount, currency),
    }
    return {"description": "Seats", "price": price, **more}


def full_invoice(*items: Json, **more: object) -> Json:
    return {
        "customer_id": CUSTOMER,
        "invoice_date": "2026-03-01",
        "items": list(items) or [full_item()],
        **more,
    }


def recorded_item(total: str = "100.00", currency: str = "EUR", **more: object) -> Json:
    return {
        "product_id": PRODUCT,
        "description": "Seats",
        "quantity": 1,
        "total_amount": money(total, currency),
        "external_references": [],
        **more,
    }


def recorded_invoice(*items: Json, scope: str = "REVENUE_RECOGNITION_ONLY", **more: object) -> Json:
    return {
        "scope": scope,
        "customer_id": CUSTOMER,
        "invoice_date": "2026-03-01",
        "invoice_number": "S-1001",
        "external_references": [reference("invo_1")],
        "items": list(items) or [recorded_item()],
        **more,
    }


def credit_memo(*items: Json, **more: object) -> Json:
    return {
        "customer_id": CUSTOMER,
        "credit_memo_date": "2026-03-05",
        "items": list(items) or [full_item()],
        **more,
    }


def application(invoice: Json, amount: str, day: str = "2026-03-05", currency: str = "EUR") -> Json:
    return {
        "invoice_id": invoice["id"],
        "amount": money(amount, currency),
        "application_date": day,
    }


def payment(amount: str = "100.00", currency: str = "EUR", **more: object) -> Json:
    return {"amount": money(amount, currency), "date": "2026-03-09", "account_code": CASH, **more}


def names(response: requests.Response, kind: str = "customers") -> list[str]:
    assert response.status_code == 200, response.text
    return [row["name"] for row in response.json()[kind]]


def refused_fields(rillet: Rillet, body: Json) -> list[str]:
    response = rillet.post("/invoices", body)
    assert response.status_code == 400, response.text
    assert len(rillet.organisation.invoices) == 0
    return [violation["field"] for violation in response.json().get("violations", ())]


def refusal(rillet: Rillet, body: Json) -> Json:
    response = rillet.post("/invoices", body)
    assert response.status_code == 400, response.text
    problem: Json = response.json()
    return problem


def invoices(rillet: Rillet) -> int:
    return len(rillet.organisation.invoices)


def wait_until(condition: Callable[[], bool]) -> None:
    """Yield to the server's threads until something is so."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)
