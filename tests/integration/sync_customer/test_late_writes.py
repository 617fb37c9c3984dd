"""After a lost or late answer, a process that ended, or two edits at once, Rillet has the newest state."""

import threading
from collections.abc import Callable

import pytest

from local.system import Connection
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.support.arrange import answer_lost, die, edit, patched
from tests.support.assertions import customer_puts, rillet_customer, waiting
from tests.support.builders import DEMO_CUSTOMER, DEMO_CUSTOMER_IN_RILLET, named
from tests.support.connected import Connected

FUNCTION = "sync_customer"
PUT = (RilletClient, "replace_customer")


def in_rillet(connection: Connection) -> str:
    """The customer's name in Rillet."""
    return str(rillet_customer(connection)["name"])


def lose_an_edit(connection: Connected) -> Callable[[], None]:
    """Edit the name to "One", to which Rillet does not answer; returns what lets it carry the PUT out."""
    edit(connection, **named("One"))
    connection.system.deliver_webhooks()
    with answer_lost(*PUT) as arrive:
        connection.system.deliver(FUNCTION)
    return arrive


@pytest.fixture
def synced(default: Connected) -> Connected:
    """The customer is synchronised as "Zero"."""
    default.edit_and_settle(**named("Zero"))
    return default


@pytest.mark.parametrize("arrives", ["while its lease is kept", "after the newer one"])
def test_a_put_that_arrives_late_does_not_leave_the_old_name_in_rillet(
    synced: Connected, arrives: str
) -> None:
    arrive = lose_an_edit(synced)
    synced.edit_and_settle(**named("Two"))
    while_lease_is_kept = in_rillet(synced)
    if arrives == "while its lease is kept":
        arrive()

    synced.settle(after=LEASE_SECONDS + 1)
    newest, state, messages = (
        in_rillet(synced),
        synced.customer_record()["state"],
        waiting(synced.system, FUNCTION),
    )
    if arrives == "after the newer one":
        arrive()
    before = in_rillet(synced)
    synced.settle(after=SETTLE_SECONDS)

    assert (while_lease_is_kept, newest, state) == ("Zero", "Two", "sending")
    assert messages.total > 0, "it is looked at again"
    assert before == ("One" if arrives == "after the newer one" else "Two")
    synced.assert_customer_synced("Two")
    assert waiting(synced.system, FUNCTION).total == 0


def test_a_put_of_a_process_that_died_is_looked_for_again_too(synced: Connected) -> None:
    edit(synced, **named("One"))
    synced.system.deliver_webhooks()
    with answer_lost(*PUT) as arrive, patched(Ledger, "release"):
        synced.system.deliver(FUNCTION)
    edit(synced, **named("Two"))
    synced.settle(after=LEASE_SECONDS + 1)

    arrive()
    synced.settle(after=SETTLE_SECONDS)

    synced.assert_customer_synced("Two")


def test_a_put_that_rillet_itself_ended_needs_no_second_look(synced: Connected) -> None:
    edit(synced, **named("One"))
    synced.system.rillet.state.misbehave("status", "PUT", "/customers", status=500)
    synced.settle()

    synced.settle(after=60)

    assert in_rillet(synced) == "One"
    assert synced.customer_record()["state"] == "synced"
    assert waiting(synced.system, FUNCTION).total == 0


def test_an_edit_in_rillet_after_a_lost_put_is_no_late_write_and_stays(synced: Connected) -> None:
    lose_an_edit(synced)
    synced.settle(after=LEASE_SECONDS + 1)
    synced.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, name="By hand")

    synced.settle(after=SETTLE_SECONDS)

    assert in_rillet(synced) == "By hand"
    assert synced.customer_record()["state"] == "synced"


def test_a_lost_put_costs_no_call_once_it_is_settled_and_forgotten(synced: Connected) -> None:
    lose_an_edit(synced)
    synced.settle(after=LEASE_SECONDS + 1)
    synced.settle(after=SETTLE_SECONDS)
    synced.system.advance(3 * 24 * 3600)
    calls = len(synced.system.rillet.state.calls)

    [result] = synced.sync()

    assert result["outcome"] == "unchanged"
    assert len(synced.system.rillet.state.calls) == calls
    assert len(customer_puts(synced.system)) == 2


