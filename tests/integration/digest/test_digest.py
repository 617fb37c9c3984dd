"""The morning digest: once a day for each connection that wants it, in the words of the headline."""

import json
from collections.abc import Callable
from unittest.mock import Mock

import pytest
from moto.sns.models import sns_backends

from local.aws.runtime import Killed
from local.system import Connection, LocalSystem
from solvimon_rillet.aws.s3_sns import Topic
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.workflows.status import digest as digests
from tests.support.arrange import HOUR, configure, connect_demo, export, finalise, lost_answer, patched
from tests.support.builders import FIRST, Json

ALWAYS = {"hour": 0}


@pytest.fixture
def on(system: LocalSystem, default: Connection) -> Connection:
    """The connection with a digest that is due as soon as a day begins."""
    configure(system, default, digest=ALWAYS)
    return default


def sent(system: LocalSystem) -> list[tuple[str, str]]:
    """Subject and text of the digests that the topic has got, oldest first."""
    topic = sns_backends["123456789012"]["eu-central-1"].topics[system.deployment.outputs["AlarmTopicArn"]]
    messages = [(str(note[2]), str(note[1])) for note in topic.sent_notifications]
    return [(subject, text) for subject, text in messages if "booked since yesterday" in text]


@pytest.fixture(autouse=True)
def _no_messages(system: LocalSystem) -> None:
    topic = sns_backends["123456789012"]["eu-central-1"].topics[system.deployment.outputs["AlarmTopicArn"]]
    topic.sent_notifications.clear()


def sweep(system: LocalSystem, connection: str = "default") -> None:
    """Sweep a connection."""
    system.invoke("sweep", {"connection": connection})


def test_it_says_what_was_booked_what_needs_you_and_whether_the_month_ties_out(
    system: LocalSystem, on: Connection
) -> None:
    book(system, on)
    system.invoke("reconcile", {"connection": "default", "from": "2026-11-01", "to": "2026-11-30"})

    sweep(system)

    [(subject, text)] = sent(system)
    assert subject == "default: 1 booked, nothing waits"
    assert text.splitlines()[:3] == [
        "1 booked since yesterday.",
        "Nothing waits: 1 invoice is booked.",
        "2026-11 ties out.",
    ]


def test_it_is_off_by_default(system: LocalSystem, default: Connection) -> None:
    sweep(system)

    assert sent(system) == []


def test_it_comes_once_a_day_and_again_on_the_next(system: LocalSystem, on: Connection) -> None:
    for _ in range(5):
        sweep(system)
    first = len(sent(system))
    system.advance(24 * HOUR)
    sweep(system)
    sweep(system)

    assert (first, len(sent(system))) == (1, 2)


@pytest.mark.parametrize(
    ("hours_later", "zone", "expected"),
    [(0, "UTC", 0), (2, "UTC", 1), (0, "Asia/Tokyo", 1), (0, "America/New_York", 0)],
)
def test_it_comes_from_the_hour_of_the_time_zone_on(
    system: LocalSystem, default: Connection, hours_later: int, zone: str, expected: int
) -> None:
    to_eight = (8 - system.clock.now() / 3600) % 24 * HOUR
    system.advance(to_eight + 600)  # ten past eight in UTC, ten past five in the afternoon in Tokyo
    configure(system, default, digest={"hour": 10, "time_zone": zone})

    system.advance(hours_later * HOUR)
    sweep(system)

    assert len(sent(system)) == expected


def reject(system: LocalSystem, connection: Connection) -> None:
    connection.platform.records["invoices"][FIRST]["customer_id"] = "cust_nobody"
    connection.platform.finalise(FIRST)
    export(system)


def revoke_the_key(system: LocalSystem, connection: Connection) -> None:
    finalise(system, connection)
    system.rillet.state.revoke(connection.rillet_api_key)
    system.settle()


def set_a_message_aside(system: LocalSystem, connection: Connection) -> None:
    url = system.deployment.queues["export_invoice"].dead_letters_url
    system.aws.sqs.send_message(QueueUrl=url, MessageBody="{}")


def book(system: LocalSystem, connection: Connection) -> None:
    finalise(system, connection)
    system.settle()


TROUBLES = [(reject, True), (revoke_the_key, True), (set_a_message_aside, True), (lost_answer, False)]


