"""What the tests of the reconciliation share."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.rillet.answers import RowPage
from solvimon_rillet.rillet.client import RilletClient
from tests.support.assertions import record
from tests.support.builders import Json
from tests.support.connected import Connected


def everything_booked(system: LocalSystem, connection: Connection) -> list[str]:
    """Finalise all of the demo's invoices, let them be exported, and return their ids."""
    drafts = [i["id"] for i in connection.platform.records["invoices"].values() if i["status"] != "FINAL"]
    for invoice_id in drafts:
        connection.platform.finalise(invoice_id)
    while True:
        system.settle()
        if not any(queue.depth().total for queue in system.pollers.queues.values()):
            return drafts
        system.advance(61)


def period(connection: Connection) -> Json:
    """A period with all of a platform's invoices; one may be dated a day later in its own time zone."""
    days = sorted(str(i["invoice_date"])[:10] for i in connection.platform.records["invoices"].values())
    return {"from": days[0], "to": (date.fromisoformat(days[-1]) + timedelta(days=1)).isoformat()}


def reconcile(system: LocalSystem, connection: Connection, **more: object) -> Json:
    """Reconcile everything, without exporting what is missing."""
    event = {"connection": connection.name, **period(connection), "redrive": False, **more}
    answer: Json = system.invoke("reconcile", event)
    return answer


def found(answer: Json) -> list[tuple[str, str]]:
    """Kind and Solvimon id of each difference."""
    return [(one["kind"], one["solvimon_id"]) for one in answer["findings"]]


@dataclass(frozen=True)
class Books(Connected):
    """A connection whose books are compared.

    Attributes:
        ids: the invoices that were booked before the test.
    """

    ids: tuple[str, ...] = ()

    def reconcile(self, **more: object) -> Json:
        """Reconcile everything, without exporting what is missing."""
        return reconcile(self.system, self, **more)

    def rillet_id(self, document_id: str, kind: str = "invoice") -> str:
        """Rillet's id of a document, by the ledger."""
        return str(record(self.system, document_id, self.name, kind=kind)["rillet_id"])


def file_of(system: LocalSystem, address: str) -> str:
    """A file of a report."""
    bucket, _, key = address.removeprefix("s3://").partition("/")
    body: bytes = system.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode("utf-8-sig")


def whole_report(system: LocalSystem, answer: Json) -> Json:
    """The report as JSON."""
    report: Json = json.loads(file_of(system, answer["report"]["json"]))
    return report


def finalise_a_copy(connection: Connection, invoice_id: str, copy_id: str, **more: object) -> None:
    """Finalise another invoice like this one."""
    source = connection.platform.records["invoices"][invoice_id]
    draft = {name: value for name, value in source.items() if name != "invoice_number"}
    connection.platform.load({"invoices": [{**draft, "id": copy_id, "status": "DRAFT", **more}]})
    connection.platform.finalise(copy_id)


def change_invoice_lists(monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Any]], list[Any]]) -> None:
    """Change the rows of every page of invoices that Rillet lists."""
    original = RilletClient.invoice_rows

    def rows(client: RilletClient, cursor: str | None, since: str | None) -> RowPage:
        page = original(client, cursor, since)
        return RowPage(change(list(page.rows)), page.next_cursor)

    monkeypatch.setattr(RilletClient, "invoice_rows", rows)
