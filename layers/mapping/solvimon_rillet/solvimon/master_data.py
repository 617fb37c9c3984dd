"""Models of Solvimon's master data: customers, billing entities and products (Solvimon API v1)."""

from collections.abc import Sequence

from pydantic import Field

from solvimon_rillet.solvimon.fields import Model, Several


class CustomFieldValue(Model):
    """A custom field's value on an object; identified by id or reference."""

    id: str | None = None
    reference: str | None = None
    value: str | None = None
    values: Several[str] = Field(default_factory=list)


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


def field_value(fields: Sequence[CustomFieldValue], reference: str) -> str | None:
    """The value of the custom field with this reference, without blanks around it, or ``None``."""
    for field in fields:
        if field.reference == reference:
            return (field.value or next(iter(field.values), "")).strip() or None
    return None
