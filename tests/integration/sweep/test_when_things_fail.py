"""What fails stops nothing else, and the next sweep finds what this one did not."""

from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from local.aws.runtime import Killed, LambdaContext
from local.system import LocalSystem
from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import BusEvent
from solvimon_rillet.ledger.sweep_state import SweepState
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.sweep.customers import CustomerScan
from tests.integration.mark_invoice_paid.support import PAID
from tests.integration.sweep.support import Silent, silent
from tests.support.arrange import edit, patched, without_waiting_for_aws
from tests.support.assertions import rillet_customer
from tests.support.builders import DEMO_CUSTOMER, Json, named

pytestmark = pytest.mark.slow


@pytest.fixture
def two(system: LocalSystem) -> tuple[Silent, Silent]:
    """The connections ``acme`` and ``globex``; ``default`` is there too, and has nothing to do."""
    return silent(system, "acme"), silent(system, "globex")


def sweep_while(connection: Silent, owner: type, step: str, instead: Callable[..., object]) -> Json:
    """Sweep while a step of the product is replaced."""
    with patched(owner, step, instead):
        return connection.sweep()


def test_a_broken_connection_stops_no_other_sweep(system: LocalSystem, two: tuple[Silent, Silent]) -> None:
    broken, well = two
    for name in ("acme", "globex"):
        system.invoke("sweep", {"connection": name})
    broken.finalise("invo_a")
    well.finalise("invo_b")
    system.put_secret("acme", "solvimon", {"api_key": "revoked"})
    system.put_secret("acme", "rillet", {"auth": "api_key", "api_key": "revoked"})
    system.runtime.reset()

    system.invoke("sweep", {})
    system.settle()
    acme = broken.sweep("acme")

    assert well.state_of("invo_b") == "exported"
    assert acme["found"] == {}
    assert [error.split(":")[0] for error in acme["errors"]] == ["documents", "customers", "payments"]
    assert all("refuses the credential (401)" in error for error in acme["errors"])
    assert well.sweep("globex")["errors"] == []


def test_invalid_settings_stop_no_other_connection(system: LocalSystem, two: tuple[Silent, Silent]) -> None:
    broken, well = two
    system.put_settings("acme", '{"invoice_scope": "NONE"}')
    well.finalise("invo_b")

    system.invoke("sweep", {})
    system.settle()

    assert "invoice_scope" in broken.sweep("acme")["errors"][0]
    assert well.state_of("invo_b") == "exported"


@pytest.mark.parametrize(
    ("vendor", "secret"),
    [("solvimon", {"api_key": ""}), ("rillet", {"auth": "oauth"}), ("rillet", {"auth": "api_key"})],
)
def test_an_unfinished_setup_is_no_failure(connection: Silent, vendor: str, secret: dict[str, str]) -> None:
    connection.system.put_secret("default", vendor, secret)

    findings = connection.sweep(connection="default")

    assert findings["note"].startswith("Not set up yet.")
    assert (findings["found"], findings["errors"]) == ({}, [])
    assert connection.rillet_calls() == []


def test_a_connection_that_loses_its_key_after_it_was_swept_is_a_failure(connection: Silent) -> None:
    connection.swept()
    connection.system.put_secret("default", "rillet", {"auth": "api_key", "api_key": ""})
    connection.system.runtime.reset()

    findings = connection.sweep()

    assert ["payments" in error for error in findings["errors"]] == [True]


def test_an_unknown_connection_is_an_error(connection: Silent) -> None:
    findings = connection.sweep(connection="nobody")

    assert findings["errors"] == [
        "There is no connection with this name: 'nobody'. "
        "Name a connection that has its settings and secrets (letters a-z, "
        "digits and hyphens)."
    ]


def test_an_invalid_request_is_answered_with_an_example(system: LocalSystem) -> None:
    answer = system.invoke("sweep", {"connections": ["default"]})

    assert answer == {
        "error": "connections: there is no such field – did you mean connection?",
        "example": {"connection": "default"},
    }


def test_solvimon_down_in_the_middle_loses_nothing(connection: Silent) -> None:
    ids = [f"invo_{number:03}" for number in range(120)]
    connection.finalise(*ids)
    original = Bus.publish

    def publish_and_break(bus: Bus, *events: BusEvent) -> None:
        original(bus, *events)
        connection.system.solvimon.state.misbehave("down")

    findings = sweep_while(connection, Bus, "publish", publish_and_break)
    connection.system.solvimon.state.behave()

    found = connection.found()

    assert findings["found"] == {"invoices": 100}
    assert [error.split(":")[0] for error in findings["errors"]] == ["documents", "customers"]
    assert found == {"invoices": 20}
    assert connection.on_the_bus() == dict.fromkeys(ids, 1)


def test_rillet_down_leaves_the_other_parts_and_the_watermark(exported: Silent) -> None:
    exported.pay()
    exported.system.advance(3 * 3600)
    exported.finalise("invo_b")
    exported.system.rillet.state.misbehave("down")
    findings = exported.sweep()
    exported.system.rillet.state.behave()
    exported.system.advance(3600)

    found = exported.swept()

    assert findings["found"] == {"invoices": 1}
    assert [error.split(":")[0] for error in findings["errors"]] == ["payments"]
    assert found["payments"] == 1
    assert exported.payment_state() == PAID


