"""After a lost answer, a process that ended, or two edits at once, Rillet has the newest state."""

import threading

import pytest

from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from tests.support.arrange import die, edit, patched
from tests.support.assertions import customer_puts, rillet_customer
from tests.support.builders import DEMO_CUSTOMER, named
from tests.support.connected import Connected


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
