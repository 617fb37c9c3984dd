"""Every way in which work can wait or fail, and what headline, story, readiness and digest say of it.

None of them is calm when a person is needed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local.system import LocalSystem
from solvimon_rillet.ledger.run_log import RunLog
from solvimon_rillet.workflows.status.digest import digest_text
from tests.integration.connect_rillet.support import add_connection
from tests.integration.sync_status.support import Default, some
from tests.support.arrange import ledger_table, without_waiting_for_aws
from tests.support.builders import DEMO_CUSTOMER, ORIGINAL, Json, original

CALM = "Nothing; work continues automatically."


def status_of(default: Default, vendor: str, method: str, path: str, status: int) -> None:
    side = default.system.rillet if vendor == "rillet" else default.system.solvimon
    side.state.misbehave("status", method, path, status=status)


def finalised(default: Default) -> None:
    default.finalised(original())


def with_answer(vendor: str, method: str, path: str, status: int) -> Callable[[Default], None]:
    """An invoice whose export meets this answer."""

    def act(default: Default) -> None:
        status_of(default, vendor, method, path, status)
        finalised(default)

    return act


def with_secret(vendor: str, text: str) -> Callable[[Default], None]:
    """An invoice whose export finds this in a secret."""

    def act(default: Default) -> None:
        default.put_secret_text(vendor, text)
        finalised(default)

    return act


def with_faulty_settings(default: Default) -> None:
    default.system.put_settings("default", {"invoice_scope": "everything"})
    default.system.runtime.reset()
    finalised(default)


def with_restored_ledger(default: Default) -> None:
    default.configure(ledger_restored_to="2026-11-01T08:00:00Z")
    finalised(default)


def with_lost_answer(default: Default) -> None:
    default.system.rillet.state.misbehave("commit_then_drop", times=1)
    finalised(default)


def with_unlinked_product(default: Default) -> None:
    default.unlink()
    finalised(default)


def with_rejected_customer(default: Default) -> None:
    default.platform.records["customers"][DEMO_CUSTOMER]["custom_fields"][0]["value"] = "no-uuid"
    default.system.invoke("sync_customer", {"customer_ids": [DEMO_CUSTOMER]})


def with_customer_that_waits(default: Default) -> None:
    default.system.invoke("sync_customer", {"customer_ids": [DEMO_CUSTOMER]})
    status_of(default, "rillet", "PUT", "/customers", 403)
    default.platform.edit_customer(DEMO_CUSTOMER, email="new@example.com")
    default.system.deliver_webhooks()
    default.system.settle()


def with_deletion(default: Default) -> None:
    finalised(default)
    default.organisation.delete_invoice(default.rillet_invoices(ORIGINAL)[0]["id"])
    default.system.invoke("mark_invoice_paid", {"invoice_ids": [ORIGINAL]})


def with_stalled_work(default: Default) -> None:
    default.killed_in_the_middle()
    default.system.advance(2 * 3600)


def with_difference(default: Default) -> None:
    finalised(default)
    default.organisation.delete_invoice(default.rillet_invoices(ORIGINAL)[0]["id"])
    default.system.invoke("reconcile", {"connection": "default", "from": "2026-01-01", "to": "2026-01-31"})


def with_failed_import(default: Default) -> None:
    log = RunLog(ledger_table(default.system), default.system.clock.now)
    log.end(log.begin("default", "import_customers", "arn:one", {}), "failed", {})


@dataclass(frozen=True)
class Case:
    """A way to wait or fail: the act, the headline's state, a part of its text, and of the story's act."""

    act: Callable[[Default], None]
    state: str
    says: str
    to_do: str = ""
    ready: bool | None = None


CASES = {
    "Rillet's key may only read": Case(
        with_answer("rillet", "POST", "/invoices", 403),
        "stopped",
        "403",
        "solvimon-rillet/default/rillet",
        False,
    ),
    "Rillet refuses the key": Case(
        with_answer("rillet", "*", "/", 401), "stopped", "401", "solvimon-rillet/default/rillet", False
    ),
    "Solvimon refuses the key": Case(
        with_answer("solvimon", "*", "/", 401), "stopped", "401", "solvimon-rillet/default/solvimon", False
    ),
    "Rillet's secret is no JSON": Case(
        with_secret("rillet", "x"), "stopped", "not a JSON object", "secret", False
    ),
    "Rillet's auth is unknown": Case(
        with_secret("rillet", '{"auth": "key", "api_key": "k"}'), "stopped", "auth", "auth", False
    ),
    "the settings are faulty": Case(with_faulty_settings, "stopped", "invoice_scope", "invoice_scope"),
    "the ledger was restored": Case(with_restored_ledger, "stopped", "restored", "adopt"),
    "a customer waits": Case(with_customer_that_waits, "stopped", "1 customer waits for that", "", False),
    "Rillet is down": Case(
        with_answer("rillet", "POST", "/invoices", 503), "waiting", "1 invoice (121.00", CALM
    ),
    "Rillet asks to slow down": Case(
        with_answer("rillet", "POST", "/invoices", 429), "waiting", "automatically", CALM
    ),
    "Solvimon is down": Case(with_answer("solvimon", "GET", "/invoices", 503), "waiting", "1 invoice", CALM),
    "the answer was lost": Case(with_lost_answer, "waiting", "1 invoice (121.00 EUR)", CALM),
    "a run crashed": Case(Default.killed_in_the_middle, "waiting", "1 invoice (121.00 EUR)", CALM),
    "nothing happens any more": Case(with_stalled_work, "needs_you", "needs you", "dead-letter queue"),
    "a product is not linked": Case(with_unlinked_product, "needs_you", "needs you", "link"),
    "a customer is rejected": Case(with_rejected_customer, "needs_you", "1 customer needs you"),
    "it was deleted in Rillet": Case(with_deletion, "needs_you", "need you", "book it in Rillet"),
    "a period does not tie out": Case(with_difference, "needs_you", "The reconciliation of 2026-01 found"),
    "an import failed": Case(with_failed_import, "needs_you", "import of customers ended"),
}


@pytest.mark.parametrize("name", CASES)
def test_no_way_to_wait_or_fail_is_calm_when_a_person_is_needed(default: Default, name: str) -> None:
    case = CASES[name]
    case.act(default)

    status, story = default.ask(), default.ask(invoice_id=ORIGINAL)
    readiness = default.system.invoke("connect_rillet", {"action": "status"})

    assert status["headline"]["state"] == case.state
    assert case.says in status["headline"]["text"]
    assert status["summary"] == status["headline"]["text"]
    if case.to_do:
        assert case.to_do in story["what_to_do"]
        assert (story["what_to_do"] == CALM) == (case.state == "waiting")
    if case.state == "stopped" and story.get("state"):
        assert story["act"] is not None
    if case.ready is not None:
        assert readiness["ready"] is case.ready
    subject, text = digest_text(status, 0)
    assert ("needs you" in subject) == (case.state in {"needs_you", "stopped"})
    assert "nothing waits" not in subject
    assert case.says in text or case.state == "stopped"  # whose cause may quote a vendor


def test_a_revoked_grant_is_not_calm_although_no_document_waits(system: LocalSystem) -> None:
    acme = add_connection(system, records=True).connected()
    acme.oauth.revoke_all(acme.organisation)
    system.advance(2 * 3600)
    system.invoke("connect_rillet", {"connection": acme.name, "action": "status"})

    answer: Json = system.invoke("sync_status", {"connection": acme.name})

    assert answer["headline"]["state"] == "stopped"
    assert "connect_rillet" in answer["headline"]["text"]


@pytest.mark.slow
def test_messages_that_were_set_aside_are_not_calm(default: Default, monkeypatch: pytest.MonkeyPatch) -> None:
    url = default.system.deployment.queues["export_invoice"].dead_letters_url
    default.system.aws.sqs.send_message(QueueUrl=url, MessageBody="{}")
    without_waiting_for_aws(monkeypatch)

    known = default.ask()["headline"]
    with default.system.aws.outage("sqs"):
        unknown = default.ask()["headline"]

    assert known["state"] == unknown["state"] == "needs_you"
    assert "1 message of all connections was set aside" in known["text"]


def test_a_proposed_link_waits_for_an_answer(default: Default) -> None:
    default.unlink()
    default.finalised(*some(1))

    assert "proposed" in default.ask()["headline"]["text"]
