"""Sweeps beside live traffic, and beside each other."""

import threading
from collections import Counter

import pytest

from local.system import LocalSystem
from tests.integration.mark_invoice_paid.support import PAID, state
from tests.integration.sweep.support import day, finalised, on_the_bus, silent, sweep, swept
from tests.support.arrange import load, until
from tests.support.assertions import memos, rillet_invoice, rillet_invoices
from tests.support.builders import credit_note

pytestmark = pytest.mark.slow

IDS = [f"invo_{number:02}" for number in range(20)]


def test_a_sweep_beside_live_traffic_creates_nothing_twice(system: LocalSystem) -> None:
    connection = silent(system)
    system.solvimon.state.webhooks_on = True
    finalised(system, connection, *IDS)
    load(connection, credit_note(of=IDS[0], invoice_date=day(system)))
    sweep(system)  # before any webhook has arrived
    system.deliver_webhooks()
    system.start_workers(4)
    sweep(system)
    system.stop_workers()

    system.settle()
    until(system, lambda: len(memos(connection)) == 1)

    assert on_the_bus(system)[IDS[0]] >= 2
    assert len(rillet_invoices(connection)) == len(IDS)
    assert all(len(rillet_invoices(connection, each)) == 1 for each in IDS)
    assert len(memos(connection)) == 1
    assert swept(system) == {"payments": 1}  # the credit that Rillet's webhook would have told of
    assert swept(system) == {}
    assert system.pollers.errors == []


def test_sweeps_at_the_same_moment_do_no_harm(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, *IDS)
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, IDS[0])["id"])
    finalised(system, connection, "invo_new")
    answers: list[Counter[str]] = []
    threads = [threading.Thread(target=lambda: answers.append(sweep(system)["found"])) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    system.settle()

    assert len(answers) == 4
    assert len(rillet_invoices(connection)) == len(IDS) + 1
    assert state(connection, IDS[0]) == PAID
    assert swept(system) == {}
