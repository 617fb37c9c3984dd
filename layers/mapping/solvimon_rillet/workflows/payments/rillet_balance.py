"""The payment state of an invoice in Rillet: from the event if it says enough, else from Rillet."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.ledger.document_types import CREDIT_PREFIX
from solvimon_rillet.mapping.payments import PaymentState, RilletBalance, to_solvimon_payment_state
from solvimon_rillet.rillet.models import Invoice
from solvimon_rillet.workflows.export.verification import deleted_in_rillet
from solvimon_rillet.workflows.payments.rillet_changes import STATE_FACTS


class RilletBalances:
    """Reads the balances of one connection's invoices."""

    def __init__(self, connection: Connection) -> None:
        self._rillet = connection.rillet
        self._settings = connection.settings

    def facts(self, rillet_id: str, event_facts: Mapping[str, str]) -> dict[str, str]:
        """Amounts and state from the event if it has them all, else from Rillet."""
        if event_facts.keys() >= STATE_FACTS:
            return dict(event_facts)
        invoice = self._rillet.invoice(rillet_id)
        if invoice is None:
            raise deleted_in_rillet("invoice", rillet_id)
        return _invoice_facts(invoice)

    def payment_state(
        self, rillet_id: str, facts: Mapping[str, str], record: Mapping[str, Any]
    ) -> PaymentState:
        """The payment state in Rillet; where the invoice has credits, Rillet is asked for the payments."""
        balance = RilletBalance(facts["status"], Decimal(facts["total"]), Decimal(facts["amount_due"]))
        if balance.names_credit or any(name.startswith(CREDIT_PREFIX) for name in record):
            counted = [p.amount.amount for p in self._rillet.payments(rillet_id) if p.status != "FAILED"]
            balance = replace(balance, received=sum(counted, Decimal()))
        if self._settings.credits_in_rillet == "mark":
            ours = (Decimal(record[name]) for name in record if name.startswith(CREDIT_PREFIX))
            settled = balance.total - balance.amount_due - sum(ours, Decimal())
            balance = replace(balance, received=max(settled, balance.received or Decimal()))
        return to_solvimon_payment_state(balance)


def overpaid_in_rillet(facts: Mapping[str, str]) -> list[str]:
    """A note on what was paid in Rillet beyond the amount due; Rillet does not expect it on an invoice."""
    due = Decimal(facts["amount_due"])
    if due >= 0:
        return []
    excess = f"{money.format_amount(-due, facts['currency'])} {facts['currency']}"
    return [
        f"{excess} more was paid or credited in Rillet than was due. The invoice counts "
        "as paid; match the excess in Rillet (Match & Adjust), or refund it."
    ]


def _invoice_facts(invoice: Invoice) -> dict[str, str]:
    due = invoice.amount_due or invoice.total
    return {
        "status": invoice.status or "",
        "total": money.format_number(invoice.total.amount),
        "amount_due": money.format_number(due.amount),
        "currency": invoice.total.currency,
        "updated_at": invoice.updated_at or "",
        "customer_id": invoice.customer_id or "",
        "subsidiary_id": invoice.subsidiary_id or "",
    }
