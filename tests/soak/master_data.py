"""What people do with customers, products and accounting periods, and with the documents behind them.

As in `afterwards`, each act leaves what `docs/workflows.md` states.
"""

from local.books_check.checks import StatedResult
from local.books_check.records import in_solvimon
from local.fake_solvimon.resources.definitions import CUSTOMERS, PRODUCTS
from local.sample_data.identity import Json, rillet_id, solvimon_id
from tests.soak import company_data
from tests.soak.company_simulation import NOT_YET
from tests.soak.people import People, copied


class MasterData(People):
    """The acts, each named as in the schedule."""

    _product_version = 0

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
        self._company.counts["customer_edits"] += 1
        if value:
            self._expected.edits.setdefault(key, {})[what] = value
        return True

    def edit_terms(self, who: int, days: int) -> bool:
        """Edit in Rillet what only Rillet knows of a customer."""
        key = rillet_id("customer", f"soak-{who}")
        if key in self._books.customers:
            self._books.edit_customer(key, payment_terms=days)
            self._expected.kept[key] = {"payment_terms": days}
        return True

    def enter_customer(self, number: int) -> bool:
        """Enter a customer in Rillet; the next import brings it to Solvimon."""
        self._books.customers.add(company_data.entered_customer(number))
        return True

    def enter_product(self, number: int) -> bool:
        """Enter a product in Rillet; the next import brings it to Solvimon."""
        self._books.products.add(company_data.entered_product(number))
        return True

    def correct_link(self, who: int) -> bool:
        """Link a customer to another one in Rillet than the one that was linked by mistake."""
        key, right = company_data.customer_id(who), rillet_id("customer", f"soak-right-{who}")
        record = self._platform.records["customers"][key]
        if right not in self._books.customers:
            entered = company_data.entered_customer(who) | {"id": right, "name": f"Rightly Linked {who}"}
            self._books.customers.add(
                entered | {"emails": [{"email": f"right-{who}@customer.example", "type": "MAIN_SENDER"}]}
            )
        pair = {"kind": "customer", "solvimon_id": key}
        if not self._links(record, right):
            self._asks("link_records", {"unlink": pair}, {})
            self._asks("link_records", {"link": pair | {"rillet_id": right}}, {})
        if not self._links(record, right):
            return NOT_YET
        return self._differs(who)

    def move_to_right_customer(self, invoice: object, who: int) -> bool:
        """Move an invoice and its memo in Rillet to the customer that is linked now."""
        note, memo = self._memo(f"credit of {invoice}")
        booked, right = self._company.in_rillet(invoice), rillet_id("customer", f"soak-right-{who}")
        if memo is None or booked is None:
            return NOT_YET
        self._books.edit_invoice(booked, customer_id=right)
        self._books.edit_credit_memo(memo.id, customer_id=right)
        self._lives_on(note, None)
        return self._lives_on(self._company.invoices[invoice], None)

    def merge(self, who: int) -> bool:
        """Enter a customer a second time in Rillet, and merge the linked one into it."""
        old, new = (rillet_id("customer", f"soak-{each}") for each in (who, f"survivor-{who}"))
        document = copied(self._books.customers.get(old)) | {"id": new, "external_references": []}
        self._books.customers.add(document)
        self._books.merge_customer(old, new)
        self._expected.gone.add(old)
        self._expected.not_imported.add(new)
        return self._differs(who)

    def correct_merged_link(self, who: int, invoice: object) -> bool:
        """Link the customer of a rejected invoice to the one that its own was merged into, and retry."""
        key, new = self._company.invoices.get(invoice, ""), rillet_id("customer", f"soak-survivor-{who}")
        kept = self._company.system.ledger_item(f"default#invoice#{key}", "RECORD") or {}
        if (kept.get("state"), kept.get("code")) != ("rejected", "customer_merged"):
            return NOT_YET
        record = self._platform.records["customers"][company_data.customer_id(who)]
        link = [{"reference": "rillet_customer_id", "value": new}]
        self._platform.change(CUSTOMERS, record, {"custom_fields": link})
        if not self._asks("export_invoice", {"retry": {"code": "customer_merged"}}, {}):
            return NOT_YET
        self._expected.not_imported.discard(new)
        for name in self._company.billed_to(who):
            self._lives_on(self._company.invoices[name], None)
        return True

    def correct_product(self) -> bool:
        """Link a product to another one of Rillet, which is entered there now."""
        self._product_version += 1
        made = self._books.products.add(company_data.relinked_product(self._product_version).rillet())
        product = self._platform.records["products"][solvimon_id("prod", "soak-relinked-0")]
        link = [{"reference": "rillet_product_id", "value": made.id}]
        self._platform.change(PRODUCTS, product, {"custom_fields": link})
        return True

    def erase(self, who: int) -> bool:
        """Erase a customer in Solvimon; nightly imports must leave it alone."""
        key = company_data.customer_id(who)
        self._platform.forget_customer(key)
        self._expected.erased.add(key)
        return self._lives_on(key, None)

    def archive(self, who: int) -> bool:
        """Archive a customer in Solvimon, and edit it in Rillet; nightly imports must leave it alone."""
        record = self._platform.edit_customer(company_data.customer_id(who), status="ARCHIVED")
        self._expected.archived[record["id"]] = in_solvimon(record)
        key = rillet_id("customer", f"soak-{who}")
        if key in self._books.customers:
            self._books.edit_customer(key, name=f"Edited after it was archived {who}")
        else:
            self._expected.not_in_rillet.add(record["id"])
        return self._lives_on(record["id"], None)

    def reopen_month(self) -> bool:
        """Open the closed month in Rillet again."""
        self._books.reopen_periods()
        return True

    def close_again(self, invoice: object) -> bool:
        """Close it again, once what was forgotten is booked in it."""
        if self._company.in_rillet(invoice) is None:
            return NOT_YET
        return self._company.close_month()

    def _differs(self, who: int) -> bool:
        """Note that all documents of a customer are booked for another one than the link says."""
        for name in self._company.billed_to(who):
            note = self._company.notes.get(f"credit of {name}")
            for key in filter(None, (self._company.invoices[name], note)):
                self._lives_on(key, StatedResult.CUSTOMER_DIFFERS)
        return True

    @staticmethod
    def _links(record: Json, rillet: str) -> bool:
        return any(one["value"] == rillet for one in record.get("custom_fields", ()))
