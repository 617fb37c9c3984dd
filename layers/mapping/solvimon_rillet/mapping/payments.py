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
        credited: what our own credit memos have taken off, as the ledger knows it.
    """

    status: str
    total: Decimal
    amount_due: Decimal
    credited: Decimal = Decimal()


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
    decide: what is neither due nor credited was paid. Without a credit memo of ours, a status of CREDITED
    says that the difference was credited by hand.

    Args:
        balance: what Rillet says, with what the ledger knows of credits.
    """
    credited = balance.credited
    if not credited and balance.status in {"CREDITED", "PARTIALLY_CREDITED"}:
        credited = balance.total - balance.amount_due
    received = balance.total - balance.amount_due - credited
    if balance.total > 0 and received > 0:
        return PAID if balance.amount_due <= 0 else PARTIALLY_PAID
    return PAID if balance.status == "PAID" and balance.amount_due <= 0 and not credited else UNPAID
