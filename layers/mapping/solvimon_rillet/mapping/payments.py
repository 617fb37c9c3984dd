"""Mark paid: Solvimon's ``paid`` and ``payment_status`` from the balance of an invoice in Rillet.

A payment state has an owner. Solvimon collects money itself (card, direct debit), and people mark invoices
there; Rillet may know less of it: the payout less a fee, or nothing yet. A state that Solvimon has of its own
is never lowered; only what this integration set is undone.
"""

from dataclasses import dataclass
from decimal import Decimal

from solvimon_rillet import money

SOLVIMON_OWNER, RILLET_OWNER = "solvimon", "rillet"
"""The owners of a payment state: Solvimon with its people, or this integration, by what Rillet says."""


@dataclass(frozen=True, slots=True)
class RilletBalance:
    """The balance of an invoice in Rillet, in the invoice's currency.

    Attributes:
        status: UNPAID, PAID, PARTIALLY_PAID, UNBILLED, CREDITED or PARTIALLY_CREDITED (Rillet API v4).
        total: gross amount.
        amount_due: the open amount.
        received: the sum of its payments that did not fail; ``None`` if they were not read.
    """

    status: str
    total: Decimal
    amount_due: Decimal
    received: Decimal | None = None

    @property
    def names_credit(self) -> bool:
        """Whether the status says that the invoice is credited, wholly or partly."""
        return self.status in {"CREDITED", "PARTIALLY_CREDITED"}


@dataclass(frozen=True, slots=True)
class PaymentState:
    """Solvimon's payment fields of an invoice."""

    paid: bool
    payment_status: str

    def as_payload(self) -> dict[str, object]:
        """The body of the PATCH."""
        return {"paid": self.paid, "payment_status": self.payment_status}

    @property
    def level(self) -> int:
        """How much of the invoice counts as paid: 0 nothing, 1 a part, 2 all of it.

        A person in Solvimon may set ``paid`` alone (dossier 2.8), so either field counts.
        """
        return 2 if self.paid else payment_level(self.payment_status)


def payment_level(payment_status: str) -> int:
    """The level of a payment status: 0 nothing is paid, 1 a part, 2 all of it."""
    return {"PARTIALLY_PAID": 1, "PAID": 2, "OVERPAID": 2}.get(payment_status, 0)


UNPAID = PaymentState(False, "UNPAID")
PARTIALLY_PAID = PaymentState(False, "PARTIALLY_PAID")
PAID = PaymentState(True, "PAID")
OVERPAID = PaymentState(True, "OVERPAID")
"""Solvimon's own finding; it is read, and never written: Rillet's excess says nothing about Solvimon's."""


def to_solvimon_payment_state(balance: RilletBalance) -> PaymentState:
    """The payment state of an invoice, by the amount due; a credit is not a payment.

    Which status wins when an invoice is paid and credited is not documented (dossier 4.5), so the amounts
    decide. If its payments are unknown and the status names a credit, all that is not due counts as credited.

    Args:
        balance: the balance in Rillet.
    """
    received = balance.received
    if received is None:
        received = Decimal() if balance.names_credit else balance.total - balance.amount_due
    if received > 0:
        return PAID if balance.amount_due <= 0 else PARTIALLY_PAID
    nothing_to_pay = balance.status == "PAID" and balance.amount_due <= 0 and balance.received is None
    return PAID if nothing_to_pay else UNPAID


def likely_cause(received: Decimal, due: Decimal, currency: str) -> str:
    """The likely reason why Rillet has less than Solvimon collected itself.

    Args:
        received: what Rillet has received for the invoice.
        due: what is due there.
        currency: of both.
    """
    if received <= 0:
        return "Rillet has no payment of it: the payout is on its way, or its payment was deleted there."
    got = f"{money.format_amount(received, currency)} {currency}"
    if due < received:
        return f"Rillet has {got}: most likely the payout, less the fee that the payment provider kept."
    return f"Rillet has {got}: most likely a part of the payouts is on its way."


SAFE_REMEDY = (
    "Wait for the payout, or book the fee in Rillet (a payment from the account of fees). Solvimon keeps its "
    "state. Only if the invoice was marked paid there by mistake, undo that in Solvimon by hand."
)
"""What to do about an invoice that is paid in Solvimon and open in Rillet, without charging anybody."""
