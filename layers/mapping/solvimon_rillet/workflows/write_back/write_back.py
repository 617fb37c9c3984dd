"""After an export: show Rillet's id and number on the invoice or credit note in Solvimon.

A step of its own, after the lease is released. It calls Solvimon once, Rillet never, and its failure changes
nothing of the export. The document's record says how far it is::

    write_back: {next, tries}               written with the export: due from then on
    write_back: {at, rillet_id}             done
    write_back: {next, tries, message, …}   failed; listed for the sweep (``ledger/write_backs.py``)
    write_back: {gave_up, message, …}       Solvimon refuses it; a user's request by id tries again

The PATCH lets Solvimon announce the document again. That event finds it exported and written back, and ends.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, ConnectionBroken, NeedsAttention, SolvimonRilletError
from solvimon_rillet.formatting import clip
from solvimon_rillet.ledger.ledger import FINISHED, Claim
from solvimon_rillet.ledger.write_backs import WriteBacks, next_attempt
from solvimon_rillet.mapping.write_back import to_solvimon_write_back
from solvimon_rillet.solvimon.rejections import AlreadyExists, NotFound
from solvimon_rillet.workflows.outcome import Result
from solvimon_rillet.workflows.write_back.custom_fields import InvoiceFields

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 120  # until then, the run that exported the document writes back itself
_FIRST_WAIT_SECONDS = 900
_LONGEST_WAIT_SECONDS = 86_400
_MOST_REFUSALS = 7  # within about four days; a refusal that outlasts them needs a user
FAILED = "write_back_failed"
"""Name of the fact of a result that says why the write-back failed."""


class WriteBack:
    """The write-backs of one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ledger = connection.ledger
        self._is_on = connection.settings.write_back
        self._fields = InvoiceFields(connection)
        self._failed = WriteBacks(connection.name, connection.table)

    def due_facts(self) -> dict[str, Any]:
        """The facts that an export records, so that a crash after it does not lose the write-back."""
        return {"write_back": {"next": self._now() + _GRACE_SECONDS, "tries": 0}} if self._is_on else {}

    def after_export(self, claim: Claim, result: Result) -> Result:
        """Write back an exported document, unless that is done or waits for another attempt.

        Args:
            claim: of the export.
            result: of the export.

        Returns:
            The result of the export, with the fact ``write_back_failed`` if it failed.
        """
        if not self._is_on or not _is_in_rillet(claim, result) or not self._is_due(claim, result):
            return result
        rillet_id, number = str(result.facts["rillet_id"]), str(result.facts.get("rillet_number") or "")
        try:
            self._write(claim, rillet_id, number)
            self._record_success(claim, rillet_id)
        except Exception as error:  # noqa: BLE001 - the document is exported, whatever fails here
            return replace(result, facts={**result.facts, FAILED: self._record_failure(claim, error)})
        return result

    def _is_due(self, claim: Claim, result: Result) -> bool:
        """Whether it is time for an attempt; one that was never begun is due for any event."""
        progress = claim.record.get("write_back")
        if not claim.done or not progress:
            return True
        if "rillet_id" in progress:  # a reconciliation may have adopted another document since
            return bool(progress["rillet_id"] != result.facts["rillet_id"])
        due = next_attempt(claim.record)
        return due is not None and due <= self._now()

    def _write(self, claim: Claim, rillet_id: str, number: str) -> None:
        self._fields.ensure(claim.owner or rillet_id)
        document = claim.source.get("document") or self._connection.solvimon.invoice(claim.document.id)
        body = to_solvimon_write_back(document, rillet_id, number, self._connection.settings)
        if not body:
            return
        try:
            self._connection.solvimon.update("invoices", claim.document.id, body)
        except NotFound:
            raise _refused_write(f"Solvimon no longer has the document {claim.document.id}.", "") from None
        except AlreadyExists as taken:
            text = (
                "A custom field for Rillet's id or number is unique in Solvimon, and another document has it."
            )
            raise _refused_write(text, taken.message) from None
        except NeedsAttention as why:
            self._fields.forget()
            raise _refused_write(why.own_words, why.quoted) from None

    def _record_success(self, claim: Claim, rillet_id: str) -> None:
        if _tries(claim):
            self._failed.remove(claim.document)
        self._ledger.add_facts(claim.document, {"write_back": {"at": self._now(), "rillet_id": rillet_id}})

    def _record_failure(self, claim: Claim, error: Exception) -> str:
        """Record why it failed and when it is tried again, and return it in words."""
        why = _error_texts(error)
        log = logger.warning if isinstance(error, SolvimonRilletError) else logger.exception
        log("write-back failed", extra={"document": claim.document.id, "reason": why["own_words"]})
        tries, now = _tries(claim) + 1, self._now()
        facts: dict[str, Any] = {"tries": tries, **{name: why[name] for name in ("message", "remedy")}}
        try:
            if isinstance(error, NeedsAttention) and tries >= _MOST_REFUSALS:
                self._ledger.add_facts(claim.document, {"write_back": {"gave_up": now, **facts}})
                self._failed.remove(claim.document)
            else:
                wait = min(_FIRST_WAIT_SECONDS * 4 ** (tries - 1), _LONGEST_WAIT_SECONDS)
                self._ledger.add_facts(claim.document, {"write_back": {"next": now + wait, **facts}})
                self._failed.schedule(claim.document, now + wait)
        except SolvimonRilletError:  # what the export recorded stays: the sweep finds it due
            logger.warning("failed write-back not recorded", extra={"document": claim.document.id})
        return f"{why['message']} {why['remedy']}".strip()

    def _now(self) -> int:
        return int(self._connection.clock())


def _is_in_rillet(claim: Claim, result: Result) -> bool:
    booked = result.outcome in {*FINISHED, "already_exported"} and bool(result.facts.get("rillet_id"))
    return booked and result.facts.get("code") != Code.DELETED_IN_RILLET


def _tries(claim: Claim) -> int:
    return int((claim.record.get("write_back") or {}).get("tries", 0))


def _refused_write(own_words: str, quoted: str) -> NeedsAttention:
    return NeedsAttention(
        Code.REFUSED_BY_SOLVIMON,
        f"It is in Rillet, but Solvimon does not show Rillet's number on it. {own_words}",
        "Check in Solvimon that the API key may change invoices and custom fields, or switch the setting "
        "write_back off.",
        quoted=quoted,
    )


def _error_texts(error: Exception) -> Mapping[str, str]:
    """An error as texts: for users (``message`` and ``remedy``), and for the log (``own_words``)."""
    if not isinstance(error, SolvimonRilletError):
        text = f"It is in Rillet; its write-back failed with an internal error ({type(error).__name__})."
        return {"message": text, "own_words": text, "remedy": "The log shows where. It is tried again."}
    if isinstance(error, NeedsAttention):
        remedy = error.remedy
    elif isinstance(error, ConnectionBroken):
        remedy = "Fix the connection; it is tried again automatically."
    else:
        remedy = "It is tried again automatically."
    return {"message": clip(error.message), "own_words": error.own_words, "remedy": clip(remedy)}