def test_an_outage_of_the_bus_loses_nothing(connection: Silent, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.finalise("invo_a")
    without_waiting_for_aws(monkeypatch)
    findings = sweep_while(connection, Bus, "publish", _refuse)

    found = connection.swept()

    assert findings["found"] == {}
    assert "The bus is away." in findings["errors"][0]
    assert found == {"invoices": 1}


def _refuse(*_: object) -> NoReturn:
    raise RetryLater("The bus is away.")


@pytest.mark.parametrize("step", ["mark_published", "advance_watermark"])
def test_a_crash_after_publishing_loses_and_doubles_nothing(exported: Silent, step: str) -> None:
    exported.pay()
    exported.finalise("invo_b")
    edit(exported, DEMO_CUSTOMER, **named("Edited B.V."))
    with patched(SweepState, step), pytest.raises(Killed):
        exported.sweep()

    exported.sweep()
    exported.system.settle()

    assert len(exported.rillet_invoices("invo_b")) == 1
    assert rillet_customer(exported)["name"] == "Edited B.V."
    assert exported.payment_state() == PAID
    assert exported.found() == {}


def test_a_watermark_does_not_move_past_what_was_not_published(exported: Silent) -> None:
    exported.pay()
    exported.system.advance(3600)
    before = exported.watermark
    sweep_while(exported, Bus, "publish", _refuse)

    assert exported.watermark == before
    assert exported.swept() == {"payments": 1}


def test_a_fault_of_our_own_in_one_part_leaves_the_others(connection: Silent) -> None:
    connection.finalise("invo_a")

    def fail(*_: object) -> NoReturn:
        raise KeyError("secret detail")

    findings = sweep_while(connection, CustomerScan, "run", fail)

    assert findings["found"] == {"invoices": 1}
    assert findings["errors"] == [
        "customers: The sweep failed with an internal error (KeyError); its log shows where."
    ]


def test_when_time_runs_out_it_stops_and_the_next_sweep_goes_on(connection: Silent) -> None:
    connection.finalise("invo_a")
    findings = sweep_while(connection, LambdaContext, "get_remaining_time_in_millis", lambda _: 59_000)

    assert (findings["found"], findings["errors"]) == ({}, [])
    assert findings["stopped"] == [
        f"{part}: There was no time left in this run. The next sweep continues."
        for part in ("documents", "customers", "payments")
    ]
    assert connection.watermark is None
    assert connection.swept() == {"invoices": 1}


def test_a_slow_part_leaves_the_others_their_share_of_the_time(
    connection: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [900.0]
    read = SolvimonClient.newest_final_invoices

    def take_long(client: SolvimonClient, *args: Any) -> object:
        left[0] -= 400
        return read(client, *args)

    connection.finalise(*(f"invo_{number:03}" for number in range(150)))
    monkeypatch.setattr(LambdaContext, "get_remaining_time_in_millis", lambda _: left[0] * 1000)
    monkeypatch.setattr(SolvimonClient, "newest_final_invoices", take_long)

    findings = connection.sweep()

    assert findings["found"] == {"invoices": 100}
    assert [text.split(":")[0] for text in findings["stopped"]] == ["documents"]
    assert connection.watermark is not None, "payments were looked at"
    assert connection.progress["customers"] > 0, "customers were looked at"


def test_a_used_up_budget_stops_the_part_and_the_watermark_stays(system: LocalSystem) -> None:
    connection = silent(system, rillet={"pacing": {"requests": 2}})
    connection.sweep()  # the list of changes, and the organisation: the minute's limit is used
    before = connection.watermark
    system.advance(1)

    findings = connection.sweep()

    assert findings["errors"] == []
    assert findings["stopped"] == [
        "payments: Rillet's rate limit is used up for now. The next sweep continues."
    ]
    assert connection.watermark == before
    assert [call.status for call in connection.rillet_calls() if call.status == 429] == []


def test_events_of_one_connection_name_no_other(system: LocalSystem, two: tuple[Silent, Silent]) -> None:
    for connection in two:
        connection.finalise("invo_same")

    system.invoke("sweep", {"connection": "globex"})

    assert two[1].on_the_bus() == {"invo_same": 1}
    assert [event["detail"]["connection"] for event in system.bus_events()] == ["globex"]


def test_what_was_found_and_what_failed_is_counted_by_connection(
    system: LocalSystem, two: tuple[Silent, Silent], counted: list[tuple[str, str, float]]
) -> None:
    broken, well = two
    well.finalise("invo_b", "invo_c")
    broken.finalise("invo_a")
    system.invoke("sweep", {"connection": "acme"})
    system.put_secret("acme", "rillet", {"auth": "api_key", "api_key": "revoked"})
    system.runtime.reset()
    counted.clear()

    system.invoke("sweep", {})
    system.deliver("sweep")

    assert sorted(each for each in counted if each[0] != "RilletCalls") == [
        ("ConnectionBroken", "acme", 1),
        ("SweepFailed", "acme", 1),
        ("SweepFound", "globex", 2),
    ]
