"""A document that is deleted in Rillet while the answer to its export is lost is not lost sight of."""

from typing import Any

import pytest

from local.stack import Connection, LocalStack
from solvimon_rillet.ledger import SCHEMA, Ledger
from tests.credit_memos.support import (
    NOTE,
    ORIGINAL,
    application_calls,
    credit,
    credit_note,
    load,
    memo_calls,
    memos,
    original,
)
from tests.export.support import export, sent, until
from tests.payments.support import exported, item, mark, no_trouble, settle

DAY = 24 * 3600


def lose_the_answer(stack: LocalStack, connection: Connection) -> str:
    """An invoice is in Rillet, and we do not know it; the answer is its id there."""
    stack.rillet.state.misbehave("commit_then_drop")
    load(connection, original())
    stack.settle()
    assert item(stack, "invoice")["state"] == "sending"
    [made] = connection.organisation.invoices.documents()
    identifier: str = made["id"]
    return identifier


def finished(stack: LocalStack, kind: str, document_id: str) -> None:
    until(stack, lambda: item(stack, kind, document_id)["state"] not in {"claimed", "sending"})


def gone(stack: LocalStack, kind: str, rillet_id: str) -> dict[str, Any] | None:
    return stack.ledger_item(f"default#link-gone-{kind}#{rillet_id}", "RECORD")


def test_an_invoice_deleted_before_its_answer_was_found_is_noted_as_deleted(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = lose_the_answer(stack, connection)
    connection.organisation.delete_invoice(rillet_id)

    answers = settle(stack, connection)
    finished(stack, "invoice", ORIGINAL)

    kept = item(stack, "invoice")
    assert set(answers) == {200}
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
    assert f"invoice {rillet_id} was deleted" in kept["message"]
    assert kept["rillet_id"] == rillet_id
    assert export(stack, ORIGINAL)[0]["outcome"] == "differs"
    assert connection.organisation.invoices.documents() == []
    no_trouble(stack)


def test_a_memo_deleted_before_its_answer_was_found_is_noted_and_applied_to_nothing(
    stack: LocalStack, connection: Connection
) -> None:
    exported(stack, connection)
    stack.rillet.state.misbehave("commit_then_drop", path="/credit-memos")
    load(connection, credit_note())
    stack.settle()
    [memo] = memos(connection)
    connection.organisation.delete_credit_memo(memo["id"])

    settle(stack, connection)
    finished(stack, "credit_memo", NOTE)

    kept = item(stack, "credit_memo", NOTE)
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
    assert f"credit memo {memo['id']} was deleted" in kept["message"]
    assert application_calls(stack) == []
    assert credit(stack)[0]["outcome"] == "differs"
    no_trouble(stack)


def test_a_memo_deleted_after_its_application_was_refused_is_noted_at_the_retry(
    stack: LocalStack, connection: Connection
) -> None:
    exported(stack, connection)
    stack.rillet.state.misbehave("status", path="/credit-memos/", times=2, status=400)
    load(connection, credit_note())
    [refused] = credit(stack)
    connection.organisation.delete_credit_memo(refused["message"].split()[2])
    settle(stack, connection)
    calls = len(application_calls(stack))

    [retried] = credit(stack)

    assert refused["outcome"] == "rejected"
    assert (retried["outcome"], retried["code"]) == ("differs", "deleted_in_rillet")
    assert retried["rillet_id"] in retried["message"]
    assert len(application_calls(stack)) == calls
    assert len(memo_calls(stack)) == 1


def test_a_deletion_that_nobody_asks_for_is_forgotten_after_14_days(
    stack: LocalStack, connection: Connection
) -> None:
    rillet_id = lose_the_answer(stack, connection)
    connection.organisation.delete_invoice(rillet_id)
    before = int(stack.clock.now())
    settle(stack, connection)
    noted = gone(stack, "invoice", rillet_id)

    assert noted is not None
    assert before <= noted.pop("expires_at") - 14 * DAY <= int(stack.clock.now())
    assert noted == {
        "pk": f"default#link-gone-invoice#{rillet_id}",
        "sk": "RECORD",
        "schema_version": SCHEMA,
    }


def test_an_export_without_incident_does_not_look_for_deletions(
    stack: LocalStack, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = Ledger.link

    def watched(self: Ledger, connection: str, kind: str, identifier: str) -> object:
        asked.append(kind)
        return real(self, connection, kind, identifier)

    monkeypatch.setattr(Ledger, "link", watched)

    exported(stack, connection)

    assert asked
    assert not [kind for kind in asked if kind.startswith("gone-")]


def test_an_invoice_that_is_found_and_was_not_deleted_is_exported(
    stack: LocalStack, connection: Connection
) -> None:
    lose_the_answer(stack, connection)
    settle(stack, connection)

    finished(stack, "invoice", ORIGINAL)

    assert item(stack, "invoice")["state"] == "exported"
    assert len(sent(stack)) == 2
    assert mark(stack)[0]["outcome"] == "unchanged"
