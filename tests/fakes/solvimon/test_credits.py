"""The Solvimon fake's credit notes of an invoice, whole or in part, and its one-offs."""

import json
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest

from local.fake_solvimon.errors import ApiProblem
from local.sample_data import credits_to_expect, expected, invoice_id
from local.sample_data.identity import solvimon_id
from tests.fakes.solvimon.support import (
    Json,
    Solvimon,
    cent,
    check_sums,
    figures,
    line,
    money,
    one_off,
    total,
)
from tests.fakes.support import SAMPLES, Receiver

FIRST, USAGE, YEN = (invoice_id(name) for name in ("first", "usage-tiers", "yen"))
EACH = [entry["name"] for entry in expected().values()]


def orders(invoice: Json) -> list[tuple[int, int, int]]:
    return [
        (period["period_order"], group["group_order"], line["line_order"])
        for period in invoice["periods"]
        for group in period["groups"]
        for line in group["lines"]
    ]


def shape(value: object) -> object:
    """Return what a document is made of, without its values."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


@pytest.mark.parametrize("name", EACH)
def test_a_whole_credit_has_every_amount_of_the_original_with_the_other_sign(
    solvimon: Solvimon, name: str
) -> None:
    original = solvimon.platform.finalise(invoice_id(name))

    negative = solvimon.platform.credit(original["id"])
    positive = solvimon.platform.credit(original["id"], sign="positive")

    assert figures(positive) == figures(original)
    assert [Decimal(x) for x in figures(negative)] == [-Decimal(x) for x in figures(original)]
    assert "-0" not in {text.rstrip("0").rstrip(".") for text in figures(negative)}
    for period, credited in zip(original["periods"], positive["periods"], strict=True):
        for group, same in zip(period["groups"], credited["groups"], strict=True):
            same["lines"] = [
                line | {"id": o["id"]} for line, o in zip(same["lines"], group["lines"], strict=True)
            ]
        assert credited == period
    check_sums(negative)
    assert solvimon.get(f"/invoices/{negative['id']}").json() == negative


def test_a_credit_note_says_what_it_credits(solvimon: Solvimon) -> None:
    original = solvimon.platform.finalise(FIRST)

    note = solvimon.platform.credit(FIRST)

    assert (note["type"], note["status"], note["billing_type"]) == ("CREDIT", "FINAL", "DEFAULT")
    assert note["invoice_number"] == "CRE-2026-11-000001"
    assert note["credit"] == {
        "original_invoice_id": FIRST,
        "original_invoice_info": {"id": FIRST, "invoice_number": original["invoice_number"]},
        "note": "Billing error",
        "credit_details_source": "CURRENT",
    }
    [link] = note["linked_invoices"]
    assert (link["id"], link["amount"]) == (FIRST, money("6745.75"))
    assert note["invoice_date"] == note["updated_to_final_at"] == "2026-11-03T12:00:00Z"
    assert (note["paid"], note["payment_status"]) == (False, "UNPAID")
    assert {value["reference"] for value in note["other_custom_fields"]} == {
        *("rillet_customer_id", "rillet_subsidiary_id")
    }


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples are not in SAMPLES_DIR")
@pytest.mark.parametrize("sign", ["negative", "positive"])
def test_a_credit_note_is_made_like_the_samples(solvimon: Solvimon, sign: str) -> None:
    path = SAMPLES / f"constructed-invoice-credit-{sign}-amounts.json"
    sample = json.loads(path.read_text(encoding="utf-8"))
    solvimon.platform.finalise(FIRST)

    note = solvimon.platform.credit(FIRST, sign=sign)  # type: ignore[arg-type]

    assert set(sample) - set(note) <= {"purchase_order_number"}
    for name in ("credit", "tax_summary", "linked_invoices", "invoice_amount_including_tax"):
        assert shape(note[name]) == shape(sample[name])
    assert figures(note) == figures(sample)
    assert note["paid_invoice_amount"] == sample["paid_invoice_amount"]


def test_the_sign_of_credit_notes_is_a_switch_of_the_platform(solvimon: Solvimon) -> None:
    solvimon.platform.finalise(YEN)

    assert solvimon.post(f"/invoices/{YEN}/credit", {}).json()["open_invoice_amount"]["quantity"] == "-108642"
    solvimon.platform.credit_sign = "positive"

    assert solvimon.post(f"/invoices/{YEN}/credit", {}).json()["open_invoice_amount"]["quantity"] == "108642"


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("share", [Fraction(1, 3), Fraction(9, 10)])
def test_a_share_of_an_invoice_adds_up_on_every_level(solvimon: Solvimon, name: str, share: Fraction) -> None:
    original = solvimon.platform.finalise(invoice_id(name))

    note = solvimon.platform.credit(original["id"], share, sign="positive")

    whole = total(original["periods"])
    assert total(note["periods"]) == (whole * share.numerator / share.denominator).quantize(
        cent(note), ROUND_HALF_UP
    )
    assert orders(note) == orders(original)
    check_sums(note)


def test_a_net_amount_is_spread_over_the_lines(solvimon: Solvimon) -> None:
    solvimon.platform.finalise(FIRST)

    note = solvimon.platform.credit(FIRST, "100.00")

    assert figures(note) == ("-100.00", "-20.99", "-120.99")
    lines = [line for period in note["periods"] for group in period["groups"] for line in group["lines"]]
    assert [line["amount_excluding_tax"]["quantity"] for line in lines] == ["-1.35", "-8.97", "-89.68"]
    assert lines[0]["details"]["amount"] == money("-1.35")


@pytest.mark.parametrize("name", credits_to_expect())
def test_the_demos_credits_have_the_figures_calculated_by_hand(solvimon: Solvimon, name: str) -> None:
    credit = credits_to_expect()[name]
    solvimon.platform.finalise(invoice_id(name))

    note = solvimon.platform.credit(invoice_id(name), credit["amount"], sign="positive")

    assert figures(note) == (credit["net"], credit["tax"], credit["gross"])
    assert note["billing_currency"] == credit["currency"]


def test_a_negative_group_of_the_original_is_negated_like_the_others(solvimon: Solvimon) -> None:
    solvimon.platform.finalise(invoice_id("discount"))

    note = solvimon.platform.credit(invoice_id("discount"))

    signs = {Decimal(g["amount_excluding_tax"]["quantity"]) > 0 for p in note["periods"] for g in p["groups"]}
    assert signs == {True, False}


@pytest.mark.parametrize(
    ("body", "credited", "net"),
    [
        ({"periods": [{"period_order": 2}]}, [(2, 1, 1)], "5000.00"),
        ({"periods": [{"period_order": 2, "amount": money("10.00")}]}, [(2, 1, 1)], "10.00"),
        (
            {"periods": [{"period_order": 1, "groups": [{"group_order": 1, "amount": money("57.50")}]}]},
            [(1, 1, 1), (1, 1, 2)],
            "57.50",
        ),
        (
            {
                "periods": [
                    {
                        "period_order": 1,
                        "amount": money("30.00"),
                        "groups": [
                            {"group_order": 1, "lines": [{"line_order": 2, "amount": money("30.00")}]}
                        ],
                    }
                ]
            },
            [(1, 1, 2)],
            "30.00",
        ),
        ({"periods": [], "note": "All of it"}, [(1, 1, 1), (1, 1, 2), (2, 1, 1)], "5575.00"),
    ],
)
def test_periods_groups_and_lines_of_an_invoice_are_credited_by_call(
    solvimon: Solvimon, body: Json, credited: list[tuple[int, int, int]], net: str
) -> None:
    solvimon.platform.finalise(FIRST)

    note = solvimon.post(f"/invoices/{FIRST}/credit", body).json()

    assert (note["type"], note["status"], "invoice_number" in note) == ("CREDIT", "DRAFT", False)
    assert (orders(note), figures(note)[0]) == (credited, f"-{net}")
    assert note["credit"].get("note") == body.get("note")
    check_sums(note)


def test_groups_alone_do_when_there_is_one_period(solvimon: Solvimon) -> None:
    two_rates = invoice_id("two-rates")
    for identifier in (FIRST, two_rates):
        solvimon.platform.finalise(identifier)
    body = {"groups": [{"group_order": 1, "lines": [{"line_order": 1}]}]}

    assert orders(solvimon.post(f"/invoices/{two_rates}/credit", body).json()) == [(1, 1, 1)]
    assert solvimon.post(f"/invoices/{FIRST}/credit", body).json()["field"] == "groups"


def test_only_final_invoices_can_be_credited_and_no_credit_notes(solvimon: Solvimon) -> None:
    draft = solvimon.post(f"/invoices/{FIRST}/credit", {})
    solvimon.platform.finalise(FIRST)
    note = solvimon.platform.credit(FIRST)

    again = solvimon.post(f"/invoices/{note['id']}/credit", {})

    assert {response.json()["code"] for response in (draft, again)} == {"INVALID_OPERATION"}
    assert solvimon.post("/invoices/invo_none/credit", {}).status_code == 404
    with pytest.raises(ApiProblem):
        solvimon.platform.credit(note["id"])


def test_a_credit_note_names_the_parties_of_now_or_of_then(solvimon: Solvimon) -> None:
    solvimon.platform.finalise(FIRST)
    solvimon.platform.edit_customer("maasvlakte-quay", organization={"legal_name": "Quay N.V."})

    now = solvimon.post(f"/invoices/{FIRST}/credit", {}).json()
    then = solvimon.post(f"/invoices/{FIRST}/credit", {"credit_details_source": "ORIGINAL"}).json()

    assert now["customer"]["organization"]["legal_name"] == "Quay N.V."
    assert then["customer"]["organization"]["legal_name"] == "Maasvlakte Quay Services B.V."
    assert now["credit"]["credit_details_source"] == "CURRENT"


def test_a_credit_can_start_on_hold_and_never_before_its_original(solvimon: Solvimon) -> None:
    solvimon.platform.records["invoices"][FIRST]["invoice_date"] = "2026-12-01T00:00:00Z"
    solvimon.platform.finalise(FIRST)

    note = solvimon.post(
        f"/invoices/{FIRST}/credit", {"force_init_on_hold": True, "delivery_date": "2026-11-30T00:00:00Z"}
    ).json()

    assert (note["on_hold"], note["delivery_date"]) == (True, "2026-11-30T00:00:00Z")
    assert note["invoice_date"] == "2026-12-01T00:00:00Z"


def test_a_credit_note_is_announced_as_an_invoice(solvimon: Solvimon, receiver: Receiver) -> None:
    solvimon.platform.finalise(FIRST)
    solvimon.platform.add_webhook(receiver.url, "secret")
    note = solvimon.platform.credit(FIRST)

    solvimon.platform.deliver_webhooks()

    envelopes = [json.loads(body) for _, body in receiver.received]
    assert [envelope["type"] for envelope in envelopes] == ["INVOICE.CREATED", "INVOICE.STATUS_TO_FINAL"]
    assert {envelope["data"]["type"] for envelope in envelopes} == {"CREDIT"}
    assert envelopes[1]["data"]["invoice_number"] == note["invoice_number"]
    assert "periods" not in envelopes[1]["data"]


def test_the_same_key_makes_one_credit_note(solvimon: Solvimon) -> None:
    solvimon.platform.finalise(FIRST)

    first, second = (solvimon.post(f"/invoices/{FIRST}/credit", {}, key="k") for _ in range(2))

    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.json() == second.json()
    assert len(solvimon.platform.records["invoices"]) == len(expected()) + 1


@pytest.mark.parametrize("originals", [[], ["first"], ["first", "yen"]])
def test_a_one_off_credit_links_none_one_or_several_originals(
    solvimon: Solvimon, originals: list[str]
) -> None:
    identifiers = [invoice_id(name) for name in originals]
    numbers = [solvimon.platform.finalise(identifier)["invoice_number"] for identifier in identifiers]
    lines: list[Json] = [
        {"description": "Goodwill", "amount": "100.00", "tax": {"percentage": "21", "name": "BTW"}},
        {"description": "Seats", "amount": "50.00", "product_id": solvimon_id("prod", "berth-seats")},
    ]

    note = solvimon.platform.one_off_credit("maasvlakte-quay", lines, identifiers, notes=["Sorry"])

    assert (note["type"], note["invoice_number"]) == ("ONE_OFF_CREDIT", "CRE-2026-11-000001")
    assert "credit" not in note
    assert [(link["id"], link["invoice_number"]) for link in note["linked_invoices"]] == list(
        zip(identifiers, numbers, strict=True)
    )
    assert figures(note) == ("-150.00", "-21.00", "-171.00")
    check_sums(note)
    goodwill, seats = note["periods"][0]["groups"]
    assert (goodwill["products"], goodwill["description"], goodwill["type"]) == ([], "Goodwill", "ONE_OFF")
    assert seats["products"][0]["custom_fields"][0]["reference"] == "rillet_product_id"
    assert (note["customer"]["reference"], note["notes"]) == ("maasvlakte-quay", ["Sorry"])
    assert note["billing_entity"]["reference"] == "tideway-nl"
    assert solvimon.get(f"/invoices/{note['id']}").json() == note


def test_a_one_off_credit_may_be_positive_and_in_another_currency(solvimon: Solvimon) -> None:
    lines: list[Json] = [
        {"description": "詫び", "amount": "500", "tax": {"percentage": "10", "name": "消費税"}}
    ]
    entity = solvimon_id("bile", "tideway-jp")

    note = solvimon.platform.one_off_credit(
        "osaka-bay", lines, sign="positive", currency="JPY", billing_entity_id=entity, final=False
    )

    assert (figures(note), note["status"]) == (("500", "50", "550"), "DRAFT")
    assert (note["timezone"], note["tax_summary"]["country_code"]) == ("Asia/Tokyo", "JP")


def test_one_offs_are_made_by_call_as_drafts_or_final(solvimon: Solvimon) -> None:
    solvimon.platform.finalise(FIRST)
    taxes = [{"percentage": "5", "name": "GST"}, {"percentage": "9.975", "name": "QST"}]

    note = solvimon.post("/invoices", one_off(line(tax_categories=taxes), linked_invoices_ids=[FIRST])).json()
    invoice = solvimon.post("/invoices", one_off(type="ONE_OFF", status="FINAL")).json()

    assert (note["status"], figures(note)) == ("DRAFT", ("-10.00", "-1.50", "-11.50"))
    assert len(note["linked_invoices"]) == 1
    assert (invoice["status"], figures(invoice)) == ("FINAL", ("10.00", "0.00", "10.00"))
    assert invoice["invoice_number"].startswith("INV-")
