"""A reconciliation names what differs, and nothing else."""

from collections import Counter
from decimal import Decimal

import pytest
import requests

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import connected
from tests.integration.reconcile.support import (
    Json,
    everything_booked,
    file_of,
    finalise_a_copy,
    found,
    period,
    reconcile,
    rillet_id,
    whole_report,
)
from tests.support.arrange import connect_demo


@pytest.fixture
def booked(system: LocalSystem, default: Connection) -> list[str]:
    return everything_booked(system, default)


def credit(system: LocalSystem, connection: Connection, invoice_id: str) -> str:
    note = connection.platform.credit(invoice_id)
    system.settle()
    return str(note["id"])


def test_books_that_agree_tie_out(system: LocalSystem, default: Connection, booked: list[str]) -> None:
    answer = reconcile(system, default)

    assert (answer["tied_out"], answer["differences"], answer["documents"]) == (True, 0, len(booked))
    report = whole_report(system, answer)
    gross = Counter[str]()
    for invoice in default.platform.records["invoices"].values():
        total = invoice["invoice_amount_including_tax"]
        gross[total["currency"]] += Decimal(total["quantity"])  # type: ignore[assignment]
    there = Counter[str]()
    for line in report["figures"]:
        assert line["difference"]["count"] == 0
        there[line["currency"]] += Decimal(line["rillet"]["gross"])  # type: ignore[assignment]
    assert there == gross
    assert all(line["subsidiary"] for line in report["figures"])


