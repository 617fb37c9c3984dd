"""The people of the company and of its bank: they act in Solvimon and in Rillet, never on the product."""

import logging
from collections.abc import Callable
from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from local.books_check.checks import Expected, StatedResult
from local.books_check.records import rillet_ids, solvimon_ids
from local.demo.new_customers import UNLINKED_PRODUCT
from local.fake_rillet.money import rounded
from local.fake_solvimon.resources.definitions import PRODUCTS
from local.sample_data.identity import Json, rillet_id, solvimon_id
from local.system import Connection, LocalSystem
from tests.soak import company_data
from tests.soak.regions import REGIONS, region_of
from tests.soak.schedule import Action, Plan
from tests.soak.seeded_random import seeded_random

logger = logging.getLogger(__name__)

_NOT_YET = False
"""Returned by an action that has to wait, such as the payment of an invoice that is not in Rillet."""


class Company:
    """Performs the actions of the schedule."""

    def __init__(self, plan: Plan, system: LocalSystem, connection: Connection) -> None:
        self._plan = plan
        self._system = system
        self._platform, self._books = connection.platform, connection.organisation
        self._invoices: dict[object, str] = {}
        self._booked: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self._payments: dict[str, str] = {}
        self.expected = Expected(all_imported=True)
        self.late_invoices = 0
        self.counts = dict.fromkeys(
            ("payments", "undone_payments", "customer_edits", "edits_by_hand", "reconnects", "lived_on"), 0
        )

    def perform(self, action: Action) -> bool:
        """Do something; false means that it cannot be done yet."""
        done: bool = getattr(self, action.kind)(**action.facts)
        return done

    def finalise(self, number: object, who: object, shape: str, back: int, *, late: bool = False) -> bool:
        """Bill a customer."""
        customer = self._customer(who)
        if customer is None:
            return _NOT_YET
        region = REGIONS["nl" if isinstance(who, str) else region_of(int(str(who)))]
        rng = seeded_random(self._plan.seed, "invoice", number)
        moment = self._system.clock.now() - back
        product = self._product() if late else None
        draft = company_data.draft_invoice(f"soak-{number}", region, shape, rng, moment, customer, product)
        self._platform.load({"invoices": [draft]})
        self._platform.finalise(draft["id"])
        self._invoices[number] = draft["id"]
        self.late_invoices += late
        return True

    def credit(self, invoice: object, part: float | None) -> bool:
        """Credit an invoice, or a part of it."""
        if invoice not in self._invoices:
            return _NOT_YET
        self._platform.credit(self._invoices[invoice], None if part is None else Fraction(part))
        return True

    def one_off(self, number: str, invoice: object, who: object) -> bool:
        """Credit a customer something, with or without a look at an invoice."""
        if invoice is not None and invoice not in self._invoices:
            return _NOT_YET
        originals = [] if invoice is None else [self._invoices[invoice]]
        if originals:
            billed = self._platform.invoice(originals[0])
            customer, currency, entity = (
                billed[name] for name in ("customer_id", "billing_currency", "billing_entity_id")
            )
        else:
            region = REGIONS[region_of(int(str(who)))]
            customer, currency = company_data.customer_id(int(str(who))), region.currency
            entity = solvimon_id("bile", region.entity)
        amount = str(seeded_random(self._plan.seed, "one-off", number).randint(5, 30))
        lines = [{"description": "Goodwill", "amount": amount, "tax": {"percentage": "0", "name": "None"}}]
        note = self._platform.one_off_credit(
            customer, lines, originals, currency=currency, billing_entity_id=entity
        )
        self._notes[number] = note["id"]
        return True

    def pay(self, invoice: object, payment: str, part: float | None, *, cleared: bool) -> bool:
        """Record what the bank received."""
        booked = self._in_rillet(invoice)
        if booked is None:
            return _NOT_YET
        document = self._books.invoices.get(booked).document
        left = Decimal(document["amount_due"]["amount"])
        currency = document["total"]["currency"]
        if part is not None:
            left = min(left, rounded(Decimal(document["total"]["amount"]) * Decimal(str(part)), currency))
        if left > 0:
            self._payments[payment] = self._books.pay(booked, left, cleared=cleared)["id"]
            self.counts["payments"] += 1
        return True

    def clear(self, payment: str) -> bool:
        """Find a payment on the bank statement."""
        return self._with_payment(payment, self._books.clear_payment)

    def fail(self, payment: str) -> bool:
        """Let a payment bounce."""

        def bounce(payment_id: str) -> None:
            self._books.fail_payment(payment_id)
            self.counts["undone_payments"] += 1

        return self._with_payment(payment, bounce)

    def undo(self, payment: str) -> bool:
        """Delete a payment, unless its month is closed."""

        def delete(payment_id: str) -> None:
            if not self._books.is_closed(self._books.payments.get(payment_id).document["date"]):
                self._books.delete_payment(payment_id)
                self.counts["undone_payments"] += 1

        return self._with_payment(payment, delete)

    def edit_customer(self, who: int, what: str, mark: str) -> bool:
        """Edit a customer in Solvimon, or save it as it is."""
        key = company_data.customer_id(who)
        name, email = f"{company_data.initial_name(who)} ({mark})", f"new-{mark}-{who}@customer.example"
        changes: dict[str, tuple[str, Json]] = {
            "name": (name, {"organization": {"legal_name": name}}),
            "email": (email, {"email": email}),
            "street": (street := f"Kade {mark}", {"organization": {"registered_address": {"line1": street}}}),
        }
        value, change = changes.get(what, ("", {}))
        self._platform.edit_customer(key, **change)
        self.counts["customer_edits"] += 1
        if value:
            self.expected.edits.setdefault(key, {})[what] = value
        return True

    def edit_invoice(self, invoice: object, mark: str) -> bool:
        """Edit an invoice in Rillet where both sides need not agree."""
        booked = self._in_rillet(invoice)
        if booked is not None:
            self._books.edit_invoice(booked, purchase_order_number=f"PO {mark}")
            self.counts["edits_by_hand"] += 1
        return True

    def collect(self, invoice: object) -> bool:
        """Take the money for an invoice by card in Solvimon; the payout, less its fee, comes to Rillet."""
        booked = self._in_rillet(invoice)
        if booked is None:
            return _NOT_YET
        self._platform.collect(self._invoices[invoice])
        due = self._books.invoices.get(booked).document["amount_due"]
        fee = rounded(Decimal(due["amount"]) * Decimal("0.02"), due["currency"])
        if fee > 0:
            self._books.pay(booked, Decimal(due["amount"]) - fee)
        return self._lives_on(invoice, StatedResult.PAID_IN_SOLVIMON)

    def write_off(self, invoice: object) -> bool:
        """Close an invoice with a memo of Rillet's own, as for a bad debt."""
        booked = self._in_rillet(invoice)
        if booked is None:
            return _NOT_YET
        self.expected.own_memos.add(self._books.write_off(booked)["id"])
        return self._lives_on(invoice, StatedResult.CREDITED_IN_RILLET)

    def move(self, invoice: object) -> bool:
        """Move an invoice into the month before in Rillet."""
        booked = self._in_rillet(invoice)
        if booked is None:
            return _NOT_YET
        day = date.fromisoformat(self._books.invoices.get(booked).document["invoice_date"])
        month_before = day.replace(day=1) - timedelta(days=1)
        self._books.edit_invoice(booked, invoice_date=month_before.isoformat())
        return self._lives_on(invoice, StatedResult.MOVED)

    def enter_again(self, invoice: object) -> bool:
        """Delete an invoice in Rillet, and enter it again with our reference."""
        booked = self._in_rillet(invoice)
        if booked is None:
            return _NOT_YET
        record = self._books.invoices.get(booked)
        document = {
            name: value for name, value in record.document.items() if name not in ("id", "updated_at")
        }
        private = dict(record.private)
        self._books.delete_invoice(booked)
        self._books.invoices.add(deepcopy(document), private=private)
        self._booked.pop(self._invoices[invoice])
        return self._lives_on(invoice, StatedResult.ENTERED_AGAIN)

    def pay_together(self, invoice: object, other: object) -> bool:
        """Match one receipt of the bank with two invoices."""
        booked = [self._in_rillet(each) for each in (invoice, other)]
        if None in booked:
            return _NOT_YET
        self._books.pay_together(*map(str, booked))
        self.counts["lived_on"] += 1
        return True

    def refund(self, number: str) -> bool:
        """Pay out a credit that was never applied."""
        for memo in self._books.credit_memos:
            if self._notes.get(number) in solvimon_ids(memo.document):
                self._books.refund_memo(memo.id)
                self.counts["lived_on"] += 1
                return True
        return _NOT_YET

    def erase(self, who: int) -> bool:
        """Erase a customer in Solvimon; nightly imports must leave it alone."""
        key = company_data.customer_id(who)
        self._platform.forget_customer(key)
        self.expected.erased.add(key)
        self.counts["lived_on"] += 1
        return True

    def _lives_on(self, invoice: object, result: StatedResult) -> bool:
        self.expected.stated[self._invoices[invoice]] = result
        self.counts["lived_on"] += 1
        return True

    def import_customers(self) -> bool:
        """Import customers in the middle of the day, while others edit them."""
        try:
            return bool(self._system.invoke("import_customers", {}).get("complete"))
        except Exception:
            logger.exception("the import failed; the next hour brings another try")
            return _NOT_YET

    def reconnect(self) -> bool:
        """Disconnect Rillet, and connect it again; in an hour once more, if it does not work."""
        try:
            self._system.invoke("connect_rillet", {"action": "disconnect"})
            self._system.authorise()
            status = self._system.invoke("connect_rillet", {"action": "status"})
        except Exception:
            logger.exception("nobody could connect Rillet; the next hour brings another try")
            return _NOT_YET
        self.counts["reconnects"] += 1
        return not status.get("action_needed")

    def edit_terms(self, who: int, days: int) -> bool:
        """Edit in Rillet what only Rillet knows of a customer."""
        key = rillet_id("customer", f"soak-{who}")
        if key in self._books.customers:
            self._books.edit_customer(key, payment_terms=days)
            self.expected.kept[key] = {"payment_terms": days}
        return True

    def enter_customer(self, number: int) -> bool:
        """Enter a customer in Rillet; the next import brings it to Solvimon."""
        self._books.customers.add(company_data.entered_customer(number))
        return True

    def enter_product(self, number: int) -> bool:
        """Enter a product in Rillet; the next import brings it to Solvimon."""
        self._books.products.add(company_data.entered_product(number))
        return True

    def close_month(self) -> bool:
        """Close the month that is over in Rillet."""
        first = self._books.today.replace(day=1)
        last = first.fromordinal(first.toordinal() - 1)
        self._books.close_period(last.replace(day=1).isoformat(), last.isoformat())
        self.expected.open_from, self.expected.closed_up_to = first.isoformat(), last.isoformat()
        return True

    def link_late_product(self) -> bool:
        """Enter the product in Rillet and its id in Solvimon."""
        made = self._books.products.add(UNLINKED_PRODUCT.rillet())
        link = [{"reference": "rillet_product_id", "value": made.id}]
        self._platform.change(PRODUCTS, self._product(), {"custom_fields": link})
        return True

    def _with_payment(self, payment: str, change: Callable[[str], object]) -> bool:
        if payment in self._payments:
            change(self._payments[payment])
        return True

    def _customer(self, who: object) -> Json | None:
        """Return a customer as Solvimon has it; of one that was entered in Rillet, once it was imported."""
        records = self._platform.records["customers"]
        if not isinstance(who, str):
            return deepcopy(records[company_data.customer_id(int(str(who)))])
        key = company_data.entered_customer_id(int(who.removeprefix("new ")))
        found = (one for one in records.values() if rillet_ids(one) == [key])
        return deepcopy(next(found, None))

    def _product(self) -> Json:
        return self._platform.records["products"][solvimon_id("prod", UNLINKED_PRODUCT.name)]

    def _in_rillet(self, invoice: object) -> str | None:
        """Return Rillet's id of an invoice, by the references that its documents carry."""
        key = self._invoices.get(invoice, "")
        if key not in self._booked:
            for record in self._books.invoices:
                for solvimon_id in solvimon_ids(record.document):
                    self._booked.setdefault(solvimon_id, record.id)
        return self._booked.get(key)
