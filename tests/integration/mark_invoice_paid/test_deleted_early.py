"""A document that is deleted in Rillet while the answer to its export is lost is not lost sight of."""

from typing import Any

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import SCHEMA, Ledger
from tests.integration.mark_invoice_paid.support import exported, item, mark, no_trouble, settle
from tests.support.arrange import credit, export, load, until
from tests.support.assertions import application_posts, invoice_posts, memo_posts, memos
from tests.support.builders import NOTE, ORIGINAL, credit_note, original

DAY = 24 * 3600


def lose_the_answer(system: LocalSystem, connection: Connection) -> str:
    """An invoice is in Rillet, and we do not know it; the answer is its id there."""
    system.rillet.state.misbehave("commit_then_drop")
    load(connection, original())
    system.settle()
    assert item(system, "invoice")["state"] == "sending"
    [made] = connection.organisation.invoices.documents()
    identifier: str = made["id"]
    return identifier


def finished(system: LocalSystem, kind: str, document_id: str) -> None:
    until(system, lambda: item(system, kind, document_id)["state"] not in {"claimed", "sending"})


def gone(system: LocalSystem, kind: str, rillet_id: str) -> dict[str, Any] | None:
    return system.ledger_item(f"default#link-gone-{kind}#{rillet_id}", "RECORD")


def test_an_invoice_deleted_before_its_answer_was_found_is_noted_as_deleted(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = lose_the_answer(system, connection)
    connection.organisation.delete_invoice(rillet_id)

    answers = settle(system, connection)
    finished(system, "invoice", ORIGINAL)

    kept = item(system, "invoice")
    assert set(answers) == {200}
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
    assert f"invoice {rillet_id} was deleted" in kept["message"]
    assert kept["rillet_id"] == rillet_id
    assert export(system, ORIGINAL)[0]["outcome"] == "differs"
    assert connection.organisation.invoices.documents() == []
    no_trouble(system)


def test_a_memo_deleted_before_its_answer_was_found_is_noted_and_applied_to_nothing(
    system: LocalSystem, connection: Connection
) -> None:
    exported(system, connection)
    system.rillet.state.misbehave("commit_then_drop", path="/credit-memos")
    load(connection, credit_note())
    system.settle()
    [memo] = memos(connection)
    connection.organisation.delete_credit_memo(memo["id"])

    settle(system, connection)
    finished(system, "credit_memo", NOTE)

    kept = item(system, "credit_memo", NOTE)
    assert (kept["state"], kept["code"]) == ("differs", "deleted_in_rillet")
    assert f"credit memo {memo['id']} was deleted" in kept["message"]
    assert application_posts(system) == []
    assert credit(system)[0]["outcome"] == "differs"
    no_trouble(system)


def test_a_memo_deleted_after_its_application_was_refused_is_noted_at_the_retry(
    system: LocalSystem, connection: Connection
) -> None:
    exported(system, connection)
    system.rillet.state.misbehave("status", path="/credit-memos/", times=2, status=400)
    load(connection, credit_note())
    [refused] = credit(system)
    connection.organisation.delete_credit_memo(refused["message"].split()[2])
    settle(system, connection)
    calls = len(application_posts(system))

    [retried] = credit(system)

    assert refused["outcome"] == "rejected"
    assert (retried["outcome"], retried["code"]) == ("differs", "deleted_in_rillet")
    assert retried["rillet_id"] in retried["message"]
    assert len(application_posts(system)) == calls
    assert len(memo_posts(system)) == 1


def test_a_deletion_that_nobody_asks_for_is_forgotten_after_14_days(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = lose_the_answer(system, connection)
    connection.organisation.delete_invoice(rillet_id)
    before = int(system.clock.now())
    settle(system, connection)
    noted = gone(system, "invoice", rillet_id)

    assert noted is not None
    assert before <= noted.pop("expires_at") - 14 * DAY <= int(system.clock.now())
    assert noted == {
        "pk": f"default#link-gone-invoice#{rillet_id}",
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


def test_an_invoice_that_is_found_and_was_not_deleted_is_exported(
    system: LocalSystem, connection: Connection
) -> None:
    lose_the_answer(system, connection)
    settle(system, connection)

    finished(system, "invoice", ORIGINAL)

    assert item(system, "invoice")["state"] == "exported"
    assert len(invoice_posts(system)) == 2
    assert mark(system)[0]["outcome"] == "unchanged"
