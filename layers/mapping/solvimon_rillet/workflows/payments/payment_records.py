"""Setting ``payments: record_each``: each Rillet payment is recorded in Solvimon, and reversed if undone."""

import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import islice

from solvimon_rillet import money
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.fingerprint import idempotency_key
from solvimon_rillet.rillet.models import InvoicePayment
from solvimon_rillet.solvimon.rejections import AlreadyExists, NotFound

MAX_RECORDED = 400
"""Payments of one invoice that are recorded; its record, below 64 KB, has the reference of each."""
_AUTHORIZED = "AUTHORIZED"  # Solvimon's result of a successful payment
_UNDONE_RESULTS = {"CANCELLED", "REFUNDED", "CHARGED_BACK", "REFUSED", "ERROR"}
_REVERSE_BY_HAND = "Reverse it by hand in Solvimon. The invoice's payment state follows Rillet in any case."


class PaymentRecords:
    """The payments of one connection in Solvimon.

    A payment's reference is its Rillet id without hyphens, since Solvimon may take letters and digits only.
    """

    def __init__(self, connection: Connection) -> None:
        self._name = connection.name
        self._solvimon = connection.solvimon
        self._rillet = connection.rillet
        self._clock = connection.clock

    def synchronize(
        self, invoice_id: str, rillet_id: str, recorded: Sequence[str], currency: str, *, collected: bool
    ) -> tuple[list[str], list[str]]:
        """Reverse the payments that were undone in Rillet, then record the new ones.

        Args:
            invoice_id: the invoice in Solvimon.
            rillet_id: the invoice in Rillet.
            recorded: references of the payments that were recorded before.
            currency: of the invoice; Solvimon takes no payment in another one.
            collected: Solvimon took the money itself, so Rillet's payment is its payout, and no new one.

        Returns:
            The references that are recorded now, and warnings about those that could not be recorded or
            reversed.

        Raises:
            NeedsAttention: Solvimon refuses a payment.
        """
        payments = {payment.id.replace("-", ""): payment for payment in self._rillet.payments(rillet_id)}
        kept, warnings = list(recorded), list[str]()
        for reference in recorded:
            if reference in payments and payments[reference].status != "FAILED":
                continue
            if warning := self._reverse(reference):
                warnings.append(warning)
            else:
                kept.remove(reference)
        new = {
            reference: payment
            for reference, payment in payments.items()
            if payment.status == "SUCCESSFUL" and reference not in kept
        }
        if new and collected:
            warnings.append(
                f"Rillet's payments ({len(new)}) are not recorded in Solvimon, which took the money itself."
            )
            return kept, warnings
        for reference in [each for each, payment in new.items() if payment.amount.currency != currency]:
            amount = new.pop(reference).amount
            warnings.append(
                f"The payment {reference} of {money.format_amount(amount.amount, amount.currency)} "
                f"{amount.currency} is not recorded in Solvimon: the invoice is in {currency}."
            )
        room = max(0, MAX_RECORDED - len(kept))
        for reference, payment in islice(new.items(), room):
            self._record(invoice_id, payment, reference)
            kept.append(reference)
        if (others := len(new) - room) > 0:
            warnings.append(
                f"{others} more payments are not recorded in Solvimon: {MAX_RECORDED} of one invoice are. "
                "Record them by hand there; the invoice's payment state follows Rillet in any case."
            )
        return kept, warnings

    def _record(self, invoice_id: str, payment: InvoicePayment, reference: str) -> None:
        try:
            existing = self._solvimon.find_all("payments", external_reference=reference)
            ended = [one for one in existing if one.get("result") in _UNDONE_RESULTS]
            if len(existing) > len(ended):
                return
            today = datetime.fromtimestamp(self._clock(), UTC).date()
            body = _solvimon_payment(invoice_id, payment, reference, today)
            # The key of a payment that was recorded and reversed before would repeat the old answer.
            count = [str(len(ended))] if ended else []
            key = idempotency_key(self._name, "payment", reference, *count)
            with contextlib.suppress(AlreadyExists):
                self._solvimon.create("payments", body, key)
        except NotFound:
            raise NeedsAttention(
                Code.SOLVIMON_RECORD_MISSING,
                f"Solvimon refused the payment {reference}: it does not know its invoice {invoice_id}.",
                "Check in Solvimon why the invoice is gone.",
            ) from None
        except NeedsAttention as why:
            raise payment_refused(why, f"record the payment {reference}") from why

    def _reverse(self, reference: str) -> str:
        """Reverse a payment in Solvimon; a warning if that is not possible, else an empty text.

        Solvimon has no call that deletes a payment; ``reverse`` undoes it as a whole. It is used only for
        records that we made without a payment provider, so no money moves.
        """
        existing = self._solvimon.find_all("payments", external_reference=reference)
        payment = next((one for one in existing if one.get("result") == _AUTHORIZED), None)
        if payment is None:
            return ""
        problem = f"The payment {reference} is undone in Rillet, but is still recorded in Solvimon"
        if payment.get("payment_acceptor_id"):
            return (
                f"{problem}: a payment provider took it, so a reversal would move money. {_REVERSE_BY_HAND}"
            )
        try:
            status = self._solvimon.reverse_payment(str(payment["id"]))
        except NotFound:
            return ""
        except NeedsAttention as why:
            return f"{problem}: {why.message} {_REVERSE_BY_HAND}"
        return "" if status == "SUCCESS" else f"{problem}: its reversal ended as {status}. {_REVERSE_BY_HAND}"


def payment_refused(why: NeedsAttention, action: str) -> NeedsAttention:
    """A refusal by Solvimon, with the action that failed and the ways to continue."""
    return NeedsAttention(
        why.code,
        f"Could not {action}: {why.own_words}",
        "Do it by hand in Solvimon, or correct what Solvimon names and invoke mark_invoice_paid again.",
        quoted=why.quoted,
    )


def _solvimon_payment(
    invoice_id: str, payment: InvoicePayment, reference: str, today: date
) -> Mapping[str, object]:
    """Solvimon's payload for a Rillet payment."""
    paid_on = payment.paid_on or today
    amount = money.format_amount(payment.amount.amount, payment.amount.currency)
    return {
        "invoice_id": invoice_id,
        "external_reference": reference,
        "result": _AUTHORIZED,
        "timestamp": datetime.combine(paid_on, time.min, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "amount": {"quantity": amount, "currency": payment.amount.currency},
    }
