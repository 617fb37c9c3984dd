"""Invoices of the Rillet fake: numbers, answers, totals, periods, deletion, mail."""

import pytest

from tests.fakes.rillet.support import (
    ADDRESS,
    BANK_ACCOUNT,
    RECORDED,
    SECOND_SUBSIDIARY,
    SUBSIDIARY,
    UNKNOWN_ID,
    Json,
    Rillet,
    fields_of,
    full_invoice,
    full_item,
    kind_of,
    money,
    recorded_invoice,
    recorded_item,
    reference,
    tax_rate,
)

RATE = {"base": "EUR", "target": "USD", "rate": "1.25", "date": "2026-03-01"}


def amounts(document: Json, *names: str) -> list[str]:
    return [document[name]["amount"] for name in names]


@pytest.mark.parametrize(
    ("switch", "numbers"),
    [("assigned", ["INV-0001", "INV-0002", "INV-0003"]), ("kept", ["S-1001", "S-1001", "INV-0001"])],
)
def test_whose_number_a_full_invoice_has_is_a_switch(rillet: Rillet, switch: str, numbers: list[str]) -> None:
    rillet.switch(full_scope_number=switch)

    created = [*(rillet.invoice(invoice_number="S-1001") for _ in range(2)), rillet.invoice()]

    assert [invoice["invoice_number"] for invoice in created] == numbers


def test_a_full_invoice_with_a_number_is_refused_when_the_switch_says_so(rillet: Rillet) -> None:
    rillet.switch(full_scope_number="refused")

    assert fields_of(rillet.post("/invoices", full_invoice(invoice_number="S-1001"))) == ["invoice_number"]
    assert rillet.invoices() == 0
    assert rillet.invoice()["invoice_number"] == "INV-0001"


def test_a_switch_that_does_not_exist_is_refused(rillet: Rillet) -> None:
    with pytest.raises(ValueError, match="no switch"):
        rillet.switch(full_scope_numbers="kept")
    with pytest.raises(ValueError, match="token_form cannot be 'hex'; it can be 'base64', 'text'"):
        rillet.switch(token_form="hex")
    with pytest.raises(ValueError, match="colour"):
        rillet.state.load({"organization": {"switches": {"colour": "blue"}}})


def test_the_answer_has_all_fields_that_the_request_gave(rillet: Rillet) -> None:
    period = {"start": "2026-02-01", "end": "2026-02-28"}
    item = full_item(
        revenue={"period": period, "pattern": "EVEN_PERIOD", "account_code": "40999"},
        fields=[{"field_id": UNKNOWN_ID, "field_value_id": UNKNOWN_ID}],
    )
    header = {
        "invoice_date": "2026-03-01",
        "due_date": "2026-03-31",
        "subsidiary_id": SECOND_SUBSIDIARY,
        "purchase_order_number": "PO-7",
        "memo": "Thank you",
        "exchange_rate": RATE,
        "external_references": [reference("invo_1")],
    }

    created = rillet.invoice(item, bank_account_id=BANK_ACCOUNT, **header)

    assert created.items() >= header.items()
    assert (created["payment_terms"], created["status"]) == (30, "UNBILLED")
    assert created["bank_account"]["bank_name"] == "First Bank"
    assert created["customer_address"] == ADDRESS
    assert created["updated_at"].endswith("Z")
    assert created["items"][0].items() >= {name: item[name] for name in ("revenue", "fields")}.items()
    assert rillet.read(f"/invoices/{created['id']}") == created


def test_the_answer_has_neither_scope_nor_tax_rate_nor_discount_nor_unrounded_price(rillet: Rillet) -> None:
    item = full_item("10.00555", tax_rate=tax_rate())
    item["price"]["discount"] = {"type": "AMOUNT", "amount_off": money("1.00")}

    created = rillet.invoice(item, scope="FULL")

    assert "scope" not in created
    assert not {"tax_rate", "price", "discount", "amount_per_unit"} & created["items"][0].keys()
    assert created["items"][0]["gross_rate"] == money("10.01")


def test_what_is_left_out_has_the_documented_defaults(rillet: Rillet) -> None:
    created = rillet.invoice()

    assert created["subsidiary_id"] == SUBSIDIARY
    assert created["due_date"] == created["invoice_date"]
    assert created["items"][0]["revenue"] == {
        "period": {"start": "2026-03-01", "end": "2026-03-01"},
        "pattern": "DAILY",
        "account_code": "40100",
    }


def test_full_totals_add_up_line_by_line(rillet: Rillet) -> None:
    created = rillet.invoice(
        full_item("33.333", 3, tax_rate=tax_rate(21)),
        full_item("-10.005", tax_rate=tax_rate(9)),
        full_item("5.00", 0.5, tax_rate=tax_rate(21, tax_amount=money("0.50"))),
    )

    assert [amounts(item, "total_amount", "taxed_amount") for item in created["items"]] == [
        ["100.00", "21.00"],
        ["-10.01", "-0.90"],
        ["2.50", "0.50"],
    ]
    totals = ("subtotal", "net_amount", "taxed_amount", "total", "amount_due")
    assert amounts(created, *totals) == ["92.49", "92.49", "20.60", "113.09", "113.09"]


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

    created = rillet.invoice(item)

    names = ("subtotal", "total_discount", "net_amount", "taxed_amount", "total")
    assert amounts(created, *names) == ["200.00", "20.00", "180.00", "18.00", "198.00"]


