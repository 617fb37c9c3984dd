"""Which customers a sweep puts on the bus."""

from urllib.parse import parse_qs

import pytest

from local.stack import Connection, LocalStack
from tests.credit_memos.support import load, original
from tests.customers.support import CUSTOMER, IN_RILLET, PERSON, UNLINKED, edit, in_rillet, named, puts
from tests.export.support import configure, export
from tests.sweep.support import Json, lose_messages, on_the_bus, silent, state_of, sweep, swept

HOUR = 3600


def test_what_an_import_brought_is_in_step_and_a_later_edit_is_found(stack: LocalStack) -> None:
    connection = silent(stack)
    stack.invoke("import_customers", {})
    stack.advance(120)
    before = swept(stack)
    edit(connection, CUSTOMER, **named("Edited B.V."))

    found, after = swept(stack), swept(stack)

    assert (before, found, after) == ({}, {"customers": 1}, {})
    assert in_rillet(connection)["name"] == "Edited B.V."


def test_going_live_writes_no_customer_to_rillet(stack: LocalStack) -> None:
    connection = silent(stack)
    kept = in_rillet(connection)
    edit(connection, CUSTOMER, **named("Edited before anybody connected B.V."))

    found = [swept(stack), swept(stack)]

    assert found == [{}, {}]
    assert in_rillet(connection) == kept
    assert puts(stack) == []


def test_unlinked_customers_are_never_published(stack: LocalStack) -> None:
    connection = silent(stack)
    swept(stack)
    edit(connection, UNLINKED, **named("Edited, and not linked B.V."))

    assert swept(stack) == {}
    assert on_the_bus(stack) == {}


def test_a_customer_that_an_invoice_created_is_in_step_until_it_is_edited(stack: LocalStack) -> None:
    connection = silent(stack)
    load(connection, original(customer_id=UNLINKED))
    export(stack, "invo_original")
    edit(connection, UNLINKED, **named("Edited after its creation B.V."))

    found = swept(stack)

    assert found == {"customers": 1}
    link = stack.ledger_item(f"default#link-customer#{UNLINKED}", "RECORD") or {}
    assert in_rillet(connection, link["rillet_id"])["name"] == "Edited after its creation B.V."


def test_the_round_goes_on_where_it_ended_and_wraps_around(stack: LocalStack) -> None:
    connection = silent(stack, sweep={"customers_per_run": 100})
    some = [{"id": f"cust_{n:04}", "type": "ORGANIZATION", "status": "ACTIVE"} for n in range(250)]
    connection.platform.load({"customers": some})
    first = len(_pages(stack))

    for _ in range(4):
        swept(stack)

    assert _pages(stack)[first:] == ["1", "2", "3", "1"]


def test_a_sweep_looks_at_no_customer_twice(stack: LocalStack) -> None:
    connection = silent(stack, sweep={"customers_per_run": 200})
    some = [{"id": f"cust_{n:04}", "type": "ORGANIZATION", "status": "ACTIVE"} for n in range(250)]
    connection.platform.load({"customers": some})
    swept(stack)
    configure(stack, connection, sweep={"customers_per_run": 1000})
    first = len(_pages(stack))

    swept(stack)

    assert _pages(stack)[first:] == ["3", "1", "2"]


def test_an_edit_whose_message_is_lost_is_published_again_after_an_hour(stack: LocalStack) -> None:
    connection = silent(stack)
    swept(stack)
    edit(connection, CUSTOMER, **named("Edited B.V."))
    first = sweep(stack)["found"]
    lose_messages(stack)
    waiting = sweep(stack)["found"]
    stack.advance(HOUR)

    again = swept(stack)

    assert (first, waiting, again) == ({"customers": 1}, {}, {"customers": 1})
    assert in_rillet(connection)["name"] == "Edited B.V."


def test_an_edit_that_was_rejected_is_left_to_a_person_until_the_next_edit(stack: LocalStack) -> None:
    connection = silent(stack)
    swept(stack)
    connection.organisation.customers.remove(IN_RILLET)
    edit(connection, CUSTOMER, **named("Edited B.V."))
    first = swept(stack)
    rejected = state_of(stack, CUSTOMER, "customer")
    stack.advance(3 * HOUR)

    second = swept(stack)
    edit(connection, CUSTOMER, **named("Edited again B.V."))

    assert (first, rejected, second) == ({"customers": 1}, "rejected", {})
    assert swept(stack) == {"customers": 1}


def test_an_edit_that_comes_back_to_an_earlier_name_is_found(stack: LocalStack) -> None:
    connection = silent(stack)
    swept(stack)
    names = ["One B.V.", "Two B.V.", "One B.V.", "Two B.V."]
    seen = []

    for name in names:
        edit(connection, CUSTOMER, **named(name))
        swept(stack)
        seen.append(in_rillet(connection)["name"])

    assert seen == names


def test_an_edit_back_to_what_it_was_is_found_though_a_webhook_told_of_the_one_before(
    stack: LocalStack,
) -> None:
    connection = silent(stack)
    was = in_rillet(connection)["name"]
    swept(stack)
    stack.solvimon.state.webhooks_on = True
    edit(connection, CUSTOMER, **named("For a moment B.V."))
    stack.settle()
    stack.solvimon.state.webhooks_on = False
    edit(connection, CUSTOMER, **named(was))

    found = swept(stack)

    assert found == {"customers": 1}
    assert in_rillet(connection)["name"] == was


@pytest.mark.parametrize(
    "settings", [{"workflows": {"sync_customer": False}}, {"sweep": {"customers_per_run": 0}}]
)
def test_nothing_is_read_where_it_is_switched_off(stack: LocalStack, settings: Json) -> None:
    silent(stack, **settings)

    swept(stack)

    assert not stack.solvimon.state.calls.find("GET", "/v1/customers")


def test_a_customer_that_cannot_be_read_does_not_hold_up_the_others(stack: LocalStack) -> None:
    connection = silent(stack)
    swept(stack)
    _spoil(connection)
    edit(connection, CUSTOMER, **named("Edited B.V."))

    assert swept(stack) == {"customers": 1}


def _pages(stack: LocalStack) -> list[str]:
    """The pages of customers that Solvimon was asked for."""
    asked = stack.solvimon.state.calls.find("GET", "/v1/customers")
    return [page for call in asked for page in parse_qs(call.query)["page"]]


def _spoil(connection: Connection) -> None:
    connection.platform.records["customers"][PERSON]["organization"] = ["a list"]
