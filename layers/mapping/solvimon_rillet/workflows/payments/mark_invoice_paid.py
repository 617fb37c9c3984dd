"""Mark a Solvimon invoice paid, partly paid or unpaid, as in Rillet; record edits of it in Rillet."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention, Skip, SolvimonRilletError
from solvimon_rillet.events import SOLVIMON, BusEvent
from solvimon_rillet.ledger.document_types import CREDIT_PREFIX
from solvimon_rillet.ledger.ledger import FINISHED, Claim, Document
from solvimon_rillet.mapping.payments import (
    SOLVIMON_OWNER,
    UNPAID,
    PaymentState,
)
from solvimon_rillet.solvimon.rejections import NotFound
from solvimon_rillet.workflows.late_writes import LateWrites, may_arrive_late
from solvimon_rillet.workflows.lease import under_lease
from solvimon_rillet.workflows.outcome import Result, error_fields
from solvimon_rillet.workflows.payments.double_bookings import DoubleBookings
from solvimon_rillet.workflows.payments.payment_owner import (
    UNKNOWN_STATE,
    PaymentOwner,
    StateChange,
    not_in_solvimon,
    states_written,
)
from solvimon_rillet.workflows.payments.payment_records import PaymentRecords, payment_refused
from solvimon_rillet.workflows.payments.rillet_balance import RilletBalances, overpaid_in_rillet
from solvimon_rillet.workflows.payments.rillet_changes import (
    STATE_FACTS,
    RilletChanges,
    is_order_unknown,
    seen_facts,
)

_LEDGER_KINDS = {"INVOICE": "invoice", "CREDIT_MEMO": "credit_memo"}
_OPEN_STATUSES = {"UNPAID", "UNBILLED"}
_NOT_OURS = {"reason": "It is not an invoice or credit memo that this integration exported."}


def _not_exported(record: Mapping[str, Any] | None) -> dict[str, str]:
    """The reason why a requested invoice has no payment state in Rillet, and the remedy."""
    if not record:
        return {**_NOT_OURS, "remedy": "Export the invoice first: invoke export_invoice with its id."}
    return {
        "reason": f"The invoice is not exported: its state is {record.get('state')}.",
        "remedy": "Invoke sync_status with its id; it says what to do. Its payments follow its export.",
    }


class MarkInvoicePaid:
    """Synchronises the payment states of one connection's invoices from Rillet to Solvimon."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._settings = connection.settings
        self._ledger = connection.ledger
        self._balances = RilletBalances(connection)
        self._changes = RilletChanges(connection)
        self._doubles = DoubleBookings(connection)
        self._owner = PaymentOwner(connection)
        self._payment_records = PaymentRecords(connection)

    def handle_event(self, event: BusEvent, owner: str) -> Result:
        """Act on a change of a document in Rillet.

        Args:
            event: the signed event; its amounts and state are used without asking Rillet.
            owner: names this run; it holds the lease.

        Raises:
            RetryLater, OutcomeUnknown: a service does not answer; a repetition does no harm.
        """
        if event.source == SOLVIMON:  # a person's request; it names the Solvimon invoice
            return self.run(event.id, owner)
        kind = _LEDGER_KINDS.get(event.facts.get("entity", "INVOICE"), "invoice")
        document, deleted = (
            self._changes.find_document(kind, event.id, event.facts),
            bool(event.facts.get("deleted")),
        )
        if document is None and deleted:
            self._changes.remember_deletion(kind, event.id)
            # An export that did not see the remembered deletion has stored its link by now.
            document = self._changes.find_document(kind, event.id, event.facts)
        if document is None:
            double = None if deleted else self._doubles.check(kind, event.id, event.facts)
            return double or Result(event.id, "not_ours", _NOT_OURS)
        if event.facts.get("created"):
            return Result(document.id, "unchanged")
        if deleted:
            return self._changes.record_deletion(document, event.id)
        if kind == "credit_memo":
            return self._under_own_lease(
                "memo",
                document,
                owner,
                lambda claim: self._changes.compare_memo(claim, document, event.id, event.facts),
            )
        if self._record_as_open(document, event.id, event.facts):
            return Result(
                document.id, "unchanged", {**UNPAID.as_payload(), "amount_due": event.facts["amount_due"]}
            )
        return self._mark_under_lease(document, event.id, event.facts, owner)

    def run(self, invoice_id: str, owner: str) -> Result:
        """Synchronise the payment state of a Solvimon invoice on a person's request."""
        document = Document(self._connection.name, "invoice", invoice_id)
        record = self._ledger.read(document)
        if not record or record.get("state") not in FINISHED:
            return Result(invoice_id, "not_ours", _not_exported(record))
        return self._mark_under_lease(document, str(record["rillet_id"]), {}, owner, on_request=True)

    def dry_run(self, invoice_id: str) -> Result:
        """The payment state that ``run`` would write; writes nothing anywhere."""
        record = self._ledger.read(Document(self._connection.name, "invoice", invoice_id))
        if not record or record.get("state") not in FINISHED:
            return Result(invoice_id, "not_ours", _not_exported(record))
        try:
            facts = self._balances.facts(str(record["rillet_id"]), {})
            state = self._balances.payment_state(str(record["rillet_id"]), facts, record)
            payment = self._ledger.read(Document(self._connection.name, "payment", invoice_id)) or {}
            change = self._owner.decide(invoice_id, payment, state, facts)
            notes = [*overpaid_in_rillet(facts), *change.notes]
        except NeedsAttention as why:
            return Result(invoice_id, "would_reject", error_fields(why))
        answer = {**(change.write or state).as_payload(), "amount_due": facts["amount_due"]}
        answer |= {"warnings": notes} if notes else {}
        return Result(invoice_id, "would_mark" if change.write else "unchanged", answer)

    def _record_as_open(self, document: Document, rillet_id: str, facts: Mapping[str, str]) -> bool:
        """Record the first event of an invoice in one write, if it says that nothing was paid or changed.

        Rillet announces our own export so. The record orders later events; one that is there already, or a
        lease, leaves the event to the other path.
        """
        if not facts.keys() >= STATE_FACTS or facts["status"] not in _OPEN_STATUSES:
            return False
        total, due = Decimal(facts["total"]), Decimal(facts["amount_due"])
        if total != due or not self._settings.workflows.mark_invoice_paid:
            return False
        record = self._ledger.read(document) or {}
        totals = record.get("totals", {})
        if (
            record.get("state") != "exported"
            or (total, facts["currency"]) != (Decimal(totals.get("gross", "NaN")), totals.get("currency"))
            or due != Decimal(record.get("open_amount", "NaN"))
            or any(name.startswith(CREDIT_PREFIX) for name in record)
        ):
            return False
        kept = {"payment_status": UNPAID.payment_status, **seen_facts(facts)}
        paid = {"recorded": [], "warnings": [], "rillet_id": rillet_id}
        payment = Document(self._connection.name, "payment", document.id)
        return self._ledger.record_first(payment, "marked", {**kept, **paid})

    def _mark_under_lease(
        self,
        document: Document,
        rillet_id: str,
        event_facts: Mapping[str, str],
        owner: str,
        *,
        on_request: bool = False,
    ) -> Result:
        def work(claim: Claim) -> Result:
            if not self._settings.workflows.mark_invoice_paid:
                raise Skip("The workflow mark_invoice_paid is switched off in the settings.")
            facts = self._balances.facts(rillet_id, event_facts)
            if event_facts and (_is_in_doubt(claim.record) or is_order_unknown(claim.record, facts)):
                facts = self._balances.facts(rillet_id, {})
            return self._mark(claim, document, rillet_id, facts, on_request=on_request)

        return self._under_own_lease("payment", document, owner, work)

    def _under_own_lease(
        self, kind: str, document: Document, owner: str, work: Callable[[Claim], Result]
    ) -> Result:
        """Work under a lease of its own, and mark the document if Rillet has deleted it."""

        def work_and_note_deletion(claim: Claim) -> Result:
            try:
                return work(claim)
            except NeedsAttention as why:
                if why.code is Code.DELETED_IN_RILLET:
                    self._ledger.mark_mismatch(document, why)
                raise

        record = Document(self._connection.name, kind, document.id)
        return under_lease(self._ledger, record, owner, work_and_note_deletion)

    def _mark(
        self, claim: Claim, document: Document, rillet_id: str, facts: Mapping[str, str], *, on_request: bool
    ) -> Result:
        """The steps in order: age of the event, total, payment state, single payments, record."""
        if outdated := self._changes.outdated_result(claim, document, facts):
            return outdated
        record = self._ledger.read(document) or {}
        differs = self._changes.compare_total(document, record, facts)
        state = self._balances.payment_state(rillet_id, facts, record)
        late = LateWrites.of(claim.record, self._connection.clock())
        change, written = self._change_state(claim, document, state, facts, late, on_request=on_request)
        before = [str(reference) for reference in claim.record.get("recorded", [])]
        recorded, warnings = self._record_payments(document, rillet_id, state, before, facts, change.owner)
        warnings = [*overpaid_in_rillet(facts), *change.notes, *warnings]
        # A person may have moved the invoice to another customer; its credits follow.
        parties = {name: facts[name] for name in ("customer_id", "subsidiary_id") if facts.get(name)}
        self._ledger.add_facts(document, {"open_amount": facts["amount_due"], **parties})
        kept = {"payment_status": state.payment_status, **seen_facts(facts), **late.as_facts()}
        kept |= {"owner": change.owner, "written": written}
        paid = {"recorded": recorded, "warnings": warnings, "rillet_id": rillet_id}
        if late.entries:
            self._ledger.record_step(claim, {**kept, **paid, "payment_status": UNKNOWN_STATE})
            late.check_settled(self._connection.clock())
        self._ledger.finish(claim, "marked", {**kept, **paid})
        answer = {**state.as_payload(), "amount_due": facts["amount_due"]}
        answer |= {"warnings": warnings} if warnings else {}
        if differs:
            return Result(document.id, "differs", {**answer, **error_fields(differs)})
        marked = change.write or recorded != before
        return Result(document.id, "marked" if marked else "unchanged", answer)

    def _change_state(
        self,
        claim: Claim,
        document: Document,
        state: PaymentState,
        facts: Mapping[str, str],
        late: LateWrites,
        *,
        on_request: bool,
    ) -> tuple[StateChange, list[str]]:
        """Write the state, unless Solvimon owns a higher one.

        Returns:
            What was done, and the states that this integration may have left in Solvimon.
        """
        record = claim.record
        before, written = str(record.get("payment_status", "UNPAID")), states_written(record)
        is_known = before == state.payment_status and not on_request
        if is_known and not late.entries:
            return StateChange(None, str(record.get("owner", ""))), written
        change = self._owner.decide(document.id, record, state, facts)
        # A late write of ours is repaired; another state that Solvimon shows is its own.
        if is_known and not late.would_leave(change.shown):
            return StateChange(None, str(record.get("owner", "")), change.notes), written
        if change.write is None:
            return change, written
        left = list(dict.fromkeys([*written, change.write.payment_status]))
        self._write_state(claim, document, change.write, late, left)
        # An earlier write without an answer may still arrive.
        uncertain = before == UNKNOWN_STATE or late.entries
        return change, left if uncertain else [change.write.payment_status]

    def _record_payments(
        self,
        document: Document,
        rillet_id: str,
        state: PaymentState,
        recorded: list[str],
        facts: Mapping[str, str],
        owner: str,
    ) -> tuple[list[str], list[str]]:
        """Record single payments, if the settings say so; the recorded references, and warnings."""
        if self._settings.payments != "record_each" or (state == UNPAID and not recorded):
            return recorded, []
        return self._payment_records.synchronize(
            document.id, rillet_id, recorded, facts["currency"], collected=owner == SOLVIMON_OWNER
        )

    def _write_state(
        self, claim: Claim, document: Document, state: PaymentState, late: LateWrites, written: list[str]
    ) -> None:
        """Write the payment state to Solvimon.

        The record remembers the write before it is sent. So the next run looks again where the answer is
        lost, or where the process ends here, even if it is about the state from before.
        """
        sent = late.plus(state.payment_status, self._connection.clock())
        begun = {"payment_status": UNKNOWN_STATE, "written": written}
        self._ledger.record_step(claim, {**begun, **sent.as_facts()})
        try:
            self._update_in_solvimon(document, state)
        except SolvimonRilletError as error:
            if not may_arrive_late(error):
                self._ledger.record_step(claim, {**begun, **late.as_facts()})
            raise
        claim.facts_on_release.update(late.as_facts())  # it was answered, so it cannot arrive late

    def _update_in_solvimon(self, document: Document, state: PaymentState) -> None:
        try:
            self._connection.solvimon.update("invoices", document.id, state.as_payload())
        except NotFound:
            raise not_in_solvimon(document.id) from None
        except NeedsAttention as why:
            raise payment_refused(why, f"mark the invoice {state.payment_status}") from why


def _is_in_doubt(record: Mapping[str, Any]) -> bool:
    """Whether a write of the payment state was begun, and has not been found done since."""
    return record.get("payment_status") == UNKNOWN_STATE
