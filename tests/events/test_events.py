"""Each event in `events/` does on the local system what its name says, and every function has its events.

`sam local invoke` takes them as they are; the tests put ids of their own world in the place of the examples'.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from local.stack import ROOT, Connection, LocalStack
from tests.credit_memos.support import CUSTOMER, NOTE, ORIGINAL, SECOND, credit_note, load, memos, original
from tests.export.support import record, rillet_invoices
from tests.payments.support import PAID, connected, exported, state
from tests.status.support import NOBODY, mended, unlinked, work_off
from tests.status.test_resolve import rejected_and_booked
from tests.webhooks.support import signed

Json = dict[str, Any]

FOLDER = ROOT / "events"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
WORKS_OFF_A_QUEUE = ("export_invoice", "export_credit_memo", "sync_customer", "mark_invoice_paid")
DIRECT = [name for name in NAMES if not name.endswith("-queue") and not name.startswith("receive_webhook")]
NEEDS_SECOND_LOOK = {"connect_rillet-connect", "connect_rillet-callback", "connect_rillet-disconnect"}


def event(name: str, **ids: str) -> Json:
    """An event, with ids of the test's world in the place of the examples'."""
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    for example, own in {"invo_AbC123": ORIGINAL, "cust_AbC123": CUSTOMER, **ids}.items():
        text = text.replace(example, own)
    parsed: Json = json.loads(text)
    return parsed


def function(name: str) -> str:
    """The function that an event is for."""
    return name.partition("-")[0]


def send(stack: LocalStack, name: str, **ids: str) -> Json:
    """Invoke a function with an event."""
    answer: Json = stack.invoke(function(name), event(name, **ids))
    return answer


def test_every_function_has_an_event_and_every_event_a_function(stack: LocalStack) -> None:
    assert {function(name) for name in NAMES} == set(stack.deployment.functions)
    assert {f"{name}-queue" for name in WORKS_OFF_A_QUEUE} <= set(NAMES)
    assert set(stack.deployment.queues) == set(WORKS_OFF_A_QUEUE)


@pytest.mark.parametrize("name", sorted(set(DIRECT) - NEEDS_SECOND_LOOK))
def test_a_persons_event_is_understood(stack: LocalStack, default: Connection, name: str) -> None:
    by_hand = rejected_and_booked(stack, default)

    answer = send(stack, name, **{NOBODY: by_hand})

    assert "error" not in answer, answer
    assert "remedy" not in answer, answer


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("export_invoice", "would_export"), ("sync_customer", "would_sync"), ("mark_invoice_paid", "not_ours")],
)
def test_a_dry_run_writes_nothing(stack: LocalStack, name: str, outcome: str) -> None:
    connection = connected(stack)
    connection.platform.load({"invoices": [original()]})
    connection.platform.finalise(ORIGINAL)
    before = len([call for call in stack.rillet.state.calls if call.method != "GET"])

    answer = send(stack, name)

    assert answer["dry_run"] is True
    assert [result["outcome"] for result in answer["results"]] in ([outcome], ["unchanged"])
    assert len([call for call in stack.rillet.state.calls if call.method != "GET"]) == before


def test_the_retry_by_cause_books_what_was_rejected(stack: LocalStack, default: Connection) -> None:
    taken = unlinked(default)
    load(default, original())
    stack.settle()
    mended(default, taken)

    answer = send(stack, "export_invoice-retry")
    work_off(stack)

    assert answer["queued"] == 1
    assert record(stack, ORIGINAL)["state"] == "exported"


def test_a_connection_is_authorised_and_disconnected(stack: LocalStack) -> None:
    stack.connect(auth="oauth")

    begun = send(stack, "connect_rillet-connect")
    page = stack.authorise()
    ended = send(stack, "connect_rillet-disconnect")

    assert begun["authorisation_url"].startswith(stack.rillet.url)
    assert "default is connected to" in page
    assert ended["disconnected"] is True


def test_a_callback_with_a_state_that_nobody_began_is_refused_with_a_page(stack: LocalStack) -> None:
    stack.connect(auth="oauth")

    answer = send(stack, "connect_rillet-callback")

    assert answer["statusCode"] == 400
    assert answer["headers"]["content-type"].startswith("text/html")


def _invoice_is_booked(stack: LocalStack, connection: Connection) -> bool:
    return len(rillet_invoices(connection, SECOND)) == 1


def _memo_is_booked(stack: LocalStack, connection: Connection) -> bool:
    return len(memos(connection)) == 1


def _customer_is_synced(stack: LocalStack, connection: Connection) -> bool:
    found = stack.ledger_item(f"default#customer#{CUSTOMER}", "RECORD")
    return bool(found and found["state"] == "synced")


def _is_marked_paid(stack: LocalStack, connection: Connection) -> bool:
    return state(connection) == PAID


QUEUES: Mapping[str, tuple[str, Callable[[LocalStack, Connection], bool]]] = {
    "export_invoice-queue": (SECOND, _invoice_is_booked),
    "export_credit_memo-queue": (NOTE, _memo_is_booked),
    "sync_customer-queue": (ORIGINAL, _customer_is_synced),
    "mark_invoice_paid-queue": (ORIGINAL, _is_marked_paid),
}


@pytest.mark.parametrize("name", QUEUES)
def test_a_message_of_a_queue_is_worked_off(stack: LocalStack, name: str) -> None:
    document, is_done = QUEUES[name]
    connection = connected(stack)
    rillet_id = exported(stack, connection)
    stack.solvimon.state.webhooks_on = stack.rillet.state.webhooks_on = False
    load(connection, credit_note(), original(SECOND))
    connection.platform.edit_customer(CUSTOMER, email="harbour@example.com")
    connection.organisation.pay(rillet_id)
    before = is_done(stack, connection)

    answer = send(stack, name, **{"invo_AbC123": document, NOBODY: rillet_id})

    assert answer == {"batchItemFailures": []}
    assert (before, is_done(stack, connection)) == (False, True)


def test_a_solvimon_webhook_with_a_false_signature_is_refused_and_with_a_true_one_published(
    stack: LocalStack, default: Connection
) -> None:
    given = event("receive_webhook")
    true = signed(stack, given["body"].encode(), default.webhook_secret)

    refused = send(stack, "receive_webhook")
    taken = stack.invoke(
        "receive_webhook", {**given, "headers": {name.lower(): value for name, value in true.items()}}
    )

    assert (refused["statusCode"], taken["statusCode"]) == (401, 200)
    assert [each["detail"]["id"] for each in stack.bus_events()] == [ORIGINAL]


def test_a_rillet_webhook_with_a_false_signature_is_refused_and_with_a_true_one_published(
    stack: LocalStack,
) -> None:
    connection = connected(stack)
    given = event("receive_webhook-rillet")
    named = given["headers"]
    true = connection.organisation.sign(
        given["body"].encode(),
        named["x-rillet-entity"],
        named["x-rillet-event"],
        event_id=named["x-rillet-id"],
    )

    refused = send(stack, "receive_webhook-rillet")
    taken = stack.invoke(
        "receive_webhook", {**given, "headers": {name.lower(): value for name, value in true.items()}}
    )

    assert (refused["statusCode"], taken["statusCode"]) == (401, 200)
    assert [each["detail"]["id"] for each in stack.bus_events()] == [NOBODY]
