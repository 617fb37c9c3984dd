"""Export a finalised invoice to Rillet: exactly once and to the cent."""

import contextlib
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import simplejson

from solvimon_rillet.books import Books
from solvimon_rillet.errors import Code, NeedsAttention, Recoverable, RetryLater, Skip
from solvimon_rillet.ledger import Attempt, Claim, Document, Ledger
from solvimon_rillet.linking import Linker, idempotency_key
from solvimon_rillet.mapping.invoices import MappedDocument, document_day, to_rillet_invoice
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.rillet.models import Invoice as RilletInvoice
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.solvimon.models import Invoice
from solvimon_rillet.workflows.booking import booked_facts, number_note
from solvimon_rillet.workflows.results import Result

logger = logging.getLogger(__name__)

# Rillet answers a key again for 24 hours; an hour less leaves room for clocks that differ.
KEY_SECONDS = 23 * 3600
# A call that was cut off may still be at work in Rillet; a look-up before that might miss its invoice.
SETTLE_SECONDS = 60
# A look-up starts this much before the attempt: clocks differ, and a list costs little more.
CLOCK_DIFFERENCE_SECONDS = 3600


class ExportInvoice:
    """The workflow for one connection."""

    def __init__(
        self,
        connection: str,
        settings: Settings,
        ledger: Ledger,
        solvimon: SolvimonClient,
        rillet: RilletClient,
        books: Books,
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._ledger = ledger
        self._solvimon = solvimon
        self._rillet = rillet
        self._books = books
        self._clock = clock

    def run(self, invoice_id: str, owner: str) -> Result:
        """Export one invoice, or record why not.

        Args:
            invoice_id: Solvimon's id.
            owner: names this very run; the lease is held under it.

        Raises:
            RetryLater: nothing happened; a later run goes on.
            OutcomeUnknown: the invoice may be in Rillet; a later run finds out before it sends another.
        """
        claim = self._ledger.claim(Document(self._connection, "invoice", invoice_id), owner)
        if claim.done:
            return _already(claim)
        try:
            return self._export(claim)
        except Recoverable:
            with contextlib.suppress(Recoverable):
                self._ledger.release(claim)
            raise

    def dry_run(self, invoice_id: str) -> Result:
        """What ``run`` would send for an invoice, and why; writes nothing anywhere."""
        record = self._ledger.read(Document(self._connection, "invoice", invoice_id)) or {}
        known = {"state_now": record["state"]} if "state" in record else {}
        try:
            invoice = self._solvimon.invoice(invoice_id)
            self._check_wanted(invoice)
            booked_on = self._booking_day(invoice, dry_run=True)
            resolved = self._linker(dry_run=True).resolve(invoice)
            mapped = to_rillet_invoice(invoice, resolved.links, self._settings, booked_on)
        except NeedsAttention as why:
            return Result(invoice_id, "would_reject", {**known, **_in_words(why)})
        except Skip as why:
            return Result(invoice_id, "would_skip", {**known, "reason": why.reason})
        facts = {
            "payload": mapped.payload,
            "tie_out": mapped.totals.as_text(),
            "warnings": [*resolved.warnings, *mapped.warnings],
            "came_from": mapped.origins,
        }
        if resolved.new_customer:
            facts["customer_to_create"] = resolved.new_customer.payload
        return Result(invoice_id, "would_export", {**known, **facts})

    def _export(self, claim: Claim) -> Result:
        """The steps in order: read, resolve, map, tie out; look for an earlier attempt; send; record."""
        linker = self._linker()
        try:
            invoice = self._solvimon.invoice(claim.document.id)
            if invoice.is_credit_note:
                self._ledger.release(claim)
                return Result(invoice.id, "not_ours", {"reason": "It is a credit note, not an invoice."})
            self._check_wanted(invoice)
            booked_on = self._booking_day(invoice)
            resolved = linker.resolve(invoice)
            mapped = to_rillet_invoice(invoice, resolved.links, self._settings, booked_on)
        except (NeedsAttention, Skip) as why:
            return self._stop(claim, why)
        warnings = [*resolved.warnings, *mapped.warnings]
        attempt = self._next_attempt(claim, mapped)
        earlier = claim.attempt
        if earlier and earlier.open and earlier.key != attempt.key:
            found = self._look_up(claim, earlier)
            if found:
                warnings += number_note(invoice.invoice_number, found[0].invoice_number)
                return self._book(claim, found, mapped.totals.as_text(), warnings)
        self._ledger.begin(claim, attempt)
        try:
            answer = self._rillet.create_invoice(mapped.payload, attempt.key)
        except NeedsAttention as why:
            if why.code is Code.RILLET_RECORD_MISSING:
                linker.forget(invoice)
            if why.code is Code.RILLET_PERIOD_CLOSED:
                self._books.forget()
                if self._settings.closed_periods == "next_open_day":
                    self._ledger.begin(claim, replace(attempt, open=False))
                    raise RetryLater("The period was closed a moment ago.", after=1) from why
            return self._reject(claim, why, replace(attempt, open=False))
        warnings += number_note(invoice.invoice_number, answer.invoice_number)
        return self._book(claim, [answer], mapped.totals.as_text(), warnings)

    def _check_wanted(self, invoice: Invoice) -> None:
        """Raise ``Skip`` for an invoice that is not for Rillet, by rule."""
        if not self._settings.workflows.export_invoice:
            raise Skip("The workflow export_invoice is switched off in the settings.")
        if invoice.status != "FINAL":
            raise Skip(f"The invoice is {invoice.status or 'without a status'}, not FINAL.")
        if invoice.billing_type == "SELF_BILLING":
            raise Skip("A SELF_BILLING invoice is money owed to a seller, not a receivable.")
        start, dated = self._settings.start_date, document_day(invoice, self._settings)
        if start and dated and dated < start:
            raise Skip(f"The invoice is dated {dated}, before the connection's start_date {start}.")

    def _booking_day(self, invoice: Invoice, *, dry_run: bool = False) -> date | None:
        """The first open day, for an invoice whose own day is closed in Rillet; ``None`` for all others.

        Raises:
            NeedsAttention: its day is closed, and the setting ``closed_periods`` says ``hold``.
        """
        dated = document_day(invoice, self._settings)
        closed = self._books.closed_up_to(remember=not dry_run)
        if dated is None or closed is None or dated > closed:
            return None
        if self._settings.closed_periods == "next_open_day":
            return closed + timedelta(days=1)
        raise NeedsAttention(
            Code.RILLET_PERIOD_CLOSED,
            f"The invoice is dated {dated}, and Rillet's books are closed up to {closed}.",
            "Open the period in Rillet or set closed_periods to next_open_day, then retry; or book by hand.",
        )

    def _linker(self, *, dry_run: bool = False) -> Linker:
        return Linker(
            self._connection, self._settings, self._ledger, self._solvimon, self._rillet, dry_run=dry_run
        )

    def _next_attempt(self, claim: Claim, mapped: MappedDocument) -> Attempt:
        """The open attempt again while Rillet still knows its key, else a new one with a key of its own."""
        payload_hash, now = hash_of(mapped.payload), int(self._clock())
        earlier = claim.attempt
        same = earlier and earlier.open and earlier.payload_hash == payload_hash
        if earlier and same and now - earlier.started < KEY_SECONDS:
            return replace(earlier, called=now)
        number = earlier.number + 1 if earlier else 1
        return Attempt(
            key=idempotency_key(self._connection, "invoice", claim.document.id, payload_hash, str(number)),
            payload_hash=payload_hash,
            customer_id=str(mapped.payload["customer_id"]),
            totals=mapped.totals.as_text(),
            started=now,
            called=now,
            number=number,
        )

    def _look_up(self, claim: Claim, attempt: Attempt) -> list[RilletInvoice]:
        """The invoices that an attempt of unknown outcome left in Rillet, oldest first."""
        settled = attempt.called + SETTLE_SECONDS - self._clock()
        if settled > 0:
            raise RetryLater("An earlier call may still be at work in Rillet.", after=settled)
        since = datetime.fromtimestamp(attempt.started - CLOCK_DIFFERENCE_SECONDS, UTC)
        listed = self._rillet.invoices_of_customer(attempt.customer_id, since)
        return [invoice for invoice in listed if invoice.refers_to(claim.document.id)][::-1]

    def _stop(self, claim: Claim, why: NeedsAttention | Skip) -> Result:
        """Record why an invoice is not sent, unless an earlier attempt has put it into Rillet already."""
        attempt = claim.attempt
        if attempt and attempt.open:
            found = self._look_up(claim, attempt)
            if found:
                return self._book(claim, found, attempt.totals, [])
        if isinstance(why, NeedsAttention):
            return self._reject(claim, why, attempt)
        self._ledger.skip(claim, why.reason)
        return Result(claim.document.id, "skipped", {"reason": why.reason})

    def _reject(self, claim: Claim, why: NeedsAttention, attempt: Attempt | None) -> Result:
        self._ledger.reject(claim, why, attempt)
        return Result(claim.document.id, "rejected", _in_words(why))

    def _book(
        self, claim: Claim, found: Sequence[RilletInvoice], totals: Mapping[str, str], warnings: Sequence[str]
    ) -> Result:
        """Record the invoice that Rillet has, and whether it is what we sent."""
        state, facts = booked_facts(claim.document.id, found, totals, warnings)
        self._ledger.finish(
            claim,
            state,
            {**facts, "scope": self._settings.invoice_scope.value, "exported_at": int(self._clock())},
        )
        return Result(claim.document.id, state, facts)


def hash_of(payload: object) -> str:
    """SHA-256 of a payload, the same for the same content."""
    return hashlib.sha256(simplejson.dumps(payload, sort_keys=True, use_decimal=True).encode()).hexdigest()


def _already(claim: Claim) -> Result:
    told = ("rillet_id", "rillet_number", "totals", "warnings", "code", "message", "remedy")
    facts = {name: claim.record[name] for name in told if name in claim.record}
    return Result(claim.document.id, "already_exported" if claim.state == "exported" else claim.state, facts)


def _in_words(why: NeedsAttention) -> dict[str, Any]:
    return {"code": why.code.value, "message": why.message, "remedy": why.remedy}