@pytest.mark.parametrize(("trouble", "needs_person"), [*TROUBLES, (book, False)])
def test_it_is_as_calm_as_the_headline_and_never_calm_when_a_person_is_needed(
    system: LocalSystem,
    on: Connection,
    trouble: Callable[[LocalSystem, Connection], object],
    needs_person: bool,
) -> None:
    trouble(system, on)

    sweep(system)

    [(subject, text)] = sent(system)
    headline = system.invoke("sync_status", {"connection": "default"})["headline"]
    assert ("needs you" in subject) is needs_person
    assert (headline["state"] in {"needs_you", "stopped"}) is needs_person
    assert (headline["text"] if headline["state"] != "stopped" else "Stopped: ") in text


def test_it_leads_to_the_panel_where_there_is_one(
    system: LocalSystem, on: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(system)
    system.advance(24 * HOUR)
    unreadable = Mock(side_effect=RetryLater("The parameter cannot be read."))
    monkeypatch.setattr(Configuration, "api_url", unreadable)
    sweep(system)

    (_, with_panel), (_, without) = sent(system)
    assert with_panel.endswith(f"Details: {system.gateway.url}/panel/connections/default")
    assert without.endswith('Details: invoke sync_status with {"connection": "default"}.')


@pytest.mark.parametrize("state", ["needs_you", "stopped", "a state of a later version"])
def test_a_state_that_is_not_known_to_be_calm_needs_you(state: str) -> None:
    said = {"state": state, "text": "3 invoices need you."}
    report: Json = {"connection": "default", "headline": said, "failures": [], "waiting": []}

    subject, text = digests.digest_text(report, 12)

    assert subject.startswith("default: 12 booked, ")
    assert "needs you" in subject
    assert "No reconciliation has run yet." in text


def test_what_stopped_a_connection_is_not_quoted() -> None:
    report = {
        "connection": "default",
        "headline": {"state": "stopped", "text": "Stopped: Rillet says no to Marina (403)."},
        "failures": [{"documents": 1}],
        "waiting": [{"documents": 2, "needs_person": True}, {"documents": 4, "needs_person": False}],
    }

    subject, text = digests.digest_text(report, 0)

    assert "Marina" not in subject + text
    assert "sync_status says which. 3 documents need you." in text


def test_months_that_do_not_tie_out_are_named_with_their_differences() -> None:
    last = {"period": "2026-09", "tied_out": False, "differences": 2}
    report = {
        "connection": "default",
        "headline": {"state": "needs_you", "text": ""},
        "last_reconciliation": last,
    }

    _, text = digests.digest_text(report, 0)

    assert "2026-09 does not tie out: 2 differences." in text


def test_a_topic_that_does_not_answer_gets_it_from_the_next_sweep(
    system: LocalSystem, on: Connection
) -> None:
    with patched(Topic, "publish", Mock(side_effect=RetryLater("The topic does not take it."))):
        sweep(system)
    before = sent(system)

    sweep(system)
    sweep(system)

    assert (before, len(sent(system))) == ([], 1)


def test_a_run_that_ends_while_it_sends_is_followed_by_one_that_sends(
    system: LocalSystem, on: Connection
) -> None:
    with patched(Topic, "publish"), pytest.raises(Killed):
        sweep(system)
    sweep(system)
    at_once = sent(system)

    system.advance(1000)
    sweep(system)
    sweep(system)

    assert (at_once, len(sent(system))) == ([], 1)


def test_the_digest_of_one_connection_does_not_stop_that_of_another_nor_the_sweep(
    system: LocalSystem, on: Connection
) -> None:
    connect_demo(system, "broken")
    system.put_settings("broken", "{")
    connect_demo(system, "other", digest=ALWAYS)

    system.invoke("sweep", {})
    system.settle()

    assert {subject.partition(":")[0] for subject, _ in sent(system)} == {"default", "other"}


def test_a_time_zone_that_does_not_exist_is_refused_by_name(system: LocalSystem, default: Connection) -> None:
    configure(system, default, digest={"hour": 7, "time_zone": "Europe/Nowhere"})

    status = system.invoke("connect_rillet", {"action": "status", "connection": "default"})

    assert "digest.time_zone: should be an IANA time zone" in json.dumps(status)


def test_a_slack_channel_gets_a_custom_notification_and_e_mail_gets_the_text() -> None:
    client = Mock()

    Topic("arn", client, has_channel=True).publish("default: 12 booked", "12 booked.")
    Topic("arn", client).publish("default: 12 booked", "12 booked.")

    to_slack, by_mail = (call.kwargs for call in client.publish.call_args_list)
    by_protocol = json.loads(to_slack["Message"])
    custom = json.loads(by_protocol["https"])
    assert to_slack["MessageStructure"] == "json"
    assert by_protocol["default"] == by_protocol["email"] == by_mail["Message"] == "12 booked."
    assert (custom["source"], custom["content"]["title"]) == ("custom", "default: 12 booked")
