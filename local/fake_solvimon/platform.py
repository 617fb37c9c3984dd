"""One Solvimon platform, and what its users do in Desk."""

from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Any

from local.fake_solvimon import crediting, one_offs
from local.fake_solvimon.crediting import Sign
from local.fake_solvimon.errors import Json
from local.fake_solvimon.invoices import CreditOptions
from local.fake_solvimon.payments import Payments
from local.fake_solvimon.resources.definitions import CUSTOMERS, INVOICES
from local.fake_solvimon.resources.payment_definition import PAYMENTS

__all__ = ["Platform"]


class Platform(Payments):
    """A platform with all it holds; the acts of its users are methods that return copies."""

    _collections = 0

    def credit(
        self,
        invoice_id: str,
        amount: str | Decimal | Fraction | None = None,
        sign: Sign | None = None,
        *,
        note: str | None = "Billing error",
        source: str = "CURRENT",
        final: bool = True,
    ) -> Json:
        """Credit a FINAL invoice.

        Args:
            invoice_id: The invoice.
            amount: A net amount ("100.00"), or a share of the invoice (`Fraction(1, 2)`), spread over all
                lines; the whole invoice when left out.
            sign: What the amounts look like; as `credit_sign` says when left out.
            note: Why.
            source: Parties as they are now (CURRENT), or as the original has them (ORIGINAL).
            final: Whether the credit note becomes FINAL at once, with a number and its event.

        Returns:
            The credit note.
        """
        with self.lock:
            original = self.find(INVOICES, invoice_id, by_reference=False)
            crediting.check_creditable(original)
            amounts = (
                crediting.all_lines(original) if amount is None else crediting.share_of(original, amount)
            )
            options = CreditOptions(note=note, source=source)
            made = self.credit_invoice(original, amounts, options, sign or self.credit_sign)
            return self.finalise(made["id"]) if final else made

    def one_off_credit(
        self,
        customer_id: str,
        lines: list[Json],
        originals: list[str] | None = None,
        sign: Sign | None = None,
        *,
        currency: str = "EUR",
        billing_entity_id: str | None = None,
        final: bool = True,
        **more: Any,
    ) -> Json:
        """Make a credit note that is no copy of an invoice.

        Args:
            customer_id: Whom to credit; id or reference.
            lines: `{"description", "amount", "product_id"?, "tax"?, "start_at"?, "end_at"?}`; the amount is a
                net decimal text of what the customer gets, the tax `{"percentage", "name", "category"?}`.
            originals: Ids of the invoices it refers to: several, one or none.
            sign: What the amounts look like; as `credit_sign` says when left out.
            currency: ISO 4217.
            billing_entity_id: The first one when left out.
            final: Whether it becomes FINAL at once, with a number and its event.
            more: Other fields of the body, such as `notes`.

        Returns:
            The credit note.
        """
        with self.lock:
            customer = self.find(CUSTOMERS, customer_id)
            body = one_offs.body_of(customer["id"], lines, currency, originals or [], **more)
            if billing_entity_id is not None:
                body["billing_entity_id"] = billing_entity_id
            made = self.create_one_off(body, sign=sign)
            return self.finalise(made["id"]) if final else made

    def edit_customer(self, key: str, **changes: Any) -> Json:
        """Edit a customer in Desk; of nested objects only what is named changes, None clears.

        Args:
            key: Id or reference.
            changes: Fields, such as `organization={"legal_name": "Waddenveer N.V."}`.

        Returns:
            The customer.
        """
        with self.lock:
            customer = self.find(CUSTOMERS, key)
            body = {name: _merged_fields(customer.get(name), value) for name, value in changes.items()}
            return deepcopy(self.change(CUSTOMERS, customer, body))

    def collect(
        self,
        invoice_id: str,
        quantity: str | None = None,
        *,
        method: str = "CARD",
        result: str = "AUTHORIZED",
    ) -> Json:
        """Take money for an invoice, as Solvimon does with a card or a direct debit.

        Args:
            invoice_id: The invoice.
            quantity: In its currency; all of it when left out.
            method: How the customer pays.
            result: PENDING while a direct debit is on its way.

        Returns:
            The payment; its invoice is paid as far as its payments reach.
        """
        with self.lock:
            invoice = self.find(INVOICES, invoice_id, by_reference=False)
            total = invoice["invoice_amount_including_tax"]
            self._collections += 1
            return self.create_payment(
                {
                    "invoice_id": invoice_id,
                    "external_reference": f"psp{self._collections}",
                    "payment_acceptor_id": "paca_1",
                    "payment_method_details": {"type": method},
                    "result": result,
                    "amount": total | {"quantity": quantity or total["quantity"]},
                }
            )

    def end_payment(self, payment_id: str, result: str) -> Json:
        """Let a payment end otherwise: CHARGED_BACK by the bank, or AUTHORIZED after it was PENDING."""
        with self.lock:
            payment = self.find(PAYMENTS, payment_id, by_reference=False)
            return self._end(payment, result, None)

    def forget_customer(self, key: str, *, keep_links: bool = True) -> Json:
        """Erase a customer's personal data, as `POST /customers/{id}/forget` does.

        Args:
            key: Id or reference.
            keep_links: Whether its reference and custom fields stay; Solvimon does not say.
        """
        with self.lock:
            customer = self.find(CUSTOMERS, key)
            for name in ("email", "organization", "individual", "name"):
                customer.pop(name, None)
            if not keep_links:
                customer.pop("reference", None)
                customer["custom_fields"] = []
            customer["status"] = "ARCHIVED"
            self.webhooks.emit("CUSTOMER.UPDATED", customer, None)
            return deepcopy(customer)

    def charge(self, invoice_id: str, request_id: str | None = None) -> Json:
        """Take the money from the customer's stored payment method."""
        with self.lock:
            invoice = self.find(INVOICES, invoice_id, by_reference=False)
            return deepcopy(self.change_invoice(invoice, {"paid": True}, request_id))


def _merged_fields(old: object, new: object) -> object:
    """Return the new value, with what an object of it leaves out taken from the old one."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    merged = old | {name: _merged_fields(old.get(name), value) for name, value in new.items()}
    return {name: value for name, value in merged.items() if value is not None}
