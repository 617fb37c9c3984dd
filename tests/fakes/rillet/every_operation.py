"""Calls of every operation of the Rillet fake, with every field that its requests may have."""

from collections.abc import Iterator

from tests.fakes.rillet.support import (
    ADDRESS,
    BANK_ACCOUNT,
    CUSTOMER,
    PRODUCT,
    SUBSIDIARY,
    UNKNOWN_ID,
    Json,
    Rillet,
    application,
    credit_memo,
    full_invoice,
    full_item,
    money,
    payment,
    recorded_invoice,
    recorded_item,
    reference,
    tax_rate,
)

PRICES: list[Json] = [
    {"type": "ONE_TIME", "amount": money("0.00")},
    {"type": "FIXED_RECURRING", "amount": money("9.99"), "interval_months": 12},
    {
        "type": "USAGE",
        "interval_months": 1,
        "billing_scheme": {"type": "PER_UNIT", "amount": money("0.001"), "units": 1},
    },
    *[
        {
            "type": "USAGE",
            "interval_months": 1,
            "billing_scheme": {
                "type": "TIERED",
                "mode": mode,
                "tiers": [
                    {"up_to": 10, "flat_price": money("5"), "per_unit_price": money("0.1")},
                    {"up_to": 99, "per_unit_price": money("1")},
                ],
            },
        }
        for mode in ("METERED", "GRADUATED")
    ],
]
"""Every kind of price."""


def customer_requests() -> Iterator[Json]:
    yield {"name": "Carol"}
    yield {
        "name": "Dave",
        "name_on_invoice": "Dave Ltd",
        "address": ADDRESS | {"line2": "2nd floor"},
        "shipping_address": ADDRESS,
        "emails": [{"email": "d@example.com", "type": kind} for kind in ("MAIN_SENDER", "CC", "BCC")],
        "external_references": [reference("cust_1", "solvimon_customer_id") | {"url": "https://e.example/1"}],
        "payment_terms": 14,
        "send_invoices_automatically": True,
        "send_payment_reminders": True,
        "fields": [{"field_id": UNKNOWN_ID, "field_value_id": UNKNOWN_ID}],
    }


def product_requests() -> Iterator[Json]:
    for price in PRICES:
        yield {
            "name": "Product",
            "description": "",
            "price": price,
            "include_in_arr_mrr": True,
            "revenue_pattern": "EVEN_PERIOD",
            "account_code": "40000",
            "external_references": [reference("prod_1")],
        }


