"""The invoices of one Solvimon platform: changed, set FINAL, credited, one-off."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from local.fake_solvimon import crediting, custom_values, invoicing, money, one_offs, timestamps
from local.fake_solvimon.crediting import LineAmounts, Sign
from local.fake_solvimon.errors import Json, impossible, invalid_field, missing_field
from local.fake_solvimon.money import header_totals
from local.fake_solvimon.records import Records, apply, without_nulls
from local.fake_solvimon.resources.definitions import BILLING_ENTITIES, CUSTOMERS, INVOICES, PRODUCTS


@dataclass(frozen=True)
class CreditOptions:
    """What a credit request says besides its amounts; `source` is CURRENT or ORIGINAL."""

    note: str | None = None
    source: str = "CURRENT"
    on_hold: bool = False
    delivery_date: str | None = None
    request_id: str | None = None

    def credit(self) -> Json:
        """Return its part of the credit note's `credit`."""
        return without_nulls({"note": self.note, "credit_details_source": self.source})


class Invoices(Records):
    """The invoices of a platform.

    Attributes:
        writable_when_final: Fields that PATCH accepts on a FINAL invoice.
        credit_sign: Whether credit notes have "negative" or "positive" amounts; Solvimon does not say.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.writable_when_final = invoicing.WRITABLE_WHEN_FINAL
        self.credit_sign: Sign = "negative"

    def change_invoice(self, invoice: Json, body: Json, request_id: str | None = None) -> Json:
        """Apply a PATCH to an invoice and announce it, also when that makes it paid or FINAL.

        Raises:
            ApiProblem: The body is refused, or the invoice is FINAL and the field is not open any more.
        """
        with self.lock:
            changes = self.checked(INVOICES, body, new=False, own_id=invoice["id"])
            status = changes.pop("status", None)
            if invoice.get("status") == invoicing.FINAL:
                closed = sorted(changes.keys() - self.writable_when_final)
                if status not in (None, invoicing.FINAL):
                    closed.insert(0, "status")
                if closed:
                    raise impossible(invoice, "a FINAL invoice cannot be changed", closed[0])
            elif status not in (None, "OPEN", "DRAFT", invoicing.FINAL):
                raise invalid_field("status", "must be one of OPEN, DRAFT, FINAL")
            became_paid = invoicing.apply_payment_status(invoice, changes)
            apply(invoice, {n: v for n, v in changes.items() if n not in ("paid", "payment_status")})
            self._announce_settlement(invoice, request_id, became_paid=became_paid)
            if status == invoicing.FINAL and invoice.get("status") != invoicing.FINAL:
                self.finalise(invoice["id"], request_id)
            elif status is not None:
                invoice["status"] = status
            return invoice

    def finalise(self, invoice_id: str, request_id: str | None = None) -> Json:
        """Set an invoice FINAL with the next number of its series and queue INVOICE.STATUS_TO_FINAL.

        Returns:
            A copy of the invoice.

        Raises:
            ApiProblem: There is no such invoice, or it is FINAL or archived already.
        """
        with self.lock:
            invoice = self.find(INVOICES, invoice_id, by_reference=False)
            used = [i.get("invoice_number") or "" for i in self.records[INVOICES.collection].values()]
            invoicing.to_final(invoice, self._clock(), used)
            self.made_at[invoice["id"]] = self._clock()
            invoice.setdefault("payment_status", "UNPAID")
            invoice["other_custom_fields"] = self._copied_values(invoice)
            self.announce_invoice(invoice, "STATUS_TO_FINAL", request_id)
            return deepcopy(invoice)

    def invoice(self, invoice_id: str) -> Json:
        """Return a copy of an invoice.

        Raises:
            ApiProblem: 404 RESOURCE_NOT_FOUND.
        """
        with self.lock:
            return deepcopy(self.find(INVOICES, invoice_id, by_reference=False))

    def announce_invoice(self, invoice: Json, action: str, request_id: str | None = None) -> None:
        """Queue INVOICE.`action` with the invoice as lists show it."""
        shown = invoicing.summary(invoice, periods=False, lines=False)
        self.webhooks.emit(f"INVOICE.{action}", shown, request_id)

    def _announce_settlement(self, invoice: Json, request_id: str | None, *, became_paid: bool) -> None:
        invoice["updated_at"] = timestamps.to_text(self._clock())
        self.announce_invoice(invoice, "UPDATED", request_id)
        if became_paid:
            self.announce_invoice(invoice, "PAID", request_id)

    def credit_invoice(
        self, original: Json, amounts: LineAmounts, options: CreditOptions, sign: Sign
    ) -> Json:
        """Make a DRAFT credit note of an invoice and send its event.

        Args:
            original: The invoice.
            amounts: What to credit of each line.
            options: The rest of the request.
            sign: What the credit note's amounts look like.

        Raises:
            ApiProblem: The invoice cannot be credited.
        """
        with self.lock:
            crediting.check_creditable(original)
            periods = crediting.credited_periods(original, amounts)
            for line in (line for p in periods for group in p["groups"] for line in group["lines"]):
                line["id"] = self.new_id("inli")
            country = (original.get("tax_summary") or {}).get("country_code")
            info = {"id": original["id"], "invoice_number": original["invoice_number"]}
            credit = {"original_invoice_id": original["id"], "original_invoice_info": info}
            note = crediting.copied_header(original) | {
                "type": "CREDIT",
                "linked_invoices": [crediting.link_to(original)],
                "credit": credit | options.credit(),
                "on_hold": options.on_hold,
            }
            if options.delivery_date is not None:
                note["delivery_date"] = options.delivery_date
            parties = self._current_parties(note)
            if options.source == "ORIGINAL":
                parties |= {name: original[name] for name in parties.keys() & original.keys()}
            return self._add_invoice(note | deepcopy(parties), periods, country, sign, options.request_id)

    def create_one_off(self, body: Json, request_id: str | None = None, *, sign: Sign | None = None) -> Json:
        """Make a one-off invoice or credit note from a caller's body and announce it.

        The caller's amounts are what the customer pays or gets, so positive; a credit note shows them with
        the sign that `credit_sign` or the argument says.

        Raises:
            ApiProblem: The body is refused.
        """
        with self.lock:
            kind = one_offs.check_kind(body)
            values = without_nulls(self.checked(INVOICES, body, new=True, own_id=None))
            status = values.pop("status", "DRAFT")
            if status not in ("OPEN", "DRAFT", invoicing.FINAL):
                raise invalid_field("status", "must be one of OPEN, DRAFT, FINAL")
            header: Json = {
                "on_hold": False,
                "billing_type": "DEFAULT",
                "pricing_amount_type": "EXCLUDING_TAX",
            }
            header |= {"notes": [], "custom_fields": [], "timezone": "UTC"} | values
            header |= self._named_parties(values)
            header["linked_invoices"] = [
                crediting.link_to(self.find(INVOICES, id, by_reference=False))
                for id in header.pop("linked_invoices_ids", [])
            ]
            periods = one_offs.completed_periods(
                header.pop("periods", []), self._product, lambda: self.new_id("inli")
            )
            country = header["billing_entity"].get("registered_address", {}).get("country")
            shown: Sign = (sign or self.credit_sign) if kind == one_offs.ONE_OFF_CREDIT else "positive"
            made = self._add_invoice(header, periods, country, shown, request_id)
            return self.finalise(made["id"], request_id) if status == invoicing.FINAL else made

    def _add_invoice(
        self, header: Json, periods: list[Json], country: str | None, sign: Sign, request_id: str | None
    ) -> Json:
        """Add a DRAFT invoice and return a copy.

        It is dated now unless it says otherwise, and never before the invoices it refers to.
        """
        now = timestamps.to_text(self._clock())
        linked = [link["invoice_date"] for link in header["linked_invoices"]]
        date = max([now, *linked], key=timestamps.from_text)
        currency = periods[0]["groups"][0]["lines"][0]["amount_excluding_tax"]["currency"]
        amounts = header_totals(periods, currency, country) | {"periods": periods}
        if sign == "negative":
            amounts = cast(Json, money.negated(amounts))
        identity = {"object_type": INVOICES.object_type, "id": self.new_id(INVOICES.prefix)}
        state = {"platform_id": self.id, "status": "DRAFT", "paid": False, "payment_status": "UNPAID"}
        dates = {"created_at": now, "updated_at": now, "invoice_date": date, "due_date": date}
        empty: Json = {"custom_fields": [], "other_custom_fields": [], "closed_periods": []}
        invoice = {**identity, **state, **dates, **empty, **header, **amounts}
        self.records[INVOICES.collection][invoice["id"]] = invoice
        self.announce_invoice(invoice, "CREATED", request_id)
        return deepcopy(invoice)

    def _current_parties(self, invoice: Json) -> Json:
        """Return customer and billing entity as they are now, embedded as invoices carry them."""
        customer = self.find(CUSTOMERS, invoice["customer_id"], by_reference=False)
        entity = self.find(BILLING_ENTITIES, invoice["billing_entity_id"], by_reference=False)
        return {"customer": deepcopy(customer), "billing_entity": deepcopy(entity)}

    def _named_parties(self, values: Json) -> Json:
        """Return the parties a one-off body names; the first billing entity is the platform's default."""
        key = values.get("customer_id") or values.get("customer_reference")
        if key is None:
            raise missing_field("customer_id")
        customer = self.find(CUSTOMERS, key)
        default = next(iter(self.records[BILLING_ENTITIES.collection]), "")
        entity = self.find(BILLING_ENTITIES, values.get("billing_entity_id", default), by_reference=False)
        named = {"customer_id": customer["id"], "billing_entity_id": entity["id"]}
        zone = entity.get("timezone") or "UTC"
        return named | self._current_parties(named) | {"timezone": zone}

    def _product(self, product_id: str) -> Json:
        return self.find(PRODUCTS, product_id, by_reference=False)

    def _copied_values(self, invoice: Json) -> list[Json]:
        """Return the values that custom fields with `copy_value_to_invoice` bring along."""
        owners = [
            self.records[collection].get(invoice.get(name) or "")
            for collection, name in (("customers", "customer_id"), ("billing-entities", "billing_entity_id"))
        ]
        definitions = list(self.records["custom-fields"].values())
        return [value for owner in owners if owner for value in custom_values.copied(owner, definitions)]
