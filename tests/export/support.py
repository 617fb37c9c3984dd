"""What the tests of the export share."""

from collections.abc import Callable
from typing import Any, NoReturn

import requests

from local import demo_data
from local.stack import Connection, LocalStack

Json = dict[str, Any]

FIRST = demo_data.invoice_id("first")


class Killed(BaseException):
    """The function's process ends here, as at a time-out: nothing after this point runs."""


def die(*_: object, **__: object) -> NoReturn:
    """Stands in for a step before which the process ends."""
    raise Killed


def record(stack: LocalStack, invoice_id: str, connection: str = "default") -> Json:
    """The ledger's record of an invoice."""
    found = stack.ledger_item(f"{connection}#invoice#{invoice_id}", "RECORD")
    assert found is not None, f"the ledger has no record of {invoice_id}"
    return found


def rillet_invoices(connection: Connection, invoice_id: str | None = None) -> list[Json]:
    """The invoices in Rillet, or those that refer to a Solvimon invoice."""
    found = connection.organisation.invoices.documents()
    if invoice_id is None:
        return found
    return [i for i in found if any(r["id"] == invoice_id for r in i.get("external_references", []))]


def export(stack: LocalStack, *invoice_ids: str, **more: object) -> list[Json]:
    """Invoke ``export_invoice`` directly and return its results."""
    answer = stack.invoke("export_invoice", {"invoice_ids": list(invoice_ids), **more})
    results: list[Json] = answer["results"]
    return results


def booked_by_hand(stack: LocalStack, connection: Connection, body: object) -> Json:
    """Create an invoice in Rillet as a person or another program would."""
    headers = {"Authorization": f"Bearer {connection.rillet_api_key}", "X-Rillet-API-Version": "4"}
    answer = requests.post(f"{stack.rillet.url}/invoices", json=body, headers=headers, timeout=5)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def until(stack: LocalStack, done: Callable[[], bool], step: float = 60, most: float = 2 * 3600) -> None:
    """Let time pass and work go on until something is true."""
    passed = 0.0
    while not done():
        assert passed < most, "it did not become true in time"
        stack.advance(step)
        stack.settle()
        passed += step
