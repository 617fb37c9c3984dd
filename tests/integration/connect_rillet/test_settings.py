"""Settings are in force within a minute; those that cannot be used leave the last good ones in force."""

import pytest
from botocore.client import BaseClient

from local import sample_data
from local.system import Connection, LocalSystem
from tests.integration.connect_rillet.support import ACME, Heard, add_connection, ask, check, connected
from tests.support.arrange import export, finalise, until
from tests.support.assertions import calls_to, dead_letters, record, rillet_invoices, waiting
from tests.support.builders import FIRST

OFF = {"workflows": {"export_invoice": False}}
SECOND = sample_data.invoice_id("discount")

INVALID: dict[str, tuple[object, str]] = {
    "no JSON": ('{"invoice_scope": ', "settings"),
    "no object": ("[]", "settings"),
    "an unknown scope": ({"invoice_scope": "HALF"}, "invoice_scope"),
    "a misspelt name": ({"invoice_scop": "FULL"}, "invoice_scop"),
    "a misspelt name deep inside": (
        {"rillet": {"pacing": {"request": 5}}},
        "rillet.pacing.request",
    ),
    "a date that is none": ({"start_date": "tomorrow"}, "start_date"),
    "no budget at all": ({"rillet": {"pacing": {"requests": 0}}}, "rillet.pacing.requests"),
    "a key sent in the clear": ({"rillet": {"base_url": "http://api.rillet.com"}}, "rillet.base_url"),
    "a token endpoint in the clear": (
        {"rillet": {"oauth": {"token_endpoint": "http://rillet.com/token"}}},
        "rillet.oauth.token_endpoint",
    ),
}


@pytest.fixture
def warm(system: LocalSystem, working: Connection) -> Connection:
    """A connection whose settings a process of ``export_invoice`` remembers."""
    finalise(system, working)
    system.settle()
    assert len(rillet_invoices(working, FIRST)) == 1
    return working


def test_a_change_is_in_force_after_a_minute_in_a_process_that_goes_on(
    system: LocalSystem, warm: Connection
) -> None:
    system.put_settings(ACME, {**warm.settings, **OFF})

    system.advance(60)
    finalise(system, warm, SECOND)
    system.settle()

    assert record(system, SECOND, ACME)["state"] == "skipped"
    assert ask(system, action="status")["workflows"]["export_invoice"] is False


def test_a_minute_of_exports_reads_the_settings_once(
    system: LocalSystem, warm: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, call = list[str](), vars(BaseClient)["_make_api_call"]

    def counting(client: BaseClient, operation: str, asked: dict[str, str]) -> object:
        if operation == "GetParameter":
            reads.append(asked["Name"])
        return call(client, operation, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", counting)
    system.advance(60)
    for name in ("discount", "usage-tiers", "yen"):
        export(system, sample_data.invoice_id(name), connection=ACME)

    assert reads == [f"/solvimon-rillet/{ACME}/settings"]


def test_another_pacing_is_in_force_after_a_minute(system: LocalSystem, warm: Connection) -> None:
    one_a_minute = {**warm.settings["rillet"], "pacing": {"requests": 1}}
    system.put_settings(ACME, {**warm.settings, "rillet": one_a_minute})
    system.advance(120)

    finalise(system, warm, SECOND, sample_data.invoice_id("usage-tiers"))
    before = len(system.rillet.state.calls)
    system.settle()

    assert len(system.rillet.state.calls) == before + 1
    assert waiting(system).total >= 1


@pytest.mark.parametrize("name", INVALID)
def test_settings_that_cannot_be_used_leave_the_last_good_ones_in_force(
    system: LocalSystem, warm: Connection, heard: Heard, name: str
) -> None:
    ask(system, action="status")
    wrong, named = INVALID[name]
    system.put_settings(ACME, wrong if isinstance(wrong, str) else {**OFF, **dict(wrong)})  # type: ignore[call-overload]

    system.advance(61)
    finalise(system, warm, SECOND)
    system.settle()
    status = ask(system, action="status")

    assert record(system, SECOND, ACME)["state"] == "exported"
    assert check(status, "settings")["found"].startswith(f"{named}: ")
    assert "last valid settings apply" in check(status, "settings")["remedy"]
    assert status["workflows"]["export_invoice"] is True
    assert heard.counted[("SettingsInvalid", "export_invoice", ACME)] == 1
    assert heard.counted[("SettingsInvalid", "export_invoice")] == 1
    told = [line for line in heard.lines if line.get("message") == "settings invalid"]
    assert {(line["level"], line["connection"], line["last_good"]) for line in told} == {
        ("ERROR", ACME, True)
    }


def test_the_alarm_goes_on_each_minute_until_the_settings_are_mended(
    system: LocalSystem, warm: Connection, heard: Heard
) -> None:
    def minutes(count: int) -> int:
        before = heard.counted[("SettingsInvalid", "export_invoice")]
        for _ in range(count):
            system.advance(61)
            export(system, FIRST, connection=ACME)
        return heard.counted[("SettingsInvalid", "export_invoice")] - before

    system.put_settings(ACME, "{")
    wrong = minutes(3)
    system.put_settings(ACME, {**warm.settings, **OFF})
    mended = minutes(3)

    assert (wrong, mended) == (3, 0)
    assert check(ask(system, action="status"), "settings")["ok"]
    assert export(system, FIRST, connection=ACME)[0]["outcome"] == "already_exported"


def test_a_process_that_starts_with_settings_that_cannot_be_used_lets_messages_wait(
    system: LocalSystem, working: Connection, heard: Heard
) -> None:
    system.put_settings(ACME, {**working.settings, "invoice_scope": "HALF"})
    system.runtime.reset()
    status = ask(system, action="status")
    system.aws.sqs.send_message(
        QueueUrl=system.deployment.queues["export_invoice"].url,
        MessageBody='{"source": "solvimon", "detail-type": "Invoice Finalised", "detail": '
        f'{{"connection": "{ACME}", "id": "{FIRST}"}}}}',
    )
    working.platform.finalise(FIRST)
    system.deliver()
    for _ in range(8):
        system.advance(900)
        system.deliver()
    in_between = waiting(system).total, dead_letters(system), calls_to(system, "POST", "/invoices")

    system.put_settings(ACME, working.settings)
    until(system, lambda: waiting(system).total == 0)

    assert status["error"].startswith("The settings of acme cannot be used: invoice_scope: ")
    assert in_between == (1, [], [])
    assert heard.counted[("SettingsInvalid", "export_invoice", ACME)] == 9
    assert len(rillet_invoices(working, FIRST)) == 1


def test_the_settings_of_one_connection_do_not_touch_another(
    system: LocalSystem, warm: Connection, heard: Heard
) -> None:
    other = connected(system, add_connection(system, "other", "Other Ltd", world=True))
    system.put_settings(ACME, "{")
    system.advance(61)

    for connection in (warm, other):
        finalise(system, connection, SECOND)
    system.settle()

    assert len(rillet_invoices(other, SECOND)) == 1
    assert heard.counted[("SettingsInvalid", "export_invoice", "other")] == 0
    assert check(ask(system, "other", "status"), "settings")["ok"]


def test_no_settings_at_all_are_all_defaults(system: LocalSystem) -> None:
    """Rillet and Solvimon are then where they really are, so nothing is called here."""
    system.configuration.put_secret("rillet-oauth-client", {"client_id": "public"})
    system.put_settings("fresh", {})

    url = ask(system, "fresh")["authorisation_url"]

    assert url.startswith("https://api.rillet.com/oauth2/authorize?")
