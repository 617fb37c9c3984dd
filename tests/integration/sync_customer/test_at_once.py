"""What is left of a lost answer, a dead function, and two edits at once: the newest state."""

import threading

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from tests.integration.export_invoice.support import die
from tests.integration.sync_customer.support import CUSTOMER, edit, in_rillet, named, puts, settled, sync


@pytest.mark.parametrize("answer", ["commit_then_drop", "status_after", "malformed", "drop", "status"])
def test_a_lost_answer_of_the_write_ends_right(system: LocalSystem, default: Connection, answer: str) -> None:
    system.rillet.state.misbehave(answer, "PUT", "/customers")
    edit(default, **named("One"))

    system.settle()

    settled(system, default, "One")
    references = in_rillet(default)["external_references"]
    assert [r["id"] for r in references].count(CUSTOMER) == 1


@pytest.mark.parametrize(
    "where", [(RilletClient, "replace_customer"), (Ledger, "store_link"), (Ledger, "finish")]
)
def test_the_function_dies_and_another_one_goes_on(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch, where: tuple[type, str]
) -> None:
    edit(default, **named("One"))
    system.deliver_webhooks()
    with monkeypatch.context() as patch:
        patch.setattr(where[0], where[1], die)
        system.deliver("sync_customer")

    meanwhile = sync(system)[0]
    system.advance(LEASE_SECONDS + 1)

    assert meanwhile["outcome"] == "queued"
    settled(system, default, "One")


@pytest.mark.parametrize("how", ["answer is lost", "function dies"])
def test_an_edit_that_is_taken_back_after_a_lost_write_is_taken_back_in_rillet_too(
    system: LocalSystem, default: Connection, monkeypatch: pytest.MonkeyPatch, how: str
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
        with monkeypatch.context() as patch:
            patch.setattr(RilletClient, "replace_customer", lambda *args: die(real(*args)))
            system.deliver("sync_customer")
    assert in_rillet(default)["name"] == "Two"
    edit(default, **named("One"))

    system.advance(LEASE_SECONDS + 1)
    system.settle()

    settled(system, default, "One")


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

    settled(system, default, "The newest")
    assert [r["id"] for r in in_rillet(default)["external_references"]].count(CUSTOMER) == 1


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

    settled(system, default, "Newer")


def test_messages_that_come_twice_and_late_change_nothing_more(
    system: LocalSystem, default: Connection
) -> None:
    for number in range(3):
        edit(default, **named(f"Edit {number}"))
    system.settle()
    calls = len(system.rillet.state.calls)

    results = sync(system, CUSTOMER, CUSTOMER)

    assert [result["outcome"] for result in results] == ["unchanged", "unchanged"]
    assert len(puts(system)) == 1
    assert len(system.rillet.state.calls) == calls
