"""What people do with documents after their export, in both systems.

Each act leaves what `docs/workflows.md` states ("What happens when …"): the auditor and each reconciliation
must find exactly that, until the people act as the same table says.
"""

import json
import re
from datetime import date, timedelta
from decimal import Decimal

from local.books_check.checks import StatedResult
from local.fake_rillet.wire import rounded
from local.sample_data.identity import Json, solvimon_id
from tests.soak import company_data
from tests.soak.company_simulation import NOT_YET, Company
from tests.soak.people import People, copied

_AGAIN = StatedResult.ENTERED_AGAIN.value
_EVENT = re.compile(r"invoke sync_status with (\{.*\})[;.]")
_FEE = Decimal("0.02")


class Afterwards(People):
    """The acts, each named as in the schedule.

    Args:
        company: whose documents these are.

    Attributes:
        report: the findings of the last nightly reconciliation, as the people read them in the morning.
    """

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self.report: list[Json] = []

    def collect(self, invoice: object, *, paid_out: bool = True) -> bool:
        """Take the money for an invoice by card in Solvimon; the payout, less its fee, comes to Rillet."""
        booked = self._company.in_rillet(invoice)
        if booked is None:
            return NOT_YET
        payment = self._platform.collect(self._company.invoices[invoice])
        self._company.payments[f"{invoice} by card"] = payment["id"]
        if paid_out:
            self.pay_out(invoice)
        return self._lives_on(self._company.invoices[invoice], StatedResult.PAID_IN_SOLVIMON)

    def pay_out(self, invoice: object) -> bool:
        """Receive the payout of a card payment, less the fee."""
        booked = self._company.in_rillet(invoice)
        if booked is None:
            return NOT_YET
        due = self._books.invoices.get(booked).document["amount_due"]
        fee = rounded(Decimal(due["amount"]) * _FEE, due["currency"])
        if fee > 0:
            paid = self._books.pay(booked, Decimal(due["amount"]) - fee)
            self._company.payments[f"{invoice} paid out"] = paid["id"]
        return True

    def book_fee(self, invoice: object) -> bool:
        """Book the fee of a card payment in Rillet: both sides agree."""
        return self._on_invoice(invoice, self._books.pay, None)

    def pay_all(self, invoice: object) -> bool:
        """Receive all that is open on an invoice."""
        return self._on_invoice(invoice, self._books.pay, None)

    def charge_back(self, invoice: object) -> bool:
        """Let the bank take a card payment back; both sides are open again."""
        if f"{invoice} by card" not in self._company.payments:
            return NOT_YET
        self._books.delete_payment(self._company.payments[f"{invoice} paid out"])
        self._platform.end_payment(self._company.payments[f"{invoice} by card"], "CHARGED_BACK")
        return self._lives_on(self._company.invoices[invoice], None)

    def write_off(self, invoice: object, part: float | None = None) -> bool:
        """Close an invoice, or a part of it, with a memo of Rillet's own, as for a bad debt or goodwill."""

        def close(booked: str) -> None:
            total = self._books.invoices.get(booked).document["total"]
            amount = rounded(Decimal(total["amount"]) * Decimal(str(part or 1)), total["currency"])
            self._expected.own_documents.add(self._books.write_off(booked, str(amount))["id"])

        return self._on_invoice(invoice, close, StatedResult.CREDITED_IN_RILLET)

    def move(self, invoice: object) -> bool:
        """Move an invoice into the month before in Rillet."""

        def antedate(booked: str) -> None:
            day = date.fromisoformat(self._books.invoices.get(booked).document["invoice_date"])
            month_before = day.replace(day=1) - timedelta(days=1)
            self._books.edit_invoice(booked, invoice_date=month_before.isoformat())

        return self._on_invoice(invoice, antedate, StatedResult.MOVED)

    def delete(self, invoice: object) -> bool:
        """Delete an invoice in Rillet."""
        return self._on_invoice(invoice, self._books.delete_invoice, StatedResult.DELETED)

    def enter_again(self, invoice: object) -> bool:
        """Delete an invoice in Rillet, and enter it again with our reference."""

        def enter(booked: str) -> None:
            record = self._books.invoices.get(booked)
            document, private = copied(record), dict(record.private)
            self._books.delete_invoice(booked)
            self._books.invoices.add(document, private=private)
            self._company.forget_booking(invoice)

        return self._on_invoice(invoice, enter, StatedResult.ENTERED_AGAIN)

    def confirm(self, invoice: object) -> bool:
        """Send the event that the morning's report names for an invoice that was entered again."""
        key = self._company.invoices.get(invoice)
        texts = [one["remedy"] for one in self.report if (one["solvimon_id"], one["kind"]) == (key, _AGAIN)]
        found = _EVENT.search(texts[0]) if texts else None
        if found is None or not self._asks("sync_status", json.loads(found[1]), {"state": "exported"}):
            return NOT_YET
        return self._lives_on(str(key), None)

    def enter_same_number(self, invoice: object) -> bool:
        """Enter an invoice of another customer that has the number and the amount of one of ours."""

        def enter(booked: str) -> None:
            record = self._books.invoices.get(booked)
            other = next(one.id for one in self._books.customers if one.id != record.document["customer_id"])
            document = copied(record) | {"customer_id": other, "external_references": []}
            for item in document["items"]:
                item["external_references"] = []
            made = self._books.invoices.add(document, private=dict(record.private))
            self._expected.own_documents.add(made.id)

        return self._on_invoice(invoice, enter, None)

    def pay_together(self, invoice: object, other: object) -> bool:
        """Match one receipt of the bank with two invoices."""
        booked = [self._company.in_rillet(each) for each in (invoice, other)]
        if None in booked:
            return NOT_YET
        self._books.pay_together(*map(str, booked))
        return self._lives_on(self._company.invoices[invoice], None)

    def pay_in_another_currency(self, invoice: object) -> bool:
        """Match a receipt in another currency with all that is open on an invoice."""

        def pay(booked: str) -> None:
            due = self._books.invoices.get(booked).document["amount_due"]
            currency = "CHF" if due["currency"] != "CHF" else "EUR"
            amount = rounded(Decimal(due["amount"]) * Decimal("1.07"), currency)
            payment = self._books.pay_in(booked, str(amount), currency, covers=due["amount"])
            self._expected.covers[payment["id"]] = Decimal(due["amount"])

        return self._on_invoice(invoice, pay, None)

    def use_elsewhere(self, invoice: object, other: object) -> bool:
        """Apply the memo of an invoice's credit note to another invoice instead."""
        note, memo = self._memo(f"credit of {invoice}")
        booked, used_for = (self._company.in_rillet(each) for each in (invoice, other))
        if memo is None or booked is None or used_for is None or not memo.document["applications"]:
            return NOT_YET
        total = Decimal(memo.document["total"]["amount"])
        due = Decimal(self._books.invoices.get(used_for).document["amount_due"]["amount"])
        part = min(total, due)
        rest = {booked: str(total - part)} if total > part else {}
        self._books.apply_memo(memo.id, {used_for: str(part), **rest})
        self._expected.used_for[note] = used_for
        return self._lives_on(self._company.invoices[other], StatedResult.CREDIT_USED_ELSEWHERE)

    def refund_instead(self, invoice: object) -> bool:
        """Take the memo of a credit note off its invoice, and pay it out."""
        note, memo = self._memo(f"credit of {invoice}")
        if memo is None or not memo.document["applications"]:
            return NOT_YET
        self._books.apply_memo(memo.id, {})
        self._books.refund_memo(memo.id)
        return self._lives_on(note, StatedResult.MEMO_REFUNDED)

    def refund(self, number: str) -> bool:
        """Pay out a credit that was never applied."""
        note, memo = self._memo(number)
        if memo is None:
            return NOT_YET
        self._books.refund_memo(memo.id)
        return self._lives_on(note, None)

    def edit_memo(self, invoice: object, by: str) -> bool:
        """Edit the amount of a memo in Rillet, or correct it again."""
        note, memo = self._memo(f"credit of {invoice}")
        if memo is None or not memo.document["applications"]:
            return NOT_YET
        self._books.edit_credit_memo(memo.id, amount_by=by)
        return self._lives_on(note, StatedResult.AMOUNT_DIFFERS if not by.startswith("-") else None)

    def credit_of_another_entity(self, invoice: object) -> bool:
        """Credit an invoice under another billing entity than the one that billed it."""
        if self._company.in_rillet(invoice) is None:
            return NOT_YET
        billed = self._platform.invoice(self._company.invoices[invoice])
        entity = next(
            each
            for each in (solvimon_id("bile", name) for name in ("tideway-nl", "tideway-us"))
            if each != billed["billing_entity_id"]
        )
        lines = [{"description": "Goodwill", "amount": "20", "tax": {"percentage": "0", "name": "None"}}]
        note = self._platform.one_off_credit(
            billed["customer_id"],
            lines,
            [billed["id"]],
            currency=billed["billing_currency"],
            billing_entity_id=entity,
        )
        return self._lives_on(note["id"], StatedResult.REJECTED)

    def credit_long_ago(self, number: str, who: int) -> bool:
        """Make a credit note that is dated before the look-back of the sweeps, and whose webhook is lost."""
        state = self._company.system.solvimon.state
        state.webhooks_on = False
        moment = self._company.system.clock.now() - timedelta(days=9).total_seconds()
        self._company.one_off(number, None, who, dated=company_data.timestamp(moment))
        state.webhooks_on = True
        return self._lives_on(self._company.notes[number], None)
