"""Mark a Solvimon invoice paid, partly paid or open again, as Rillet says; note what is edited there."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention, Recoverable, RetryLater, Skip
from solvimon_rillet.events import SOLVIMON, BusEvent
from solvimon_rillet.ledger import FINISHED, Claim, Document, Ledger
from solvimon_rillet.linking import idempotency_key
from solvimon_rillet.mapping.payments import UNPAID, PaymentState, RilletBalance, to_solvimon_payment_state
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.rillet.models import Invoice as RilletInvoice
from solvimon_rillet.rillet.models import InvoicePayment
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.client import AlreadyExists, NotThere, SolvimonClient
from solvimon_rillet.workflows.export_credit_memo import CREDIT
from solvimon_rillet.workflows.results import Result, in_words

_KINDS = {"INVOICE": "invoice", "CREDIT_MEMO": "credit_memo"}
_UNFINISHED = ("claimed", "sending")
_UNKNOWN = "UNKNOWN"  # a payment state is being written; what Solvimon has is not known until that is done
_NOT_OURS = {"reason": "It is not an invoice or credit memo that came from Solvimon through us."}


class MarkInvoicePaid:
    """The workflow for one connection."""

    def __init__(
        self,
        connection: str,
        settings: Settings,
        ledger: Ledger,
        solvimon: SolvimonClient,
        rillet: RilletClient,
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._ledger = ledger
        self._solvimon = solvimon
        self._rillet = rillet
        self._clock = clock

    def take(self, event: BusEvent, owner: str) -> Result:
        """Act on what Rillet says of one of its documents.

        Args:
            event: the signed event; what it says of amounts and state is used as it is.
            owner: names this very run; the lease is held under it.

        Raises:
            RetryLater, OutcomeUnknown: a service does not answer; repeating everything does no harm.
        """
        if event.source == SOLVIMON:  # a person's request that had to wait names the Solvimon invoice
            return self.run(event.id, owner)
        kind = _KINDS.get(event.facts.get("entity", "INVOICE"), "invoice")
        document = self._ours(kind, event.id, event.facts)
        if document is None:
            return Result(event.id, "not_ours", _NOT_OURS)
        if event.facts.get("deleted"):
            return self._deleted(document, event.id)
        if kind == "credit_memo":
            return self._memo_changed(document, event.facts)
        return self._marked(document, event.id, event.facts, owner)

    def run(self, invoice_id: str, owner: str) -> Result:
        """Look at a Solvimon invoice's state in Rillet on a person's request, and bring it in step."""
        document = Document(self._connection, "invoice", invoice_id)
        record = self._ledger.read(document)
        if not record or record.get("state") not in FINISHED:
            return Result(invoice_id, "not_ours", _NOT_OURS)
        return self._marked(document, str(record["rillet_id"]), {}, owner)

    def dry_run(self, invoice_id: str) -> Result:
        """What ``run`` would write; writes nothing anywhere."""
        record = self._ledger.read(Document(self._connection, "invoice", invoice_id))
        if not record or record.get("state") not in FINISHED:
            return Result(invoice_id, "not_ours", _NOT_OURS)
        try:
            facts = self._facts(str(record["rillet_id"]), {})
            state = self._state(str(record["rillet_id"]), facts, record)
        except NeedsAttention as why:
            return Result(invoice_id, "would_reject", in_words(why))
        return Result(invoice_id, "would_mark", {**state.as_payload(), "amount_due": facts["amount_due"]})

    def _ours(self, kind: str, rillet_id: str, facts: Mapping[str, str]) -> Document | None:
        """The document that a Rillet one belongs to: by the ledger, else by its references.

        Raises:
            RetryLater: it may become ours: an export that it names is not finished.
        """
        link = self._ledger.link(self._connection, f"rillet-{kind}", rillet_id)
        named = [str(link["solvimon_id"])] if link else facts.get("references", "").split(",")
        for solvimon_id in filter(None, named):
            document = Document(self._connection, kind, solvimon_id)
            record = self._ledger.read(document) or {}
            if record.get("state") in _UNFINISHED:
                raise RetryLater(f"The export of {solvimon_id} is not finished.")
            if record.get("rillet_id") == rillet_id:
                return document
        return None

    def _marked(self, document: Document, rillet_id: str, told: Mapping[str, str], owner: str) -> Result:
        claim = self._ledger.claim(Document(self._connection, "payment", document.id), owner)
        try:
            if not self._settings.workflows.mark_invoice_paid:
                raise Skip("The workflow mark_invoice_paid is switched off in the settings.")
            return self._mark(claim, document, rillet_id, self._facts(rillet_id, told))
        except NeedsAttention as why:
            if why.code is Code.DELETED_IN_RILLET:
                self._ledger.differ(document, why)
            self._ledger.reject(claim, why, None)
            return Result(document.id, "rejected", in_words(why))
        except Skip as why:
            self._ledger.skip(claim, why.reason)
            return Result(document.id, "skipped", {"reason": why.reason})
        except Recoverable as error:
            with contextlib.suppress(Recoverable):
                self._ledger.release(claim, error)
            raise

    def _mark(self, claim: Claim, document: Document, rillet_id: str, facts: Mapping[str, str]) -> Result:
        """The steps in order: old news? another total? the state; each payment, where wanted; remember."""
        seen = str(claim.record.get("seen_at", ""))
        if seen and _moment(facts["updated_at"]) < _moment(seen):
            self._ledger.release(claim)
            return Result(document.id, "outdated", {"reason": f"Rillet said something newer at {seen}."})
        record = self._ledger.read(document) or {}
        differs = self._compare(document, record, facts)
        state = self._state(rillet_id, facts, record)
        changed = claim.record.get("payment_status", "UNPAID") != state.payment_status
        if changed:
            # Should the answer be lost, the next event must write, even one that says what we knew before.
            self._ledger.progress(claim, {"payment_status": _UNKNOWN})
            self._write(document, state)
        recorded = self._record_payments(claim, document, rillet_id, state)
        self._ledger.note(document, {"open_amount": facts["amount_due"]})
        kept = {"payment_status": state.payment_status, "seen_at": facts["updated_at"]}
        self._ledger.finish(claim, "marked", {**kept, "recorded": recorded, "rillet_id": rillet_id})
        told = {**state.as_payload(), "amount_due": facts["amount_due"]}
        if differs:
            return Result(document.id, "differs", {**told, **in_words(differs)})
        return Result(document.id, "marked" if changed else "unchanged", told)

    def _state(self, rillet_id: str, facts: Mapping[str, str], record: Mapping[str, Any]) -> PaymentState:
        """The payment state; where a credit plays a part, Rillet is asked what was paid."""
        balance = RilletBalance(facts["status"], Decimal(facts["total"]), Decimal(facts["amount_due"]))
        if balance.names_credit or any(name.startswith(CREDIT) for name in record):
            counted = [p.amount.amount for p in self._rillet.payments_of(rillet_id) if p.status != "FAILED"]
            balance = replace(balance, received=sum(counted, Decimal()))
        return to_solvimon_payment_state(balance)

    def _write(self, document: Document, state: PaymentState) -> None:
        try:
            self._solvimon.change("invoices", document.id, state.as_payload())
        except NotThere:
            raise NeedsAttention(
                Code.SOLVIMON_RECORD_MISSING,
                f"Solvimon does not have the invoice {document.id} any more.",
                "See in Solvimon what became of it; if it was removed by mistake, report it to its support.",
            ) from None
        except NeedsAttention as why:
            raise _in_words_of_payments(why, f"mark the invoice {state.payment_status}") from why

    def _facts(self, rillet_id: str, told: Mapping[str, str]) -> dict[str, str]:
        """Amounts and state: as the event says, else as Rillet answers."""
        if {"status", "total", "amount_due", "currency", "updated_at"} <= told.keys():
            return dict(told)
        invoice = self._rillet.invoice(rillet_id)
        if invoice is None:
            raise _deleted_error("invoice", rillet_id)
        return _facts_of(invoice)

    def _compare(
        self, document: Document, record: Mapping[str, Any], facts: Mapping[str, str]
    ) -> NeedsAttention | None:
        """Note an invoice or memo whose total was changed in Rillet; it is never created again silently."""
        totals = record.get("totals", {})
        if not totals or (Decimal(totals["gross"]), totals["currency"]) == (
            Decimal(facts["total"]),
            facts["currency"],
        ):
            return None
        why = NeedsAttention(
            Code.TOTAL_DIFFERS,
            f"Rillet now has a total of {facts['total']} {facts['currency']} instead of "
            f"{totals['gross']} {totals['currency']}.",
            "Correct it in Rillet by hand, or credit the invoice in Solvimon and bill it again.",
        )
        self._ledger.differ(document, why)
        return why

    def _memo_changed(self, document: Document, facts: Mapping[str, str]) -> Result:
        if {"total", "currency"} <= facts.keys():
            differs = self._compare(document, self._ledger.read(document) or {}, facts)
            if differs:
                return Result(document.id, "differs", in_words(differs))
        return Result(document.id, "unchanged", {})

    def _deleted(self, document: Document, rillet_id: str) -> Result:
        why = _deleted_error(document.kind.replace("_", " "), rillet_id)
        self._ledger.differ(document, why)
        return Result(document.id, "differs", in_words(why))

    def _record_payments(
        self, claim: Claim, document: Document, rillet_id: str, state: PaymentState
    ) -> list[str]:
        """Record each successful Rillet payment in Solvimon once, where the settings want it.

        The reference is the payment's id without hyphens, since Solvimon may take letters and digits only.
        """
        recorded = [str(reference) for reference in claim.record.get("recorded", [])]
        if self._settings.payments != "record_each" or state == UNPAID:
            return recorded
        for payment in self._rillet.payments_of(rillet_id):
            reference = payment.id.replace("-", "")
            if payment.status != "SUCCESSFUL" or reference in recorded:
                continue
            self._record(document, payment, reference)
            recorded.append(reference)
        return recorded

    def _record(self, document: Document, payment: InvoicePayment, reference: str) -> None:
        try:
            if not self._solvimon.find_all("payments", external_reference=reference):
                today = datetime.fromtimestamp(self._clock(), UTC).date()
                body = _payment(document.id, payment, reference, today)
                key = idempotency_key(self._connection, "payment", reference)
                with contextlib.suppress(AlreadyExists):
                    self._solvimon.create("payments", body, key)
        except NotThere:
            raise NeedsAttention(
                Code.SOLVIMON_RECORD_MISSING,
                f"Solvimon did not take the payment {reference}: it does not know its invoice {document.id}.",
                "See in Solvimon what became of the invoice.",
            ) from None
        except NeedsAttention as why:
            raise _in_words_of_payments(why, f"record the payment {reference}") from why


def _in_words_of_payments(why: NeedsAttention, what: str) -> NeedsAttention:
    return NeedsAttention(
        why.code,
        f"Could not {what}: {why.message}",
        "Do it by hand in Solvimon, or correct what Solvimon names and invoke mark_invoice_paid again.",
    )


def _payment(invoice_id: str, payment: InvoicePayment, reference: str, today: date) -> dict[str, object]:
    """A payment as Solvimon takes it; AUTHORIZED is its word for a success (dossier 2.8)."""
    paid_on = payment.paid_on or today
    amount = money.text(payment.amount.amount, payment.amount.currency)
    return {
        "invoice_id": invoice_id,
        "external_reference": reference,
        "result": "AUTHORIZED",
        "timestamp": datetime.combine(paid_on, time.min, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "amount": {"quantity": amount, "currency": payment.amount.currency},
    }


def _facts_of(invoice: RilletInvoice) -> dict[str, str]:
    due = invoice.amount_due or invoice.total
    return {
        "status": invoice.status or "",
        "total": money.plain(invoice.total.amount),
        "amount_due": money.plain(due.amount),
        "currency": invoice.total.currency,
        "updated_at": invoice.updated_at or "",
    }


def _moment(stamp: str) -> datetime:
    """A moment that orders Rillet's updates; what cannot be read is the oldest of all."""
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _deleted_error(kind: str, rillet_id: str) -> NeedsAttention:
    return NeedsAttention(
        Code.DELETED_IN_RILLET,
        f"The {kind} {rillet_id} was deleted in Rillet.",
        "If it was a mistake, book it in Rillet by hand; if not, credit the invoice in Solvimon.",
    )
