"""A document that is deleted in Rillet while the answer to its export is lost is recorded as deleted."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import SCHEMA, Ledger
from tests.integration.mark_invoice_paid.support import DELETED, Invoice, exported
from tests.support.arrange import credit, load, until
from tests.support.assertions import application_posts, invoice_posts, memo_posts
from tests.support.builders import credit_note

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
