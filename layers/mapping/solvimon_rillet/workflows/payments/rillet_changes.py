"""Edits and deletions in Rillet: recorded in the ledger and reported, never undone automatically."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.ledger.ledger import UNFINISHED, Claim, Document
from solvimon_rillet.rillet.models import (
    UNREADABLE_TIMESTAMP,
    CreditMemo,
    Invoice,
    parse_rillet_timestamp,
)
from solvimon_rillet.workflows.export.verification import DELETED_LINK, deleted_in_rillet, total_mismatch
from solvimon_rillet.workflows.outcome import Result, error_fields

# A message about the document can wait on a queue for as long.
DELETION_SECONDS = 14 * 24 * 3600
_REQUIRED_FACTS = {"total", "currency", "updated_at"}
STATE_FACTS = {"status", "total", "amount_due", "currency", "updated_at"}
"""Facts of an event that say an invoice's payment state."""
_MEMO_APPLIED = "applied"  # the last step of a memo's export


class RilletChanges:
    """Records edits and deletions of one connection's documents."""

    def __init__(self, connection: Connection) -> None:
        self._name = connection.name
        self._ledger = connection.ledger
        self._rillet = connection.rillet

    def find_document(self, kind: str, rillet_id: str, facts: Mapping[str, str]) -> Document | None:
        """The Solvimon document behind a Rillet document: by the ledger, else by its external references.

        Raises:
            RetryLater: it references a document whose export is not finished.
        """
        link = self._ledger.find_link(self._name, f"rillet-{kind}", rillet_id)
        named = [str(link["solvimon_id"])] if link else facts.get("references", "").split(",")
        for solvimon_id in filter(None, named):
            document = Document(self._name, kind, solvimon_id)
            record = self._ledger.read(document) or {}
            if facts.get("created") and _is_our_creation(record, rillet_id):
                return document
            if record.get("state") in UNFINISHED:
                raise RetryLater(f"The export of {solvimon_id} is not finished.")
            if record.get("rillet_id") == rillet_id:
                return document
        return None

    def compare_total(
        self, document: Document, record: Mapping[str, Any], facts: Mapping[str, str]
    ) -> NeedsAttention | None:
        """Mark a document whose total was changed in Rillet, and clear the mark when the total is ours again.

        Args:
            document: the document.
            record: its ledger record.
            facts: total and currency in Rillet.

        Returns:
            The mismatch that remains.

        Raises:
            NeedsAttention: the document was deleted in Rillet.
        """
        totals = record.get("totals", {})
        if not totals:
            return None
        if (Decimal(totals["gross"]), totals["currency"]) == (Decimal(facts["total"]), facts["currency"]):
            return self._clear_mismatch(document, record)
        why = NeedsAttention(
            Code.TOTAL_DIFFERS,
            f"Rillet now has a total of {facts['total']} {facts['currency']} instead of "
            f"{totals['gross']} {totals['currency']}.",
            "Correct it in Rillet by hand, or credit the invoice in Solvimon and bill it again.",
        )
        self._ledger.mark_mismatch(document, why)
        return why

    def compare_memo(
        self, claim: Claim, document: Document, rillet_id: str, event_facts: Mapping[str, str]
    ) -> Result:
        """Compare a credit memo with the one that was booked, unless the event is outdated."""
        facts = event_facts if event_facts.keys() >= _REQUIRED_FACTS else self._memo_facts(rillet_id)
        if event_facts and is_order_unknown(claim.record, facts):
            facts = self._memo_facts(rillet_id)
        if outdated := self.outdated_result(claim, document, facts):
            return outdated
        differs = self.compare_total(document, self._ledger.read(document) or {}, facts)
        self._ledger.finish(claim, "seen", {**seen_facts(facts), "rillet_id": rillet_id})
        if differs:
            return Result(document.id, "differs", error_fields(differs))
        return Result(document.id, "unchanged", {})

    def outdated_result(self, claim: Claim, document: Document, facts: Mapping[str, str]) -> Result | None:
        """The result for an event that is older than the last one seen; it changes nothing."""
        seen, read = str(claim.record.get("seen_at", "")), parse_rillet_timestamp(facts["updated_at"])
        if not seen or read == UNREADABLE_TIMESTAMP or read >= parse_rillet_timestamp(seen):
            return None
        self._ledger.release(claim)
        return Result(document.id, "outdated", {"reason": f"Rillet reported a newer change at {seen}."})

    def record_deletion(self, document: Document, rillet_id: str) -> Result:
        """Record that a document was deleted in Rillet; the next run of an unfinished one finds this."""
        why = deleted_in_rillet(document.kind, rillet_id)
        if not self._ledger.mark_mismatch(document, why):
            self.remember_deletion(document.kind, rillet_id)
        return Result(document.id, "differs", error_fields(why))

    def remember_deletion(self, kind: str, rillet_id: str) -> None:
        """Remember for two weeks that Rillet deleted a document that no record names.

        It may belong to an export that lost Rillet's answer: the run that finds its id finds this as well.
        """
        self._ledger.store_link(self._name, f"{DELETED_LINK}{kind}", rillet_id, {}, DELETION_SECONDS)

    def _clear_mismatch(self, document: Document, record: Mapping[str, Any]) -> NeedsAttention | None:
        """Clear a mismatch of amounts, if Rillet's net, tax and gross are ours again."""
        if record.get("state") != "differs" or record.get("code") != Code.TOTAL_DIFFERS:
            return None
        booked = self._read_document(document.kind, str(record["rillet_id"]))
        if mismatch := total_mismatch(booked, record["totals"]):
            return NeedsAttention(Code.TOTAL_DIFFERS, mismatch, str(record["remedy"]))
        complete = document.kind == "invoice" or record.get("step") == _MEMO_APPLIED
        self._ledger.clear_mismatch(document, None if complete else _memo_unapplied(booked.id))
        return None

    def _read_document(self, kind: str, rillet_id: str) -> Invoice | CreditMemo:
        read = self._rillet.invoice if kind == "invoice" else self._rillet.credit_memo
        booked = read(rillet_id)
        if booked is None:
            raise deleted_in_rillet(kind, rillet_id)
        return booked

    def _memo_facts(self, rillet_id: str) -> dict[str, str]:
        memo = self._read_document("credit_memo", rillet_id)
        return {
            "total": money.format_number(memo.total.amount),
            "currency": memo.total.currency,
            "updated_at": memo.updated_at or "",
        }


