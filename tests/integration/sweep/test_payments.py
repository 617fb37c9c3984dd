"""Reading what changed in Rillet: many pages, a pace, a list that begins again."""

import pytest

from local.fake_rillet.timestamps import write_timestamp
from local.system import LocalSystem
from solvimon_rillet.workflows.sweep import payments
from tests.integration.export_credit_memo.support import rillet_invoice
from tests.integration.mark_invoice_paid.support import PAID
from tests.integration.sweep.support import Silent, rillet_calls, silent, swept

HOUR = 3600


def _with_foreign_invoices(system: LocalSystem, count: int) -> Silent:
    """A connection with one invoice of ours, paid, and many others that changed in Rillet after it."""
    connection = silent(system)
    system.rillet.state.rate_limit = 1000
    connection.finalise("invo_a")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    system.advance(600)
    shown = dict(connection.organisation.invoices.get(rillet_invoice(connection, "invo_a")["id"]).document)
    for name in ("id", "updated_at", "external_references"):
        shown.pop(name)
    for _ in range(count):
        connection.organisation.invoices.add({**shown, "external_references": []})
    system.advance(300)
    return connection


def test_all_pages_are_read(system: LocalSystem) -> None:
    connection = _with_foreign_invoices(system, 250)
    before = len(connection.rillet_calls())

    found = connection.swept()

    assert found == {"payments": 1}
    assert len(connection.rillet_calls()) == before + 3
    assert connection.payment_state() == PAID


def test_a_short_wait_for_the_rate_limit_is_waited_out(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = _with_foreign_invoices(system, 950)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        system.advance(seconds)

    monkeypatch.setattr(payments, "sleep", wait)
    found = connection.swept()

    assert found == {"payments": 1}
    assert waits
    assert all(0 < seconds <= 10 for seconds in waits)
    assert connection.payment_state() == PAID


def test_a_list_that_begins_again_is_an_error_and_the_watermark_stays(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = _with_foreign_invoices(system, 150)
    before = connection.watermark
    with monkeypatch.context() as patch:
        patch.setattr("local.fake_rillet.pagination.CURSOR_SECONDS", 0)
        findings = connection.sweep()

    assert findings["errors"] == ["payments: Rillet's list of invoices began anew."]
    assert connection.watermark == before
    assert connection.swept() == {"payments": 1}  # it is on the page that was never shown
    assert connection.payment_state() == PAID


def test_the_first_sweep_looks_at_a_day_of_changes(system: LocalSystem) -> None:
    connection = silent(system, workflows={"mark_invoice_paid": False})
    connection.finalise("invo_a", "invo_b")
    connection.swept()
    connection.pay()
    system.advance(23 * HOUR)
    connection.pay("invo_b")
    system.advance(2 * HOUR)
    connection.configure(workflows={"mark_invoice_paid": True})

    assert connection.swept() == {"payments": 1}
    assert connection.payment_state("invo_b") == PAID


def test_nothing_is_asked_of_rillet_while_marking_is_off(system: LocalSystem) -> None:
    silent(system, workflows={"mark_invoice_paid": False})

    swept(system)

    assert rillet_calls(system) == []


def test_a_sweep_after_days_without_one_finds_the_changes_of_all_days(exported: Silent) -> None:
    exported.system.advance(HOUR)
    exported.pay()
    exported.system.advance(5 * 24 * HOUR)

    assert exported.swept() == {"payments": 1}
    assert exported.payment_state() == PAID


def test_an_invoice_whose_link_is_lost_is_known_by_its_reference(exported: Silent) -> None:
    rillet_id = exported.rillet_id()
    key = {"pk": {"S": f"default#link-rillet-invoice#{rillet_id}"}, "sk": {"S": "RECORD"}}
    exported.system.aws.dynamodb.delete_item(
        TableName=exported.system.deployment.outputs["LedgerTableName"], Key=key
    )
    exported.organisation.pay(rillet_id)

    assert exported.swept() == {"payments": 1}
    assert exported.payment_state() == PAID


def test_another_invoice_that_names_ours_is_not_ours(exported: Silent) -> None:
    ours = exported.organisation.invoices.get(exported.rillet_id()).document
    copied = {name: value for name, value in ours.items() if name not in ("id", "updated_at")}
    exported.organisation.invoices.add(copied)
    exported.put({"pk": "default#payment#unrelated", "sk": "RECORD", "seen_at": "never"})
    exported.system.advance(900)

    assert exported.swept() == {}


def test_a_change_that_shows_itself_late_is_found_by_the_overlap(exported: Silent) -> None:
    rillet_id = exported.rillet_id()
    exported.system.advance(HOUR)
    exported.swept()
    exported.organisation.pay(rillet_id)
    record = exported.organisation.invoices.get(rillet_id)
    record.updated -= 300 * 1_000_000
    record.document["updated_at"] = write_timestamp(record.updated)
    exported.system.advance(900)

    assert exported.swept() == {"payments": 1}
    assert exported.payment_state() == PAID


def test_a_change_that_was_seen_is_not_published_however_often_it_is_read(exported: Silent) -> None:
    exported.pay()
    exported.swept()
    exported.system.advance(2 * HOUR)
    long_ago = int(exported.system.clock.now()) - 24 * HOUR
    exported.put({"pk": "default#sweep#payments", "sk": "RECORD", "reached": long_ago})

    assert exported.swept() == {}
