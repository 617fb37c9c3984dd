"""What fails stops nothing else, and the next sweep finds what this one did not."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from local.cloud.runtime import Killed, LambdaContext
from local.stack import LocalStack
from solvimon_rillet.bus import Bus
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import BusEvent
from solvimon_rillet.sweep_ledger import SweepLedger
from solvimon_rillet.telemetry import Telemetry
from solvimon_rillet.workflows.sweep_customers import SweepCustomers
from tests.credit_memos.support import rillet_invoice
from tests.customers.support import CUSTOMER, edit, in_rillet, named
from tests.export.support import rillet_invoices, without_waiting_for_aws
from tests.payments.support import PAID, state
from tests.sweep.support import finalised, on_the_bus, rillet_calls, silent, state_of, sweep, swept

pytestmark = pytest.mark.slow


def die(*_: object, **__: object) -> NoReturn:
    """Stands in for a step before which the process ends."""
    raise Killed("here")


def test_a_broken_connection_does_not_keep_another_one_from_being_swept(stack: LocalStack) -> None:
    broken, well = silent(stack, "acme"), silent(stack, "globex")
    for name in ("acme", "globex"):
        stack.invoke("sweep", {"connection": name})
    finalised(stack, broken, "invo_a")
    finalised(stack, well, "invo_b")
    stack.put_secret("acme", "solvimon", {"api_key": "revoked", "webhook_secret": "x"})
    stack.put_secret("acme", "rillet", {"auth": "api_key", "api_key": "revoked"})
    stack.runtime.reset()

    answer = stack.invoke("sweep", {})
    stack.settle()

    acme, _, globex = answer["connections"]
    assert [c["connection"] for c in answer["connections"]] == ["acme", "default", "globex"]
    assert (acme["found"], globex["found"]) == ({}, {"invoices": 1})
    assert [error.split(":")[0] for error in acme["errors"]] == ["documents", "customers", "payments"]
    assert all("refuses the credential (401)" in error for error in acme["errors"])
    assert globex["errors"] == []
    assert answer["summary"] == {"connections": 3, "found": 1, "errors": 3}
    assert state_of(stack, "invo_b", connection="globex") == "exported"


def test_settings_that_cannot_be_used_are_told_and_stop_nothing_else(stack: LocalStack) -> None:
    silent(stack, "acme")
    well = silent(stack, "globex")
    stack.put_settings("acme", '{"invoice_scope": "NONE"}')
    finalised(stack, well, "invo_b")

    answer = stack.invoke("sweep", {})

    acme, _, globex = answer["connections"]
    assert "invoice_scope" in acme["errors"][0]
    assert globex["found"] == {"invoices": 1}


@pytest.mark.parametrize(
    ("vendor", "secret"),
    [("solvimon", {"api_key": ""}), ("rillet", {"auth": "oauth"}), ("rillet", {"auth": "api_key"})],
)
def test_a_connection_that_is_not_set_up_yet_is_no_failure(
    stack: LocalStack, vendor: str, secret: dict[str, str]
) -> None:
    silent(stack)
    stack.put_secret("default", vendor, secret)

    findings = sweep(stack, connection="default")

    assert findings["note"].startswith("Not set up yet.")
    assert (findings["found"], findings["errors"]) == ({}, [])
    assert rillet_calls(stack) == []


def test_a_connection_that_loses_its_key_after_it_was_swept_is_a_failure(stack: LocalStack) -> None:
    silent(stack)
    swept(stack)
    stack.put_secret("default", "rillet", {"auth": "api_key", "api_key": ""})
    stack.runtime.reset()

    findings = sweep(stack)

    assert ["payments" in error for error in findings["errors"]] == [True]


def test_an_unknown_connection_is_told_in_words(stack: LocalStack) -> None:
    silent(stack)

    findings = sweep(stack, connection="nobody")

    assert findings["errors"] == [
        "There is no connection 'nobody'. Name a connection that has its settings and secrets (letters a-z, "
        "digits and hyphens)."
    ]


def test_a_request_that_makes_no_sense_is_told_what_would(stack: LocalStack) -> None:
    answer = stack.invoke("sweep", {"connections": ["default"]})

    assert answer == {
        "error": "connections: Extra inputs are not permitted",
        "example": {"connection": "default"},
    }


def test_solvimon_down_in_the_middle_loses_nothing(stack: LocalStack) -> None:
    connection = silent(stack)
    ids = [f"invo_{number:03}" for number in range(120)]
    finalised(stack, connection, *ids)
    original = Bus.publish

    def publish_and_break(bus: Bus, *events: BusEvent) -> None:
        original(bus, *events)
        stack.solvimon.state.misbehave("down")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bus, "publish", publish_and_break)
        findings = sweep(stack)
    stack.solvimon.state.behave()

    found = sweep(stack)["found"]

    assert findings["found"] == {"invoices": 100}
    assert [error.split(":")[0] for error in findings["errors"]] == ["documents", "customers"]
    assert found == {"invoices": 20}
    assert on_the_bus(stack) == dict.fromkeys(ids, 1)


def test_rillet_down_leaves_the_other_parts_and_the_watermark(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    stack.advance(3 * 3600)
    finalised(stack, connection, "invo_b")
    stack.rillet.state.misbehave("down")
    findings = sweep(stack)
    stack.rillet.state.behave()
    stack.advance(3600)

    found = swept(stack)

    assert findings["found"] == {"invoices": 1}
    assert [error.split(":")[0] for error in findings["errors"]] == ["payments"]
    assert found["payments"] == 1
    assert state(connection, "invo_a") == PAID


def test_a_bus_that_takes_nothing_loses_nothing(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    without_waiting_for_aws(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(Bus, "publish", _refuse)
        findings = sweep(stack)

    found = swept(stack)

    assert findings["found"] == {}
    assert "The bus is away." in findings["errors"][0]
    assert found == {"invoices": 1}


def _refuse(*_: object) -> NoReturn:
    raise RetryLater("The bus is away.")


@pytest.mark.parametrize("step", ["tell", "move"])
def test_a_crash_between_publishing_and_remembering_loses_and_doubles_nothing(
    stack: LocalStack, step: str
) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    finalised(stack, connection, "invo_b")
    edit(connection, CUSTOMER, **named("Edited B.V."))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SweepLedger, step, die)
        with pytest.raises(Killed):
            stack.invoke("sweep", {})

    stack.invoke("sweep", {})
    stack.settle()

    assert len(rillet_invoices(connection, "invo_b")) == 1
    assert in_rillet(connection)["name"] == "Edited B.V."
    assert state(connection, "invo_a") == PAID
    assert sweep(stack)["found"] == {}


def test_a_watermark_does_not_move_past_what_was_not_published(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    swept(stack)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    stack.advance(3600)
    before = stack.ledger_item("default#sweep#payments", "RECORD")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bus, "publish", _refuse)
        sweep(stack)

    assert stack.ledger_item("default#sweep#payments", "RECORD") == before
    assert swept(stack) == {"payments": 1}


def test_a_fault_of_our_own_in_one_part_leaves_the_others(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")

    def fail(*_: object) -> NoReturn:
        raise KeyError("secret detail")

    monkeypatch.setattr(SweepCustomers, "run", fail)
    findings = sweep(stack)

    assert findings["found"] == {"invoices": 1}
    assert findings["errors"] == [
        "customers: The sweep failed with an error of its own (KeyError); its log says where."
    ]


def test_when_time_runs_out_it_stops_and_the_next_sweep_goes_on(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LambdaContext, "get_remaining_time_in_millis", lambda _: 59_000)
        findings = sweep(stack)

    assert (findings["found"], findings["errors"]) == ({}, [])
    assert findings["stopped"] == [
        f"{part}: There was no time left in this run. The next sweep goes on."
        for part in ("documents", "customers", "payments")
    ]
    assert stack.ledger_item("default#sweep#payments", "RECORD") is None
    assert swept(stack) == {"invoices": 1}


def test_a_slow_connection_uses_up_its_own_share_of_the_time_only(stack: LocalStack) -> None:
    silent(stack, "acme")
    well = silent(stack, "globex")
    finalised(stack, well, "invo_b")
    left = {"seconds": 900.0}
    slow = _slow(left)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LambdaContext, "get_remaining_time_in_millis", lambda _: left["seconds"] * 1000)
        patch.setattr(Bus, "publish", slow(Bus.publish))
        patch.setattr(SweepLedger, "begin", slow(SweepLedger.begin, 400))
        answer = stack.invoke("sweep", {})

    by_name = {each["connection"]: each for each in answer["connections"]}
    assert len(by_name["acme"]["stopped"]) == 3
    assert by_name["globex"]["found"] == {"invoices": 1}


def _slow(left: dict[str, float]) -> Callable[..., Callable[..., object]]:
    """Makes a step of the first connection take long."""

    def slowed(step: Callable[..., object], seconds: float = 0) -> Callable[..., object]:
        first = [seconds]

        def run(*arguments: object) -> object:
            left["seconds"] -= first.pop() if first else 0
            return step(*arguments)

        return run

    return slowed


def test_a_used_up_budget_stops_the_part_and_the_watermark_stays(stack: LocalStack) -> None:
    connection = silent(stack, rillet={"pacing": {"requests": 2}})
    finalised(stack, connection, "invo_a", "invo_b", "invo_c")
    stack.invoke("sweep", {})
    stack.deliver()  # two turns of a minute are gone
    before = stack.ledger_item("default#sweep#payments", "RECORD")
    stack.advance(1)

    findings = sweep(stack)

    assert findings["errors"] == []
    assert findings["stopped"] == [
        "payments: Rillet's request budget is used up for the moment. The next sweep goes on."
    ]
    assert stack.ledger_item("default#sweep#payments", "RECORD") == before
    assert [call.status for call in rillet_calls(stack) if call.status == 429] == []


def test_events_of_one_connection_name_no_other(stack: LocalStack) -> None:
    a, b = silent(stack, "acme"), silent(stack, "globex")
    finalised(stack, a, "invo_same")
    finalised(stack, b, "invo_same")

    stack.invoke("sweep", {"connection": "globex"})

    assert on_the_bus(stack) == {"invo_same": 1}
    assert [event["detail"]["connection"] for event in stack.bus_events()] == ["globex"]


def test_what_was_found_and_what_failed_is_counted_by_connection(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, well = silent(stack, "acme"), silent(stack, "globex")
    finalised(stack, well, "invo_b", "invo_c")
    finalised(stack, broken, "invo_a")
    stack.invoke("sweep", {"connection": "acme"})
    stack.put_secret("acme", "rillet", {"auth": "api_key", "api_key": "revoked"})
    stack.runtime.reset()
    counted: list[tuple[str, str, float]] = []

    def count(_: Telemetry, name: str, connection: str, value: float = 1, *_more: object) -> None:
        counted.append((name, connection, value))

    monkeypatch.setattr(Telemetry, "count", count)
    stack.invoke("sweep", {})

    assert [each for each in counted if each[0] != "RilletCalls"] == [
        ("ConnectionBroken", "acme", 1),
        ("SweepFound", "acme", 0),
        ("SweepFailed", "acme", 1),
        ("SweepFound", "default", 0),
        ("SweepFound", "globex", 2),
    ]
