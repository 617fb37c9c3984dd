"""Settings are in force within a minute; those that cannot be used leave the last valid ones in force."""

import pytest
from botocore.client import BaseClient

from local import sample_data
from local.system import LocalSystem
from tests.integration.connect_rillet.captured_logs import Logs
from tests.integration.connect_rillet.support import ACME, OAuthConnection, add_connection, ask, check
from tests.support.arrange import export, put_on_queue
from tests.support.assertions import calls_to, record
from tests.support.builders import FIRST, bus_event
from tests.support.interposed import before_call

OFF = {"workflows": {"export_invoice": False}}
SECOND = sample_data.invoice_id("discount")

INVALID: dict[str, tuple[object, str]] = {
    "no JSON": ('{"invoice_scope": ', "settings"),
    "no object": ("[]", "settings"),
    "an unknown scope": ({"invoice_scope": "HALF"}, "invoice_scope"),
    "a misspelt name": ({"invoice_scop": "FULL"}, "invoice_scop"),
    "a misspelt name deep inside": ({"rillet": {"pacing": {"request": 5}}}, "rillet.pacing.request"),
    "a date that is none": ({"start_date": "tomorrow"}, "start_date"),
    "no budget at all": ({"rillet": {"pacing": {"requests": 0}}}, "rillet.pacing.requests"),
    "a key sent in the clear": ({"rillet": {"base_url": "http://api.rillet.com"}}, "rillet.base_url"),
    "a token endpoint in the clear": (
        {"rillet": {"oauth": {"token_endpoint": "http://rillet.com/token"}}},
        "rillet.oauth.token_endpoint",
    ),
}


@pytest.fixture
def warm(working: OAuthConnection) -> OAuthConnection:
    """A connection whose settings a process of ``export_invoice`` remembers."""
    working.finalise()
    working.settle()
    assert len(working.rillet_invoices(FIRST)) == 1
    return working


def test_a_change_is_in_force_after_a_minute_in_a_running_process(warm: OAuthConnection) -> None:
    warm.system.put_settings(ACME, {**warm.settings, **OFF})

    warm.advance(60)
    warm.finalise(SECOND)
    warm.settle()

    assert record(warm.system, SECOND, ACME)["state"] == "skipped"
    assert warm.status()["workflows"]["export_invoice"] is False


def test_settings_are_read_once_a_minute(warm: OAuthConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = list[str]()

    def note(_: BaseClient, operation: str, asked: dict[str, str]) -> None:
        if operation == "GetParameter":
            reads.append(asked["Name"])

    before_call(monkeypatch, BaseClient, "_make_api_call", note)
    warm.advance(60)
    for name in ("discount", "usage-tiers", "yen"):
        export(warm.system, sample_data.invoice_id(name), connection=ACME)

    assert reads == [f"/solvimon-rillet/{ACME}/settings"]


def test_another_pacing_is_in_force_after_a_minute(warm: OAuthConnection) -> None:
    one_a_minute = {**warm.settings["rillet"], "pacing": {"requests": 1}}
    warm.system.put_settings(ACME, {**warm.settings, "rillet": one_a_minute})
    warm.advance(120)

    warm.finalise(SECOND, sample_data.invoice_id("usage-tiers"))
    before = len(warm.rillet.calls)
    warm.settle()

    assert len(warm.rillet.calls) == before + 1
    assert warm.waiting >= 1


@pytest.mark.parametrize("name", INVALID)
def test_invalid_settings_leave_the_last_valid_in_force(warm: OAuthConnection, logs: Logs, name: str) -> None:
    warm.status()
    wrong, named = INVALID[name]
    warm.system.put_settings(ACME, wrong if isinstance(wrong, str) else {**OFF, **dict(wrong)})  # type: ignore[call-overload]

    warm.advance(61)
    warm.finalise(SECOND)
    warm.settle()
    status = warm.status()

    assert record(warm.system, SECOND, ACME)["state"] == "exported"
    assert check(status, "settings")["found"].startswith(f"{named}: ")
    assert "last valid settings apply" in check(status, "settings")["remedy"]
    assert status["workflows"]["export_invoice"] is True
    assert logs.metrics[("SettingsInvalid", "export_invoice", ACME)] == 1
    assert logs.metrics[("SettingsInvalid", "all")] >= 1, "the alarm asks for it"
    logged = logs.with_message("settings invalid")
    assert {(line["level"], line["connection"], line["last_good"]) for line in logged} == {
        ("ERROR", ACME, True)
    }


def test_invalid_settings_are_counted_each_minute_until_corrected(warm: OAuthConnection, logs: Logs) -> None:
    def minutes(count: int) -> int:
        before = logs.metrics[("SettingsInvalid", "all")]
        for _ in range(count):
            warm.advance(61)
            export(warm.system, FIRST, connection=ACME)
        return logs.metrics[("SettingsInvalid", "all")] - before

    warm.system.put_settings(ACME, "{")
    wrong = minutes(3)
    warm.system.put_settings(ACME, {**warm.settings, **OFF})
    corrected = minutes(3)

    assert (wrong, corrected) == (3, 0)
    assert check(warm.status(), "settings")["ok"]
    assert export(warm.system, FIRST, connection=ACME)[0]["outcome"] == "already_exported"


def test_a_process_without_valid_settings_lets_messages_wait(working: OAuthConnection, logs: Logs) -> None:
    working.system.put_settings(ACME, {**working.settings, "invoice_scope": "HALF"})
    working.system.runtime.reset()
    status = working.status()
    put_on_queue(working.system, bus_event(connection=ACME))
    working.platform.finalise(FIRST)
    working.system.deliver()
    for _ in range(8):
        working.advance(900)
        working.system.deliver()
    in_between = working.waiting, working.dead, calls_to(working.system, "POST", "/invoices")

    working.system.put_settings(ACME, working.settings)
    working.finish()

    assert status["error"].startswith("The settings of acme cannot be used: invoice_scope: ")
    assert in_between == (1, [], [])
    assert logs.metrics[("SettingsInvalid", "export_invoice", ACME)] == 9
    assert len(working.rillet_invoices(FIRST)) == 1


def test_the_settings_of_one_connection_do_not_touch_another(warm: OAuthConnection, logs: Logs) -> None:
    other = add_connection(warm.system, "other", "Other Ltd", records=True).connected()
    warm.system.put_settings(ACME, "{")
    warm.advance(61)

    for connection in (warm, other):
        connection.finalise(SECOND)
    warm.settle()

    assert len(other.rillet_invoices(SECOND)) == 1
    assert logs.metrics[("SettingsInvalid", "export_invoice", "other")] == 0
    assert check(other.status(), "settings")["ok"]


def test_no_settings_at_all_are_all_defaults(system: LocalSystem) -> None:
    """Rillet and Solvimon are then where they really are, so nothing is called here."""
    system.configuration.put_secret("rillet-oauth-client", {"client_id": "public"})
    system.put_settings("fresh", {})

    url = ask(system, "fresh")["authorisation_url"]

    assert url.startswith("https://api.rillet.com/oauth2/authorize?")
