"""Mark paid: what Rillet knows of an invoice's payment, as Solvimon's ``paid`` and ``payment_status``."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class RilletBalance:
    """What Rillet says of an invoice, in the invoice's currency.

    Attributes:
        status: UNPAID, PAID, PARTIALLY_PAID, UNBILLED, CREDITED or PARTIALLY_CREDITED (Rillet API v4).
        total: gross amount.
        amount_due: what is still open.
        received: what its payments that did not fail add up to; ``None`` where Rillet was not asked.
    """

    status: str
    total: Decimal
    amount_due: Decimal
    received: Decimal | None = None

    @property
    def names_credit(self) -> bool:
        """Whether the status says that something was credited."""
        return self.status in {"CREDITED", "PARTIALLY_CREDITED"}


@dataclass(frozen=True, slots=True)
class PaymentState:
    """Solvimon's fields of an invoice's payment."""

    paid: bool
    payment_status: str

    def as_payload(self) -> dict[str, object]:
        """The body of the PATCH."""
        return {"paid": self.paid, "payment_status": self.payment_status}


UNPAID = PaymentState(False, "UNPAID")
PARTIALLY_PAID = PaymentState(False, "PARTIALLY_PAID")
PAID = PaymentState(True, "PAID")


def to_solvimon_payment_state(balance: RilletBalance) -> PaymentState:
    """The payment state of an invoice, decided by what is due; a credit is not a payment.

    Which status wins when an invoice is paid and credited is not documented (dossier 4.5), so the amounts
    decide. Where its payments are not known, a credit that the status names stands for all that is not due.

    Args:
        balance: what Rillet says.
    """
    received = balance.received
    if received is None:
        received = Decimal() if balance.names_credit else balance.total - balance.amount_due
    if received > 0:
        return PAID if balance.amount_due <= 0 else PARTIALLY_PAID
    nothing_to_pay = balance.status == "PAID" and balance.amount_due <= 0 and balance.received is None
    return PAID if nothing_to_pay else UNPAID
