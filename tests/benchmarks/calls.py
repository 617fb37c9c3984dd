"""Rillet calls per unit of work in the steady state: customers and links are known, all goes well."""

from collections.abc import Callable, Iterator
from math import ceil
from typing import Any

from local.system import Connection, LocalSystem
from tests.integration.imports.support import connect, customers
from tests.integration.mark_invoice_paid.support import connected, settle
from tests.support.arrange import load
from tests.support.assertions import rillet_invoice
from tests.support.builders import DEMO_CUSTOMER, credit_note, original

TIMES = 20
ROWS = 250
ROOMY = {"rillet": {"pacing": {"requests": 1000, "window_seconds": 1, "margin_seconds": 0}}}
"""The budget is no part of this measurement."""
ZONES = ("Europe/Berlin", "Europe/Paris")
"""A field that Rillet does not have."""
Json = dict[str, Any]


def calls_per_unit(system: LocalSystem) -> Iterator[Json]:
    """Do each kind of work so many times, and count what reaches Rillet."""
    connection = connected(system, **ROOMY)
    system.rillet.state.rate_limit = 1_000_000
    load(connection, original("invo_warm"))
    _all(system, connection)

    def note(number: int) -> None:
        load(connection, credit_note(f"invo_note{number}", of=f"invo_of{number}"))

    def edit(number: int) -> None:
        connection.platform.edit_customer(DEMO_CUSTOMER, email=f"quay{number}@example.com")

    def edit_elsewhere(number: int) -> None:
        connection.platform.edit_customer(DEMO_CUSTOMER, timezone=ZONES[number % 2])

    edit(TIMES)  # the first sync of a customer that was linked by hand compares both sides
    _all(system, connection)
    exported = _counted(system, connection, lambda n: load(connection, original(f"invo_of{n}")))
    yield _unit("exported invoice", exported, 1)
    # Rillet announces a settled invoice by a webhook of its own, which is another unit of work.
    system.rillet.state.webhooks_on = False
    yield _unit("credit memo with its application", _counted(system, connection, note), 2)
    system.rillet.state.webhooks_on = True
    yield _unit("unchanged customer's edit", _counted(system, connection, edit_elsewhere), 0)
    yield _unit("changed customer's edit", _counted(system, connection, edit), 2)
    paid, paid_beside_credit = _paying(system, connection), _crediting(system, connection)
    yield _unit("paid webhook", _counted(system, connection, paid), 0)
    yield _unit("webhook of an invoice with a credit", _counted(system, connection, paid_beside_credit), 1)
    system.invoke("sweep", {})
    _all(system, connection)
    yield _unit(
        "sweep with nothing new", _counted(system, connection, lambda _: system.invoke("sweep", {})), 1
    )
    system.reset()
    importing = connect(system, customers=customers(ROWS))
    system.invoke("import_customers", {})
    calls = importing.organisation.counts.calls
    yield {"rows": ROWS, **_unit(f"import of {ROWS} customers", calls, ceil(ROWS / 100))}


def _counted(system: LocalSystem, connection: Connection, work: Callable[[int], object]) -> float:
    before = connection.organisation.counts.calls
    for number in range(TIMES):
        work(number)
        _all(system, connection)
    return (connection.organisation.counts.calls - before) / TIMES


def _all(system: LocalSystem, connection: Connection) -> None:
    system.settle()
    settle(system, connection)


def _paying(system: LocalSystem, connection: Connection) -> Callable[[int], object]:
    """Book invoices, which counts for nothing here; the work is to pay them."""
    load(connection, *(original(f"invo_paid{number}") for number in range(TIMES)))
    _all(system, connection)
    booked = [rillet_invoice(connection, f"invo_paid{number}")["id"] for number in range(TIMES)]
    return lambda number: connection.organisation.pay(booked[number])


def _crediting(system: LocalSystem, connection: Connection) -> Callable[[int], object]:
    """Book invoices and credit a part of each, which counts for nothing here; the work is to pay the rest."""
    load(connection, *(original(f"invo_part{number}") for number in range(TIMES)))
    _all(system, connection)
    notes = [credit_note(f"invo_partof{n}", "-10.00", "-2.10", of=f"invo_part{n}") for n in range(TIMES)]
    load(connection, *notes)
    _all(system, connection)
    booked = [rillet_invoice(connection, f"invo_part{number}")["id"] for number in range(TIMES)]
    return lambda number: connection.organisation.pay(booked[number])


def _unit(unit: str, calls: float, target: float) -> Json:
    return {"measure": f"Rillet calls, {unit}", "calls": calls, "target": target}
