"""Rillet calls per unit of work in the steady state: customers and links are known, all goes well."""

from collections.abc import Callable, Iterator
from functools import partial
from math import ceil

from local.system import Connection, LocalSystem
from tests.benchmarks.setup import Json, book, connected_without_limit, finalise, settle
from tests.integration.imports.support import connect, customers
from tests.support.arrange import load
from tests.support.builders import DEMO_CUSTOMER, credit_note

TIMES = 20
ROWS = 250
ZONES = ("Europe/Berlin", "Europe/Paris")
"""A field that Rillet does not have."""


def calls_per_unit(system: LocalSystem) -> Iterator[Json]:
    """Do each kind of work several times, and count the calls that reach Rillet."""
    connection = connected_without_limit(system)
    platform, organisation = connection.platform, connection.organisation
    measure = partial(_measure, system, connection)

    def edit(number: int) -> None:
        platform.edit_customer(DEMO_CUSTOMER, email=f"quay{number}@example.com")

    book(system, connection, "invo_warm")
    edit(TIMES)  # the first sync of a customer that was linked by hand compares both sides
    settle(system)
    # One creates it, one marks it as sent: in `FULL` scope Rillet holds it as unbilled until then.
    yield measure("exported invoice", lambda n: finalise(connection, f"invo_of{n}"), 2)
    # Rillet announces a settled invoice by a webhook of its own, which is another unit of work.
    system.rillet.state.webhooks_on = False
    yield measure(
        "credit memo with its application",
        lambda n: load(connection, credit_note(f"invo_note{n}", of=f"invo_of{n}")),
        2,
    )
    system.rillet.state.webhooks_on = True
    yield measure(
        "unchanged customer's edit", lambda n: platform.edit_customer(DEMO_CUSTOMER, timezone=ZONES[n % 2]), 0
    )
    yield measure("changed customer's edit", edit, 2)
    paid = book(system, connection, *(f"invo_paid{n}" for n in range(TIMES)))
    credited = book(system, connection, *(f"invo_part{n}" for n in range(TIMES)))
    notes = [credit_note(f"invo_partof{n}", "-10.00", "-2.10", of=f"invo_part{n}") for n in range(TIMES)]
    load(connection, *notes)
    settle(system)
    yield measure("paid webhook", lambda n: organisation.pay(paid[n]), 0)
    yield measure("webhook of an invoice with a credit", lambda n: organisation.pay(credited[n]), 1)
    system.invoke("sweep", {"connection": "default"})
    settle(system)
    yield measure("sweep with nothing new", lambda _: system.invoke("sweep", {"connection": "default"}), 1)
    system.reset()
    importing = connect(system, customers=customers(ROWS))
    system.invoke("import_customers", {})
    calls = importing.organisation.counts.calls
    yield {"rows": ROWS, **_unit(f"import of {ROWS} customers", calls, ceil(ROWS / 100))}


def _measure(
    system: LocalSystem, connection: Connection, unit: str, work: Callable[[int], object], target: int
) -> Json:
    before = connection.organisation.counts.calls
    for number in range(TIMES):
        work(number)
        settle(system)
    return _unit(unit, (connection.organisation.counts.calls - before) / TIMES, target)


def _unit(unit: str, calls: float, target: int) -> Json:
    return {"measure": f"Rillet calls, {unit}", "calls": calls, "target": target}
