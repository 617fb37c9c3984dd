"""Bring a local system into a state: connect, edit, finalise, invoke, let time pass, end a process."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, NoReturn

import botocore.endpoint
import pytest
import requests
import simplejson

from local.aws.runtime import Killed
from local.fake_solvimon.resources.definitions import CUSTOMERS
from local.system import Connection, LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.errors import OutcomeUnknown
from tests.support.builders import DEMO_CUSTOMER, FIRST, NOTE, Json, bus_event

HOUR = 3600


connect_demo = LocalSystem.connect_demo


def configure(system: LocalSystem, connection: Connection, **changes: object) -> None:
    """Change settings, and let every function read them again."""
    system.put_settings(connection.name, {**connection.settings, **changes})
    system.runtime.reset()


def put_secret(system: LocalSystem, connection: Connection, vendor: str, **values: str) -> None:
    """Write a connection's secret of a vendor, and let every function read it again.

    What belongs to a vendor's webhook goes to the secret of webhooks, where it replaces that vendor's only.
    """
    key = connection.solvimon_api_key if vendor == "solvimon" else connection.rillet_api_key
    own = "webhook_secret" if vendor == "solvimon" else "webhook_token"
    before = system.configuration.secret(f"{connection.name}/webhooks")
    others = {name: value for name, value in before.items() if own not in name}
    webhooks = {name: value for name, value in values.items() if own in name}
    system.put_secret(connection.name, "webhooks", others | webhooks)
    rest = {name: value for name, value in values.items() if name not in webhooks}
    system.put_secret(connection.name, vendor, {"api_key": key, **rest})
    system.runtime.reset()


def ledger_table(system: LocalSystem) -> Table:
    """The table of the ledger, to be changed past all rules."""
    return Table(system.deployment.outputs["LedgerTableName"], system.aws.dynamodb)


def solvimon_invoice(connection: Connection, invoice_id: str = FIRST) -> Json:
    """An invoice or credit note in Solvimon itself, to be changed by a test."""
    return connection.platform.records["invoices"][invoice_id]


def load(connection: Connection, *documents: Json) -> None:
    """Put documents into Solvimon and finalise them in this order."""
    connection.platform.load({"invoices": list(documents)})
    for each in documents:
        connection.platform.finalise(each["id"])


def finalise(system: LocalSystem, connection: Connection, *invoice_ids: str) -> None:
    """Finalise invoices, so that their messages are on the queue."""
    for invoice_id in invoice_ids or (FIRST,):
        connection.platform.finalise(invoice_id)
    system.deliver_webhooks()


def edit(connection: Connection, customer_id: str = DEMO_CUSTOMER, **changes: object) -> None:
    """Edit a customer in Solvimon, which sends a webhook about it."""
    platform = connection.platform
    platform.change(CUSTOMERS, platform.records["customers"][customer_id], dict(changes))


def booked_by_hand(
    system: LocalSystem, connection: Connection, body: object, path: str = "/invoices"
) -> Json:
    """Post a document to Rillet as a person or another program would."""
    headers = {
        "Authorization": f"Bearer {connection.rillet_api_key}",
        "X-Rillet-API-Version": "4",
        "Content-Type": "application/json",
    }
    text = simplejson.dumps(body, use_decimal=True)
    answer = requests.post(f"{system.rillet.url}{path}", data=text, headers=headers, timeout=5)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def export(system: LocalSystem, *invoice_ids: str, **more: object) -> list[Json]:
    """Invoke ``export_invoice`` directly and return its results."""
    return _results(system, "export_invoice", {"invoice_ids": list(invoice_ids or (FIRST,)), **more})


def credit(system: LocalSystem, *note_ids: str, **more: object) -> list[Json]:
    """Invoke ``export_credit_memo`` directly and return its results."""
    return _results(system, "export_credit_memo", {"credit_note_ids": list(note_ids or (NOTE,)), **more})


def sync(system: LocalSystem, *customer_ids: str, **more: object) -> list[Json]:
    """Invoke ``sync_customer`` directly and return its results."""
    return _results(system, "sync_customer", {"customer_ids": list(customer_ids or (DEMO_CUSTOMER,)), **more})


def _results(system: LocalSystem, function: str, event: Json) -> list[Json]:
    results: list[Json] = system.invoke(function, event)["results"]
    return results


def put_on_queue(
    system: LocalSystem, body: object = None, function: str = "export_invoice", **attributes: int
) -> None:
    """Send a message to the queue of a function, as the bus does; the event of the first invoice if none."""
    system.aws.sqs.send_message(
        QueueUrl=system.deployment.queues[function].url,
        MessageBody=body if isinstance(body, str) else json.dumps(bus_event() if body is None else body),
        MessageAttributes={
            name: {"DataType": "Number", "StringValue": str(value)} for name, value in attributes.items()
        },
    )


def at_once(count: int, act: Callable[[], object]) -> None:
    """Do something in so many threads at the same time."""
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def until(system: LocalSystem, done: Callable[[], bool], step: float = 60, most: float = 2 * HOUR) -> None:
    """Let time pass and work go on until something is true."""
    passed = 0.0
    while not done():
        assert passed < most, "it did not become true in time"
        system.advance(step)
        system.settle()
        passed += step


def until_exported(
    system: LocalSystem, *document_ids: str, connection: str = "default", most: float = 2 * HOUR
) -> None:
    """Let time pass until the ledger has every invoice, by default the first one, as exported."""
    keys = [f"{connection}#invoice#{document_id}" for document_id in document_ids or (FIRST,)]
    until(system, lambda: {_state(system, key) for key in keys} == {"exported"}, most=most)


def until_finished(system: LocalSystem, document_id: str = FIRST, kind: str = "invoice") -> None:
    """Let time pass until no worker has claimed or is sending a document any more."""
    key = f"default#{kind}#{document_id}"
    until(system, lambda: _state(system, key) not in {"claimed", "sending", None})


def pass_time(system: LocalSystem, seconds: int, step: int = 600) -> None:
    """Let time pass while work goes on."""
    for _ in range(0, seconds, step):
        system.advance(step)
        system.settle()


def _state(system: LocalSystem, key: str) -> str | None:
    item = system.ledger_item(key, "RECORD")
    return str(item["state"]) if item else None


def die(*_: object, **__: object) -> NoReturn:
    """Stands in for a step before which the process ends."""
    raise Killed


@contextmanager
def patched(owner: type, method: str, instead: Callable[..., object] = die) -> Iterator[None]:
    """Replace a method while this lasts; by default the process ends where it is called."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, method, instead)
        yield


@contextmanager
def answer_lost(owner: type, method: str) -> Iterator[Callable[[], None]]:
    """Let calls of a client's method go unanswered while this lasts.

    Yields:
        Lets the vendor carry them out, however late.
    """
    real, calls = getattr(owner, method), list[Callable[[], object]]()

    def hang(*args: object, **kwargs: object) -> NoReturn:
        calls.append(partial(real, *args, **kwargs))
        raise OutcomeUnknown("The vendor did not answer (ReadTimeout).")

    def arrive() -> None:
        for call in calls:
            call()

    with patched(owner, method, hang):
        yield arrive


def without_waiting_for_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AWS's own client repeat a failed request at once, so that an outage takes no time."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))


def lost_answer(system: LocalSystem, connection: Connection, answer: str = "commit_then_drop") -> Any:  # noqa: ANN401
    """Export the first invoice while Rillet gives no usable answer; return the ledger's record of it."""
    system.rillet.state.misbehave(answer)
    finalise(system, connection)
    system.settle()
    return system.ledger_item(f"default#invoice#{FIRST}", "RECORD")