def invoice_requests() -> Iterator[Json]:
    revenue = {
        "period": {"start": "2026-02-01", "end": "2026-02-28"},
        "pattern": "DAILY",
        "account_code": "1",
    }
    rate = {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-03-01"}
    discounted = full_item("10.0055", 2.5, revenue=revenue, tax_rate=tax_rate(9, tax_amount=money("2.00")))
    assignments = [{"field_id": UNKNOWN_ID, "field_value_id": UNKNOWN_ID}]
    discounted["price"]["discount"] = {"type": "PERCENTAGE", "percentage_off": 10}
    yield full_invoice()
    yield full_invoice(
        discounted,
        full_item("-5", fields=assignments, tax_rate=tax_rate(0)),
        scope="FULL",
        subsidiary_id=SUBSIDIARY,
        due_date="2026-03-31",
        purchase_order_number="PO-1",
        memo="Line one\nLine two",
        bank_account_id=BANK_ACCOUNT,
        exchange_rate=rate,
        external_references=[reference("invo_1")],
    )
    item = recorded_item(
        "5.00", tax_amount=money("1.05"), revenue=revenue, external_references=[reference("1")]
    )
    yield recorded_invoice(item, exchange_rate=rate, due_date="2026-03-31")
    yield recorded_invoice(scope="AR_ONLY", tax_amount=money("21.00"))


def credit_memo_requests() -> Iterator[Json]:
    item = full_item("10.0055", 0.5, revenue={"pattern": "DAILY"}, tax_rate=tax_rate(9))
    yield credit_memo(item, full_item("40.00", 3))
    yield credit_memo(
        full_item("500.00", fields=[{"field_id": UNKNOWN_ID, "field_value_id": UNKNOWN_ID}]),
        credit_memo_number="CRE-2026-03-000001",
        subsidiary_id=SUBSIDIARY,
        exchange_rate={"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-03-01"},
        external_references=[reference("invo_credit")],
    )


REQUESTS = {"/customers": customer_requests, "/products": product_requests, "/invoices": invoice_requests}


def call_every_operation(rillet: Rillet) -> None:
    """Create, replace, read and delete every kind of object."""
    rillet.get("/books/periods/last-closed")
    rillet.organisation.close_period("2026-01-01", "2026-01-31")
    fields = [{"name": "Team", "values": [{"id": UNKNOWN_ID, "name": "A", "deactivated": False}]}]
    rillet.state.load({"organization": {"id": rillet.organisation.id}, "fields": fields})
    for path, bodies in REQUESTS.items():
        for body in bodies():
            created = rillet.create(path, body)
            if path != "/invoices":
                rillet.call("PUT", f"{path}/{created['id']}", body)
            rillet.get(f"{path}/{created['id']}")
    invoice = next(iter(rillet.organisation.invoices)).id
    credit_and_pay(rillet)
    read_every_resource(rillet)
    for sent in (True, False):
        rillet.call("PUT", f"/invoices/{invoice}/sent-status", {"sent": sent})
    rillet.call("DELETE", f"/invoices/{invoice}")


def credit_and_pay(rillet: Rillet) -> None:
    """Use every operation that credits, pays or replaces."""
    full = rillet.create("/invoices", full_invoice(full_item("100.00")))
    recorded = rillet.create("/invoices", recorded_invoice())
    for body in credit_memo_requests():
        memo = rillet.create("/credit-memos", body)
        path = f"/credit-memos/{memo['id']}"
        rillet.get(path)
        applications = [application(full, "40.00"), application(recorded, "10.00")]
        rillet.create(f"{path}/applications", {"applications": applications})
        rillet.call("DELETE", f"{path}/applications")
        update = {name: body[name] for name in ("items", "credit_memo_date")}
        rillet.call("PUT", path, update | {"external_references": [reference("invo_credit")]})
    rillet.get("/credit-memos", limit="1")
    rillet.call("DELETE", path)
    paid = rillet.create(f"/invoices/{full['id']}/payments", payment("40.00"))
    rillet.get(f"/invoices/{full['id']}/payments")
    rillet.get("/invoice-payments")
    rillet.call("PUT", f"/invoices/{full['id']}/payments/{paid['id']}", payment("30.00"))
    rillet.call("DELETE", f"/invoices/{full['id']}/payments/{paid['id']}")
    update = {"invoice_date": "2026-03-02", "items": [full_item()], "bank_account_id": BANK_ACCOUNT}
    rillet.call("PUT", f"/invoices/{full['id']}", update)
    items = [{"id": item["id"], "description": "Renamed"} for item in recorded["items"]]
    update = {"scope": "REVENUE_RECOGNITION_ONLY", "invoice_date": "2026-03-02", "items": items}
    rillet.call("PUT", f"/invoices/{recorded['id']}", update)


def read_every_resource(rillet: Rillet) -> None:
    for path in (
        *("/health", "/api-key", "/organizations/self", "/subsidiaries", f"/subsidiaries/{SUBSIDIARY}"),
        *("/customers", "/customers?limit=1", f"/customers/{CUSTOMER}", "/products", f"/products/{PRODUCT}"),
        *("/invoices", "/invoices?limit=1", "/books/periods/last-closed"),
        *("/tax-rates", "/accounts", "/fields", "/bank-accounts"),
    ):
        assert rillet.get(path).status_code == 200, path


def send_refused_requests(rillet: Rillet) -> None:
    for response in (
        rillet.get("/customers", limit="0"),
        rillet.get(f"/subsidiaries/{UNKNOWN_ID}"),
        rillet.get(f"/invoices/{UNKNOWN_ID}"),
        rillet.call("GET", "/customers", api_key="unknown"),
        rillet.call("GET", "/customers", headers={"X-Rillet-API-Version": "3"}),
        rillet.call("POST", "/customers", {"name": "x"}, api_key="read-only-key"),
        rillet.post("/customers", {}),
        rillet.post("/products", {}),
        rillet.post("/invoices", {}),
        rillet.post("/invoices", full_invoice(customer_id=UNKNOWN_ID)),
        rillet.post("/invoices", full_invoice(external_references=[reference("1", "unknown")])),
    ):
        assert response.status_code >= 400
