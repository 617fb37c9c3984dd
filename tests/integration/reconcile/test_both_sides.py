"""A reconciliation names what differs, and nothing else."""

from collections import Counter
from decimal import Decimal

import pytest
from moto.sns.models import sns_backends

from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import PAID, PARTLY, connected, settle, state
from tests.integration.reconcile.support import (
    Books,
    everything_booked,
    file_of,
    finalise_a_copy,
    found,
    period,
    whole_report,
)
from tests.support.assertions import invoice_posts
from tests.support.builders import Json


def credit(connection: Books, invoice_id: str) -> str:
    note = connection.platform.credit(invoice_id)
    connection.settle()
    return str(note["id"])


def test_books_that_agree_tie_out(booked: Books) -> None:
    answer = booked.reconcile()

    assert (answer["tied_out"], answer["differences"], answer["documents"]) == (True, 0, len(booked.ids))
    report = whole_report(booked.system, answer)
    gross = Counter[str]()
    for invoice in booked.platform.records["invoices"].values():
        total = invoice["invoice_amount_including_tax"]
        gross[total["currency"]] += Decimal(total["quantity"])  # type: ignore[assignment]
    there = Counter[str]()
    for line in report["figures"]:
        assert line["difference"]["count"] == 0
        there[line["currency"]] += Decimal(line["rillet"]["gross"])  # type: ignore[assignment]
    assert there == gross
    assert all(line["subsidiary"] for line in report["figures"])


def test_exactly_what_is_wrong_is_named_and_no_other(booked: Books) -> None:
    books = booked.organisation
    plain = [one for one in booked.ids if Decimal(total(booked, one)) > 0]
    missing, doubled, cent, deleted, paid, credited, elsewhere = plain[:7]
    note = credit(booked, credited)
    books.apply_memo(booked.rillet_id(note, "credit_memo"), {})
    finalise_a_copy(booked, missing, "invo_missing")  # and no webhook is sent
    [sent] = [call for call in invoice_posts(booked.system) if doubled in str(call.request_body)]
    booked.booked_by_hand(sent.request_body)
    books.edit_invoice(booked.rillet_id(cent), amount_by="0.01")
    books.delete_invoice(booked.rillet_id(deleted))
    books.pay(booked.rillet_id(paid))
    someone_else = next(
        one["id"]
        for one in books.customers.documents()
        if one["id"] != books.invoices.get(booked.rillet_id(elsewhere)).document["customer_id"]
    )
    books.edit_invoice(booked.rillet_id(elsewhere), customer_id=someone_else)

    answer = booked.reconcile()

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
    report = whole_report(booked.system, answer)
    assert [one["amount"] for one in report["findings"] if one["kind"] == "amount_differs"] == ["0.01"]
    page = file_of(booked.system, answer["report"]["html"])
    for one in report["findings"]:
        assert one["cause"].endswith(".")
        assert one["remedy"]
        assert one["number"] in page
    assert "Missing in Rillet" in page


def total(connection: Connection, invoice_id: str) -> str:
    invoice: Json = connection.platform.records["invoices"][invoice_id]
    return str(invoice["invoice_amount_including_tax"]["quantity"])


def test_what_is_missing_and_what_is_paid_is_redriven_where_the_setting_allows(booked: Books) -> None:
    booked.system.solvimon.state.webhooks_on = False
    finalise_a_copy(booked, booked.ids[0], "invo_missing")
    paid = booked.ids[1]
    booked.organisation.pay(booked.rillet_id(paid))

    first = booked.system.invoke("reconcile", {"connection": "default", **period(booked)})
    booked.settle()
    second = booked.reconcile()

    assert (first["tied_out"], first["redriven"]) == (False, 2)
    assert (second["tied_out"], second["differences"]) == (True, 0)
    assert booked.platform.records["invoices"][paid]["payment_status"] == "PAID"