def test_a_process_that_dies_after_the_newer_put_is_followed_by_the_look(synced: Connected) -> None:
    arrive = lose_an_edit(synced)
    edit(synced, **named("Two"))
    synced.system.advance(LEASE_SECONDS + 1)
    real = RilletClient.replace_customer
    with patched(*PUT, lambda *args: die(real(*args))):
        synced.settle()

    arrive()
    synced.settle(after=LEASE_SECONDS + 1)
    synced.settle(after=SETTLE_SECONDS)
    synced.settle(after=SETTLE_SECONDS)

    synced.assert_customer_synced("Two")


@pytest.mark.parametrize("answer", ["commit_then_drop", "status_after", "malformed", "drop", "status"])
def test_a_lost_answer_of_the_write_ends_right(default: Connected, answer: str) -> None:
    default.system.rillet.state.misbehave(answer, "PUT", "/customers")

    default.edit_and_settle(**named("One"))

    default.assert_customer_synced("One")
    references = rillet_customer(default)["external_references"]
    assert [r["id"] for r in references].count(DEMO_CUSTOMER) == 1


@pytest.mark.parametrize(
    "where", [(RilletClient, "replace_customer"), (Ledger, "store_link"), (Ledger, "finish")]
)
def test_the_function_dies_and_another_one_goes_on(default: Connected, where: tuple[type, str]) -> None:
    edit(default, **named("One"))
    default.system.deliver_webhooks()
    with patched(*where):
        default.system.deliver("sync_customer")

    [meanwhile] = default.sync()
    default.system.advance(LEASE_SECONDS + 1)

    assert meanwhile["outcome"] == "queued"
    default.assert_customer_synced("One")


@pytest.mark.parametrize("how", ["answer is lost", "function dies"])
def test_an_edit_that_is_taken_back_after_a_lost_write_is_taken_back_in_rillet_too(
    default: Connected, how: str
) -> None:
    default.edit_and_settle(**named("One"))
    edit(default, **named("Two"))
    default.system.deliver_webhooks()
    if how == "answer is lost":
        default.system.rillet.state.misbehave("commit_then_drop", "PUT", "/customers")
        default.system.deliver("sync_customer")
    else:
        real = RilletClient.replace_customer
        with patched(RilletClient, "replace_customer", lambda *args: die(real(*args))):
            default.system.deliver("sync_customer")
    assert rillet_customer(default)["name"] == "Two"
    edit(default, **named("One"))

    default.settle(after=LEASE_SECONDS + 1)

    default.assert_customer_synced("One")


def test_concurrent_edits_end_with_the_newest_state(default: Connected) -> None:
    default.system.start_workers(4)
    editors = [
        threading.Thread(target=edit, args=(default,), kwargs=named(f"Edit {number}")) for number in range(12)
    ]
    for editor in editors:
        editor.start()
        default.system.deliver_webhooks()
    for editor in editors:
        editor.join()
    edit(default, **named("The newest"))
    default.system.deliver_webhooks()
    default.system.stop_workers()

    default.assert_customer_synced("The newest")
    assert [r["id"] for r in rillet_customer(default)["external_references"]].count(DEMO_CUSTOMER) == 1


def test_an_edit_during_a_run_is_not_undone_by_it(
    default: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RilletClient.replace_customer

    def meanwhile(self: RilletClient, *args: object) -> None:
        monkeypatch.setattr(RilletClient, "replace_customer", real)
        edit(default, **named("Newer"))
        [waiting] = default.sync()
        assert waiting["outcome"] == "queued"
        real(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(RilletClient, "replace_customer", meanwhile)
    edit(default, **named("Older"))

    default.sync()

    default.assert_customer_synced("Newer")


def test_messages_that_come_twice_and_late_change_nothing_more(default: Connected) -> None:
    for number in range(3):
        edit(default, **named(f"Edit {number}"))
    default.settle()
    calls = len(default.system.rillet.state.calls)

    results = default.sync(DEMO_CUSTOMER, DEMO_CUSTOMER)

    assert [result["outcome"] for result in results] == ["unchanged", "unchanged"]
    assert len(customer_puts(default.system)) == 1
    assert len(default.system.rillet.state.calls) == calls
