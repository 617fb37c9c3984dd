"""Models of Solvimon's objects (Solvimon API v1, Transaction and Configuration).

Fields that Solvimon does not guarantee are optional, unknown fields are ignored and unknown enum values
are kept as text, so that a new field or state never blocks a document.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf

from solvimon_rillet.solvimon.types import CREDIT_TYPES

T = TypeVar("T")


def _parse_moment(value: object) -> object:
    """Parse an ISO 8601 text: a date stays a date; a time without a time zone is UTC."""
    if not isinstance(value, str):
        return value
    if len(value) == len("2026-01-31"):
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value)
    if not date.min.year < moment.year < date.max.year:
        raise ValueError("should be a moment whose day every time zone knows")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _drop_nulls(value: object) -> object:
    """An empty list for ``null``; a list without its nulls."""
    if isinstance(value, list):
        return [item for item in value if item is not None]
    return [] if value is None else value


# datetime is a date in Python: InstanceOf keeps which of the two it is.
Moment = Annotated[InstanceOf[date], BeforeValidator(_parse_moment)]
Several = Annotated[list[T], BeforeValidator(_drop_nulls)]
# Bounds within which Python's decimals neither lose a cent nor produce very long texts.
Number = Annotated[Decimal, Field(gt=-(10**18), lt=10**18, max_digits=100)]
Percentage = Annotated[Decimal, Field(ge=-1000, le=1000, max_digits=100)]


class Model(BaseModel):
    """Base of all wire models: tolerant on input."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Amount(Model):
    """Money in major units (``"6745.75"``), perhaps with more decimals than its currency has."""

    quantity: Number
    currency: str


class CustomFieldValue(Model):
    """A custom field's value on an object; identified by id or reference."""

    id: str | None = None
    reference: str | None = None
    value: str | None = None
    values: Several[str] = Field(default_factory=list)


class OtherCustomFieldResource(Model):
    """The object that a copied custom field value belongs to."""

    type: str | None = None
    id: str | None = None


class OtherCustomFieldValue(CustomFieldValue):
    """A value that Solvimon copied onto an invoice from another object."""

    resource: OtherCustomFieldResource | None = None


class Address(Model):
    """A postal address; every part may be missing."""

    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    postal_code: str | None = None
    state: str | None = None
    country: str | None = None


class Organization(Model):
    """The details of an ORGANIZATION customer."""

    legal_name: str | None = None
    registered_address: Address | None = None


class PersonName(Model):
    """An INDIVIDUAL customer's name."""

    first_name: str | None = None
    infix: str | None = None
    last_name: str | None = None


class Individual(Model):
    """The details of an INDIVIDUAL customer."""

    name: PersonName | None = None
    residential_address: Address | None = None


class Customer(Model):
    """A customer (``cust_…``)."""

    id: str | None = None
    reference: str | None = None
    type: str | None = None
    status: str | None = None
    email: str | None = None
    timezone: str | None = None
    organization: Organization | None = None
    individual: Individual | None = None
    custom_fields: Several[CustomFieldValue] = Field(default_factory=list)

    @property
    def name(self) -> str | None:
        """The legal name, or the person's full name."""
        if self.organization and self.organization.legal_name:
            return self.organization.legal_name
        if self.individual and self.individual.name:
            person = self.individual.name
            return " ".join(filter(None, (person.first_name, person.infix, person.last_name))) or None
        return None

    @property
    def address(self) -> Address | None:
        """The registered address, or the person's residential one."""
        if self.organization and self.organization.registered_address:
            return self.organization.registered_address
        return self.individual.residential_address if self.individual else None


class BillingEntity(Model):
    """The company that bills (``bile_…``)."""

    id: str | None = None
    reference: str | None = None
    legal_name: str | None = None
    timezone: str | None = None
    registered_address: Address | None = None
    custom_fields: Several[CustomFieldValue] = Field(default_factory=list)


class ProductCategory(Model):
    """A product category (``proc_…``)."""

    id: str | None = None
    name: str | None = None


class Product(Model):
    """A product (``prod_…``); the copy inside an invoice may lack its custom fields."""

    id: str | None = None
    reference: str | None = None
    name: str | None = None
    custom_fields: Several[CustomFieldValue] = Field(default_factory=list)


class ProductItem(Model):
    """A product item (``proi_…``)."""

    id: str | None = None
    product_id: str | None = None
    name: str | None = None


