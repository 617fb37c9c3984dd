"""Which customers a sweep puts on the bus."""

from urllib.parse import parse_qs

import pytest

from local.system import Connection, LocalSystem
from tests.integration.sweep.support import Json, lose_messages, on_the_bus, silent, state_of, sweep, swept
from tests.support.arrange import configure, edit, export, load
from tests.support.assertions import customer_puts, rillet_customer
from tests.support.builders import (
    DEMO_CUSTOMER,
    DEMO_CUSTOMER_IN_RILLET,
    DEMO_PERSON,
    UNLINKED,
    named,
    original,
)

HOUR = 3600


def test_what_an_import_brought_is_in_step_and_a_later_edit_is_found(system: LocalSystem) -> None:
    connection = silent(system)
    system.invoke("import_customers", {})
    system.advance(120)
    before = swept(system)
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))

    found, after = swept(system), swept(system)

    assert (before, found, after) == ({}, {"customers": 1}, {})
    assert rillet_customer(connection)["name"] == "Edited B.V."


def test_going_live_writes_no_customer_to_rillet(system: LocalSystem) -> None:
    connection = silent(system)
    kept = rillet_customer(connection)
    edit(connection, DEMO_CUSTOMER, **named("Edited before anybody connected B.V."))

    found = [swept(system), swept(system)]

    assert found == [{}, {}]
    assert rillet_customer(connection) == kept
    assert customer_puts(system) == []


def test_unlinked_customers_are_never_published(system: LocalSystem) -> None:
    connection = silent(system)
    swept(system)
    edit(connection, UNLINKED, **named("Edited, and not linked B.V."))

    assert swept(system) == {}
    assert on_the_bus(system) == {}


def test_a_customer_that_an_invoice_created_is_in_step_until_it_is_edited(system: LocalSystem) -> None:
    connection = silent(system)
    load(connection, original(customer_id=UNLINKED))
    export(system, "invo_original")
    edit(connection, UNLINKED, **named("Edited after its creation B.V."))

    found = swept(system)

    assert found == {"customers": 1}
    link = system.ledger_item(f"default#link-customer#{UNLINKED}", "RECORD") or {}
    assert rillet_customer(connection, link["rillet_id"])["name"] == "Edited after its creation B.V."


def test_the_round_goes_on_where_it_ended_and_wraps_around(system: LocalSystem) -> None:
    connection = silent(system, sweep={"customers_per_run": 100})
    some = [{"id": f"cust_{n:04}", "type": "ORGANIZATION", "status": "ACTIVE"} for n in range(250)]
    connection.platform.load({"customers": some})
    first = len(_pages(system))

    for _ in range(4):
        swept(system)

    assert _pages(system)[first:] == ["1", "2", "3", "1"]


def test_a_sweep_looks_at_no_customer_twice(system: LocalSystem) -> None:
    connection = silent(system, sweep={"customers_per_run": 200})
    some = [{"id": f"cust_{n:04}", "type": "ORGANIZATION", "status": "ACTIVE"} for n in range(250)]
    connection.platform.load({"customers": some})
    swept(system)
    configure(system, connection, sweep={"customers_per_run": 1000})
    first = len(_pages(system))

    swept(system)

    assert _pages(system)[first:] == ["3", "1", "2"]


def test_an_edit_whose_message_is_lost_is_published_again_after_an_hour(system: LocalSystem) -> None:
    connection = silent(system)
    swept(system)
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))
    first = sweep(system)["found"]
    lose_messages(system)
    waiting = sweep(system)["found"]
    system.advance(HOUR)

    again = swept(system)

    assert (first, waiting, again) == ({"customers": 1}, {}, {"customers": 1})
    assert rillet_customer(connection)["name"] == "Edited B.V."


def test_an_edit_that_was_rejected_is_left_to_a_person_until_the_next_edit(system: LocalSystem) -> None:
    connection = silent(system)
    swept(system)
    connection.organisation.customers.remove(DEMO_CUSTOMER_IN_RILLET)
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))
    first = swept(system)
    rejected = state_of(system, DEMO_CUSTOMER, "customer")
    system.advance(3 * HOUR)

    second = swept(system)
    edit(connection, DEMO_CUSTOMER, **named("Edited again B.V."))

    assert (first, rejected, second) == ({"customers": 1}, "rejected", {})
    assert swept(system) == {"customers": 1}


def test_an_edit_that_comes_back_to_an_earlier_name_is_found(system: LocalSystem) -> None:
    connection = silent(system)
    swept(system)
    names = ["One B.V.", "Two B.V.", "One B.V.", "Two B.V."]
    seen = []

    for name in names:
        edit(connection, DEMO_CUSTOMER, **named(name))
        swept(system)
        seen.append(rillet_customer(connection)["name"])

    assert seen == names


def test_an_edit_back_to_what_it_was_is_found_though_a_webhook_told_of_the_one_before(
    system: LocalSystem,
) -> None:
    connection = silent(system)
    was = rillet_customer(connection)["name"]
    swept(system)
    system.solvimon.state.webhooks_on = True
    edit(connection, DEMO_CUSTOMER, **named("For a moment B.V."))
    system.settle()
    system.solvimon.state.webhooks_on = False
    edit(connection, DEMO_CUSTOMER, **named(was))

    found = swept(system)

    assert found == {"customers": 1}
    assert rillet_customer(connection)["name"] == was


@pytest.mark.parametrize(
    "settings", [{"workflows": {"sync_customer": False}}, {"sweep": {"customers_per_run": 0}}]
)
def test_nothing_is_read_where_it_is_switched_off(system: LocalSystem, settings: Json) -> None:
    silent(system, **settings)

    swept(system)

    assert not system.solvimon.state.calls.find("GET", "/v1/customers")


def test_a_customer_that_cannot_be_read_does_not_hold_up_the_others(system: LocalSystem) -> None:
    connection = silent(system)
    swept(system)
    _spoil(connection)
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))

    assert swept(system) == {"customers": 1}


def _pages(system: LocalSystem) -> list[str]:
    """The pages of customers that Solvimon was asked for."""
    asked = system.solvimon.state.calls.find("GET", "/v1/customers")
    return [page for call in asked for page in parse_qs(call.query)["page"]]


def _spoil(connection: Connection) -> None:
    connection.platform.records["customers"][DEMO_PERSON]["organization"] = ["a list"]
