"""Each event in `events/` does on the local system what its name says, and every function has its events.

`sam local invoke` takes them as they are; the tests replace the ids of the examples by their own.
"""

import json
from collections.abc import Callable, Mapping

import pytest

from local.system import ROOT, Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import PAID, connected, exported, state
from tests.integration.sync_status.support import (
    UNKNOWN_ID,
    rejected_and_booked,
    relinked,
    unlinked,
    work_off,
)
from tests.support.arrange import load
from tests.support.assertions import memos, record, rillet_invoices
from tests.support.builders import DEMO_CUSTOMER, NOTE, ORIGINAL, SECOND, Json, credit_note, original
from tests.support.webhooks import signed

FOLDER = ROOT / "events"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
WORKS_OFF_A_QUEUE = ("export_invoice", "export_credit_memo", "sync_customer", "mark_invoice_paid")
DIRECT = [name for name in NAMES if not name.endswith("-queue") and not name.startswith("receive_webhook")]
NEEDS_SECOND_LOOK = {"connect_rillet-connect", "connect_rillet-callback", "connect_rillet-disconnect"}


def event(name: str, **ids: str) -> Json:
    """An event with the ids of the test instead of the example's."""
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    for example, own in {"invo_AbC123": ORIGINAL, "cust_AbC123": DEMO_CUSTOMER, **ids}.items():
        text = text.replace(example, own)
    parsed: Json = json.loads(text)
    return parsed


def function(name: str) -> str:
    """The function that an event is for."""
    return name.partition("-")[0]


def send(system: LocalSystem, name: str, **ids: str) -> Json:
    """Invoke a function with an event."""
    answer: Json = system.invoke(function(name), event(name, **ids))
    return answer


def test_every_function_has_an_event_and_every_event_a_function(system: LocalSystem) -> None:
    assert {function(name) for name in NAMES} == set(system.deployment.functions)
    assert {f"{name}-queue" for name in WORKS_OFF_A_QUEUE} <= set(NAMES)
    own_messages = {"sweep"}  # which only its own schedule's run sends
    assert set(system.deployment.queues) == {*WORKS_OFF_A_QUEUE, *own_messages}


@pytest.mark.parametrize("name", sorted(set(DIRECT) - NEEDS_SECOND_LOOK))
def test_an_event_for_a_person_is_valid(system: LocalSystem, default: Connection, name: str) -> None:
    by_hand = rejected_and_booked(system, default)

    answer = send(system, name, **{UNKNOWN_ID: by_hand})

    assert "error" not in answer, answer
    assert "remedy" not in answer, answer


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("export_invoice", "would_export"), ("sync_customer", "would_sync"), ("mark_invoice_paid", "not_ours")],
)
def test_a_dry_run_writes_nothing(system: LocalSystem, name: str, outcome: str) -> None:
    connection = connected(system)
    connection.platform.load({"invoices": [original()]})
    connection.platform.finalise(ORIGINAL)
    before = len([call for call in system.rillet.state.calls if call.method != "GET"])

    answer = send(system, name)

    assert answer["dry_run"] is True
    assert [result["outcome"] for result in answer["results"]] in ([outcome], ["unchanged"])
    assert len([call for call in system.rillet.state.calls if call.method != "GET"]) == before


def test_the_retry_by_cause_books_what_was_rejected(system: LocalSystem, default: Connection) -> None:
    taken = unlinked(default)
    load(default, original())
    system.settle()
    relinked(default, taken)

    answer = send(system, "export_invoice-retry")
    work_off(system)

    assert answer["queued"] == 1
    assert record(system, ORIGINAL)["state"] == "exported"


def test_a_connection_is_authorised_and_disconnected(system: LocalSystem) -> None:
    system.connect(auth="oauth")

    begun = send(system, "connect_rillet-connect")
    page = system.authorise()
    ended = send(system, "connect_rillet-disconnect")

    assert begun["authorisation_url"].startswith(system.rillet.url)
    assert "default is connected to" in page
    assert ended["disconnected"] is True


def test_a_callback_with_an_unknown_state_is_refused_with_a_page(system: LocalSystem) -> None:
    system.connect(auth="oauth")

    answer = send(system, "connect_rillet-callback")

    assert answer["statusCode"] == 400
    assert answer["headers"]["content-type"].startswith("text/html")


def _customer_is_synced(system: LocalSystem, _: Connection) -> bool:
    found = system.ledger_item(f"default#customer#{DEMO_CUSTOMER}", "RECORD")
    return bool(found and found["state"] == "synced")


QUEUES: Mapping[str, tuple[str, Callable[[LocalSystem, Connection], bool]]] = {
    "export_invoice-queue": (SECOND, lambda _, connection: len(rillet_invoices(connection, SECOND)) == 1),
    "export_credit_memo-queue": (NOTE, lambda _, connection: len(memos(connection)) == 1),
    "sync_customer-queue": (ORIGINAL, _customer_is_synced),
    "mark_invoice_paid-queue": (ORIGINAL, lambda _, connection: state(connection) == PAID),
}


@pytest.mark.parametrize("name", QUEUES)
def test_a_message_of_a_queue_is_processed(system: LocalSystem, name: str) -> None:
    document, is_done = QUEUES[name]
    connection = connected(system)
    rillet_id = exported(system, connection).rillet_id
    system.solvimon.state.webhooks_on = system.rillet.state.webhooks_on = False
    load(connection, credit_note(), original(SECOND))
    connection.platform.edit_customer(DEMO_CUSTOMER, email="harbour@example.com")
    connection.organisation.pay(rillet_id)
    before = is_done(system, connection)

    answer = send(system, name, **{"invo_AbC123": document, UNKNOWN_ID: rillet_id})

    assert answer == {"batchItemFailures": []}
    assert (before, is_done(system, connection)) == (False, True)


@pytest.mark.parametrize(("name", "published"), [("", ORIGINAL), ("-rillet", UNKNOWN_ID)])
def test_a_webhook_is_published_only_if_its_signature_is_true(
    system: LocalSystem, name: str, published: str
) -> None:
    connection = connected(system)
    given = event(f"receive_webhook{name}")
    body, sent_with = given["body"].encode(), given["headers"]
    if name:
        names = sent_with["x-rillet-entity"], sent_with["x-rillet-event"]
        true = connection.organisation.webhooks.sign(body, *names, event_id=sent_with["x-rillet-id"])
    else:
        true = signed(system, body, connection.webhook_secret)

    refused = system.invoke("receive_webhook", given)
    accepted = system.invoke("receive_webhook", {**given, "headers": {k.lower(): v for k, v in true.items()}})

    assert (refused["statusCode"], accepted["statusCode"]) == (401, 200)
    assert [each["detail"]["id"] for each in system.bus_events()] == [published]
