"""What Rillet has twice is reported at once, and what is deleted before its export is known as deleted."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import SCHEMA, Ledger
from tests.integration.mark_invoice_paid.support import DELETED, Invoice, exported
from tests.integration.reconcile.support import reconcile
from tests.support.arrange import booked_by_hand, credit, load, until
from tests.support.assertions import application_posts, calls_to, invoice_posts, memo_posts
from tests.support.builders import ORIGINAL, credit_note

TWICE = ("differs", "exported_twice")


def book_again(invoice: Invoice) -> str:
    """Book the invoice a second time in Rillet, with our reference; webhooks are not delivered yet."""
    made = booked_by_hand(invoice.system, invoice.connection, invoice_posts(invoice.system)[0].request_body)
    return str(made["id"])


def test_a_webhook_about_a_second_invoice_is_recorded_at_once(invoice: Invoice) -> None:
    double = book_again(invoice)

    invoice.settle()

    kept = invoice.record("invoice")
    assert invoice.verdict() == TWICE
    assert kept["message"] == f"Rillet has 2 documents for it: {invoice.rillet_id}, {double}."
    assert kept["remedy"] == f"Delete all but {invoice.rillet_id} in Rillet."
    invoice.no_trouble()


def test_a_known_double_costs_no_call_and_a_third_one_is_added(invoice: Invoice) -> None:
    double = book_again(invoice)
    invoice.settle()
    reads = len(calls_to(invoice.system, "GET"))

    invoice.organisation.pay(double)
    invoice.settle()
    known = len(calls_to(invoice.system, "GET"))
    third = book_again(invoice)
    invoice.settle()

    assert known == reads
    assert invoice.record("invoice")["message"] == (
        f"Rillet has 3 documents for it: {invoice.rillet_id}, {double}, {third}."
    )


def test_an_old_event_of_a_deleted_double_changes_nothing(invoice: Invoice) -> None:
    invoice.hold_back()
    double = book_again(invoice)
    created = invoice.events("invoice-created")[-1]
    invoice.organisation.delete_invoice(double)

    invoice.send(created)

    assert invoice.record("invoice")["state"] == "exported"
    invoice.no_trouble()


def test_a_second_invoice_after_the_first_was_deleted_is_a_deletion(invoice: Invoice) -> None:
    invoice.hold_back()
    book_again(invoice)
    created = invoice.events("invoice-created")[-1]
    invoice.organisation.delete_invoice(invoice.rillet_id)

    invoice.send(created)

    assert invoice.verdict() == ("differs", "deleted_in_rillet")


def test_the_webhook_of_our_own_creation_changes_nothing_and_costs_no_call(invoice: Invoice) -> None:
    before, calls = invoice.record("invoice"), len(invoice.system.rillet.state.calls)

    invoice.send(invoice.events("invoice-created")[-1])

    assert invoice.record("invoice") == before
    assert len(invoice.system.rillet.state.calls) == calls


def test_a_webhook_about_a_second_memo_is_recorded_at_once(invoice: Invoice) -> None:
    invoice.credit()
    memo = invoice.memo["id"]
    double = booked_by_hand(
        invoice.system, invoice.connection, memo_posts(invoice.system)[0].request_body, "/credit-memos"
    )["id"]

    invoice.settle()

    assert invoice.verdict("credit_memo") == TWICE
    assert invoice.record("credit_memo")["message"] == f"Rillet has 2 documents for it: {memo}, {double}."


@pytest.mark.parametrize("payments", [True, False])
def test_a_sweep_finds_a_second_invoice_without_any_webhook(invoice: Invoice, payments: bool) -> None:
    invoice.hold_back()
    book_again(invoice)
    if not payments:
        settings = {**invoice.connection.settings, "workflows": {"mark_invoice_paid": False}}
        invoice.system.put_settings("default", settings)
        invoice.system.runtime.reset()

    [swept] = invoice.system.invoke("sweep", {"connection": "default"})["connections"]
    invoice.system.settle()
    [again] = invoice.system.invoke("sweep", {"connection": "default"})["connections"]

    assert (swept["found"], again["found"]) == ({"doubled": 1}, {})
    assert invoice.verdict() == TWICE


def test_a_reconciliation_that_finds_a_double_records_it(invoice: Invoice) -> None:
    invoice.hold_back()
    double = book_again(invoice)

    answer = reconcile(invoice.system, invoice.connection)
    invoice.system.settle()

    assert ("doubled", ORIGINAL) in [(one["kind"], one["solvimon_id"]) for one in answer["findings"]]
    until(invoice.system, lambda: invoice.verdict() == TWICE, most=120)
    assert double in invoice.record("invoice")["message"]


DAY = 24 * 3600


def finished(invoice: Invoice, kind: str = "invoice") -> None:
    until(invoice.system, lambda: invoice.record(kind)["state"] not in {"claimed", "sending"})


def test_an_invoice_deleted_before_its_answer_is_known_differs(unconfirmed: Invoice) -> None:
    unconfirmed.delete(deliver=False)

    answers = unconfirmed.settle()
    finished(unconfirmed)

    kept = unconfirmed.record("invoice")
    assert set(answers) == {200}
    assert unconfirmed.verdict() == DELETED
    assert f"invoice {unconfirmed.rillet_id} was deleted" in kept["message"]
    assert kept["rillet_id"] == unconfirmed.rillet_id
    assert unconfirmed.export()["outcome"] == "differs"
    assert unconfirmed.organisation.invoices.documents() == []
    unconfirmed.no_trouble()


def test_a_memo_deleted_before_its_answer_is_known_differs_and_is_not_applied(invoice: Invoice) -> None:
    invoice.system.rillet.state.misbehave("commit_then_drop", path="/credit-memos")
    load(invoice.connection, credit_note())
    invoice.system.settle()
    memo_id = invoice.memo["id"]
    invoice.organisation.delete_credit_memo(memo_id)

    invoice.settle()
    finished(invoice, "credit_memo")

    assert invoice.verdict("credit_memo") == DELETED
    assert f"credit memo {memo_id} was deleted" in invoice.record("credit_memo")["message"]
    assert application_posts(invoice.system) == []
    assert credit(invoice.system)[0]["outcome"] == "differs"
    invoice.no_trouble()


def test_a_retry_finds_a_memo_deleted_whose_application_was_refused(invoice: Invoice) -> None:
    invoice.system.rillet.state.misbehave("status", path="/credit-memos/", times=2, status=400)
    load(invoice.connection, credit_note())
    [refused] = credit(invoice.system)
    invoice.organisation.delete_credit_memo(refused["message"].split()[2])
    invoice.settle()
    calls = len(application_posts(invoice.system))

    [retried] = credit(invoice.system)

    assert refused["outcome"] == "rejected"
    assert (retried["outcome"], retried["code"]) == DELETED
    assert retried["rillet_id"] in retried["message"]
    assert len(application_posts(invoice.system)) == calls
    assert len(memo_posts(invoice.system)) == 1


def test_a_deletion_that_nobody_asks_for_expires_after_14_days(unconfirmed: Invoice) -> None:
    unconfirmed.delete(deliver=False)
    before = int(unconfirmed.system.clock.now())
    unconfirmed.settle()

    kept = unconfirmed.record("link-gone-invoice", unconfirmed.rillet_id)

    assert before <= kept.pop("expires_at") - 14 * DAY <= int(unconfirmed.system.clock.now())
    assert kept == {
        "pk": f"default#link-gone-invoice#{unconfirmed.rillet_id}",
        "sk": "RECORD",
        "schema_version": SCHEMA,
    }


def test_an_export_without_incident_does_not_look_for_deletions(
    system: LocalSystem, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = Ledger.find_link

    def watched(self: Ledger, connection: str, kind: str, identifier: str) -> object:
        asked.append(kind)
        return real(self, connection, kind, identifier)

    monkeypatch.setattr(Ledger, "find_link", watched)

    exported(system, connection)

    assert asked
    assert not [kind for kind in asked if kind.startswith("gone-")]


def test_an_invoice_that_is_found_and_was_not_deleted_is_exported(unconfirmed: Invoice) -> None:
    unconfirmed.settle()

    finished(unconfirmed)

    assert unconfirmed.record("invoice")["state"] == "exported"
    assert len(invoice_posts(unconfirmed.system)) == 2
    assert unconfirmed.mark()["outcome"] == "unchanged"
