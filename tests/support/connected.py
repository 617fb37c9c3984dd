"""A connection together with its local system: the acts of a test, and what it reads afterwards."""

from dataclasses import dataclass
from typing import Any

from local.aws.pollers import BatchDelivery
from local.system import Connection, LocalSystem
from tests.support import arrange, assertions
from tests.support.arrange import HOUR
from tests.support.builders import DEMO_CUSTOMER, FIRST, Json


@dataclass(frozen=True)
class Connected(Connection):
    """A connection that knows its local system, so that a test needs no other fixture.

    The methods are the functions of `arrange` and `assertions` of the same names, for this connection.
    """

    system: LocalSystem

    def configure(self, **changes: object) -> None:
        arrange.configure(self.system, self, **changes)

    def finalise(self, *invoice_ids: str) -> None:
        arrange.finalise(self.system, self, *invoice_ids)

    def settle(self, after: float = 0) -> list[BatchDelivery]:
        """Let so many seconds pass, then deliver Solvimon's webhooks and work off all queues."""
        self.system.advance(after)
        return self.system.settle()

    def finalise_and_settle(self, *invoice_ids: str) -> None:
        self.finalise(*invoice_ids)
        self.settle()

    def load_and_settle(self, *documents: Json) -> None:
        arrange.load(self, *documents)
        self.settle()

    def edit_and_settle(self, customer_id: str = DEMO_CUSTOMER, **changes: object) -> None:
        arrange.edit(self, customer_id, **changes)
        self.settle()

    def export(self, *invoice_ids: str, **more: object) -> list[Json]:
        return arrange.export(self.system, *invoice_ids, **more)

    def credit(self, *note_ids: str, **more: object) -> list[Json]:
        return arrange.credit(self.system, *note_ids, **more)

    def sync(self, *customer_ids: str, **more: object) -> list[Json]:
        return arrange.sync(self.system, *customer_ids, **more)

    def booked_by_hand(self, body: object, path: str = "/invoices") -> Json:
        return arrange.booked_by_hand(self.system, self, body, path)

    def lost_answer(self, answer: str = "commit_then_drop") -> Any:  # noqa: ANN401
        return arrange.lost_answer(self.system, self, answer)

    def until_exported(self, *document_ids: str, most: float = 2 * HOUR) -> None:
        arrange.until_exported(self.system, *document_ids, most=most)

    def until_finished(self, *document: str) -> None:
        arrange.until_finished(self.system, *document)

    def record(self, document_id: str = FIRST, *, kind: str = "invoice") -> Json:
        return assertions.record(self.system, document_id, self.name, kind=kind)

    def memo_record(self, *note_id: str) -> Json:
        return assertions.memo_record(self.system, *note_id)

    def customer_record(self, *customer_id: str) -> Json:
        return assertions.customer_record(self.system, *customer_id)

    def assert_exported(self, invoice_id: str = FIRST, *, only: bool = False) -> None:
        assertions.assert_exported(self.system, self, invoice_id, only=only)

    def assert_memo_exported(self, *memo_amounts: tuple[str, str]) -> Json:
        return assertions.assert_memo_exported(self.system, self, *memo_amounts)

    def assert_customer_synced(self, name: str) -> None:
        assertions.assert_customer_synced(self.system, self, name)
