"""Models of Solvimon's invoices and credit notes (Solvimon API v1, Transaction).

Fields that Solvimon does not guarantee are optional, unknown fields are ignored and unknown enum values
are kept as text, so that a new field or state never blocks a document.
"""

from collections.abc import Iterator
from decimal import Decimal

from pydantic import Field

from solvimon_rillet.solvimon.fields import Model, Moment, Number, Objects, Several
from solvimon_rillet.solvimon.invoice_groups import (
    Amount,
    Group,
    Period,
    TaxCategory,
    TaxSummary,
    innermost_groups,
)
from solvimon_rillet.solvimon.master_data import (
    BillingEntity,
    Customer,
    CustomFieldValue,
)
from solvimon_rillet.solvimon.types import CREDIT_TYPES


class OtherCustomFieldResource(Model):
    """The object that a copied custom field value belongs to."""

    type: str | None = None
    id: str | None = None


class OtherCustomFieldValue(CustomFieldValue):
    """A value that Solvimon copied onto an invoice from another object."""

    resource: OtherCustomFieldResource | None = None


class UsedExchangeRate(Model):
    """``rate`` units of ``currency`` for one unit of ``base_currency`` (the mapping checks the direction)."""

    currency: str | None = None
    base_currency: str | None = None
    rate: Number | None = None
    rate_timestamp: Moment | None = None


class CreditDetail(Model):
    """The invoice that a CREDIT note credits."""

    original_invoice_id: str | None = None
    note: str | None = None


class LinkedInvoice(Model):
    """An invoice that a ONE_OFF_CREDIT note is linked to; it may be one of several, or there are none."""

    id: str
    amount: Amount | None = None


class Invoice(Model):
    """An invoice or credit note (``invo_…``)."""

    id: str
    object_type: str | None = None
    platform_id: str | None = None
    invoice_number: str | None = None
    purchase_order_number: str | None = None
    status: str | None = None
    type: str | None = None
    billing_type: str | None = None
    invoice_date: Moment | None = None
    due_date: Moment | None = None
    timezone: str | None = None
    billing_currency: str | None = None
    invoice_amount_including_tax: Amount | None = None
    paid_invoice_amount: Amount | None = None
    payment_status: str | None = None
    tax_summary: TaxSummary | None = None
    tax_categories: Several[TaxCategory] = Field(default_factory=list)
    periods: Several[Period] = Field(default_factory=list)
    closed_periods: Several[Period] = Field(default_factory=list)
    groups: Several[Group] = Field(default_factory=list)
    notes: Several[str] = Field(default_factory=list)
    customer_id: str | None = None
    customer: Customer | None = None
    billing_entity_id: str | None = None
    billing_entity: BillingEntity | None = None
    used_exchange_rates: Several[UsedExchangeRate] = Field(default_factory=list)
    other_custom_fields: Several[OtherCustomFieldValue] = Field(default_factory=list)
    credit: CreditDetail | None = None
    linked_invoices: Several[LinkedInvoice] = Field(default_factory=list)
    linked_invoices_ids: Several[str] = Field(default_factory=list)
    custom_fields: Objects = Field(default_factory=list)
    linked_integrations: Objects = Field(default_factory=list)

    def credited_invoices(self) -> list[LinkedInvoice]:
        """The invoices that a credit note credits, in order, each once."""
        if self.credit and self.credit.original_invoice_id:
            return [LinkedInvoice(id=self.credit.original_invoice_id)]
        if self.linked_invoices:
            return list({linked.id: linked for linked in self.linked_invoices}.values())
        return [LinkedInvoice(id=identifier) for identifier in dict.fromkeys(self.linked_invoices_ids)]

    @property
    def is_credit_note(self) -> bool:
        """Whether this is a credit note, which becomes a credit memo in Rillet."""
        return self.type in CREDIT_TYPES

    @property
    def currency(self) -> str | None:
        """The document's currency (ISO 4217)."""
        total = self.invoice_amount_including_tax
        return self.billing_currency or (total.currency if total else None)

    @property
    def bills_nothing(self) -> bool:
        """Whether all of its amounts are zero: the total, the tax, and every group, line and period."""
        summary = self.tax_summary
        stated = [summary.base_amount, summary.tax_amount, summary.total_amount] if summary else []
        stated.append(self.invoice_amount_including_tax)
        if any(amount and amount.quantity for amount in stated):
            return False
        periods = [*self.periods, *self.closed_periods]
        groups = [*self._groups_of_open_periods(), *self.closed_groups()]
        if any(period.amount_excluding_tax and period.amount_excluding_tax.quantity for period in periods):
            return False
        return (any(stated) or bool(groups)) and not any(group.bills_something for _, group in groups)

    @property
    def payer_id(self) -> str | None:
        """The id of the paying customer; with an embedded customer, ``customer_id`` may be absent."""
        return self.customer_id or (self.customer.id if self.customer else None)

    @property
    def biller_id(self) -> str | None:
        """The id of the billing entity, embedded or not."""
        return self.billing_entity_id or (self.billing_entity.id if self.billing_entity else None)

    def billed_groups(self) -> Iterator[tuple[str, Group]]:
        """Every group that carries money, with its path in the document.

        Current layout: ``periods[].groups[]``, and ``closed_periods`` where the total counts them. Layout of
        2024: top-level groups that nest others; there only the innermost carry the money. Solvimon says to
        sum one or the other, never both.
        """
        yield from self._groups_of_open_periods()
        if self.counts_closed_periods:
            yield from self.closed_groups()

    def _groups_of_open_periods(self) -> Iterator[tuple[str, Group]]:
        if self.periods:
            for index, period in enumerate(self.periods):
                yield from innermost_groups(f"periods[{index}].groups", period.groups)
        else:
            yield from innermost_groups("groups", self.groups)

    def closed_groups(self) -> Iterator[tuple[str, Group]]:
        """The groups of ``closed_periods``, with their paths."""
        for index, period in enumerate(self.closed_periods):
            yield from innermost_groups(f"closed_periods[{index}].groups", period.groups)

    @property
    def counts_closed_periods(self) -> bool:
        """Whether the document's net is nearer to the sum of all periods than to that of ``periods`` alone.

        Solvimon does not document what ``closed_periods`` are (dossier, trap 21); the figures say it.
        """
        base = self.tax_summary.base_amount if self.tax_summary else None
        closed = sum((group.net for _, group in self.closed_groups()), Decimal())
        if base is None or not closed:
            return False
        rest = base.quantity - sum((group.net for _, group in self._groups_of_open_periods()), Decimal())
        return abs(rest - closed) < abs(rest)

    def copied_field(self, resource_type: str, reference: str) -> str | None:
        """A custom field value that Solvimon copied onto the invoice from another object."""
        for field in self.other_custom_fields:
            if field.reference == reference and field.resource and field.resource.type == resource_type:
                return (field.value or "").strip() or None
        return None
