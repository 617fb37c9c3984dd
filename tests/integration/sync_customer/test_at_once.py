"""After a lost answer, a process that ended, or two edits at once, Rillet has the newest state."""

import threading

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from tests.support.arrange import die, edit, patched, sync
from tests.support.assertions import assert_customer_synced, customer_puts, rillet_customer
from tests.support.builders import DEMO_CUSTOMER, named


@pytest.mark.parametrize("answer", ["commit_then_drop", "status_after", "malformed", "drop", "status"])
def test_a_lost_answer_of_the_write_ends_right(system: LocalSystem, default: Connection, answer: str) -> None:
    system.rillet.state.misbehave(answer, "PUT", "/customers")
    edit(default, **named("One"))

    system.settle()

    assert_customer_synced(system, default, "One")
    references = rillet_customer(default)["external_references"]
    assert [r["id"] for r in references].count(DEMO_CUSTOMER) == 1


@pytest.mark.parametrize(
    "where", [(RilletClient, "replace_customer"), (Ledger, "store_link"), (Ledger, "finish")]
)
def test_the_function_dies_and_another_one_goes_on(
    system: LocalSystem, default: Connection, where: tuple[type, str]
) -> None:
    edit(default, **named("One"))
    system.deliver_webhooks()
    with patched(*where):
        system.deliver("sync_customer")

    [meanwhile] = sync(system)
    system.advance(LEASE_SECONDS + 1)

    assert meanwhile["outcome"] == "queued"
    assert_customer_synced(system, default, "One")


@pytest.mark.parametrize("how", ["answer is lost", "function dies"])
def test_an_edit_that_is_taken_back_after_a_lost_write_is_taken_back_in_rillet_too(
    system: LocalSystem, default: Connection, how: str
) -> None:
    edit(default, **named("One"))
    system.settle()
    edit(default, **named("Two"))
    system.deliver_webhooks()
    if how == "answer is lost":
        system.rillet.state.misbehave("commit_then_drop", "PUT", "/customers")
        system.deliver("sync_customer")
    else:
        real = RilletClient.replace_customer
        with patched(RilletClient, "replace_customer", lambda *args: die(real(*args))):
            system.deliver("sync_customer")
    assert rillet_customer(default)["name"] == "Two"
    edit(default, **named("One"))

    system.advance(LEASE_SECONDS + 1)
    system.settle()

    assert_customer_synced(system, default, "One")


def test_concurrent_edits_end_with_the_newest_state(system: LocalSystem, default: Connection) -> None:
    system.start_workers(4)
    editors = [
        threading.Thread(target=edit, args=(default,), kwargs=named(f"Edit {number}")) for number in range(12)
    ]
    for editor in editors:
        editor.start()
        system.deliver_webhooks()
    for editor in editors:
        editor.join()
    edit(default, **named("The newest"))
    system.deliver_webhooks()
    system.stop_workers()

    assert_customer_synced(system, default, "The newest")
    assert [r["id"] for r in rillet_customer(default)["external_references"]].count(DEMO_CUSTOMER) == 1


def test_an_edit_during_a_run_is_not_undone_by_it(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RilletClient.replace_customer

    def meanwhile(self: RilletClient, *args: object) -> None:
        monkeypatch.setattr(RilletClient, "replace_customer", real)
        edit(default, **named("Newer"))
        [waiting] = sync(system)
        assert waiting["outcome"] == "queued"
        real(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(RilletClient, "replace_customer", meanwhile)
    edit(default, **named("Older"))

    sync(system)

    assert_customer_synced(system, default, "Newer")


def test_messages_that_come_twice_and_late_change_nothing_more(
    system: LocalSystem, default: Connection
) -> None:
    for number in range(3):
        edit(default, **named(f"Edit {number}"))
    system.settle()
    calls = len(system.rillet.state.calls)

    results = sync(system, DEMO_CUSTOMER, DEMO_CUSTOMER)

    assert [result["outcome"] for result in results] == ["unchanged", "unchanged"]
    assert len(customer_puts(system)) == 1
    assert len(system.rillet.state.calls) == calls
