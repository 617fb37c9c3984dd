"""Sweeps beside live traffic, and beside each other."""

import threading

import pytest

from tests.integration.mark_invoice_paid.support import PAID
from tests.integration.sweep.support import Json, Silent
from tests.support.arrange import until
from tests.support.assertions import memos, rillet_invoice

pytestmark = pytest.mark.slow

IDS = [f"invo_{number:02}" for number in range(20)]


def test_a_sweep_beside_live_traffic_creates_nothing_twice(connection: Silent) -> None:
    connection.system.solvimon.state.webhooks_on = True
    connection.finalise(*IDS)
    connection.credit(IDS[0])
    connection.sweep()  # before any webhook has arrived
    connection.system.deliver_webhooks()
    connection.system.start_workers(4)
    connection.sweep()
    connection.system.stop_workers()

    connection.system.settle()
    until(connection.system, lambda: len(memos(connection)) == 1)

    assert connection.on_the_bus()[IDS[0]] >= 2
    assert len(connection.rillet_invoices()) == len(IDS)
    assert all(len(connection.rillet_invoices(each)) == 1 for each in IDS)
    assert len(memos(connection)) == 1
    assert connection.swept() == {"payments": 1}  # the credit that Rillet's webhook would have published
    assert connection.swept() == {}
    assert connection.system.pollers.errors == []


def test_sweeps_at_the_same_moment_do_no_harm(connection: Silent) -> None:
    connection.finalise(*IDS)
    connection.swept()
    connection.organisation.pay(rillet_invoice(connection, IDS[0])["id"])
    connection.finalise("invo_new")
    answers: list[Json] = []
    threads = [threading.Thread(target=lambda: answers.append(connection.found())) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.system.settle()

    assert len(answers) == 4
    assert len(connection.rillet_invoices()) == len(IDS) + 1
    assert connection.payment_state(IDS[0]) == PAID
    assert connection.swept() == {}
