"""What the tests of the status share: many small invoices, one cause, and the questions about them."""

from typing import Any

import pytest

from local.aws.runtime import Killed
from local.system import Connection, LocalSystem
from tests.support.arrange import die, export
from tests.support.builders import ORIGINAL, document

Json = dict[str, Any]

PLANNER = "harbour-planner"
NOBODY = "0198c1d2-0000-4000-8000-000000000001"


def ask(system: LocalSystem, **event: object) -> Json:
    """Invoke ``sync_status``."""
    answer: Json = system.invoke("sync_status", event)
    return answer


def retry(system: LocalSystem, what: object, function: str = "export_invoice", **more: object) -> Json:
    """Invoke a retry."""
    answer: Json = system.invoke(function, {"retry": what, **more})
    return answer


def resolve(system: LocalSystem, **said: object) -> Json:
    """Tell ``sync_status`` what became of a document."""
    return ask(system, resolve={"note": "booked by hand, ticket 4711", **said})


def some(count: int, **more: object) -> list[Json]:
    """Invoices of 121.00 EUR each."""
    return [document(f"invo_many{number:03}", "100.00", "21.00", **more) for number in range(count)]


def finalised(system: LocalSystem, connection: Connection, *documents: Json) -> list[str]:
    """Put documents into Solvimon, finalise them, and let everything take its course."""
    connection.platform.load({"invoices": list(documents)})
    for each in documents:
        connection.platform.finalise(each["id"])
    system.settle()
    return [each["id"] for each in documents]


def unlinked(connection: Connection, *names: str) -> list[Json]:
    """Take the Rillet id off products in Solvimon; the answer is what they had."""
    taken = []
    for product in connection.platform.records["products"].values():
        if not names or product["name"] in names:
            taken.append({"id": product["id"], "custom_fields": product["custom_fields"]})
            product["custom_fields"] = []
    return taken


def mended(connection: Connection, taken: list[Json]) -> None:
    """Put the Rillet ids back onto the products."""
    for product in taken:
        connection.platform.records["products"][product["id"]]["custom_fields"] = product["custom_fields"]


def record(system: LocalSystem, document_id: str, kind: str = "invoice", connection: str = "default") -> Json:
    """A record of the ledger."""
    found = system.ledger_item(f"{connection}#{kind}#{document_id}", "RECORD")
    assert found is not None, f"the ledger has no {kind} {document_id}"
    return found


def states(system: LocalSystem, ids: list[str], connection: str = "default") -> set[str]:
    """The states of some invoices."""
    return {str(record(system, each, connection=connection)["state"]) for each in ids}


def work_off(system: LocalSystem, *, most: float = 4 * 3600) -> None:
    """Let time pass until all queues are empty."""
    passed = 0.0
    while sum(queue.depth().total for queue in system.pollers.queues.values()):
        assert passed < most, "the queues are not worked off in time"
        system.settle()
        system.advance(15)
        passed += 15


def killed_in_the_middle(system: LocalSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin the export of an invoice whose process ends before Rillet is called."""
    with monkeypatch.context() as patched:
        patched.setattr("solvimon_rillet.rillet.client.RilletClient.create_invoice", die)
        with pytest.raises(Killed):
            export(system, ORIGINAL)