class TaxPart(Model):
    """One rate of a tax category that stacks several."""

    name: str | None = None
    percentage: Percentage | None = None
    tax_amount: Amount | None = None


class LocalAmounts(Model):
    """Tax amounts in the currency in which the tax is due."""

    base_amount: Amount | None = None
    tax_amount: Amount | None = None
    total_amount: Amount | None = None


class TaxCategory(Model):
    """Tax of one category; ``percentage`` is whole percent ("21")."""

    base_amount: Amount | None = None
    tax_amount: Amount | None = None
    total_amount: Amount | None = None
    percentage: Percentage | None = None
    name: str | None = None
    category: str | None = None
    rates: Several[TaxPart] = Field(default_factory=list)


class TaxSummary(Model):
    """The invoice's totals: net (base), tax and gross."""

    base_amount: Amount | None = None
    tax_amount: Amount | None = None
    total_amount: Amount | None = None
    local_amounts: LocalAmounts | None = None
    country_code: str | None = None


class MeterValue(Model):
    """Usage on a line: a number, a count, or an amount of money."""

    reference: str | None = None
    type: str | None = None
    number: Number | None = None
    count: Number | None = None
    amount: Amount | None = None


class LineDetails(Model):
    """The calculation of a line's amount."""

    amount: Amount | None = None
    meter_value: MeterValue | None = None


class Line(Model):
    """A line inside a group."""

    id: str | None = None
    type: str | None = None
    description: str | None = None
    product_items: Several[ProductItem] = Field(default_factory=list)
    tax_categories: Several[TaxCategory] = Field(default_factory=list)
    amount_excluding_tax: Amount | None = None
    amount_including_tax: Amount | None = None
    meter_value: MeterValue | None = None
    details: LineDetails | None = None


class Group(Model):
    """A group of lines, which becomes an item in Rillet.

    ``total``, ``start_date``, ``end_date`` and nested ``groups`` are the layout of 2024, in which groups
    stood at the top of the invoice.
    """

    amount_excluding_tax: Amount | None = None
    amount_including_tax: Amount | None = None
    start_at: Moment | None = None
    end_at: Moment | None = None
    type: str | None = None
    description: str | None = None
    product_category: ProductCategory | None = None
    products: Several[Product] = Field(default_factory=list)
    tax_categories: Several[TaxCategory] = Field(default_factory=list)
    lines: Several[Line] = Field(default_factory=list)
    total: Amount | None = None
    start_date: Moment | None = None
    end_date: Moment | None = None
    groups: Several["Group"] = Field(default_factory=list)


class Period(Model):
    """A billing period with its groups."""

    amount_excluding_tax: Amount | None = None
    groups: Several[Group] = Field(default_factory=list)


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
    def payer_id(self) -> str | None:
        """The id of the paying customer; with an embedded customer, ``customer_id`` may be absent."""
        return self.customer_id or (self.customer.id if self.customer else None)

    @property
    def biller_id(self) -> str | None:
        """The id of the billing entity, embedded or not."""
        return self.billing_entity_id or (self.billing_entity.id if self.billing_entity else None)

    def billed_groups(self) -> Iterator[tuple[str, Group]]:
        """Every group that carries money, with its path in the document.

        Current layout: ``periods[].groups[]``. Layout of 2024: top-level groups that nest others; there
        only the innermost carry the money. Solvimon says to sum one or the other, never both.
        """
        if self.periods:
            for index, period in enumerate(self.periods):
                yield from _innermost(f"periods[{index}].groups", period.groups)
        else:
            yield from _innermost("groups", self.groups)

    def copied_field(self, resource_type: str, reference: str) -> str | None:
        """A custom field value that Solvimon copied onto the invoice from another object."""
        for field in self.other_custom_fields:
            if field.reference == reference and field.resource and field.resource.type == resource_type:
                return field.value
        return None


def field_value(fields: Sequence[CustomFieldValue], reference: str) -> str | None:
    """The value of the custom field with this reference, or ``None``."""
    for field in fields:
        if field.reference == reference:
            return field.value or next(iter(field.values), None)
    return None


def _innermost(path: str, groups: Sequence[Group]) -> Iterator[tuple[str, Group]]:
    for index, group in enumerate(groups):
        group_path = f"{path}[{index}]"
        if group.groups:
            yield from _innermost(f"{group_path}.groups", group.groups)
        else:
            yield group_path, group
