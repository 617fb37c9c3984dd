"""An import's own PATCH of a customer that arrives after its lease does not undo a later rename."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.errors import Code, NeedsAttention, OutcomeUnknown
from solvimon_rillet.ledger.ledger import LEASE_SECONDS
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.late_writes import KEEP_SECONDS, SETTLE_SECONDS
from tests.integration.imports.support import (
    Json,
    connect,
    counts,
    customer,
    edit,
    forget_calls,
    linked,
    product,
    rillet_id,
    run,
)
from tests.integration.imports.test_edited_meanwhile import names, rename, rename_in_rillet
from tests.support.arrange import pass_time, patched

UPDATE = (SolvimonClient, "update")


@pytest.fixture
def imported(system: LocalSystem) -> Connection:
    """The customer is "Customer 1" on both sides."""
    connection = connect(system, customers=[customer()])
    run(system)
    system.settle()
    return connection


def lost_update(system: LocalSystem, kind: str = "customers") -> Callable[[], object]:
    """Import while the first PATCH gets no answer; the answer lets it arrive."""
    real, late = SolvimonClient.update, list[Any]()

    def update(client: SolvimonClient, collection: str, record_id: str, body: Json) -> Json:
        if not late:
            late.append((client, collection, record_id, dict(body)))
            raise OutcomeUnknown("Solvimon did not answer (ReadTimeout).")
        return real(client, collection, record_id, body)

    with patched(*UPDATE, update):
        run(system, kind)
    return lambda: real(*late[0])


def email_in(connection: Connection) -> tuple[str, str]:
    """The customer's e-mail address in Solvimon and in Rillet."""
    [sender] = connection.organisation.customers.get(rillet_id(1)).document["emails"]
    return linked(connection)["email"], sender["email"]


@pytest.mark.parametrize("renamed_after", [0, LEASE_SECONDS + 1])
@pytest.mark.parametrize("seconds", [10, LEASE_SECONDS + 1, 20 * 60, 25 * 3600])
def test_a_rename_after_an_import_stays_when_the_imports_own_patch_arrives_late(
    system: LocalSystem, imported: Connection, seconds: int, renamed_after: int
) -> None:
    rename_in_rillet(imported, "By the accountant")
    arrive = lost_update(system)
    system.advance(renamed_after)
    rename(imported, "Renamed")
    system.settle()
    synced = names(imported)
    system.advance(seconds)

    arrive()
    on_arrival = names(imported)
    pass_time(system, 2 * SETTLE_SECONDS)

    assert synced == ("Renamed", "Renamed")
    assert on_arrival[0] == "By the accountant"
    assert names(imported) == ("Renamed", "Renamed")
    assert counts(run(system)) == {"unchanged": 1}


def test_a_patch_that_arrives_late_leaves_an_edit_of_another_field_alone(
    system: LocalSystem, imported: Connection
) -> None:
    rename_in_rillet(imported, "By the accountant")
    arrive = lost_update(system)
    system.advance(LEASE_SECONDS + 1)
    rename(imported, "Renamed")
    system.settle()
    imported.platform.edit_customer(linked(imported)["id"], email="new@customer.example")

    arrive()
    pass_time(system, 2 * SETTLE_SECONDS)

    assert names(imported) == ("Renamed", "Renamed")
    assert email_in(imported) == ("new@customer.example", "new@customer.example")


def test_linking_the_pair_by_hand_does_not_forget_a_patch_that_may_arrive(
    system: LocalSystem, imported: Connection
) -> None:
    rename_in_rillet(imported, "By the accountant")
    arrive = lost_update(system)
    pair = {"kind": "customer", "solvimon_id": linked(imported)["id"], "rillet_id": rillet_id(1)}
    rename(imported, "Renamed")
    system.settle()

    system.invoke("link_records", {"link": pair})
    system.settle()
    arrive()
    pass_time(system, 2 * SETTLE_SECONDS)

    assert names(imported) == ("Renamed", "Renamed")


@pytest.mark.parametrize("event", [{}, {"recheck": True}])
def test_the_next_import_takes_a_late_patch_for_no_edit(
    system: LocalSystem, imported: Connection, event: Json
) -> None:
    rename_in_rillet(imported, "One")
    arrive = lost_update(system)
    rename_in_rillet(imported, "Two")
    run(system)
    system.settle()
    arrive()

    answer = run(system, **event)

    assert counts(answer) == {"updated": 1}
    assert not [note for note in answer["notes"] if "edited" in note]
    pass_time(system, 2 * SETTLE_SECONDS)
    assert names(imported) == ("Two", "Two")


def test_a_patch_that_solvimon_refused_is_no_late_write(system: LocalSystem, imported: Connection) -> None:
    rename_in_rillet(imported, "One")
    refused = NeedsAttention(Code.REFUSED_BY_SOLVIMON, "Solvimon refused it (400).", "Correct it.")
    with patched(*UPDATE, Mock(side_effect=refused)):
        run(system)
    rename(imported, "One")

    pass_time(system, 2 * SETTLE_SECONDS)

    link = system.ledger_item(f"default#link-customer#{linked(imported)['id']}", "RECORD")
    assert link is not None
    assert "late_imports" not in link


def test_a_late_patch_is_forgotten_after_two_days(system: LocalSystem, imported: Connection) -> None:
    rename_in_rillet(imported, "One")
    lost_update(system)
    system.advance(KEEP_SECONDS + 1)
    edit(imported, payment_terms=14, name="Two")
    run(system)

    link = system.ledger_item(f"default#link-customer#{linked(imported)['id']}", "RECORD")

    assert link is not None
    assert "late_imports" not in link


@pytest.mark.parametrize("seconds", [60, 25 * 3600])
def test_a_products_patch_that_arrives_late_is_replaced_by_the_next_import(
    system: LocalSystem, seconds: int
) -> None:
    connection = connect(system, products=[product()])
    run(system, "products")
    edit(connection, kind="products", name="One")
    arrive = lost_update(system, "products")
    edit(connection, kind="products", name="Two")
    run(system, "products")
    system.advance(seconds)
    arrive()

    answer = run(system, "products")

    assert counts(answer) == {"updated": 1}
    assert linked(connection, kind="products")["name"] == "Two"
    system.advance(KEEP_SECONDS)
    run(system, "products")
    forget_calls(system)
    run(system, "products")
    assert [call.path for call in system.solvimon.state.calls if "/products/" in call.path] == []