def test_exactly_what_is_wrong_is_named_and_no_other(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    books, fake = default.organisation, system.rillet.url
    headers = {"Authorization": f"Bearer {default.rillet_api_key}", "X-Rillet-API-Version": "4"}
    plain = [one for one in booked if Decimal(total(default, one)) > 0]
    missing, doubled, cent, deleted, paid, credited, elsewhere = plain[:7]
    note = credit(system, default, credited)
    assert requests.delete(
        f"{fake}/credit-memos/{rillet_id(system, note, 'credit_memo')}/applications",
        headers=headers,
        timeout=5,
    ).ok
    finalise_a_copy(default, missing, "invo_missing")  # and no webhook is sent
    sent = next(
        call.request_body
        for call in system.rillet.state.calls
        if call.method == "POST" and call.path == "/invoices" and doubled in str(call.request_body)
    )
    assert requests.post(f"{fake}/invoices", json=sent, headers=headers, timeout=5).ok
    books.edit_invoice(rillet_id(system, cent), amount_by="0.01")
    books.delete_invoice(rillet_id(system, deleted))
    books.pay(rillet_id(system, paid))
    someone_else = next(
        one["id"]
        for one in books.customers.documents()
        if one["id"] != books.invoices.get(rillet_id(system, elsewhere)).document["customer_id"]
    )
    books.edit_invoice(rillet_id(system, elsewhere), customer_id=someone_else)

    answer = reconcile(system, default)

    assert sorted(found(answer)) == sorted(
        [
            ("missing", "invo_missing"),
            ("doubled", doubled),
            ("amount_differs", cent),
            ("deleted", deleted),
            ("payment_differs", paid),
            ("memo_unapplied", note),
            ("customer_differs", elsewhere),
        ]
    )
    assert (answer["tied_out"], answer["differences"]) == (False, 7)
    report = whole_report(system, answer)
    assert [one["amount"] for one in report["findings"] if one["kind"] == "amount_differs"] == ["0.01"]
    page = file_of(system, answer["report"]["html"])
    for one in report["findings"]:
        assert one["cause"].endswith(".")
        assert one["remedy"]
        assert one["number"] in page
    assert "Missing in Rillet" in page


def total(connection: Connection, invoice_id: str) -> str:
    invoice: Json = connection.platform.records["invoices"][invoice_id]
    return str(invoice["invoice_amount_including_tax"]["quantity"])


def test_what_is_missing_and_what_is_paid_is_redriven_where_the_setting_allows(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    system.solvimon.state.webhooks_on = False
    finalise_a_copy(default, booked[0], "invo_missing")
    paid = booked[1]
    default.organisation.pay(rillet_id(system, paid))

    first = system.invoke("reconcile", {"connection": "default", **period(default)})
    system.settle()
    second = reconcile(system, default)

    assert (first["tied_out"], first["redriven"]) == (False, 2)
    assert (second["tied_out"], second["differences"]) == (True, 0)
    assert default.platform.records["invoices"][paid]["payment_status"] == "PAID"


def test_partial_payments_and_credits_tie_out_too(system: LocalSystem) -> None:
    default = connected(system)
    booked = everything_booked(system, default)
    plain = [one for one in booked if Decimal(total(default, one)) > 1]
    credit(system, default, plain[0])
    default.organisation.pay(rillet_id(system, plain[1]), "1.00")
    default.organisation.pay(rillet_id(system, plain[2]))
    default.organisation.deliver_webhooks()
    system.settle()

    answer = reconcile(system, default)

    assert found(answer) == []
    assert answer["tied_out"]


def test_a_part_that_is_undone_after_all_was_paid_ties_out(system: LocalSystem) -> None:
    default = connected(system)
    booked = everything_booked(system, default)
    one = next(each for each in booked if Decimal(total(default, each)) > 1)
    default.organisation.pay(rillet_id(system, one), "1.00")
    rest = default.organisation.pay(rillet_id(system, one))
    default.organisation.deliver_webhooks()
    system.settle()
    assert default.platform.records["invoices"][one]["payment_status"] == "PAID"
    default.organisation.delete_payment(rest["id"])
    default.organisation.deliver_webhooks()
    system.settle()

    answer = reconcile(system, default)

    assert default.platform.records["invoices"][one]["payment_status"] == "PARTIALLY_PAID"
    assert found(answer) == []
    assert answer["tied_out"]


def test_what_was_rejected_is_named_with_its_cause_and_its_remedy(
    system: LocalSystem, default: Connection
) -> None:
    system.put_settings("default", {**default.settings, "fallback_products": {}})
    system.runtime.reset()
    everything_booked(system, default)

    answer = reconcile(system, default)

    rejected = [one for one in whole_report(system, answer)["findings"] if one["kind"] == "rejected"]
    assert rejected
    for one in rejected:
        record = system.ledger_item(f"default#invoice#{one['solvimon_id']}", "RECORD")
        assert record
        assert (one["code"], one["cause"], one["remedy"]) == (
            record["code"],
            record["message"],
            record["remedy"],
        )


def test_what_would_stop_the_next_invoices_is_named_before_they_are_finalised(
    system: LocalSystem, default: Connection, booked: list[str]
) -> None:
    product = {"id": "prod_new", "name": "Brand new", "status": "ACTIVE", "reference": "brand-new"}
    nameless = {"id": "cust_nameless", "type": "ORGANIZATION", "status": "ACTIVE", "reference": "nameless"}
    entity = {"id": "bile_new", "reference": "new-entity", "legal_name": "New Entity B.V."}
    default.platform.load({"products": [product], "customers": [nameless], "billing_entities": [entity]})

    report = whole_report(system, reconcile(system, default))

    named = {one["solvimon_id"]: one["kind"] for one in report["not_mapped_yet"]}
    assert {
        "prod_new": "product",
        "cust_nameless": "customer",
        "bile_new": "billing entity",
    }.items() <= named.items()
    assert report["tied_out"], "what is not needed yet is no difference"


def test_a_summary_goes_to_the_topic(system: LocalSystem, default: Connection, booked: list[str]) -> None:
    from moto.sns.models import sns_backends

    answer = reconcile(system, default)

    topic = sns_backends["123456789012"]["eu-central-1"].topics[system.deployment.outputs["AlarmTopicArn"]]
    _, message, subject, *_ = topic.sent_notifications[-1]
    assert "default" in str(subject)
    assert answer["report"]["html"] in message


def test_look_ups_that_must_wait_in_between_continue_where_they_stopped(system: LocalSystem) -> None:
    connection = connect_demo(system, rillet={"pacing": {"requests": 6}})
    booked = everything_booked(system, connection)
    for invoice_id in booked:
        connection.organisation.delete_invoice(rillet_id(system, invoice_id))

    answer = reconcile(system, connection)

    assert {finding["kind"] for finding in answer["findings"]} == {"deleted"}
    looked_up = [call.path for call in system.rillet.state.calls if call.path.count("/") == 2]
    gone = [f"/invoices/{rillet_id(system, invoice_id)}" for invoice_id in booked]
    assert [looked_up[-len(booked) :].count(path) for path in gone] == [1] * len(booked)
