"""What the ledger, Rillet and the queues hold, and the checks of an end state that several tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import pytest
from botocore.exceptions import ClientError

from local.aws.queues import Depth
from local.fake_rillet.calls import Call
from local.system import Connection, LocalSystem
from tests.support.arrange import until
from tests.support.builders import (
    DEMO_CUSTOMER,
    DEMO_CUSTOMER_IN_RILLET,
    FIRST,
    NOTE,
    ORIGINAL,
    Json,
)


def record(
    system: LocalSystem, document_id: str = FIRST, connection: str = "default", *, kind: str = "invoice"
) -> Json:
    """The ledger's record of a document."""
    found = system.ledger_item(f"{connection}#{kind}#{document_id}", "RECORD")
    assert found is not None, f"the ledger has no {kind} {document_id}"
    return found


def memo_record(system: LocalSystem, note_id: str = NOTE) -> Json:
    """The ledger's record of a credit note."""
    return record(system, note_id, kind="credit_memo")


def customer_record(system: LocalSystem, customer_id: str = DEMO_CUSTOMER) -> Json:
    """The ledger's record of a customer's sync."""
    return record(system, customer_id, kind="customer")


def ledger_without_rate_limit(system: LocalSystem) -> list[Json]:
    """The ledger's items but the log of requests to Rillet, which every read adds to, and records of runs."""
    left_out = ("#pacer#", "#run#", "#last-run#")
    return [item for item in system.ledger() if not any(part in item["pk"] for part in left_out)]


def rillet_invoices(connection: Connection, invoice_id: str | None = None) -> list[Json]:
    """The invoices in Rillet, or those that refer to a Solvimon invoice."""
    found = connection.organisation.invoices.documents()
    if invoice_id is None:
        return found
    return [i for i in found if any(r["id"] == invoice_id for r in i.get("external_references", []))]


def rillet_invoice(connection: Connection, invoice_id: str = ORIGINAL) -> Json:
    """The only invoice in Rillet that refers to a Solvimon invoice."""
    found = rillet_invoices(connection, invoice_id)
    assert len(found) == 1
    return found[0]


def memos(connection: Connection) -> list[Json]:
    """The credit memos in Rillet."""
    return connection.organisation.credit_memos.documents()


def applied(memo: Json) -> dict[str, str]:
    """How much of a memo is applied to which Rillet invoice."""
    assert len({a["invoice_id"] for a in memo["applications"]}) == len(memo["applications"])
    return {a["invoice_id"]: a["amount"]["amount"] for a in memo["applications"]}


def rillet_customer(connection: Connection, customer_id: str = DEMO_CUSTOMER_IN_RILLET) -> Json:
    """A customer as Rillet has it now."""
    return deepcopy(connection.organisation.customers.get(customer_id).document)


def calls_to(system: LocalSystem, method: str, path: str = "/") -> list[Call]:
    """The calls that reached Rillet, by method and the beginning of the path."""
    return [c for c in system.rillet.state.calls if c.method == method and c.path.startswith(path)]


def invoice_posts(system: LocalSystem) -> list[Call]:
    """The requests to create an invoice that reached Rillet."""
    return [call for call in calls_to(system, "POST", "/invoices") if call.path == "/invoices"]


def invoice_reads(system: LocalSystem) -> int:
    """How often a single invoice was read from Rillet."""
    return sum(call.path.count("/") == 2 for call in calls_to(system, "GET", "/invoices/"))


def memo_posts(system: LocalSystem) -> list[Call]:
    """The requests to create a memo that reached Rillet."""
    return [call for call in calls_to(system, "POST", "/credit-memos") if call.path == "/credit-memos"]


def application_posts(system: LocalSystem) -> list[Call]:
    """The requests to apply a memo that reached Rillet."""
    return [c for c in calls_to(system, "POST", "/credit-memos/") if c.path.endswith("/applications")]


def customer_puts(system: LocalSystem) -> list[Call]:
    """The requests to replace a customer that reached Rillet."""
    return calls_to(system, "PUT")


def waiting(system: LocalSystem, function: str = "export_invoice") -> Depth:
    """How many messages are on the queue of a function."""
    return system.pollers.queues[function].depth()


def dead_letters(system: LocalSystem, function: str = "export_invoice") -> list[str]:
    """The bodies of the messages in the dead-letter queue of a function."""
    return system.pollers.dead_letters[function].bodies()


def assert_nothing_published(system: LocalSystem) -> None:
    """Neither the bus, nor the queue, nor the table saw anything."""
    assert system.bus_events() == []
    assert waiting(system).total == 0
    assert system.ledger() == []


def assert_exported(
    system: LocalSystem, connection: Connection, invoice_id: str = FIRST, *, only: bool = False
) -> None:
    """The invoice is in Rillet once, and the ledger says which it is and nothing of an earlier failure.

    Args:
        system: the local system.
        connection: the invoice's.
        invoice_id: in Solvimon.
        only: Rillet has no other invoice.
    """
    found = rillet_invoice(connection, invoice_id)
    kept = record(system, invoice_id, connection.name)
    assert (kept["state"], kept["rillet_id"]) == ("exported", found["id"])
    assert kept.keys().isdisjoint({"code", "message", "remedy", "reason", "lease_until"})
    if only:
        assert rillet_invoices(connection) == [found]


def assert_memo_exported(
    system: LocalSystem, connection: Connection, memo_amounts: tuple[str, str] = ("121.00", "0.00")
) -> Json:
    """One memo, one set of applications, nothing open that should not be; the ledger says the same.

    Args:
        system: the local system.
        connection: the connection.
        memo_amounts: what is applied of the memo, and what remains.
    """
    [memo] = memos(connection)
    kept = memo_record(system)
    assert (kept["state"], kept["rillet_id"]) == ("exported", memo["id"])
    assert "lease_until" not in kept
    assert (memo["applied_amount"]["amount"], memo["remaining_amount"]["amount"]) == memo_amounts
    assert (kept["applied"], kept["unapplied"]) == memo_amounts
    assert kept["applied_to"] == list(applied(memo))
    return memo


def assert_customer_synced(system: LocalSystem, connection: Connection, name: str) -> None:
    """Time passes; then the customer in Rillet has this name, and no worker is at it."""
    until(system, lambda: customer_record(system)["state"] == "synced")
    system.advance(3600)
    system.settle()
    assert rillet_customer(connection)["name"] == name
    assert customer_record(system)["state"] == "synced"
    assert "lease_until" not in customer_record(system)


@contextmanager
def refused(code: str, text: str = "") -> Iterator[None]:
    """What is done meanwhile is refused by AWS, with this code, in words that contain a text."""
    with pytest.raises(ClientError) as raised:
        yield
    error = raised.value.response["Error"]
    assert error["Code"] == code
    assert text in error["Message"]
