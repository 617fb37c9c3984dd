"""One Rillet organisation: its books, and what its users do in Rillet's own screens."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

from local.fake_rillet import payments
from local.fake_rillet.balances import FAILED, amount_open, update_balance
from local.fake_rillet.books import Books
from local.fake_rillet.credit_memos import reconcile, remove_credit_memo
from local.fake_rillet.document_requests import ApplicationRequest
from local.fake_rillet.documents import edited_invoice, edited_memo, own_memo_document, update_memo_balance
from local.fake_rillet.invoices import mark_sent, remove_invoice
from local.fake_rillet.store import Json
from local.fake_rillet.webhook_events import Event
from local.fake_rillet.webhooks import Delivery, Webhook
from local.fake_rillet.wire import Money, read_date, to_wire

__all__ = ["Organisation"]


class Organisation(Books):
    """The books, with the acts of users as methods.

    They return copies. What users may not do raises the same `Problem` as a call that asks for it.
    """

    def pay(
        self,
        invoice_id: str,
        amount: str | Decimal | None = None,
        *,
        cleared: bool = True,
        date: str | None = None,
        account_code: str | None = None,
    ) -> Json:
        """Record a payment, as users or the bank feed do.

        Args:
            invoice_id: the invoice.
            amount: in the invoice's currency; all that is open when left out.
            cleared: found on the bank statement already, so SUCCESSFUL and not UNCLEARED.
            date: YYYY-MM-DD; today when left out.
            account_code: a cash account; the first one when left out.

        Returns:
            The `InvoicePayment`.

        Raises:
            ValueError: the amount is not positive; so when nothing is open.
        """
        with self.lock:
            invoice = self.invoices.get(invoice_id)
            value = amount_open(self, invoice) if amount is None else Decimal(amount)
            if value <= 0:
                raise ValueError(f"a payment must be positive, not {value}")
            request = payments.PaymentRequest(
                amount=Money(value, invoice.document["total"]["currency"]),
                date=read_date(date) if date else self.today,
                account_code=account_code or self.linked_accounts[0]["account_code"],
            )
            status = payments.SUCCESSFUL if cleared else payments.UNCLEARED
            payment = payments.record_payment(self, invoice, request, status)
            return deepcopy(payment.document)

    def pay_together(self, *invoice_ids: str, date: str | None = None) -> list[Json]:
        """Match one receipt of the bank with several invoices: a payment of all that is open on each."""
        return [self.pay(invoice_id, date=date) for invoice_id in invoice_ids]

    def pay_in(self, invoice_id: str, amount: str, currency: str, *, covers: str) -> Json:
        """Match a receipt in another currency with an invoice, of which it covers an amount."""
        with self.lock:
            payment = self.payments.get(self.pay(invoice_id, covers)["id"])
            payment.private["covers"] = covers
            payment.document["amount"] = {"amount": amount, "currency": currency}
            self.payments.touch(payment)
            return deepcopy(payment.document)

    def clear_payment(self, payment_id: str) -> Json:
        """Match a payment with the bank statement: it is SUCCESSFUL."""
        return self._move(payment_id, payments.SUCCESSFUL)

    def unclear_payment(self, payment_id: str) -> Json:
        """Undo the match with the bank statement: it is UNCLEARED."""
        return self._move(payment_id, payments.UNCLEARED)

    def fail_payment(self, payment_id: str) -> Json:
        """Let a payment bounce: it is FAILED and does not count any more."""
        return self._move(payment_id, FAILED)

    def delete_payment(self, payment_id: str) -> None:
        """Delete a payment, also a cleared one, which no call can; the invoice is open again."""
        with self.lock:
            payments.remove_payment(self, self.payments.get(payment_id))

    def edit_invoice(
        self, invoice_id: str, *, amount_by: str | Decimal | None = None, **changes: Any
    ) -> Json:
        """Edit an invoice past the API's rules.

        Args:
            invoice_id: the invoice.
            amount_by: what the first line's net amount and all totals above it grow by, such as "-0.01".
            changes: other fields, as the API shows them.

        Returns:
            The `Invoice`.

        Raises:
            ValueError: a field does not exist, or follows from others.
        """
        with self.lock:
            invoice = self.invoices.get(invoice_id)
            invoice.document = edited_invoice(invoice.document, amount_by, changes)
            update_balance(self, invoice, "updated")
            return deepcopy(invoice.document)

    def edit_credit_memo(
        self, credit_memo_id: str, *, amount_by: str | Decimal | None = None, **changes: Any
    ) -> Json:
        """Edit a credit memo past the API's rules; see `edit_invoice`."""
        with self.lock:
            memo = self.credit_memos.get(credit_memo_id)
            memo.document = edited_memo(memo.document, amount_by, changes)
            update_memo_balance(memo.document)
            self.credit_memos.touch(memo)
            self.webhooks.emit("credit-memo-updated", memo.document)
            return deepcopy(memo.document)

    def write_off(self, invoice_id: str, amount: str | None = None) -> Json:
        """Close an invoice, or a part of it, with a memo of Rillet's own, as for a bad debt or goodwill."""
        with self.lock:
            invoice = self.invoices.get(invoice_id).document
            value = to_wire(Decimal(amount or invoice["amount_due"]["amount"]), invoice["total"]["currency"])
            memo = self.credit_memos.add(own_memo_document(invoice, self.next_credit_memo_number(), value))
            self.webhooks.emit("credit-memo-created", memo.document)
        return self.apply_memo(memo.id, {invoice_id: value["amount"]})

    def apply_memo(self, credit_memo_id: str, amounts: Mapping[str, str]) -> Json:
        """Apply a memo to exactly these invoices, by id."""
        with self.lock:
            memo = self.credit_memos.get(credit_memo_id)
            currency = memo.document["total"]["currency"]
            reconcile(
                self,
                memo,
                [
                    ApplicationRequest(each, Money(Decimal(amount), currency), self.today)
                    for each, amount in amounts.items()
                ],
            )
            return deepcopy(memo.document)

    def refund_memo(self, credit_memo_id: str) -> Json:
        """Pay out what is left of a memo: it is REFUNDED, and nothing remains of it."""
        with self.lock:
            memo = self.credit_memos.get(credit_memo_id)
            memo.private["refunded"] = memo.document["remaining_amount"]["amount"]
            currency = memo.document["total"]["currency"]
            memo.document |= {"status": "REFUNDED", "remaining_amount": to_wire(Decimal(0), currency)}
            self.credit_memos.touch(memo)
            self.webhooks.emit("credit-memo-payment-updated", memo.document)
            return deepcopy(memo.document)

    def merge_customer(self, customer_id: str, into: str) -> None:
        """Merge a customer into another one: its documents move, and it is gone."""
        with self.lock:
            for documents in (self.invoices, self.credit_memos):
                for record in documents:
                    if record.document["customer_id"] == customer_id:
                        record.document["customer_id"] = into
                        documents.touch(record)
            self.customers.get(into)
            self.customers.remove(customer_id)
            self.webhooks.emit("customer-deleted", customer_id)

    def edit_customer(self, customer_id: str, **changes: Any) -> Json:
        """Change some fields of a customer; None takes one away."""
        with self.lock:
            customer = self.customers.get(customer_id)
            edited = self.customers.replace(customer_id, customer.document | changes)
            self.webhooks.emit("customer-updated", edited.document)
            return deepcopy(edited.document)

    def mark_as_sent(self, invoice_id: str) -> None:
        """Mark an invoice as sent, as users do in the list of invoices to be sent."""
        with self.lock:
            mark_sent(self, self.invoices.get(invoice_id))

    def delete_invoice(self, invoice_id: str) -> None:
        """Delete an invoice on which no payment and no credit remains."""
        with self.lock:
            remove_invoice(self, self.invoices.get(invoice_id))

    def delete_credit_memo(self, credit_memo_id: str) -> None:
        """Delete a credit memo that is applied to nothing."""
        with self.lock:
            remove_credit_memo(self, self.credit_memos.get(credit_memo_id))

    def add_webhook(self, url: str, token: str | None = None, events: Iterable[str] | None = None) -> Webhook:
        """Add a webhook, as users do in Rillet's settings.

        Args:
            url: the receiver.
            token: Base64 text; a new one when left out.
            events: names such as `invoice-payment-updated`; all 23 when left out.

        Raises:
            ValueError: there are five already, or an event does not exist.
        """
        return self.webhooks.add(url, token, events)

    def deliver_webhooks(self) -> list[Delivery]:
        """Send every event that is due by the clock and return the attempts."""
        return self.webhooks.deliver()

    def announced(self, name: str | None = None) -> list[Event]:
        """Return every event so far, oldest first, or those of one name."""
        return [event for event in self.webhooks.events if name in (None, event.name)]

    def _move(self, payment_id: str, status: str) -> Json:
        with self.lock:
            payment = self.payments.get(payment_id)
            payments.move_payment(self, payment, status)
            return deepcopy(payment.document)
