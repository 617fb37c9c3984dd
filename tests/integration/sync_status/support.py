"""What the tests of the status share: many small invoices, one cause, and the requests about them."""

import json
from dataclasses import dataclass

import pytest

from local.aws.runtime import Killed
from local.fake_rillet.calls import Call
from local.system import Connection, LocalSystem
from solvimon_rillet.rillet.client import RilletClient
from tests.integration.mark_invoice_paid.support import settle
from tests.support.arrange import booked_by_hand, configure, export, load, patched, until
from tests.support.assertions import invoice_posts, record, rillet_invoices, waiting
from tests.support.builders import ORIGINAL, Json, document, original

UNKNOWN_ID = "0198c1d2-0000-4000-8000-000000000001"


def ask(system: LocalSystem, **event: object) -> Json:
    """Invoke ``sync_status``."""
    answer: Json = system.invoke("sync_status", event)
    return answer


def retry(system: LocalSystem, what: object, function: str = "export_invoice", **more: object) -> Json:
    """Invoke a retry."""
    answer: Json = system.invoke(function, {"retry": what, **more})
    return answer


def resolve(system: LocalSystem, **resolution: object) -> Json:
    """Resolve a document by hand."""
    return ask(system, resolve={"note": "booked by hand, ticket 4711", **resolution})


def some(count: int, **more: object) -> list[Json]:
    """Invoices of 121.00 EUR each."""
    return [document(f"invo_many{number:03}", "100.00", "21.00", **more) for number in range(count)]


def finalised(system: LocalSystem, connection: Connection, *documents: Json) -> list[str]:
    """Put documents into Solvimon, finalise them, and process everything that follows."""
    load(connection, *documents)
    system.settle()
    return [each["id"] for each in documents]


def unlinked(connection: Connection, *names: str) -> list[Json]:
    """Remove the Rillet id from products in Solvimon; returns what they had."""
    taken = []
    for product in connection.platform.records["products"].values():
        if not names or product["name"] in names:
            taken.append({"id": product["id"], "custom_fields": product["custom_fields"]})
            product["custom_fields"] = []
    return taken


def relinked(connection: Connection, taken: list[Json]) -> None:
    """Put the Rillet ids back onto the products."""
    for product in taken:
        connection.platform.records["products"][product["id"]]["custom_fields"] = product["custom_fields"]


def states(system: LocalSystem, ids: list[str], connection: str = "default") -> set[str]:
    """The states of some invoices."""
    return {str(record(system, each, connection)["state"]) for each in ids}


def work_off(system: LocalSystem, *, most: float = 4 * 3600) -> None:
    """Let time pass until all queues are empty."""
    queues = system.pollers.queues
    system.settle()
    until(system, lambda: not any(waiting(system, name).total for name in queues), step=15, most=most)


@dataclass(frozen=True)
class Default(Connection):
    """The connection ``default`` with the demo's records: the acts of the tests, and what they read."""

    system: LocalSystem

    def ask(self, **event: object) -> Json:
        return ask(self.system, **event)

    def retry(self, what: object, function: str = "export_invoice", **more: object) -> Json:
        return retry(self.system, what, function, **more)

    def resolve(self, **resolution: object) -> Json:
        return resolve(self.system, **resolution)

    def export(self, *invoice_ids: str) -> list[Json]:
        return export(self.system, *invoice_ids)

    def finalised(self, *documents: Json) -> list[str]:
        return finalised(self.system, self, *documents)

    def finalised_silently(self, *documents: Json) -> None:
        """Finalise documents whose webhooks are lost."""
        self.system.solvimon.state.webhooks_on = False
        load(self, *documents)

    def unlink(self, *names: str) -> list[Json]:
        return unlinked(self, *names)

    def relink(self, taken: list[Json]) -> None:
        relinked(self, taken)

    def rejected(self, *documents: Json) -> list[str]:
        """Finalise documents that are rejected with ``product_not_linked``, and fix the cause afterwards."""
        taken = self.unlink()
        ids = self.finalised(*documents)
        self.relink(taken)
        return ids

    def booked_by_hand(self, document_id: str = ORIGINAL, **changes: object) -> str:
        """Book in Rillet by hand what our export would have booked; returns Rillet's id."""
        planned = self.system.invoke("export_invoice", {"invoice_ids": [document_id], "dry_run": True})
        payload = {**planned["results"][0]["payload"], "external_references": [], **changes}
        identifier: str = booked_by_hand(self.system, self, payload, "/invoices")["id"]
        return identifier

    def rejected_and_booked(self) -> str:
        """An invoice that was rejected and then booked by hand; returns Rillet's id."""
        self.rejected(original())
        return self.booked_by_hand()

    def killed_in_the_middle(self) -> None:
        """Begin the export of an invoice whose process ends before Rillet is called."""
        load(self, original())
        with patched(RilletClient, "create_invoice"), pytest.raises(Killed):
            self.export(ORIGINAL)

    def configure(self, **settings: object) -> None:
        configure(self.system, self, **settings)

    def put_secret_text(self, vendor: str, text: str) -> None:
        """Write a vendor's secret as a person might, JSON or not, and let every function read it again."""
        name = f"{self.system.deployment.stack}/{self.name}/{vendor}"
        self.system.aws.secretsmanager.put_secret_value(SecretId=name, SecretString=text)
        self.system.runtime.reset()

    def settle(self) -> None:
        """Deliver all webhooks, Rillet's too, and process all queues."""
        settle(self.system, self)

    def work_off(self) -> None:
        work_off(self.system)

    def record(self, document_id: str = ORIGINAL, kind: str = "invoice") -> Json:
        return record(self.system, document_id, self.name, kind=kind)

    def link(self, rillet_id: str) -> Json | None:
        """The link from a Rillet invoice to ours."""
        return self.system.ledger_item(f"default#link-rillet-invoice#{rillet_id}", "RECORD")

    def states(self, ids: list[str]) -> set[str]:
        return states(self.system, ids, self.name)

    def rillet_invoices(self, invoice_id: str | None = None) -> list[Json]:
        return rillet_invoices(self, invoice_id)

    @property
    def sent(self) -> list[Call]:
        return invoice_posts(self.system)

    def queued(self) -> list[Json]:
        """The details of the messages on the queue of ``export_invoice``."""
        return [json.loads(body)["detail"] for body in self.system.pollers.queues["export_invoice"].bodies()]


def rejected_and_booked(system: LocalSystem, connection: Connection) -> str:
    """An invoice that was rejected and then booked by hand; returns Rillet's id."""
    return Default(**(vars(connection) | {"system": system})).rejected_and_booked()
