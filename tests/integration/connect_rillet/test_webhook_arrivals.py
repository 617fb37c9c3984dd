"""The checklist says when the last webhook of each vendor came; the note costs little and stops nothing."""

from unittest.mock import Mock

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.webhook_arrivals import WebhookArrivals
from solvimon_rillet.errors import RetryLater
from tests.integration.connect_rillet.support import Json, ask, check, with_webhook_token
from tests.support.arrange import patched
from tests.support.interposed import before_call
from tests.support.webhooks import Answer, envelope, post, signed


def status(system: LocalSystem) -> Json:
    return ask(system, "default", "status")


def arrive(system: LocalSystem, connection: Connection) -> Answer:
    """Send a webhook that Solvimon has signed."""
    body = envelope()
    headers = signed(system, body, connection.webhook_secret)
    return post(system, body, headers, f"/webhooks/solvimon/{connection.name}")


def test_the_last_webhook_of_each_vendor_is_said(default: Connection, system: LocalSystem) -> None:
    with_webhook_token(system)
    before = status(system)
    system.runtime.reset()
    arrive(system, default)

    after = status(system)

    arrived = "its secret is stored; none has arrived yet; it goes to "
    assert check(before, "Solvimon webhook")["found"] == arrived + before["webhook_urls"]["solvimon"]
    assert "; the last one arrived at 20" in check(after, "Solvimon webhook")["found"]
    assert "none has arrived yet" in check(after, "Rillet webhook")["found"]


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the notes that were written."""
    kept: list[str] = []

    def note(_: Table, key: str, *_more: object) -> None:
        if "#webhook#" in key:
            kept.append(key)

    before_call(monkeypatch, Table, "put", note)
    return kept


def test_arrivals_are_noted_at_most_once_a_minute(
    default: Connection, system: LocalSystem, writes: list[str]
) -> None:
    for _ in range(5):
        arrive(system, default)
    within = len(writes)
    system.advance(61)
    arrive(system, default)

    assert (within, len(writes)) == (1, 2)


@pytest.mark.usefixtures("default")
def test_a_webhook_whose_signature_is_wrong_costs_no_write(system: LocalSystem, writes: list[str]) -> None:
    body = envelope()

    answer = post(system, body, signed(system, body, "a" * 64), "/webhooks/solvimon/default")

    assert answer.status == 401
    assert writes == []


def test_a_table_that_does_not_answer_refuses_no_webhook(default: Connection, system: LocalSystem) -> None:
    with patched(Table, "put", Mock(side_effect=RetryLater("The ledger does not answer."))):
        answer = arrive(system, default)

    assert answer.status == 200
    assert len(system.bus_events()) == 1


def test_two_processes_write_one_note_a_minute(system: LocalSystem) -> None:
    table = Table(system.deployment.outputs["LedgerTableName"], system.aws.dynamodb)
    first = WebhookArrivals(lambda: table, lambda: 1000.0)
    second = WebhookArrivals(lambda: table, lambda: 1030.0)

    first.note("default", "rillet")
    second.note("default", "rillet")

    assert first.last("default", "rillet") == 1000
    assert first.last("default", "solvimon") is None
