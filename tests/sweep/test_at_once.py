"""Sweeps beside live traffic, and beside each other."""

import threading
from collections import Counter

import pytest

from local.stack import LocalStack
from tests.credit_memos.support import credit_note, load, memos, rillet_invoice
from tests.export.support import rillet_invoices, until
from tests.payments.support import PAID, state
from tests.sweep.support import day, finalised, on_the_bus, silent, sweep, swept

pytestmark = pytest.mark.slow

IDS = [f"invo_{number:02}" for number in range(20)]


def test_a_sweep_beside_live_traffic_creates_nothing_twice(stack: LocalStack) -> None:
    connection = silent(stack)
    stack.solvimon.state.webhooks_on = True
    finalised(stack, connection, *IDS)
    load(connection, credit_note(of=IDS[0], invoice_date=day(stack)))
    sweep(stack)  # before any webhook has arrived
    stack.deliver_webhooks()
    stack.start_workers(4)
    sweep(stack)
    stack.stop_workers()

    stack.settle()
    until(stack, lambda: len(memos(connection)) == 1)

    assert on_the_bus(stack)[IDS[0]] >= 2
    assert len(rillet_invoices(connection)) == len(IDS)
    assert all(len(rillet_invoices(connection, each)) == 1 for each in IDS)
    assert len(memos(connection)) == 1
    assert swept(stack) == {"payments": 1}  # the credit that Rillet's webhook would have told of
    assert swept(stack) == {}
    assert stack.pollers.errors == []


def test_sweeps_at_the_same_moment_do_no_harm(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, *IDS)
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, IDS[0])["id"])
    finalised(stack, connection, "invo_new")
    answers: list[Counter[str]] = []
    threads = [threading.Thread(target=lambda: answers.append(sweep(stack)["found"])) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stack.settle()

    assert len(answers) == 4
    assert len(rillet_invoices(connection)) == len(IDS) + 1
    assert state(connection, IDS[0]) == PAID
    assert swept(stack) == {}
