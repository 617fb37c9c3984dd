"""Three connections, so that each page of the panel has something to show.

`default` is connected, and has been at work since yesterday; `acme` waits for its first day; with the key of
`clean` Rillet lets nobody write.
"""

import time

from local.books_check.records import half_open
from local.demo import new_customers, second_connection
from local.demo.new_customers import UNLINKED_PRODUCT
from local.http_in_process import http_in_process
from local.playground.drafts import UNLINKED, add_draft, without_links
from local.system import Connection, LocalSystem

CONNECTED, UNCONNECTED, READ_ONLY = "default", second_connection.NAME, "clean"

BOOKED = (
    *("first", "usage-tiers", "one-off-order", "discount", "two-rates", "split-group", "unrounded"),
    *("reverse-charge", "commitment", "us-sales-tax", "gst-and-qst", "yen"),
)
"""The invoices that are booked; Rillet has half the money of the first."""
EDITED, DELETED = "exchange-rate", "untaxed"
"""The two that somebody changed in Rillet after they were booked: another amount, and gone."""
_NIGHT = 8 * 3600
"""Seconds from the reconciliation, at night, until now."""
_DAY = 24 * 3600
_MINUTE = 61
"""Seconds of Rillet's window, with the product's margin."""


def fill(system: LocalSystem) -> None:
    """Set up the three connections of a system in which nothing has happened yet.

    Its clock goes back by a day, and is right again at the end.
    """
    now = time.time()
    system.clock.set(now - _DAY)
    with http_in_process(system):
        connection = _connected(system)
        _read_only(system)
        _unconnected(system)
        _import(system, connection)
        _book(system, connection)
        system.advance(max(0.0, now - _NIGHT - system.clock.now()))
        system.invoke("reconcile", {"connection": connection.name, "redrive": False})
        system.advance(_MINUTE)
        for _ in range(3):
            _finalise_seeded(system, connection, UNLINKED)
        system.settle()
        system.advance(max(0.0, time.time() - system.clock.now()))
        system.settle()


def _connected(system: LocalSystem) -> Connection:
    connection = system.connect_demo(CONNECTED, auth="oauth")
    organisation = {"organization": {"id": connection.organisation.id}}
    connection.platform.load({"products": [UNLINKED_PRODUCT.solvimon(with_link=False)]})
    system.rillet.state.load({**organisation, "products": [UNLINKED_PRODUCT.rillet()]})
    system.add_rillet_webhook(connection)
    system.authorise(CONNECTED)
    return connection


def _unconnected(system: LocalSystem) -> None:
    connection = system.connect(
        UNCONNECTED,
        {"fallback_products": second_connection.acme_fallback_products()},
        auth="oauth",
        solvimon=without_links(second_connection.acme_solvimon_seed()),
        rillet=second_connection.acme_rillet_seed(),
    )
    system.add_rillet_webhook(connection)


def _read_only(system: LocalSystem) -> None:
    connection = system.connect_demo(READ_ONLY)
    key = f"read-only-{connection.rillet_api_key}"
    system.rillet.state.add_api_key(connection.organisation, key, read_only=True)
    system.put_secret(READ_ONLY, "rillet", {"auth": "api_key", "api_key": key})
    system.add_rillet_webhook(connection)
    for name in ("first", "two-rates"):
        _finalise_seeded(system, connection, name)
    system.settle()


def _import(system: LocalSystem, connection: Connection) -> None:
    """Import a few customers, one of which has no name in Rillet."""
    newcomers = [*new_customers.customers()[:6], new_customers.customers()[-12]]
    for customer in newcomers:
        connection.organisation.customers.add(customer)
    system.invoke("import_customers", {"connection": connection.name})
    system.settle()
    system.advance(_MINUTE)


def _book(system: LocalSystem, connection: Connection) -> None:
    invoices, names = {}, (*BOOKED, EDITED, DELETED)
    for number, name in enumerate(names):
        invoices[name] = _finalise_seeded(system, connection, name, days=(len(names) - number) // 2)
        system.settle()
        system.advance(_MINUTE)
    paid, edited, deleted = (
        system.ledger_item(f"{connection.name}#invoice#{invoices[name]}", "RECORD")["rillet_id"]  # type: ignore[index]
        for name in (BOOKED[0], EDITED, DELETED)
    )
    organisation = connection.organisation
    organisation.pay(paid, half_open(connection, paid))
    organisation.edit_invoice(edited, amount_by="-10.00")
    organisation.delete_invoice(deleted)
    organisation.deliver_webhooks()
    system.settle()


def _finalise_seeded(system: LocalSystem, connection: Connection, name: str, days: int = 0) -> str:
    invoice = add_draft(connection, name, system.clock.now(), days)
    connection.platform.finalise(invoice)
    return invoice
