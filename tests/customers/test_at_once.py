"""What is left of a lost answer, a dead function, and two edits at once: the newest state."""

import threading

import pytest

from local.stack import Connection, LocalStack
from solvimon_rillet.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from tests.customers.support import CUSTOMER, edit, in_rillet, named, puts, settled, sync
from tests.export.support import die


@pytest.mark.parametrize("answer", ["commit_then_drop", "status_after", "malformed", "drop", "status"])
def test_a_lost_answer_of_the_write_ends_right(stack: LocalStack, default: Connection, answer: str) -> None:
    stack.rillet.state.misbehave(answer, "PUT", "/customers")
    edit(default, **named("One"))

    stack.settle()

    settled(stack, default, "One")
    references = in_rillet(default)["external_references"]
    assert [r["id"] for r in references].count(CUSTOMER) == 1


@pytest.mark.parametrize(
    "where", [(RilletClient, "replace_customer"), (Ledger, "remember"), (Ledger, "finish")]
)
def test_the_function_dies_and_another_one_goes_on(
    stack: LocalStack, default: Connection, monkeypatch: pytest.MonkeyPatch, where: tuple[type, str]
) -> None:
    edit(default, **named("One"))
    stack.deliver_webhooks()
    with monkeypatch.context() as patch:
        patch.setattr(where[0], where[1], die)
        stack.deliver("sync_customer")

    meanwhile = sync(stack)[0]
    stack.advance(LEASE_SECONDS + 1)

    assert meanwhile["outcome"] == "queued"
    settled(stack, default, "One")


@pytest.mark.parametrize("how", ["answer is lost", "function dies"])
def test_an_edit_that_is_taken_back_after_a_lost_write_is_taken_back_in_rillet_too(
    stack: LocalStack, default: Connection, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    edit(default, **named("One"))
    stack.settle()
    edit(default, **named("Two"))
    stack.deliver_webhooks()
    if how == "answer is lost":
        stack.rillet.state.misbehave("commit_then_drop", "PUT", "/customers")
        stack.deliver("sync_customer")
    else:
        real = RilletClient.replace_customer
        with monkeypatch.context() as patch:
            patch.setattr(RilletClient, "replace_customer", lambda *args: die(real(*args)))
            stack.deliver("sync_customer")
    assert in_rillet(default)["name"] == "Two"
    edit(default, **named("One"))

    stack.advance(LEASE_SECONDS + 1)
    stack.settle()

    settled(stack, default, "One")


def test_concurrent_edits_end_with_the_newest_state(stack: LocalStack, default: Connection) -> None:
    stack.start_workers(4)
    editors = [
        threading.Thread(target=edit, args=(default,), kwargs=named(f"Edit {number}")) for number in range(12)
    ]
    for editor in editors:
        editor.start()
        stack.deliver_webhooks()
    for editor in editors:
        editor.join()
    edit(default, **named("The newest"))
    stack.deliver_webhooks()
    stack.stop_workers()

    settled(stack, default, "The newest")
    assert [r["id"] for r in in_rillet(default)["external_references"]].count(CUSTOMER) == 1


def test_an_edit_during_a_run_is_not_undone_by_it(
    stack: LocalStack, default: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RilletClient.replace_customer

    def meanwhile(self: RilletClient, *args: object) -> None:
        monkeypatch.setattr(RilletClient, "replace_customer", real)
        edit(default, **named("Newer"))
        [waiting] = sync(stack)
        assert waiting["outcome"] == "queued"
        real(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(RilletClient, "replace_customer", meanwhile)
    edit(default, **named("Older"))

    sync(stack)

    settled(stack, default, "Newer")


def test_messages_that_come_twice_and_late_change_nothing_more(
    stack: LocalStack, default: Connection
) -> None:
    for number in range(3):
        edit(default, **named(f"Edit {number}"))
    stack.settle()
    calls = len(stack.rillet.state.calls)

    results = sync(stack, CUSTOMER, CUSTOMER)

    assert [result["outcome"] for result in results] == ["unchanged", "unchanged"]
    assert len(puts(stack)) == 1
    assert len(stack.rillet.state.calls) == calls
