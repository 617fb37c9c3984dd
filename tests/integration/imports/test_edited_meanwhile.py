"""An import and a person's edit of the same customer: the newer one stays, on both sides."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.import_state import ImportState
from solvimon_rillet.ledger.ledger import LEASE_SECONDS
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.integration.imports.support import (
    Json,
    connect,
    counts,
    customer,
    die_at,
    edit,
    existing,
    linked,
    rillet_id,
    run,
    value,
)
from tests.support.arrange import answer_lost, patched, sync
from tests.support.interposed import after_call, before_call


def imported(system: LocalSystem) -> Connection:
    """A connection whose only customer was imported as "Customer 1"."""
    connection = connect(system, customers=[customer()])
    run(system)
    system.settle()
    return connection


def rename(connection: Connection, name: str) -> None:
    """Rename the customer in Solvimon."""
    key = linked(connection)["id"]
    connection.platform.edit_customer(key, organization={"legal_name": name})


def rename_in_rillet(connection: Connection, name: str) -> None:
    """Rename the customer in Rillet."""
    connection.organisation.edit_customer(rillet_id(1), name=name)


def names(connection: Connection) -> tuple[str, str]:
    """The customer's name in Solvimon and in Rillet."""
    in_rillet = connection.organisation.customers.get(rillet_id(1)).document["name"]
    return linked(connection)["organization"]["legal_name"], in_rillet


def settled(system: LocalSystem, connection: Connection) -> tuple[tuple[str, str], Json]:
    """The names after all work is done, and what another import does then."""
    for _ in range(3):
        system.advance(LEASE_SECONDS + 1)
        system.settle()
    answer = run(system)
    system.settle()
    return names(connection), counts(answer)


def test_a_synchronisation_waits_while_an_import_writes_the_customer(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = imported(system)
    rename_in_rillet(connection, "By the accountant")
    customer_id, meanwhile = linked(connection)["id"], list[Json]()

    def sync_it(*_: object) -> None:
        meanwhile.extend(sync(system, customer_id))

    before_call(monkeypatch, SolvimonClient, "update", sync_it, call=1)

    answer = run(system)

    assert [one["outcome"] for one in meanwhile] == ["queued"]
    assert counts(answer) == {"updated": 1}
    both, again = settled(system, connection)
    assert both == ("By the accountant", "By the accountant")
    assert again == {"unchanged": 1}


def test_a_rename_in_rillet_is_not_undone_by_a_synchronisation_that_has_read_the_name_before(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import waits for the lease; the slow run, whose lease has ended by then, sends nothing."""
    here = existing(reference=rillet_id(1), organization={"legal_name": "Old"}, custom_fields=value(1))
    connection = connect(system, customers=[customer(name="New")], solvimon={"customers": [here]})
    answers = list[Json]()
    after_call(monkeypatch, RilletClient, "customer_json", lambda *_: answers.append(run(system)), call=1)

    sync(system, "cust_1")

    assert counts(answers[0]) == {"updated": 1}
    both, _ = settled(system, connection)
    assert both == ("New", "New")


def test_an_edit_of_another_part_between_an_imports_read_and_its_write_reaches_rillet(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Solvimon's answer shows it: what the import did not send has changed since it was read."""
    connection = imported(system)
    rename_in_rillet(connection, "By the accountant")
    customer_id, email = linked(connection)["id"], "by-a-person@customer.example"

    def edit_email(*_: object) -> None:
        connection.platform.edit_customer(customer_id, email=email)

    before_call(monkeypatch, SolvimonClient, "update", edit_email, call=1)

    answer = run(system)
    both, _ = settled(system, connection)

    assert any("was edited in Solvimon" in note for note in answer["notes"])
    assert both == ("By the accountant", "By the accountant")
    [sender] = connection.organisation.customers.get(rillet_id(1)).document["emails"]
    assert linked(connection)["email"] == sender["email"] == email


def test_a_row_that_was_listed_before_a_rename_was_synchronised_does_not_undo_it(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = imported(system)
    edit(connection, payment_terms=14, name="Customer one")

    def rename_and_sync(*_: object) -> None:
        system.advance(1)
        rename(connection, "Renamed")
        system.settle()

    after_call(monkeypatch, RilletClient, "customer_rows", rename_and_sync, call=1)

    answer = run(system)

    assert answer["failed"] == 0
    assert names(connection) == ("Renamed", "Renamed")
    both, again = settled(system, connection)
    assert both == ("Renamed", "Renamed")
    assert again == {"unchanged": 1}


@pytest.mark.parametrize("event", [{}, {"recheck": True}, {"incremental": True}])
def test_a_rename_in_solvimon_that_is_not_in_rillet_yet_is_not_undone(
    system: LocalSystem, event: Json
) -> None:
    connection = imported(system)
    rename(connection, "Renamed")
    edit(connection, emails=[{"email": "new@customer.example", "type": "MAIN_SENDER"}])

    answer = run(system, **event)

    assert names(connection) == ("Renamed", "Customer 1")
    assert any("was edited in Solvimon" in note for note in answer["notes"])
    assert counts(answer) == {"unchanged": 1}
    both, _ = settled(system, connection)
    assert both == ("Renamed", "Renamed")


def test_a_rename_whose_write_to_rillet_was_lost_is_not_undone(system: LocalSystem) -> None:
    connection = imported(system)
    rename(connection, "Renamed")
    system.deliver_webhooks()
    with answer_lost(RilletClient, "replace_customer"):
        system.deliver("sync_customer")
    edit(connection, emails=[{"email": "new@customer.example", "type": "MAIN_SENDER"}])

    answer = run(system)

    assert answer["complete"]
    assert names(connection)[0] == "Renamed"
    both, _ = settled(system, connection)
    assert both == ("Renamed", "Renamed")


def test_a_held_lease_lets_the_import_wait_without_failing_a_row(system: LocalSystem) -> None:
    connection = imported(system)
    rename(connection, "Renamed")
    system.deliver_webhooks()
    with patched(RilletClient, "customer_json"):
        system.deliver("sync_customer")
    edit(connection, payment_terms=7, name="Customer one")
    before = system.clock.now()

    answer = run(system)

    assert (answer["complete"], answer["failed"]) == (True, 0)
    assert 15 <= system.clock.now() - before <= LEASE_SECONDS + 30
    assert names(connection)[0] == "Renamed"


def test_an_import_leaves_no_record_of_a_synchronisation_behind(system: LocalSystem) -> None:
    connection = imported(system)
    rename_in_rillet(connection, "By the accountant")

    run(system)

    key = linked(connection)["id"]
    assert system.ledger_item(f"default#customer#{key}", "RECORD") is None


def test_an_import_that_dies_between_solvimon_and_the_ledger_takes_its_own_write_for_no_edit(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = imported(system)
    rename_in_rillet(connection, "By the accountant")
    die_at(monkeypatch, ImportState, "store_row", 1, after=False)

    run(system)

    both, again = settled(system, connection)

    assert both == ("By the accountant", "By the accountant")
    assert again == {"unchanged": 1}
