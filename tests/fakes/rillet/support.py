"""A Rillet fake with one organisation, calls to it, and the bodies they send."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any, ClassVar

import requests

from local.fake_rillet import FakeRillet
from local.fake_rillet.organisation import Organisation
from local.fake_rillet.webhooks import Webhooks
from tests.fakes.support import Harness, ManualClock, accepted

Json = dict[str, Any]

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC).timestamp()
KEY = "key-of-the-first-organisation"
SUBSIDIARY = "5b1d7c1e-0000-4000-8000-000000000001"
SECOND_SUBSIDIARY = "5b1d7c1e-0000-4000-8000-000000000002"
CUSTOMER = "c0570e12-0000-4000-8000-000000000001"
PRODUCT = "9704c700-0000-4000-8000-000000000001"
BANK_ACCOUNT = "ba2cacc0-0000-4000-8000-000000000001"
CASH = "10000"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
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
        {"type": "solvimon_invoice_id", "accepted_for_rev_rec": True},
        "solvimon_customer_id",
        {"type": "restricted_id", "restricted": True},
        "not_for_rev_rec",
    ],
}


class Rillet(Harness):
    """A running fake, its clock, its one organisation, and a caller with a key."""

    fake: FakeRillet
    organisation: Organisation
    new_customer: ClassVar[Json] = {"name": "Carol"}
    created = 200
    hours_kept = 24

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.fake = FakeRillet(self.clock.now, rate_limit=1000)
        self.state = self.fake.state

    def reset(self) -> "Rillet":
        """Remove what the previous test left."""
        self.state.reset()
        self.clock.reset()
        self.organisation = self.state.load(SEED)
        return self

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

    def put(self, path: str, body: object) -> requests.Response:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)

    def read(self, path: str, **query: str) -> Json:
        """Read something that must be there."""
        return accepted(self.get(path, **query))

    def create(self, path: str, body: object) -> Json:
        """Create something that must be accepted."""
        return accepted(self.post(path, body))

    def invoice(self, *items: Json, **more: object) -> Json:
        """Create a FULL invoice, of 100.00 without tax by default."""
        return self.create("/invoices", full_invoice(*items, **more))

    def recorded(self, *items: Json, **more: Any) -> Json:
        """Create an invoice that another system issued."""
        return self.create("/invoices", recorded_invoice(*items, **more))

    def memo(self, *items: Json, **more: object) -> Json:
        """Create a credit memo, of 100.00 without tax by default."""
        return self.create("/credit-memos", credit_memo(*items, **more))

    def apply(self, memo: Json, *applications: Json, key: str | None = None) -> requests.Response:
        """Replace the applications of a credit memo."""
        path = f"/credit-memos/{memo['id']}/applications"
        return self.post(path, {"applications": list(applications)}, key)

    def switch(self, **values: object) -> None:
        self.organisation.switches.set(**values)

    def customers(self) -> int:
        return len(self.organisation.customers)

    def invoices(self) -> int:
        return len(self.organisation.invoices)

    def balance(self, invoice: Json) -> tuple[str, str]:
        """Return status and open amount of an invoice as they are now."""
        now = self.read(f"/invoices/{invoice['id']}")
        return now["status"], now["amount_due"]["amount"]

    def listed_customers(self) -> int:
        """Return how many customers the list shows."""
        return len(self.read("/customers")["customers"])

    def was_replayed(self, response: requests.Response) -> bool:
        """Tell whether the answer to the last call came from the idempotency store."""
        return self.state.calls[-1].replayed

    def announced(self) -> list[str]:
        """The names of the events so far, in order."""
        return [event.name for event in self.organisation.announced()]

    def add_webhook(self, url: str) -> Webhooks:
        self.organisation.add_webhook(url, TOKEN)
        return self.organisation.webhooks

    def add_other(self, api_key: str) -> None:
        """Add a second organisation."""
        self.state.add_organisation(api_key=api_key)


def money(amount: str, currency: str = "EUR") -> Json:
    return {"amount": amount, "currency": currency}


ONE_TIME_PRODUCT: Json = {
    "name": "Set-up",
    "description": "Once",
    "price": {"type": "ONE_TIME", "amount": money("12.3456", "USD")},
    "include_in_arr_mrr": False,
    "revenue_pattern": "EVEN_PERIOD",
    "account_code": "40000",
}
RECORDED = ("REVENUE_RECOGNITION_ONLY", "AR_ONLY")
"""The scopes of invoices that another system issued."""


def reference(number: str, slug: str = "solvimon_invoice_id") -> Json:
    return {"type": slug, "id": number}


def tax_rate(percentage: float = 21, **more: object) -> Json:
    return {"country": "NL", "description": "BTW", "type": "VAT", "percentage": percentage, **more}


def full_item(amount: str = "100.00", quantity: float = 1, currency: str = "EUR", **more: object) -> Json:
    price = {"product_id": PRODUCT, "quantity": quantity, "amount_per_unit": money(amount, currency)}
    return {"description": "Seats", "price": price, **more}


UNKNOWN_PRODUCT = full_item() | {"price": full_item()["price"] | {"product_id": UNKNOWN_ID}}


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
    return {"invoice_id": invoice["id"], "amount": money(amount, currency), "application_date": day}


def payment(amount: str = "100.00", currency: str = "EUR", **more: object) -> Json:
    return {"amount": money(amount, currency), "date": "2026-03-09", "account_code": CASH, **more}


def names(response: requests.Response, kind: str = "customers") -> list[str]:
    return [row["name"] for row in accepted(response)[kind]]


def fields_of(response: requests.Response) -> list[str]:
    """Return the fields that a refusal names."""
    assert response.status_code == 400, response.text
    return [violation["field"] for violation in response.json().get("violations", ())]


def kind_of(response: requests.Response) -> str:
    """Return the last part of a refusal's type."""
    assert response.status_code == 400, response.text
    return str(response.json()["type"]).rsplit("/", 1)[1]


TOKEN = base64.b64encode(b"thirty-two bytes, or nearly that").decode()
SIGNED_HEADERS = ("X-RILLET-TIMESTAMP", "X-RILLET-ID", "X-RILLET-ENTITY", "X-RILLET-EVENT")


def signature(key: bytes, headers: dict[str, str], body: bytes) -> str:
    """Calculate Rillet's webhook signature independently of the fake."""
    signed = b".".join([*(headers[name].encode() for name in SIGNED_HEADERS), body])
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
