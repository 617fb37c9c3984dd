"""What fails stops nothing else, and the next sweep finds what this one did not."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from local.aws.runtime import Killed, LambdaContext
from local.system import LocalSystem
from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import BusEvent
from solvimon_rillet.ledger.sweep_state import SweepState
from solvimon_rillet.workflows.sweep.customers import CustomerScan
from tests.integration.mark_invoice_paid.support import PAID, state
from tests.integration.sweep.support import (
    finalised,
    on_the_bus,
    rillet_calls,
    silent,
    state_of,
    sweep,
    swept,
)
from tests.support.arrange import edit, without_waiting_for_aws
from tests.support.assertions import rillet_customer, rillet_invoice, rillet_invoices
from tests.support.builders import DEMO_CUSTOMER, named

pytestmark = pytest.mark.slow


def die(*_: object, **__: object) -> NoReturn:
    """Stands in for a step before which the process ends."""
    raise Killed("here")


def test_a_broken_connection_does_not_keep_another_one_from_being_swept(system: LocalSystem) -> None:
    broken, well = silent(system, "acme"), silent(system, "globex")
    for name in ("acme", "globex"):
        system.invoke("sweep", {"connection": name})
    finalised(system, broken, "invo_a")
    finalised(system, well, "invo_b")
    system.put_secret("acme", "solvimon", {"api_key": "revoked", "webhook_secret": "x"})
    system.put_secret("acme", "rillet", {"auth": "api_key", "api_key": "revoked"})
    system.runtime.reset()

    answer = system.invoke("sweep", {})
    system.settle()

    acme, globex = answer["connections"]
    assert [c["connection"] for c in answer["connections"]] == ["acme", "globex"]
    assert (acme["found"], globex["found"]) == ({}, {"invoices": 1})
    assert [error.split(":")[0] for error in acme["errors"]] == ["documents", "customers", "payments"]
    assert all("refuses the credential (401)" in error for error in acme["errors"])
    assert globex["errors"] == []
    assert answer["summary"] == {"connections": 2, "found": 1, "errors": 3}
    assert state_of(system, "invo_b", connection="globex") == "exported"


def test_settings_that_cannot_be_used_are_told_and_stop_nothing_else(system: LocalSystem) -> None:
    silent(system, "acme")
    well = silent(system, "globex")
    system.put_settings("acme", '{"invoice_scope": "NONE"}')
    finalised(system, well, "invo_b")

    answer = system.invoke("sweep", {})

    acme, globex = answer["connections"]
    assert "invoice_scope" in acme["errors"][0]
    assert globex["found"] == {"invoices": 1}


@pytest.mark.parametrize(
    ("vendor", "secret"),
    [("solvimon", {"api_key": ""}), ("rillet", {"auth": "oauth"}), ("rillet", {"auth": "api_key"})],
)
def test_a_connection_that_is_not_set_up_yet_is_no_failure(
    system: LocalSystem, vendor: str, secret: dict[str, str]
) -> None:
    silent(system)
    system.put_secret("default", vendor, secret)

    findings = sweep(system, connection="default")

    assert findings["note"].startswith("Not set up yet.")
    assert (findings["found"], findings["errors"]) == ({}, [])
    assert rillet_calls(system) == []


def test_a_connection_that_loses_its_key_after_it_was_swept_is_a_failure(system: LocalSystem) -> None:
    silent(system)
    swept(system)
    system.put_secret("default", "rillet", {"auth": "api_key", "api_key": ""})
    system.runtime.reset()

    findings = sweep(system)

    assert ["payments" in error for error in findings["errors"]] == [True]


def test_an_unknown_connection_is_told_in_words(system: LocalSystem) -> None:
    silent(system)

    findings = sweep(system, connection="nobody")

    assert findings["errors"] == [
        "There is no connection 'nobody'. Name a connection that has its settings and secrets (letters a-z, "
        "digits and hyphens)."
    ]


def test_a_request_that_makes_no_sense_is_told_what_would(system: LocalSystem) -> None:
    answer = system.invoke("sweep", {"connections": ["default"]})

    assert answer == {
        "error": "connections: Extra inputs are not permitted",
        "example": {"connection": "default"},
    }


def test_solvimon_down_in_the_middle_loses_nothing(system: LocalSystem) -> None:
    connection = silent(system)
    ids = [f"invo_{number:03}" for number in range(120)]
    finalised(system, connection, *ids)
    original = Bus.publish

    def publish_and_break(bus: Bus, *events: BusEvent) -> None:
        original(bus, *events)
        system.solvimon.state.misbehave("down")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bus, "publish", publish_and_break)
        findings = sweep(system)
    system.solvimon.state.behave()

    found = sweep(system)["found"]

    assert findings["found"] == {"invoices": 100}
    assert [error.split(":")[0] for error in findings["errors"]] == ["documents", "customers"]
    assert found == {"invoices": 20}
    assert on_the_bus(system) == dict.fromkeys(ids, 1)


def test_rillet_down_leaves_the_other_parts_and_the_watermark(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    system.advance(3 * 3600)
    finalised(system, connection, "invo_b")
    system.rillet.state.misbehave("down")
    findings = sweep(system)
    system.rillet.state.behave()
    system.advance(3600)

    found = swept(system)

    assert findings["found"] == {"invoices": 1}
    assert [error.split(":")[0] for error in findings["errors"]] == ["payments"]
    assert found["payments"] == 1
    assert state(connection, "invo_a") == PAID


def test_a_bus_that_takes_nothing_loses_nothing(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    without_waiting_for_aws(monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(Bus, "publish", _refuse)
        findings = sweep(system)

    found = swept(system)

    assert findings["found"] == {}
    assert "The bus is away." in findings["errors"][0]
    assert found == {"invoices": 1}


def _refuse(*_: object) -> NoReturn:
    raise RetryLater("The bus is away.")


@pytest.mark.parametrize("step", ["mark_published", "advance_watermark"])
def test_a_crash_between_publishing_and_remembering_loses_and_doubles_nothing(
    system: LocalSystem, step: str
) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    finalised(system, connection, "invo_b")
    edit(connection, DEMO_CUSTOMER, **named("Edited B.V."))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SweepState, step, die)
        with pytest.raises(Killed):
            system.invoke("sweep", {})

    system.invoke("sweep", {})
    system.settle()

    assert len(rillet_invoices(connection, "invo_b")) == 1
    assert rillet_customer(connection)["name"] == "Edited B.V."
    assert state(connection, "invo_a") == PAID
    assert sweep(system)["found"] == {}


def test_a_watermark_does_not_move_past_what_was_not_published(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    swept(system)
    connection.organisation.pay(rillet_invoice(connection, "invo_a")["id"])
    system.advance(3600)
    before = system.ledger_item("default#sweep#payments", "RECORD")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bus, "publish", _refuse)
        sweep(system)

    assert system.ledger_item("default#sweep#payments", "RECORD") == before
    assert swept(system) == {"payments": 1}


def test_a_fault_of_our_own_in_one_part_leaves_the_others(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")

    def fail(*_: object) -> NoReturn:
        raise KeyError("secret detail")

    monkeypatch.setattr(CustomerScan, "run", fail)
    findings = sweep(system)

    assert findings["found"] == {"invoices": 1}
    assert findings["errors"] == [
        "customers: The sweep failed with an internal error (KeyError); its log shows where."
    ]


def test_when_time_runs_out_it_stops_and_the_next_sweep_goes_on(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LambdaContext, "get_remaining_time_in_millis", lambda _: 59_000)
        findings = sweep(system)

    assert (findings["found"], findings["errors"]) == ({}, [])
    assert findings["stopped"] == [
        f"{part}: There was no time left in this run. The next sweep continues."
        for part in ("documents", "customers", "payments")
    ]
    assert system.ledger_item("default#sweep#payments", "RECORD") is None
    assert swept(system) == {"invoices": 1}


def test_a_slow_connection_uses_up_its_own_share_of_the_time_only(system: LocalSystem) -> None:
    silent(system, "acme")
    well = silent(system, "globex")
    finalised(system, well, "invo_b")
    left = {"seconds": 900.0}
    slow = _slow(left)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LambdaContext, "get_remaining_time_in_millis", lambda _: left["seconds"] * 1000)
        patch.setattr(Bus, "publish", slow(Bus.publish))
        patch.setattr(SweepState, "record_first_start", slow(SweepState.record_first_start, 400))
        answer = system.invoke("sweep", {})

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


def test_a_used_up_budget_stops_the_part_and_the_watermark_stays(system: LocalSystem) -> None:
    connection = silent(system, rillet={"pacing": {"requests": 2}})
    finalised(system, connection, "invo_a", "invo_b", "invo_c")
    system.invoke("sweep", {})
    system.deliver()  # two turns of a minute are gone
    before = system.ledger_item("default#sweep#payments", "RECORD")
    system.advance(1)

    findings = sweep(system)

    assert findings["errors"] == []
    assert findings["stopped"] == [
        "payments: Rillet's request budget is used up for the moment. The next sweep continues."
    ]
    assert system.ledger_item("default#sweep#payments", "RECORD") == before
    assert [call.status for call in rillet_calls(system) if call.status == 429] == []


def test_events_of_one_connection_name_no_other(system: LocalSystem) -> None:
    a, b = silent(system, "acme"), silent(system, "globex")
    finalised(system, a, "invo_same")
    finalised(system, b, "invo_same")

    system.invoke("sweep", {"connection": "globex"})

    assert on_the_bus(system) == {"invo_same": 1}
    assert [event["detail"]["connection"] for event in system.bus_events()] == ["globex"]


def test_what_was_found_and_what_failed_is_counted_by_connection(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, well = silent(system, "acme"), silent(system, "globex")
    finalised(system, well, "invo_b", "invo_c")
    finalised(system, broken, "invo_a")
    system.invoke("sweep", {"connection": "acme"})
    system.put_secret("acme", "rillet", {"auth": "api_key", "api_key": "revoked"})
    system.runtime.reset()
    counted: list[tuple[str, str, float]] = []

    def count(_: Telemetry, name: str, connection: str, value: float = 1, *_more: object) -> None:
        counted.append((name, connection, value))

    monkeypatch.setattr(Telemetry, "count", count)
    system.invoke("sweep", {})

    assert [each for each in counted if each[0] != "RilletCalls"] == [
        ("ConnectionBroken", "acme", 1),
        ("SweepFound", "acme", 0),
        ("SweepFailed", "acme", 1),
        ("SweepFound", "globex", 2),
    ]
