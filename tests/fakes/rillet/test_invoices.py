"""Invoices of the Rillet fake: numbers, answers, totals, periods, listing."""

import pytest

from tests.fakes.rillet.support import (
    ADDRESS,
    BANK_ACCOUNT,
    CUSTOMER,
    SECOND_SUBSIDIARY,
    SUBSIDIARY,
    UNKNOWN_ID,
    Json,
    Rillet,
    full_invoice,
    full_item,
    money,
    recorded_invoice,
    recorded_item,
    reference,
    refusal,
    refused_fields,
    tax_rate,
)

RECORDED = ["REVENUE_RECOGNITION_ONLY", "AR_ONLY"]


def amounts(document: Json, *names: str) -> list[str]:
    return [document[name]["amount"] for name in names]


def test_a_full_invoice_gets_a_number_of_rillets_own_series(rillet: Rillet) -> None:
    sent = full_invoice(invoice_number="S-1001")

    numbers = [rillet.create("/invoices", sent)["invoice_number"] for _ in range(2)]

    assert numbers == ["INV-0001", "INV-0002"]


def test_a_full_invoice_keeps_the_callers_number_when_the_switch_says_so(rillet: Rillet) -> None:
    rillet.organisation.switches.set(full_scope_number="kept")

    kept = rillet.create("/invoices", full_invoice(invoice_number="S-1001"))
    assigned = rillet.create("/invoices", full_invoice())

    assert (kept["invoice_number"], assigned["invoice_number"]) == ("S-1001", "INV-0001")


def test_a_full_invoice_with_a_number_is_refused_when_the_switch_says_so(rillet: Rillet) -> None:
    rillet.organisation.switches.set(full_scope_number="refused")

    assert refused_fields(rillet, full_invoice(invoice_number="S-1001")) == ["invoice_number"]
    assert rillet.create("/invoices", full_invoice())["invoice_number"] == "INV-0001"


def test_a_switch_that_does_not_exist_is_refused(rillet: Rillet) -> None:
    with pytest.raises(ValueError, match="no switch"):
        rillet.organisation.switches.set(full_scope_numbers="kept")