def seen_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """The facts that a record remembers of a change: its time, and Rillet's state then."""
    return {"seen_at": facts["updated_at"], "seen_state": _seen_state(facts)}


def is_order_unknown(record: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    """Whether an event may be older or newer than the last one seen, so that only Rillet knows the state.

    So it is with another state of the same time, and with a time that cannot be read.
    """
    seen, read = str(record.get("seen_at", "")), parse_rillet_timestamp(facts["updated_at"])
    if not seen or record.get("seen_state") == _seen_state(facts):
        return False
    return read in {parse_rillet_timestamp(seen), UNREADABLE_TIMESTAMP}


def _seen_state(facts: Mapping[str, str]) -> str:
    amounts = [money.format_number(Decimal(facts[n])) for n in ("amount_due", "total") if n in facts]
    return " ".join([facts.get("status", ""), *amounts, facts["currency"]])


def _memo_unapplied(memo_id: str) -> NeedsAttention:
    return NeedsAttention(
        Code.TOTAL_DIFFERS,
        f"The memo {memo_id} has its original total again in Rillet, but it is not applied to any invoice.",
        "Retry the credit note; this applies its memo.",
    )


def _is_our_creation(record: Mapping[str, Any], rillet_id: str) -> bool:
    """Whether the creation of a document is our own, which needs no work: it is recorded, or under way."""
    under_way = record.get("state") in UNFINISHED and not record.get("replaced")
    return under_way or record.get("rillet_id") == rillet_id
