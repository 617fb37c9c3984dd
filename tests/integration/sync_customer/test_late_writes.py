"""A PUT whose answer was lost arrives after a newer one: Rillet ends with the newest state."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.support.arrange import answer_lost, die, edit, patched, sync
from tests.support.assertions import (
    assert_customer_synced,
    customer_puts,
    customer_record,
    rillet_customer,
    waiting,
)
from tests.support.builders import DEMO_CUSTOMER_IN_RILLET, named

FUNCTION = "sync_customer"
PUT = (RilletClient, "replace_customer")


def in_rillet(connection: Connection) -> str:
    """The customer's name in Rillet."""
    return str(rillet_customer(connection)["name"])


def pass_time(system: LocalSystem, seconds: float) -> None:
    """Let time pass and work go on."""
    system.advance(seconds)
    system.settle()


@pytest.fixture
def lost(system: LocalSystem, default: Connection) -> Connection:
    """The customer is synchronised as "Zero"."""
    edit(default, **named("Zero"))
    system.settle()
    return default


@pytest.mark.parametrize("arrives", ["while its lease is kept", "after the newer one"])
def test_a_put_that_arrives_late_does_not_leave_the_old_name_in_rillet(
    system: LocalSystem, lost: Connection, arrives: str
) -> None:
    edit(lost, **named("One"))
    system.deliver_webhooks()
    with answer_lost(*PUT) as arrive:
        system.deliver(FUNCTION)
    edit(lost, **named("Two"))
    system.settle()
    while_lease_is_kept = in_rillet(lost)
    if arrives == "while its lease is kept":
        arrive()

    pass_time(system, LEASE_SECONDS + 1)
    newest, state, messages = in_rillet(lost), customer_record(system)["state"], waiting(system, FUNCTION)
    if arrives == "after the newer one":
        arrive()
    before = in_rillet(lost)
    pass_time(system, SETTLE_SECONDS)

    assert (while_lease_is_kept, newest, state) == ("Zero", "Two", "sending")
    assert messages.total > 0, "it is looked at again"
    assert before == ("One" if arrives == "after the newer one" else "Two")
    assert_customer_synced(system, lost, "Two")
    assert waiting(system, FUNCTION).total == 0


def test_a_put_of_a_process_that_died_is_looked_for_again_too(system: LocalSystem, lost: Connection) -> None:
    edit(lost, **named("One"))
    system.deliver_webhooks()
    with answer_lost(*PUT) as arrive, patched(Ledger, "release"):
        system.deliver(FUNCTION)
    edit(lost, **named("Two"))
    pass_time(system, LEASE_SECONDS + 1)

    arrive()
    pass_time(system, SETTLE_SECONDS)

    assert_customer_synced(system, lost, "Two")


def test_a_put_that_rillet_itself_ended_needs_no_second_look(system: LocalSystem, lost: Connection) -> None:
    edit(lost, **named("One"))
    system.rillet.state.misbehave("status", "PUT", "/customers", status=500)
    system.settle()

    pass_time(system, 60)

    assert in_rillet(lost) == "One"
    assert customer_record(system)["state"] == "synced"
    assert waiting(system, FUNCTION).total == 0


def test_an_edit_in_rillet_after_a_lost_put_is_no_late_write_and_stays(
    system: LocalSystem, lost: Connection
) -> None:
    edit(lost, **named("One"))
    system.deliver_webhooks()
    with answer_lost(*PUT):
        system.deliver(FUNCTION)
    pass_time(system, LEASE_SECONDS + 1)
    lost.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, name="By hand")

    pass_time(system, SETTLE_SECONDS)

    assert in_rillet(lost) == "By hand"
    assert customer_record(system)["state"] == "synced"


def test_a_lost_put_costs_no_call_once_it_is_settled_and_forgotten(
    system: LocalSystem, lost: Connection
) -> None:
    edit(lost, **named("One"))
    system.deliver_webhooks()
    with answer_lost(*PUT):
        system.deliver(FUNCTION)
    pass_time(system, LEASE_SECONDS + 1)
    pass_time(system, SETTLE_SECONDS)
    system.advance(3 * 24 * 3600)
    calls = len(system.rillet.state.calls)

    [result] = sync(system)

    assert result["outcome"] == "unchanged"
    assert len(system.rillet.state.calls) == calls
    assert len(customer_puts(system)) == 2


def test_a_process_that_dies_after_the_newer_put_is_followed_by_the_look(
    system: LocalSystem, lost: Connection
) -> None:
    edit(lost, **named("One"))
    system.deliver_webhooks()
    with answer_lost(*PUT) as arrive:
        system.deliver(FUNCTION)
    edit(lost, **named("Two"))
    system.advance(LEASE_SECONDS + 1)
    real = RilletClient.replace_customer
    with patched(*PUT, lambda *args: die(real(*args))):
        system.settle()

    arrive()
    pass_time(system, LEASE_SECONDS + 1)
    pass_time(system, SETTLE_SECONDS)
    pass_time(system, SETTLE_SECONDS)

    assert_customer_synced(system, lost, "Two")
