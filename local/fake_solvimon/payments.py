"""The payments of one Solvimon platform; webhooks have no events for them."""

import re
from copy import deepcopy
from decimal import Decimal
from typing import Any, Literal

from local.fake_solvimon import invoicing, timestamps
from local.fake_solvimon.errors import Json, already_exists, impossible, invalid_field
from local.fake_solvimon.field_checks import AMOUNT
from local.fake_solvimon.invoices import Invoices
from local.fake_solvimon.money import value
from local.fake_solvimon.resources.definitions import CUSTOMERS, INVOICES
from local.fake_solvimon.resources.payment_definition import AUTHORIZED, PAYMENTS

_ALPHANUMERIC = re.compile(r"[a-zA-Z0-9]*")


class Payments(Invoices):
    """The payments of a platform.

    Attributes:
        payment_references: Whether an `external_reference` may hold letters and digits only
            ("alphanumeric", as the docs show) or "any" text (the newer SDK has no pattern).
        payment_references_unique: Whether a second payment with the same `external_reference` is refused.
            Solvimon does not say.
        payments_settle: Whether a payment moves its invoice's `paid_invoice_amount`, `payment_status` and
            `paid`. No text says so.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.payment_references: Literal["alphanumeric", "any"] = "alphanumeric"
        self.payment_references_unique = False
        self.payments_settle = False
        self._refunded: dict[str, Decimal] = {}

    def create_payment(self, body: Json, request_id: str | None = None) -> Json:
        """Record a payment that was made elsewhere.

        Raises:
            ApiProblem: The body is refused, or names an invoice or customer that is not there.
        """
        with self.lock:
            invoice = self._checked_payment(self.checked(PAYMENTS, body, new=True, own_id=None))
            defaults: Json = {"timestamp": timestamps.to_text(self._clock())}
            if invoice is not None:
                defaults["customer_id"] = invoice["customer_id"]
            payment = self.create(PAYMENTS, defaults | body, request_id)
            payment["updated_at"] = payment["created_at"]
            self._settle(payment, request_id)
            return deepcopy(payment)

    def reverse_payment(self, payment: Json, request_id: str | None = None) -> Json:
        """Reverse a payment that succeeded or still may: CANCELLED.

        Raises:
            ApiProblem: It ended otherwise.
        """
        with self.lock:
            if payment["result"] not in (AUTHORIZED, "PENDING"):
                raise impossible(payment, f"a payment that is {payment['result']} cannot be reversed")
            return self._end(payment, "CANCELLED", request_id)

    def refund_payment(self, payment: Json, body: Json, request_id: str | None = None) -> Json:
        """Refund a payment, all of it or the amount in the body; it is REFUNDED when nothing is left.

        Raises:
            ApiProblem: It did not succeed, or the amount is not in what is left of it.
        """
        with self.lock:
            if payment["result"] != AUTHORIZED or "amount" not in payment:
                raise impossible(payment, f"a payment that is {payment['result']} cannot be refunded")
            left = value(payment["amount"]) - self._refunded.get(payment["id"], Decimal(0))
            refund = (
                left if body.get("amount") is None else self._refund_amount(body["amount"], payment, left)
            )
            self._refunded[payment["id"]] = self._refunded.get(payment["id"], Decimal(0)) + refund
            return self._end(payment, "REFUNDED" if refund == left else AUTHORIZED, request_id)

    def payments_of(self, invoice_id: str) -> list[Json]:
        """Return the payments of an invoice, oldest first."""
        kept = self.records[PAYMENTS.collection].values()
        return [payment for payment in kept if payment.get("invoice_id") == invoice_id]

    def _checked_payment(self, body: Json) -> Json | None:
        """Return the invoice that a payment is for, once the body obeys the rules."""
        reference = body["external_reference"]
        if self.payment_references == "alphanumeric" and not _ALPHANUMERIC.fullmatch(reference):
            raise invalid_field("external_reference", f'must match "^{_ALPHANUMERIC.pattern}$"')
        if self.payment_references_unique:
            for other in self.records[PAYMENTS.collection].values():
                if other["external_reference"] == reference:
                    raise already_exists(PAYMENTS.object_type, reference, other["id"])
        if body.get("customer_id") is not None:
            self.find(CUSTOMERS, body["customer_id"], by_reference=False)
        if body.get("invoice_id") is None:
            return None
        invoice = self.find(INVOICES, body["invoice_id"], by_reference=False)
        currency = (body.get("amount") or {}).get("currency", invoice["billing_currency"])
        if currency != invoice["billing_currency"]:
            raise invalid_field("amount.currency", f"must be {invoice['billing_currency']}")
        return invoice

    def _refund_amount(self, given: Json, payment: Json, left: Decimal) -> Decimal:
        AMOUNT(given, "amount")
        if given.get("currency") != payment["amount"]["currency"] or not 0 < value(given) <= left:
            raise invalid_field("amount", f"must be a part of {left} {payment['amount']['currency']}")
        return value(given)

    def _end(self, payment: Json, result: str, request_id: str | None) -> Json:
        payment["result"] = result
        payment["updated_at"] = timestamps.to_text(self._clock())
        self._settle(payment, request_id)
        return {"payment": deepcopy(payment), "status": "SUCCESS"}

    def _settle(self, payment: Json, request_id: str | None) -> None:
        """Move the invoice by its payments: by those that Solvimon took, and others by `payments_settle`."""
        if not (self.payments_settle or _collected(payment)) or payment.get("invoice_id") is None:
            return
        invoice = self.find(INVOICES, payment["invoice_id"], by_reference=False)
        counted = [
            one
            for one in self.payments_of(invoice["id"])
            if one["result"] == AUTHORIZED and (self.payments_settle or _collected(one))
        ]
        paid = sum((self._kept(one) for one in counted), Decimal(0))
        became_paid = invoicing.apply_paid_amount(invoice, paid)
        self._announce_settlement(invoice, request_id, became_paid=became_paid)

    def _kept(self, payment: Json) -> Decimal:
        if "amount" not in payment:
            return Decimal(0)
        return value(payment["amount"]) - self._refunded.get(payment["id"], Decimal(0))


def _collected(payment: Json) -> bool:
    """Tell whether Solvimon took a payment itself, through a payment provider."""
    return payment.get("payment_acceptor_id") is not None
