"""The people of the company and of its bank: they act in Solvimon and in Rillet, never on the product."""

import logging
from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction

from local.books_check.checks import Expected, StatedResult
from local.books_check.documents import SolvimonDocument
from local.books_check.records import rillet_ids, solvimon_ids
from local.demo.new_customers import UNLINKED_PRODUCT
from local.fake_rillet.wire import rounded
from local.fake_solvimon.resources.definitions import PRODUCTS
from local.sample_data.identity import Json, solvimon_id
from local.system import Connection, LocalSystem
from tests.soak import company_data
from tests.soak.company_data import REGIONS, region_of
from tests.soak.schedule import Plan
from tests.soak.seeded_random import seeded_random

logger = logging.getLogger(__name__)

NOT_YET = False
"""Returned by an act that has to wait, such as the payment of an invoice that is not in Rillet."""

_PRODUCTS = {
    "unlinked": solvimon_id("prod", UNLINKED_PRODUCT.name),
    "relinked": solvimon_id("prod", "soak-relinked-0"),
}


class Company:
    """Performs the actions of the schedule.

    Attributes:
        system: the local system.
        platform: the company's side in Solvimon.
        books: its side in Rillet.
        expected: what its people remember.
        invoices: Solvimon's id of each invoice, by its name in the schedule.
        notes: Solvimon's id of each credit note, likewise.
        payments: the vendor's id of each payment, likewise.
        changed_at: when the stated result of a document changed last, in Unix seconds.
        late_invoices: how many were billed before their product was linked.
        counts: how often people did something.
    """

    def __init__(self, plan: Plan, system: LocalSystem, connection: Connection) -> None:
        self._plan = plan
        self.system = system
        self.platform, self.books = connection.platform, connection.organisation
        self.invoices: dict[object, str] = {}
        self.notes: dict[str, str] = {}
        self.payments: dict[str, str] = {}
        self._booked: dict[str, str] = {}
        self._billed_to: defaultdict[object, list[object]] = defaultdict(list)
        self.expected = Expected(all_imported=True)
        self.late_invoices = 0
        self.counts = dict.fromkeys(
            (
                *("payments", "undone_payments", "customer_edits", "edits_by_hand", "reconnects"),
                *("lived_on", "rejected_then_retried"),
            ),
            0,
        )
        self.changed_at: dict[str, float] = {}

    def finalise(
        self,
        number: object,
        who: object,
        shape: str,
        back: int = 0,
        *,
        product: str = "",
        on_time: bool = False,
    ) -> bool:
        """Bill a customer.

        Args:
            number: name of the invoice.
            who: the customer.
            shape: of the invoice.
            back: seconds by which it is dated back.
            product: of all its lines: "unlinked", or "relinked" for the one whose link is corrected at times.
            on_time: it must be booked on its own day, though its month was closed before.
        """
        customer = self._customer(who)
        if customer is None:
            return NOT_YET
        region = REGIONS["nl" if isinstance(who, str) else region_of(int(str(who)))]
        rng = seeded_random(self._plan.seed, "invoice", number)
        moment = self.system.clock.now() - back
        sold = deepcopy(self.platform.records["products"][_PRODUCTS[product]]) if product else None
        draft = company_data.draft_invoice(f"soak-{number}", region, shape, rng, moment, customer, sold)
        self.platform.load({"invoices": [draft]})
        self.platform.finalise(draft["id"])
        self.invoices[number] = draft["id"]
        self._billed_to[who].append(number)
        self._note_what_is_stated(draft, sold, product, on_time=on_time)
        return True

    def _note_what_is_stated(self, draft: Json, sold: Json | None, product: str, *, on_time: bool) -> None:
        """Note what is known of an invoice from the first day: its product, its day, that it is refused."""
        key, customer = draft["id"], draft["customer"]
        unlinked = product == "unlinked" and not rillet_ids(sold or {}, "products")
        if unlinked or self.expected.gone.intersection(rillet_ids(customer)):
            self.expected.stated[key] = StatedResult.REJECTED
            self.changed_at[key] = self.system.clock.now()
        self.late_invoices += product == "unlinked"
        if product == "relinked":
            [self.expected.products[key]] = rillet_ids(sold or {}, "products")
        if on_time:
            self.expected.booked_on[key] = SolvimonDocument.of(self.platform.invoice(key)).day

    def credit(self, invoice: object, part: float | None) -> bool:
        """Credit an invoice, or a part of it."""
        if invoice not in self.invoices:
            return NOT_YET
        note = self.platform.credit(self.invoices[invoice], None if part is None else Fraction(part))
        self.notes[f"credit of {invoice}"] = note["id"]
        if self.expected.stated.get(self.invoices[invoice]) is StatedResult.CUSTOMER_DIFFERS:
            self.expected.stated[note["id"]] = StatedResult.CUSTOMER_DIFFERS
        return True

    def one_off(self, number: str, invoice: object, who: object, dated: str = "") -> bool:
        """Credit a customer something, with or without a look at an invoice, now or at an earlier time."""
        if invoice is not None and invoice not in self.invoices:
            return NOT_YET
        originals = [] if invoice is None else [self.invoices[invoice]]
        if originals:
            billed = self.platform.invoice(originals[0])
            customer, currency, entity = (
                billed[name] for name in ("customer_id", "billing_currency", "billing_entity_id")
            )
        else:
            region = REGIONS[region_of(int(str(who)))]
            customer, currency = company_data.customer_id(int(str(who))), region.currency
            entity = solvimon_id("bile", region.entity)
        amount = str(seeded_random(self._plan.seed, "one-off", number).randint(5, 30))
        lines = [{"description": "Goodwill", "amount": amount, "tax": {"percentage": "0", "name": "None"}}]
        note = self.platform.one_off_credit(
            customer,
            lines,
            originals,
            currency=currency,
            billing_entity_id=entity,
            invoice_date=dated or None,
        )
        self.notes[number] = note["id"]
        return True

    def pay(self, invoice: object, payment: str, part: float | None, *, cleared: bool) -> bool:
        """Record what the bank received."""
        booked = self.in_rillet(invoice)
        if booked is None:
            return NOT_YET
        document = self.books.invoices.get(booked).document
        left = Decimal(document["amount_due"]["amount"])
        currency = document["total"]["currency"]
        if part is not None:
            left = min(left, rounded(Decimal(document["total"]["amount"]) * Decimal(str(part)), currency))
        if left > 0:
            self.payments[payment] = self.books.pay(booked, left, cleared=cleared)["id"]
            self.counts["payments"] += 1
        return True

    def clear(self, payment: str) -> bool:
        """Find a payment on the bank statement."""
        return self._with_payment(payment, self.books.clear_payment)

    def fail(self, payment: str) -> bool:
        """Let a payment bounce."""

        def bounce(payment_id: str) -> None:
            self.books.fail_payment(payment_id)
            self.counts["undone_payments"] += 1

        return self._with_payment(payment, bounce)

    def undo(self, payment: str) -> bool:
        """Delete a payment, unless its month is closed."""

        def delete(payment_id: str) -> None:
            if not self.books.is_closed(self.books.payments.get(payment_id).document["date"]):
                self.books.delete_payment(payment_id)
                self.counts["undone_payments"] += 1

        return self._with_payment(payment, delete)

    def edit_invoice(self, invoice: object, mark: str) -> bool:
        """Edit an invoice in Rillet where both sides need not agree."""
        booked = self.in_rillet(invoice)
        if booked is not None:
            self.books.edit_invoice(booked, purchase_order_number=f"PO {mark}")
            self.counts["edits_by_hand"] += 1
        return True

    def import_customers(self) -> bool:
        """Import customers in the middle of the day, while others edit them."""
        return bool(asked(self.system, "import_customers", {}).get("complete"))

    def reconnect(self) -> bool:
        """Disconnect Rillet, and connect it again; in an hour once more, if it does not work."""
        try:
            self.system.invoke("connect_rillet", {"action": "disconnect"})
            self.system.authorise()
            status = self.system.invoke("connect_rillet", {"action": "status"})
        except Exception:
            logger.exception("nobody could connect Rillet; the next hour brings another try")
            return NOT_YET
        self.counts["reconnects"] += 1
        return not status.get("action_needed")

    def close_month(self) -> bool:
        """Close the month that is over in Rillet."""
        first = self.books.today.replace(day=1)
        last = first.fromordinal(first.toordinal() - 1)
        self.books.close_period(last.replace(day=1).isoformat(), last.isoformat())
        self.expected.open_from, self.expected.closed_up_to = first.isoformat(), last.isoformat()
        return True

    def link_late_product(self) -> bool:
        """Enter the product in Rillet and its id in Solvimon, and retry what was rejected for it."""
        if UNLINKED_PRODUCT.rillet()["id"] not in self.books.products:
            made = self.books.products.add(UNLINKED_PRODUCT.rillet())
            link = [{"reference": "rillet_product_id", "value": made.id}]
            self.platform.change(
                PRODUCTS, self.platform.records["products"][_PRODUCTS["unlinked"]], {"custom_fields": link}
            )
        event = {"connection": "default", "retry": {"code": "product_not_linked"}}
        answer = asked(self.system, "export_invoice", event)
        if not answer:
            return NOT_YET
        self.counts["rejected_then_retried"] += answer.get("queued", 0)
        for name in [name for name in self.invoices if str(name).startswith("late-")]:
            self.expected.stated.pop(self.invoices[name], None)
            self.changed_at[self.invoices[name]] = self.system.clock.now()
        return True

    def billed_to(self, who: object) -> list[object]:
        """Return the names of all invoices of a customer."""
        return list(self._billed_to[who])

    def forget_booking(self, invoice: object) -> None:
        """Forget which document of Rillet is an invoice, since another one is from now on."""
        self._booked.pop(self.invoices[invoice])

    def _with_payment(self, payment: str, change: Callable[[str], object]) -> bool:
        if payment in self.payments:
            change(self.payments[payment])
        return True

    def _customer(self, who: object) -> Json | None:
        """Return a customer as Solvimon has it; of one that was entered in Rillet, once it was imported."""
        records = self.platform.records["customers"]
        if not isinstance(who, str):
            return deepcopy(records[company_data.customer_id(int(str(who)))])
        key = company_data.entered_customer_id(int(who.removeprefix("new ")))
        found = (one for one in records.values() if rillet_ids(one) == [key])
        return deepcopy(next(found, None))

    def in_rillet(self, invoice: object) -> str | None:
        """Return Rillet's id of an invoice, by the references that its documents carry."""
        key = self.invoices.get(invoice, "")
        if key not in self._booked:
            for record in self.books.invoices:
                for solvimon_id in solvimon_ids(record.document):
                    self._booked.setdefault(solvimon_id, record.id)
        return self._booked.get(key)


def asked(system: LocalSystem, function: str, event: Json) -> Json:
    """Invoke a function as a person does; its answer is empty if it fails, so that the person asks again."""
    try:
        answer: Json = system.invoke(function, event)
    except Exception:
        logger.exception("%s failed; the next hour brings another try", function)
        return {}
    return answer