@pytest.mark.parametrize(
    ("currency", "unit", "total"),
    [("JPY", "1000.5", "1001"), ("BHD", "1.0005", "1.001"), ("USD", "0.005", "0.01")],
)
def test_totals_have_the_currencys_own_decimals(rillet: Rillet, currency: str, unit: str, total: str) -> None:
    assert rillet.invoice(full_item(unit, currency=currency))["total"] == money(total, currency)


@pytest.mark.parametrize(
    ("sent", "currency", "strict", "total"),
    [
        ("10.00", "EUR", True, "10.00"),
        ("-5.00", "EUR", True, "-5.00"),
        ("10", "JPY", True, "10"),
        ("10.000", "BHD", True, "10.000"),
        ("10", "EUR", False, "10.00"),
    ],
)
def test_recorded_amounts_have_the_currencys_decimals_or_fewer_where_the_scale_is_not_strict(
    rillet: Rillet, sent: str, currency: str, strict: bool, total: str
) -> None:
    rillet.switch(strict_scale=strict)
    too_fine = recorded_invoice(recorded_item("10.0005", currency))

    assert rillet.recorded(recorded_item(sent, currency))["total"] == money(total, currency)
    assert fields_of(rillet.post("/invoices", too_fine)) == ["items[0].total_amount"]


def test_a_full_quantity_has_no_bound_and_comes_back_as_sent(rillet: Rillet) -> None:
    quantities = [0, -1, 0.00001, 2.5]

    created = rillet.invoice(*(full_item("10.00", quantity) for quantity in quantities))

    assert [item["quantity"] for item in created["items"]] == quantities


def test_a_recorded_invoice_keeps_its_number_and_its_net_lines(rillet: Rillet) -> None:
    item = recorded_item("39.80", quantity=4, external_references=[reference("line_1")])

    created = rillet.recorded(item, tax_amount=money("3.28"))

    assert created["invoice_number"] == "S-1001"
    assert created["external_references"] == [reference("invo_1")]
    assert created["items"][0]["external_references"] == [reference("line_1")]
    assert created["items"][0]["gross_rate"] == money("9.95")
    assert amounts(created, "net_amount", "taxed_amount", "total") == ["39.80", "3.28", "43.08"]


def test_tax_of_recorded_lines_wins_over_the_headers(rillet: Rillet) -> None:
    item = recorded_item("100.00", tax_amount=money("21.00"))

    created = rillet.recorded(item, tax_amount=money("5.00"))

    assert amounts(created, "taxed_amount", "total") == ["21.00", "121.00"]


@pytest.mark.parametrize(
    ("scope", "kept"), [("REVENUE_RECOGNITION_ONLY", {"exchange_rate": RATE}), ("AR_ONLY", {})]
)
def test_recorded_scopes_drop_the_fields_they_do_not_have(rillet: Rillet, scope: str, kept: Json) -> None:
    sent = {"memo": "Hello", "purchase_order_number": "PO-1", "exchange_rate": RATE}

    created = rillet.recorded(scope=scope, **sent)

    assert {name: created[name] for name in sent.keys() & created.keys()} == kept
    assert rillet.organisation.invoices.get(created["id"]).private == {"scope": scope, "is_sent": True}


def test_references_that_the_rules_allow_are_kept(rillet: Rillet) -> None:
    custom = reference("1", "CUSTOMER_CUSTOM") | {"url": "https://desk.example.com/1"}

    created = rillet.invoice(external_references=[custom])

    assert created["external_references"] == [custom]
    assert rillet.recorded(recorded_item(external_references=[reference("1", "restricted_id")]))


@pytest.mark.parametrize("scope", RECORDED)
def test_a_rev_rec_organisation_needs_references_on_header_and_lines(rillet: Rillet, scope: str) -> None:
    rillet.switch(rev_rec=True)
    referenced = recorded_item(external_references=[reference("line_1")])
    unaccepted = recorded_item(external_references=[reference("line_1", "not_for_rev_rec")])

    for item in (recorded_item(), unaccepted):
        refused = rillet.post("/invoices", recorded_invoice(referenced, item, scope=scope))
        assert kind_of(refused) == "external_reference_required"

    assert rillet.recorded(referenced, scope=scope)
    assert rillet.invoice()


@pytest.mark.parametrize(
    ("on_header", "on_line", "accepted"),
    [
        ("CUSTOMER_CUSTOM", "CUSTOMER_HISTORICAL", True),
        ("CUSTOMER_HISTORICAL", "CUSTOMER_HISTORICAL", True),
        ("solvimon_customer_id", "CUSTOMER_HISTORICAL", False),
        ("CUSTOMER_CUSTOM", "solvimon_customer_id", False),
    ],
)
def test_a_slug_of_its_own_does_not_satisfy_a_rev_rec_organisation(
    rillet: Rillet, on_header: str, on_line: str, accepted: bool
) -> None:
    rillet.switch(rev_rec=True)
    url = {"url": "https://desk.example.com/1"}
    item = recorded_item(external_references=[reference("line_1", on_line) | url])

    answer = rillet.post(
        "/invoices", recorded_invoice(item, external_references=[reference("1", on_header) | url])
    )

    assert (answer.status_code == 200) == accepted, answer.text