@pytest.fixture
def paying(system: LocalSystem) -> Books:
    """All of the demo's invoices are in Rillet, whose webhooks about payments arrive."""
    connection = connected(system)
    return Books(**vars(connection), system=system, ids=tuple(everything_booked(system, connection)))


def test_partial_payments_and_credits_tie_out_too(paying: Books) -> None:
    credited, paid_in_part, paid, *_ = (one for one in paying.ids if Decimal(total(paying, one)) > 1)
    credit(paying, credited)
    paying.organisation.pay(paying.rillet_id(paid_in_part), "1.00")
    paying.organisation.pay(paying.rillet_id(paid))
    settle(paying.system, paying)

    answer = paying.reconcile()

    assert found(answer) == []
    assert answer["tied_out"]


def test_a_part_that_is_undone_after_all_was_paid_ties_out(paying: Books) -> None:
    one = next(each for each in paying.ids if Decimal(total(paying, each)) > 1)
    paying.organisation.pay(paying.rillet_id(one), "1.00")
    rest = paying.organisation.pay(paying.rillet_id(one))
    settle(paying.system, paying)
    before = state(paying, one)
    paying.organisation.delete_payment(rest["id"])
    settle(paying.system, paying)

    answer = paying.reconcile()

    assert (before, state(paying, one)) == (PAID, PARTLY)
    assert found(answer) == []
    assert answer["tied_out"]


def test_what_was_rejected_is_named_with_its_cause_and_its_remedy(default: Books) -> None:
    default.configure(fallback_products={})
    everything_booked(default.system, default)

    answer = default.reconcile()

    rejected = [one for one in whole_report(default.system, answer)["findings"] if one["kind"] == "rejected"]
    assert rejected
    for one in rejected:
        kept = default.record(one["solvimon_id"])
        assert (one["code"], one["cause"], one["remedy"]) == (kept["code"], kept["message"], kept["remedy"])


def test_what_would_stop_the_next_invoices_is_named_before_they_are_finalised(booked: Books) -> None:
    product = {"id": "prod_new", "name": "Brand new", "status": "ACTIVE", "reference": "brand-new"}
    nameless = {"id": "cust_nameless", "type": "ORGANIZATION", "status": "ACTIVE", "reference": "nameless"}
    entity = {"id": "bile_new", "reference": "new-entity", "legal_name": "New Entity B.V."}
    booked.platform.load({"products": [product], "customers": [nameless], "billing_entities": [entity]})

    report = whole_report(booked.system, booked.reconcile())

    named = {one["solvimon_id"]: one["kind"] for one in report["not_mapped_yet"]}
    assert {
        "prod_new": "product",
        "cust_nameless": "customer",
        "bile_new": "billing entity",
    }.items() <= named.items()
    assert report["tied_out"], "what is not needed yet is no difference"


def test_a_summary_goes_to_the_topic(booked: Books) -> None:
    answer = booked.reconcile()

    topics = sns_backends["123456789012"]["eu-central-1"].topics
    topic = topics[booked.system.deployment.outputs["AlarmTopicArn"]]
    _, message, subject, *_ = topic.sent_notifications[-1]
    assert "default" in str(subject)
    assert answer["report"]["html"] in message


def test_look_ups_that_must_wait_in_between_continue_where_they_stopped(booked: Books) -> None:
    booked.configure(rillet={**booked.settings["rillet"], "pacing": {"requests": 6}})
    gone = [f"/invoices/{booked.rillet_id(invoice_id)}" for invoice_id in booked.ids]
    for invoice_id in booked.ids:
        booked.organisation.delete_invoice(booked.rillet_id(invoice_id))

    answer = booked.reconcile()

    assert {finding["kind"] for finding in answer["findings"]} == {"deleted"}
    looked_up = [call.path for call in booked.system.rillet.state.calls if call.path.count("/") == 2]
    assert [looked_up[-len(gone) :].count(path) for path in gone] == [1] * len(gone)
