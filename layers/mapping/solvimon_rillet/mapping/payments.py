"""Mark paid: Solvimon's ``paid`` and ``payment_status`` from the balance of an invoice in Rillet."""

from dataclasses import dataclass
from decimal import Decimal


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
