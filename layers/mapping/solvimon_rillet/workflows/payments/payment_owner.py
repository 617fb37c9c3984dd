"""The owner of a payment state: a state that Solvimon has of its own is never lowered.

The payment's record keeps the owner and what this integration wrote. Before a state is lowered, Solvimon is
asked what it shows and which payments it took itself::

    shown is lower            Rillet's state is written
    shown is higher, ours     Rillet's state is written, but not below what Solvimon's own payments cover
    shown is higher, its own  nothing is written, and the result says so
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.payments import (
    OVERPAID,
    PAID,
    PARTIALLY_PAID,
    RILLET_OWNER,
    SAFE_REMEDY,
    SOLVIMON_OWNER,
    UNPAID,
    PaymentState,
    likely_cause,
)

UNKNOWN_STATE = "UNKNOWN"  # while a payment state is being written, the one in Solvimon is not known
_COLLECTED = {"AUTHORIZED", "PENDING"}
"""Results of a payment that Solvimon took or is taking; a pending debit must not be charged again."""
_OUR_REFERENCE = re.compile(r"[0-9a-f]{32}")  # a Rillet id without hyphens
_MAX_PAGES = 10


@dataclass(frozen=True, slots=True)
class StateChange:
    """A decision about the state that Solvimon shows.

    Attributes:
        write: the state to write; ``None`` if the shown one stays.
        owner: who owns the state afterwards.
        notes: what a person should know.
        shown: the payment status that Solvimon shows; empty if it was not asked.
    """

    write: PaymentState | None
    owner: str
    notes: tuple[str, ...] = ()
    shown: str = ""


class PaymentOwner:
    """Decides about the payment states of one connection's invoices."""

    def __init__(self, connection: Connection) -> None:
        self._solvimon = connection.solvimon

    def decide(
        self, invoice_id: str, record: Mapping[str, Any], wanted: PaymentState, facts: Mapping[str, str]
    ) -> StateChange:
        """Decide whether an invoice's state in Solvimon is written.

        Args:
            invoice_id: the invoice in Solvimon.
            record: the payment's record.
            wanted: the state that follows from Rillet.
            facts: total, amount due and currency in Rillet.

        Raises:
            NeedsAttention: Solvimon does not have the invoice.
        """
        shown = self.shown(invoice_id)
        return replace(self._decide(invoice_id, record, wanted, facts, shown), shown=shown.payment_status)

    def _decide(
        self,
        invoice_id: str,
        record: Mapping[str, Any],
        wanted: PaymentState,
        facts: Mapping[str, str],
        shown: PaymentState,
    ) -> StateChange:
        ours = _without_excess(shown).payment_status in states_written(record)
        if wanted.level == shown.level:
            if shown in {wanted, OVERPAID}:
                note = "Solvimon itself says that more was paid than was due; its OVERPAID stays."
                return StateChange(
                    None, RILLET_OWNER if ours else SOLVIMON_OWNER, (note,) if shown == OVERPAID else ()
                )
            return StateChange(wanted, RILLET_OWNER)
        if wanted.level > shown.level:
            return StateChange(wanted, RILLET_OWNER)
        lowest = self._collected(invoice_id, record, facts) if ours else shown
        target = max(wanted, lowest, key=lambda state: state.level)
        if target.level < shown.level:
            return StateChange(target, RILLET_OWNER)
        return StateChange(None, SOLVIMON_OWNER, (_kept_note(shown, facts),))

    def shown(self, invoice_id: str) -> PaymentState:
        """The invoice's payment state in Solvimon.

        Raises:
            NeedsAttention: Solvimon does not have the invoice.
        """
        invoice = self._solvimon.find("invoices", invoice_id)
        if invoice is None:
            raise not_in_solvimon(invoice_id)
        return PaymentState(invoice.get("paid") is True, invoice.get("payment_status") or "UNPAID")

    def _collected(
        self, invoice_id: str, record: Mapping[str, Any], facts: Mapping[str, str]
    ) -> PaymentState:
        """The state that Solvimon's own payments cover; one in another currency covers all, to be strict."""
        total, collected = Decimal(facts["total"]), Decimal()
        for payment in self._own_payments(invoice_id, record):
            amount = payment.get("amount") or {}
            if amount.get("currency") != facts["currency"]:
                return PAID
            collected += Decimal(str(amount["quantity"]))
        if collected <= 0:
            return UNPAID
        return PAID if collected >= total else PARTIALLY_PAID

    def _own_payments(self, invoice_id: str, record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The payments that Solvimon took itself: those that ``record_each`` did not record."""
        recorded = {str(reference) for reference in record.get("recorded", ())}
        for number in range(1, _MAX_PAGES + 1):
            rows, more = self._solvimon.page("payments", number, invoice_id=invoice_id)
            for row in rows:
                reference = str(row.get("external_reference") or "")
                made_here = reference in recorded or (
                    _OUR_REFERENCE.fullmatch(reference) and not row.get("payment_acceptor_id")
                )
                if row.get("result") in _COLLECTED and not made_here:
                    yield row
            if not more:
                return


def states_written(record: Mapping[str, Any]) -> list[str]:
    """The payment states that this integration may have left in Solvimon, by the payment's record.

    A record from before this was kept has the state that was written last; one whose write was interrupted
    may have left any.
    """
    if "written" in record:
        return [str(state) for state in record["written"]]
    last = record.get("payment_status")
    if last == UNKNOWN_STATE:
        return [PAID.payment_status, PARTIALLY_PAID.payment_status]
    return [str(last)] if last else []


def not_in_solvimon(invoice_id: str) -> NeedsAttention:
    """The error for an invoice that Solvimon does not have any more."""
    return NeedsAttention(
        Code.SOLVIMON_RECORD_MISSING,
        f"Solvimon does not have the invoice {invoice_id} any more.",
        "Check in Solvimon why it is gone; if it was removed by mistake, report it to Solvimon's support.",
    )


def _without_excess(state: PaymentState) -> PaymentState:
    return PAID if state.level == PAID.level else state


def _kept_note(shown: PaymentState, facts: Mapping[str, str]) -> str:
    due, currency = Decimal(facts["amount_due"]), facts["currency"]
    status = PAID.payment_status if shown.level == PAID.level else shown.payment_status
    cause = likely_cause(Decimal(facts["total"]) - due, due, currency)
    return (
        f"Solvimon says {status} of its own, and keeps it; in Rillet {money.format_amount(due, currency)} "
        f"{currency} are due. {cause} {SAFE_REMEDY}"
    )
