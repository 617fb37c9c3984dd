"""A document of Rillet that belongs to a Solvimon document which is booked under another id: booked twice."""

from collections.abc import Mapping
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code
from solvimon_rillet.ledger.ledger import FINISHED, Document
from solvimon_rillet.rillet.models import CreditMemo, Invoice
from solvimon_rillet.workflows.export.verification import deleted_in_rillet, exported_twice
from solvimon_rillet.workflows.outcome import Result, error_fields


class DoubleBookings:
    """Finds and records the double bookings of one connection's documents."""

    def __init__(self, connection: Connection) -> None:
        self._name = connection.name
        self._ledger = connection.ledger
        self._rillet = connection.rillet

    def check(self, kind: str, rillet_id: str, facts: Mapping[str, str]) -> Result | None:
        """Record that Rillet has a second document of one that is booked, if that is so.

        A known double costs no call; a new one costs two, because an old event may report a document that
        was deleted in the meantime.

        Args:
            kind: ``invoice`` or ``credit_memo``.
            rillet_id: the document that an event or a list showed.
            facts: of the event: the ids that it refers to, or ``double_of`` from a scan that compared both.

        Returns:
            ``None`` if it is no double.
        """
        double_of = facts.get("double_of", "")
        for solvimon_id in filter(None, [double_of, *facts.get("references", "").split(",")]):
            document = Document(self._name, kind, solvimon_id)
            record = self._ledger.read(document) or {}
            if is_double(record, rillet_id):
                return self._record(document, record, rillet_id, is_compared=solvimon_id == double_of)
        return None

    def _record(
        self, document: Document, record: Mapping[str, Any], rillet_id: str, *, is_compared: bool
    ) -> Result | None:
        booked_id, known = str(record["rillet_id"]), known_doubles(record)
        if rillet_id in known:
            return Result(
                document.id, "differs", {n: record[n] for n in ("code", "message", "remedy") if n in record}
            )
        other = self._read(document.kind, rillet_id)
        if other is None or not (is_compared or other.refers_to(document.id)):
            return None
        if self._read(document.kind, booked_id) is None:
            why = deleted_in_rillet(document.kind, booked_id)
        else:
            why = exported_twice([booked_id, *(each for each in known if each != booked_id), rillet_id])
        self._ledger.mark_mismatch(document, why)
        return Result(document.id, "differs", error_fields(why))

    def _read(self, kind: str, rillet_id: str) -> Invoice | CreditMemo | None:
        return self._rillet.invoice(rillet_id) if kind == "invoice" else self._rillet.credit_memo(rillet_id)


def is_double(record: Mapping[str, Any], rillet_id: str) -> bool:
    """Whether a document with our reference is another one than the ledger's, which Rillet still has."""
    booked_id = record.get("rillet_id")
    deleted = record.get("code") == Code.DELETED_IN_RILLET
    return record.get("state") in FINISHED and bool(booked_id) and booked_id != rillet_id and not deleted


def known_doubles(record: Mapping[str, Any]) -> list[str]:
    """The Rillet ids that a record names as booked twice."""
    if record.get("code") != Code.EXPORTED_TWICE:
        return []
    return str(record.get("message", "")).rstrip(".").partition(": ")[2].split(", ")
