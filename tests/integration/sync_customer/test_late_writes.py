"""A PUT whose answer was lost arrives after a newer one: Rillet ends with the newest state."""

import pytest

from local.system import Connection
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.support.arrange import answer_lost, die, edit, patched
from tests.support.assertions import customer_puts, rillet_customer, waiting
from tests.support.builders import DEMO_CUSTOMER_IN_RILLET, named
from tests.support.connected import Connected

FUNCTION = "sync_customer"
PUT = (RilletClient, "replace_customer")


def in_rillet(connection: Connection) -> str:
    """The customer's name in Rillet."""
    return str(rillet_customer(connection)["name"])


@pytest.fixture
def lost(default: Connected) -> Connected:
    """The customer is synchronised as "Zero"."""
    default.edit_and_settle(**named("Zero"))
    return default


@pytest.mark.parametrize("arrives", ["while its lease is kept", "after the newer one"])
def test_a_put_that_arrives_late_does_not_leave_the_old_name_in_rillet(lost: Connected, arrives: str) -> None:
    edit(lost, **named("One"))
    lost.system.deliver_webhooks()
    with answer_lost(*PUT) as arrive:
        lost.system.deliver(FUNCTION)
    lost.edit_and_settle(**named("Two"))
    while_lease_is_kept = in_rillet(lost)
    if arrives == "while its lease is kept":
        arrive()

    lost.settle(after=LEASE_SECONDS + 1)
    newest, state, messages = in_rillet(lost), lost.customer_record()["state"], waiting(lost.system, FUNCTION)
    if arrives == "after the newer one":
        arrive()
    before = in_rillet(lost)
    lost.settle(after=SETTLE_SECONDS)

    assert (while_lease_is_kept, newest, state) == ("Zero", "Two", "sending")
    assert messages.total > 0, "it is looked at again"
    assert before == ("One" if arrives == "after the newer one" else "Two")
    lost.assert_customer_synced("Two")
    assert waiting(lost.system, FUNCTION).total == 0


def test_a_put_of_a_process_that_died_is_looked_for_again_too(lost: Connected) -> None:
    edit(lost, **named("One"))
    lost.system.deliver_webhooks()
    with answer_lost(*PUT) as arrive, patched(Ledger, "release"):
        lost.system.deliver(FUNCTION)
    edit(lost, **named("Two"))
    lost.settle(after=LEASE_SECONDS + 1)

    arrive()
    lost.settle(after=SETTLE_SECONDS)

    lost.assert_customer_synced("Two")


def test_a_put_that_rillet_itself_ended_needs_no_second_look(lost: Connected) -> None:
    edit(lost, **named("One"))
    lost.system.rillet.state.misbehave("status", "PUT", "/customers", status=500)
    lost.settle()

    lost.settle(after=60)

    assert in_rillet(lost) == "One"
    assert lost.customer_record()["state"] == "synced"
    assert waiting(lost.system, FUNCTION).total == 0


def test_an_edit_in_rillet_after_a_lost_put_is_no_late_write_and_stays(lost: Connected) -> None:
    edit(lost, **named("One"))
    lost.system.deliver_webhooks()
    with answer_lost(*PUT):
        lost.system.deliver(FUNCTION)
    lost.settle(after=LEASE_SECONDS + 1)
    lost.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, name="By hand")

    lost.settle(after=SETTLE_SECONDS)

    assert in_rillet(lost) == "By hand"
    assert lost.customer_record()["state"] == "synced"


def test_a_lost_put_costs_no_call_once_it_is_settled_and_forgotten(lost: Connected) -> None:
    edit(lost, **named("One"))
    lost.system.deliver_webhooks()
    with answer_lost(*PUT):
        lost.system.deliver(FUNCTION)
    lost.settle(after=LEASE_SECONDS + 1)
    lost.settle(after=SETTLE_SECONDS)
    lost.system.advance(3 * 24 * 3600)
    calls = len(lost.system.rillet.state.calls)

    [result] = lost.sync()

    assert result["outcome"] == "unchanged"
    assert len(lost.system.rillet.state.calls) == calls
    assert len(customer_puts(lost.system)) == 2


def test_a_process_that_dies_after_the_newer_put_is_followed_by_the_look(lost: Connected) -> None:
    edit(lost, **named("One"))
    lost.system.deliver_webhooks()
    with answer_lost(*PUT) as arrive:
        lost.system.deliver(FUNCTION)
    edit(lost, **named("Two"))
    lost.system.advance(LEASE_SECONDS + 1)
    real = RilletClient.replace_customer
    with patched(*PUT, lambda *args: die(real(*args))):
        lost.settle()

    arrive()
    lost.settle(after=LEASE_SECONDS + 1)
    lost.settle(after=SETTLE_SECONDS)
    lost.settle(after=SETTLE_SECONDS)

    lost.assert_customer_synced("Two")