def test_the_answer_has_all_fields_that_the_request_gave(rillet: Rillet) -> None:
    rate = {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-03-01"}
    item = full_item(
        revenue={
            "period": {"start": "2026-02-01", "end": "2026-02-28"},
            "pattern": "EVEN_PERIOD",
            "account_code": "40999",
        },
        fields=[{"field_id": UNKNOWN_ID, "field_value_id": UNKNOWN_ID}],
    )

    created = rillet.create(
        "/invoices",
        full_invoice(
            item,
            due_date="2026-03-31",
            subsidiary_id=SECOND_SUBSIDIARY,
            purchase_order_number="PO-7",
            memo="Thank you",
            bank_account_id=BANK_ACCOUNT,
            exchange_rate=rate,
            external_references=[reference("invo_1")],
        ),
    )

    assert created["subsidiary_id"] == SECOND_SUBSIDIARY
    assert (created["invoice_date"], created["due_date"]) == ("2026-03-01", "2026-03-31")
    assert created["payment_terms"] == 30
    assert (created["purchase_order_number"], created["memo"]) == ("PO-7", "Thank you")
    assert created["bank_account"]["bank_name"] == "First Bank"
    assert created["exchange_rate"] == rate
    assert created["external_references"] == [reference("invo_1")]
    assert created["customer_address"] == ADDRESS
    assert created["status"] == "UNPAID"
    assert created["updated_at"].endswith("Z")
    assert created["items"][0]["revenue"] == item["revenue"]
    assert created["items"][0]["fields"] == item["fields"]
    assert rillet.get(f"/invoices/{created['id']}").json() == created


def test_what_is_left_out_has_the_documented_defaults(rillet: Rillet) -> None:
    created = rillet.create("/invoices", full_invoice())

    assert created["subsidiary_id"] == SUBSIDIARY
    assert created["due_date"] == created["invoice_date"]
    assert created["items"][0]["revenue"] == {
        "period": {"start": "2026-03-01", "end": "2026-03-01"},
        "pattern": "DAILY",
        "account_code": "40100",
    }


def test_full_totals_add_up_line_by_line(rillet: Rillet) -> None:
    items = [
        full_item("33.333", 3, tax_rate=tax_rate(21)),
        full_item("-10.005", tax_rate=tax_rate(9)),
        full_item("5.00", 0.5, tax_rate=tax_rate(21, tax_amount=money("0.50"))),
    ]

    created = rillet.create("/invoices", full_invoice(*items))

    assert [amounts(item, "total_amount", "taxed_amount") for item in created["items"]] == [
        ["100.00", "21.00"],
        ["-10.01", "-0.90"],
        ["2.50", "0.50"],
    ]
    assert amounts(created, "subtotal", "net_amount", "taxed_amount", "total", "amount_due") == [
        "92.49",
        "92.49",
        "20.60",
        "113.09",
        "113.09",
    ]


@pytest.mark.parametrize(
    "discount",
    [
        {"type": "AMOUNT", "amount_off": money("20.00")},
        {"amount_off": money("20.00")},
        {"type": "PERCENTAGE", "percentage_off": 10},
    ],
)
def test_a_discount_comes_off_before_tax(rillet: Rillet, discount: Json) -> None:
    item = full_item("100.00", 2, tax_rate=tax_rate(10))
    item["price"]["discount"] = discount

    created = rillet.create("/invoices", full_invoice(item))

    names = ("subtotal", "total_discount", "net_amount", "taxed_amount", "total")
    assert amounts(created, *names) == ["200.00", "20.00", "180.00", "18.00", "198.00"]


@pytest.mark.parametrize(
    ("currency", "unit", "total"),
    [("JPY", "1000.5", "1001"), ("BHD", "1.0005", "1.001"), ("USD", "0.005", "0.01")],
)
def test_totals_have_the_currencys_own_decimals(rillet: Rillet, currency: str, unit: str, total: str) -> None:
    created = rillet.create("/invoices", full_invoice(full_item(unit, currency=currency)))

    assert created["total"] == money(total, currency)


def test_a_recorded_invoice_keeps_its_number_and_its_net_lines(rillet: Rillet) -> None:
    item = recorded_item("39.80", quantity=4, external_references=[reference("line_1")])

    created = rillet.create("/invoices", recorded_invoice(item, tax_amount=money("3.28")))

    assert created["invoice_number"] == "S-1001"
    assert created["external_references"] == [reference("invo_1")]
    assert created["items"][0]["external_references"] == [reference("line_1")]
    assert created["items"][0]["gross_rate"] == money("9.95")
    assert amounts(created, "net_amount", "taxed_amount", "total") == ["39.80", "3.28", "43.08"]


def test_tax_of_recorded_lines_wins_over_the_headers(rillet: Rillet) -> None:
    item = recorded_item("100.00", tax_amount=money("21.00"))

    created = rillet.create("/invoices", recorded_invoice(item, tax_amount=money("5.00")))

    assert amounts(created, "taxed_amount", "total") == ["21.00", "121.00"]


def test_recorded_scopes_drop_what_they_do_not_know(rillet: Rillet) -> None:
    rate = {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-03-01"}
    sent = {"memo": "Hello", "purchase_order_number": "PO-1", "exchange_rate": rate}

    revenue_only, ar_only = (
        rillet.create("/invoices", recorded_invoice(scope=scope, **sent)) for scope in RECORDED
    )

    assert revenue_only["exchange_rate"] == rate
    assert "exchange_rate" not in ar_only
    assert not {"memo", "purchase_order_number"} & (revenue_only.keys() | ar_only.keys())


def test_the_scope_is_remembered_although_no_answer_shows_it(rillet: Rillet) -> None:
    invoice_id = rillet.create("/invoices", recorded_invoice(scope="AR_ONLY"))["id"]

    assert rillet.organisation.invoices.get(invoice_id).private == {"scope": "AR_ONLY"}


def test_duplicate_numbers_follow_the_switch(rillet: Rillet) -> None:
    rillet.create("/invoices", recorded_invoice())
    rillet.create("/invoices", recorded_invoice())
    rillet.organisation.switches.duplicate_numbers = "refuse"

    problem = refusal(rillet, recorded_invoice())

    assert problem["detail"] == 'Invoice number "S-1001" already exists'


@pytest.mark.parametrize("day", ["2026-02-28", "2025-11-30"])
def test_a_date_in_a_closed_period_is_refused(rillet: Rillet, day: str) -> None:
    rillet.organisation.close_period("2026-02-01", "2026-02-28")

    problem = refusal(rillet, full_invoice(invoice_date=day))

    assert problem["detail"] == f"The accounting period of {day} is closed"
    assert rillet.create("/invoices", full_invoice(invoice_date="2026-03-01"))


def test_a_closed_period_takes_documents_when_the_switch_says_so(rillet: Rillet) -> None:
    rillet.organisation.close_period("2026-03-01", "2026-03-31")
    rillet.organisation.switches.closed_period_policy = "accept"

    created = rillet.create("/invoices", full_invoice())

    assert rillet.call("DELETE", f"/invoices/{created['id']}").status_code == 204


def test_an_invoice_is_deleted_for_good_unless_its_period_is_closed(rillet: Rillet) -> None:
    first, second = (rillet.create("/invoices", full_invoice())["id"] for _ in range(2))

    deleted = rillet.call("DELETE", f"/invoices/{first}")
    rillet.organisation.close_period("2026-03-01", "2026-03-31")
    kept = rillet.call("DELETE", f"/invoices/{second}")

    assert deleted.status_code == 204
    assert rillet.get(f"/invoices/{first}").status_code == 404
    assert rillet.call("DELETE", f"/invoices/{first}").status_code == 404
    assert kept.status_code == 400


def test_invoices_are_listed_by_each_filter(rillet: Rillet) -> None:
    other = rillet.create("/customers", {"name": "Carol"})["id"]
    first = rillet.create("/invoices", full_invoice(due_date="2026-03-20"))
    rillet.clock.advance(1)
    second = rillet.create(
        "/invoices",
        full_invoice(customer_id=other, subsidiary_id=SECOND_SUBSIDIARY, due_date="2026-03-09"),
    )
    rillet.organisation.invoices.get(second["id"]).document["status"] = "PARTIALLY_PAID"

    def listed(**query: str) -> list[str]:
        return [invoice["id"] for invoice in rillet.get("/invoices", **query).json()["invoices"]]

    assert listed() == [second["id"], first["id"]]
    assert listed(customer_id=CUSTOMER) == [first["id"]]
    assert listed(subsidiary_id=SECOND_SUBSIDIARY) == [second["id"]]
    assert listed(status="UNPAID") == [first["id"]]
    assert listed(overdue="true") == [second["id"]]
    assert listed(overdue="false") == [first["id"]]
    assert listed(**{"updated.gt": first["updated_at"]}) == [second["id"]]


@pytest.mark.parametrize(
    "query", [{"customer_id": "cust_1"}, {"overdue": "maybe"}, {"status": "OPEN"}, {"updated.gt": "now"}]
)
def test_a_wrong_filter_is_refused(rillet: Rillet, query: dict[str, str]) -> None:
    assert rillet.get("/invoices", **query).status_code == 400


def test_an_invoice_becomes_overdue_the_day_after_its_due_date_in_the_organisations_zone(
    rillet: Rillet,
) -> None:
    created = rillet.create("/invoices", full_invoice(due_date="2026-03-10"))
    rillet.clock.advance(11 * 60 * 60)

    after_midnight_in_amsterdam = rillet.get(f"/invoices/{created['id']}").json()

    assert created["overdue"] is False
    assert after_midnight_in_amsterdam["overdue"] is True


def test_only_a_full_invoice_is_mailed_to_a_customer_who_wants_it(rillet: Rillet) -> None:
    customer = rillet.create(
        "/customers",
        {
            "name": "Carol",
            "send_invoices_automatically": True,
            "emails": [{"email": "carol@example.com", "type": "MAIN_SENDER"}],
        },
    )["id"]

    mailed = rillet.create("/invoices", full_invoice(customer_id=customer))
    later = rillet.create("/invoices", full_invoice(customer_id=customer, invoice_date="2026-04-01"))
    recorded = rillet.create("/invoices", recorded_invoice(customer_id=customer))
    unwanted = rillet.create("/invoices", full_invoice())

    assert [(sent.invoice_id, sent.emails) for sent in rillet.organisation.sent_invoices] == [
        (mailed["id"], ["carol@example.com"])
    ]
    assert mailed["sent_at"] == "2026-03-10T12:00:00.000000Z"
    assert not any("sent_at" in invoice for invoice in (later, recorded, unwanted))