def test_duplicate_numbers_follow_the_switch(rillet: Rillet) -> None:
    rillet.recorded()
    rillet.recorded()
    rillet.switch(duplicate_numbers="refuse")

    refused = rillet.post("/invoices", recorded_invoice())

    assert kind_of(refused) == "invoice_number_already_exists"
    assert refused.json()["detail"] == 'Invoice number "S-1001" already exists'


def test_a_closed_period_takes_documents_when_the_switch_says_so(rillet: Rillet) -> None:
    rillet.organisation.close_period("2026-02-01", "2026-02-28")
    assert rillet.invoice(invoice_date="2026-03-01")
    rillet.organisation.close_period("2026-03-01", "2026-03-31")
    rillet.switch(closed_period_policy="accept")

    created = rillet.invoice()

    assert rillet.delete(f"/invoices/{created['id']}").status_code == 204


def test_an_invoice_is_deleted_for_good_unless_its_period_is_closed(rillet: Rillet) -> None:
    first, second = (f"/invoices/{rillet.invoice()['id']}" for _ in range(2))

    deleted = rillet.delete(first)
    rillet.organisation.close_period("2026-03-01", "2026-03-31")

    assert deleted.status_code == 204
    assert rillet.get(first).status_code == rillet.delete(first).status_code == 404
    assert kind_of(rillet.delete(second)) == "period_closed"


def test_only_a_full_invoice_is_mailed_to_a_customer_with_automatic_sending(rillet: Rillet) -> None:
    emails = [{"email": "carol@example.com", "type": "MAIN_SENDER"}]
    body = {"name": "Carol", "send_invoices_automatically": True, "emails": emails}
    customer = rillet.create("/customers", body)["id"]

    mailed = rillet.invoice(customer_id=customer)
    later = rillet.invoice(customer_id=customer, invoice_date="2026-04-01")
    others = [later, rillet.recorded(customer_id=customer), rillet.invoice()]

    assert [(sent.invoice_id, sent.emails) for sent in rillet.organisation.sent_invoices] == [
        (mailed["id"], ["carol@example.com"])
    ]
    assert mailed["sent_at"] == "2026-03-10T12:00:00.000000Z"
    assert not any("sent_at" in invoice for invoice in others)
    assert (mailed["status"], later["status"]) == ("UNPAID", "UNBILLED")


@pytest.mark.parametrize(
    ("make", "when_new"), [("invoice", "UNBILLED"), ("recorded", "UNPAID")], ids=["full", "recorded"]
)
def test_a_full_invoice_is_unbilled_until_it_is_marked_as_sent(
    rillet: Rillet, make: str, when_new: str
) -> None:
    path = f"/invoices/{getattr(rillet, make)()['id']}"
    found = [rillet.read(path)]

    for sent in (True, True, False):
        answer = rillet.put(f"{path}/sent-status", {"sent": sent})
        assert (answer.status_code, answer.content) == (200, b"")
        found.append(rillet.read(path))

    assert [each["status"] for each in found] == [when_new, "UNPAID", "UNPAID", "UNBILLED"]
    assert found[1] == found[2], "a repetition changes nothing"
    assert not any("sent_at" in each for each in found), "Rillet itself has not sent it"


def test_only_a_change_of_the_sent_status_is_announced(rillet: Rillet) -> None:
    path = f"/invoices/{rillet.invoice()['id']}/sent-status"

    for _ in range(2):
        rillet.put(path, {"sent": True})

    [event] = rillet.organisation.announced("invoice-updated")
    assert event.document["status"] == "UNPAID"


def test_a_payment_wins_over_the_sent_status(rillet: Rillet) -> None:
    invoice = rillet.invoice()
    rillet.organisation.pay(invoice["id"], "40.00")

    rillet.put(f"/invoices/{invoice['id']}/sent-status", {"sent": True})

    assert rillet.read(f"/invoices/{invoice['id']}")["status"] == "PARTIALLY_PAID"


@pytest.mark.parametrize("body", [{}, {"sent": None}, {"sent": "true"}, {"sent_at": True}])
def test_a_sent_status_that_is_no_boolean_is_refused(rillet: Rillet, body: Json) -> None:
    path = f"/invoices/{rillet.invoice()['id']}"

    refused = rillet.put(f"{path}/sent-status", body)

    assert fields_of(refused) == ["sent"]
    assert rillet.read(path)["status"] == "UNBILLED"


def test_the_sent_status_of_an_unknown_invoice_is_a_404(rillet: Rillet) -> None:
    assert rillet.put(f"/invoices/{UNKNOWN_ID}/sent-status", {"sent": True}).status_code == 404
