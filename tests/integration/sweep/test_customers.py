"""Which customers a sweep puts on the bus."""

from urllib.parse import parse_qs

import pytest

from local.system import Connection, LocalSystem
from tests.integration.sweep.support import Silent, silent, swept
from tests.support.arrange import edit, export, load
from tests.support.assertions import customer_puts, rillet_customer
from tests.support.builders import (
    DEMO_CUSTOMER,
    DEMO_CUSTOMER_IN_RILLET,
    DEMO_PERSON,
    UNLINKED,
    Json,
    named,
    original,
)

HOUR = 3600


def test_an_imported_customer_is_synchronised_and_a_later_edit_is_found(connection: Silent) -> None:
    connection.system.invoke("import_customers", {})
    connection.system.advance(120)
    before = connection.swept()
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))

    found, after = connection.swept(), connection.swept()

    assert (before, found, after) == ({}, {"customers": 1}, {})
    assert rillet_customer(connection)["name"] == "Edited B.V."


def test_going_live_writes_no_customer_to_rillet(connection: Silent) -> None:
    kept = rillet_customer(connection)
    edit(connection, DEMO_CUSTOMER, **named("Edited before anybody connected B.V."))

    found = [connection.swept(), connection.swept()]

    assert found == [{}, {}]
    assert rillet_customer(connection) == kept
    assert customer_puts(connection.system) == []


def test_unlinked_customers_are_never_published(connection: Silent) -> None:
    connection.swept()
    edit(connection, UNLINKED, **named("Edited, and not linked B.V."))

    assert connection.swept() == {}
    assert connection.on_the_bus() == {}


def test_a_customer_that_an_invoice_created_is_synchronised_until_it_is_edited(connection: Silent) -> None:
    load(connection, original(customer_id=UNLINKED))
    export(connection.system, "invo_original")
    edit(connection, UNLINKED, **named("Edited after its creation B.V."))

    found = connection.swept()

    assert found == {"customers": 1}
    link = connection.system.ledger_item(f"default#link-customer#{UNLINKED}", "RECORD") or {}
    assert rillet_customer(connection, link["rillet_id"])["name"] == "Edited after its creation B.V."


def test_the_round_goes_on_where_it_ended_and_wraps_around(system: LocalSystem) -> None:
    connection = silent(system, sweep={"customers_per_run": 100})
    some = [{"id": f"cust_{n:04}", "type": "ORGANIZATION", "status": "ACTIVE"} for n in range(250)]
    connection.platform.load({"customers": some})
    first = len(_pages(system))

    for _ in range(4):
        connection.swept()

    assert _pages(system)[first:] == ["1", "2", "3", "1"]


def test_a_sweep_looks_at_no_customer_twice(system: LocalSystem) -> None:
    connection = silent(system, sweep={"customers_per_run": 200})
    some = [{"id": f"cust_{n:04}", "type": "ORGANIZATION", "status": "ACTIVE"} for n in range(250)]
    connection.platform.load({"customers": some})
    connection.swept()
    connection.configure(sweep={"customers_per_run": 1000})
    first = len(_pages(system))

    connection.swept()

    assert _pages(system)[first:] == ["3", "1", "2"]


def test_an_edit_whose_message_is_lost_is_published_again_after_an_hour(connection: Silent) -> None:
    connection.swept()
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))
    first = connection.found()
    connection.lose_messages()
    waiting = connection.found()
    connection.system.advance(HOUR)

    again = connection.swept()

    assert (first, waiting, again) == ({"customers": 1}, {}, {"customers": 1})
    assert rillet_customer(connection)["name"] == "Edited B.V."


def test_an_edit_that_was_rejected_is_left_to_a_person_until_the_next_edit(connection: Silent) -> None:
    connection.swept()
    connection.organisation.customers.remove(DEMO_CUSTOMER_IN_RILLET)
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))
    first = connection.swept()
    rejected = connection.state_of(DEMO_CUSTOMER, "customer")
    connection.system.advance(3 * HOUR)

    second = connection.swept()
    edit(connection, DEMO_CUSTOMER, **named("Edited again B.V."))

    assert (first, rejected, second) == ({"customers": 1}, "rejected", {})
    assert connection.swept() == {"customers": 1}


def test_an_edit_that_comes_back_to_an_earlier_name_is_found(connection: Silent) -> None:
    connection.swept()
    names = ["One B.V.", "Two B.V.", "One B.V.", "Two B.V."]
    seen = []

    for name in names:
        edit(connection, DEMO_CUSTOMER, **named(name))
        connection.swept()
        seen.append(rillet_customer(connection)["name"])

    assert seen == names


def test_an_edit_back_is_found_after_a_webhook_published_the_one_before(connection: Silent) -> None:
    was = rillet_customer(connection)["name"]
    connection.swept()
    connection.system.solvimon.state.webhooks_on = True
    edit(connection, DEMO_CUSTOMER, **named("For a moment B.V."))
    connection.system.settle()
    connection.system.solvimon.state.webhooks_on = False
    edit(connection, DEMO_CUSTOMER, **named(was))

    found = connection.swept()

    assert found == {"customers": 1}
    assert rillet_customer(connection)["name"] == was


@pytest.mark.parametrize(
    "settings", [{"workflows": {"sync_customer": False}}, {"sweep": {"customers_per_run": 0}}]
)
def test_nothing_is_read_where_it_is_switched_off(system: LocalSystem, settings: Json) -> None:
    silent(system, **settings)

    swept(system)

    assert not system.solvimon.state.calls.find("GET", "/v1/customers")


def test_a_customer_that_cannot_be_read_does_not_hold_up_the_others(connection: Silent) -> None:
    connection.swept()
    _spoil(connection)
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))

    assert connection.swept() == {"customers": 1}


def _pages(system: LocalSystem) -> list[str]:
    """The pages of customers that Solvimon was asked for."""
    asked = system.solvimon.state.calls.find("GET", "/v1/customers")
    return [page for call in asked for page in parse_qs(call.query)["page"]]


def _spoil(connection: Connection) -> None:
    connection.platform.records["customers"][DEMO_PERSON]["organization"] = ["a list"]
