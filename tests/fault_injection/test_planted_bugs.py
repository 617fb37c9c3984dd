"""The harness finds what it is there for: each of the safeguards of exactly once, taken away."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.errors import OutcomeUnknown
from solvimon_rillet.http.client import Http
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.workflows.export import send_once
from tests.fault_injection.effects import Fault
from tests.fault_injection.harness import Harness, RunResult
from tests.fault_injection.scenarios import SCENARIOS

EXPORT = next(scenario for scenario in SCENARIOS if scenario.name == "export an invoice")
CREATED = "POST /invoices"


def results(harness: Harness, *faults: Fault, what: str = CREATED) -> list[RunResult]:
    """What becomes of these faults at an effect of an export."""
    chosen = [run for run in harness.runs(EXPORT) if run.fault in faults and run.effect.what.startswith(what)]
    assert {run.fault for run in chosen} == set(faults)
    return [harness.replay(EXPORT, run) for run in chosen]


def kinds(found: list[RunResult]) -> list[set[str]]:
    """The kinds of difference of each run."""
    return [{difference.kind for difference in result.differences} for result in found]


def without_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """No idempotency key is sent."""
    post: Callable[..., Any] = Http.post
    monkeypatch.setattr(Http, "post", lambda self, path, body, _key: post(self, path, body, ""))


def without_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim always succeeds, no matter who holds it and whether it is done."""
    update: Callable[..., Item] = Table.update

    def claiming(self: Table, key: str, change: str, condition: str, *more: Any) -> Item:
        if change.startswith("SET lease_owner"):
            condition = f"attribute_not_exists(nothing) OR ({condition})"
        return update(self, key, change, condition, *more)

    monkeypatch.setattr(Table, "update", claiming)


def without_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier attempt left in Rillet is never found."""
    monkeypatch.setattr(send_once, "_look_up", lambda *_: [])


def forgetting_lost_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark as sent whose outcome is unknown counts as done."""
    mark: Callable[..., bool] = RilletClient.mark_invoice_as_sent

    def marking(client: RilletClient, invoice_id: str) -> bool:
        with contextlib.suppress(OutcomeUnknown):
            return mark(client, invoice_id)
        return True

    monkeypatch.setattr(RilletClient, "mark_invoice_as_sent", marking)


def test_without_the_idempotency_key_an_invoice_is_booked_twice(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_key(monkeypatch)

    killed, lost = results(harness, Fault.KILLED_AFTER, Fault.LOST)

    # The second one differs as well: only the invoice that the ledger knows is marked as sent.
    assert all("duplicate" in found for found in kinds([killed, lost]))
    assert str(lost.run) == "export an invoice | export_invoice: Rillet POST /invoices | answer lost"
    assert "invo_faultssecond" in lost.differences[0].what


def test_without_the_lease_a_doubled_message_leaves_a_record_held(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_lease(monkeypatch)

    found = results(harness, Fault.NOT_DELETED, what="DeleteMessageBatch")

    assert kinds(found) == [{"stuck"}]
    assert "lease until" in found[0].differences[0].what


def test_without_the_look_up_an_invoice_is_booked_twice_a_day_later(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_look_up(monkeypatch)

    found = results(harness, Fault.LOST_FOR_A_DAY)

    assert all("duplicate" in each for each in kinds(found))


def test_without_repeating_a_lost_mark_an_invoice_stays_unbilled(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgetting_lost_marks(monkeypatch)

    [found] = results(harness, Fault.TIMED_OUT, what="PUT /invoices/{id}/sent-status")

    assert "different" in kinds([found])[0]
    assert any("UNBILLED" in difference.what for difference in found.differences)
