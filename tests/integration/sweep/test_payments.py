"""Reading what changed in Rillet: many pages, a pace, a list that begins again."""

import pytest

from local.fake_rillet.wire import write_timestamp
from local.system import LocalSystem
from solvimon_rillet.workflows.sweep import payments
from tests.integration.mark_invoice_paid.support import PAID
from tests.integration.sweep.support import Silent, silent
from tests.support.arrange import ledger_table

HOUR = 3600


def add_foreign_invoices(connection: Silent, count: int) -> None:
    """Pay the invoice, and let many others that are not ours change in Rillet after it."""
    connection.system.rillet.state.rate_limit = 1000
    connection.pay()
    connection.system.advance(600)
    shown = {**connection.in_rillet().document, "external_references": []}
    del shown["id"], shown["updated_at"]
    for _ in range(count):
        connection.organisation.invoices.add(dict(shown))
    connection.system.advance(300)


def test_all_pages_are_read(exported: Silent) -> None:
    add_foreign_invoices(exported, 250)
    before = len(exported.rillet_calls())

    found = exported.swept()

    assert found == {"payments": 1}
    assert len(exported.rillet_calls()) == before + 4, "three pages, and page one again"
    assert exported.payment_state() == PAID


def test_a_short_wait_for_the_rate_limit_is_slept(exported: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    add_foreign_invoices(exported, 950)
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        exported.system.advance(seconds)

    monkeypatch.setattr(payments, "sleep", wait)
    found = exported.swept()

    assert found == {"payments": 1}
    assert waits
    assert all(0 < seconds <= 10 for seconds in waits)
    assert exported.payment_state() == PAID


def test_a_restarted_list_keeps_the_watermark(exported: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    add_foreign_invoices(exported, 150)
    before = exported.watermark
    with monkeypatch.context() as patch:
        patch.setattr("local.fake_rillet.listing.CURSOR_SECONDS", 0)
        findings = exported.sweep()

    assert findings["errors"] == []
    assert findings["stopped"] == [
        "payments: Rillet's list of invoices changed while it was read; it is read again. "
        "The next sweep continues."
    ]
    assert exported.watermark == before
    assert exported.swept() == {"payments": 1}  # it is on the page that was never shown
    assert exported.payment_state() == PAID


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


def test_rillet_is_not_called_while_marking_and_exporting_are_off(system: LocalSystem) -> None:
    connection = silent(system, workflows={"mark_invoice_paid": False, "export_invoice": False})

    connection.swept()

    assert connection.rillet_calls() == []


def test_a_sweep_after_days_without_one_finds_the_changes_of_all_days(exported: Silent) -> None:
    exported.system.advance(HOUR)
    exported.pay()
    exported.system.advance(5 * 24 * HOUR)

    assert exported.swept() == {"payments": 1}
    assert exported.payment_state() == PAID


def test_an_invoice_whose_link_is_lost_is_known_by_its_reference(exported: Silent) -> None:
    ledger_table(exported.system).pop(f"default#link-rillet-invoice#{exported.rillet_id()}")
    exported.pay()

    assert exported.swept() == {"payments": 1}
    assert exported.payment_state() == PAID


def test_another_invoice_that_names_ours_is_booked_twice(exported: Silent) -> None:
    ours = exported.in_rillet().document
    copied = {name: value for name, value in ours.items() if name not in ("id", "updated_at")}
    exported.organisation.invoices.add(copied)
    exported.put({"pk": "default#payment#unrelated", "sk": "RECORD", "seen_at": "never"})
    exported.system.advance(900)

    assert exported.swept() == {"doubled": 1}
    assert exported.record()["code"] == "exported_twice"
    assert exported.swept() == {}


def test_a_change_that_shows_itself_late_is_found_by_the_overlap(exported: Silent) -> None:
    exported.system.advance(HOUR)
    exported.swept()
    exported.pay()
    record = exported.in_rillet()
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
    exported.put({**exported.progress, "payments": long_ago})

    assert exported.swept() == {}
