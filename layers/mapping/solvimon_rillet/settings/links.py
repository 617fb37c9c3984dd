"""The settings that say which records of both systems belong together, and how each names the other's."""

from typing import Literal

from pydantic import Field, model_validator

from solvimon_rillet.settings.values import SettingsGroup
from solvimon_rillet.solvimon.types import RILLET_INVOICE_ID_FIELD

MatchingMode = Literal["propose", "link", "create"]


class Matching(SettingsGroup):
    """What happens to a record without link that is like one of the other system."""

    customers: MatchingMode = Field(
        default="propose",
        description="A customer without link whose e-mail or legal name (without legal form, case and "
        "accents) the other system has too. `propose`: nothing is created until a user links the two or says "
        "that they are different (`link_records`); `link`: they are linked if there is only one; `create`: a "
        "second one is created.",
    )
    products: MatchingMode = Field(default="propose", description="The same for products, by name.")
    subsidiaries: MatchingMode = Field(
        default="propose", description="The same for subsidiaries and billing entities, by name."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, value: object) -> object:
        return dict.fromkeys(cls.model_fields, value) if isinstance(value, str) else value

    def mode(self, kind: str) -> MatchingMode:
        """The mode of a ``customer``, ``product`` or ``subsidiary``."""
        return {"customer": self.customers, "product": self.products}.get(kind, self.subsidiaries)


class FallbackProducts(SettingsGroup):
    """Rillet product ids for groups without a product."""

    discount: str | None = Field(default=None, description="For discounts.")
    commitment: str | None = Field(default=None, description="For commitments.")
    one_off: str | None = Field(default=None, description="For one-off amounts.")
    default: str | None = Field(default=None, description="For everything else without a product.")


class ReferenceTypes(SettingsGroup):
    """External reference types, as created in Rillet under Settings → External References."""

    invoice: str | list[str] = Field(
        default="solvimon_invoice_id",
        min_length=1,
        description="On invoices and credit memos: one type, or a list of several, such as "
        '`["solvimon_invoice_id", "CUSTOMER_CUSTOM"]` for an organisation with revenue recognition.',
    )
    customer: str = Field(default="solvimon_customer_id", description="On customers.")
    invoice_line: str | None = Field(
        default="solvimon_invoice_id",
        description="On lines, outside `FULL` scope. `null`: lines carry none.",
    )

    @property
    def invoice_types(self) -> list[str]:
        """The types of a document's own references, each once; the first one is ours."""
        return [self.invoice] if isinstance(self.invoice, str) else list(dict.fromkeys(self.invoice))


class CustomFields(SettingsGroup):
    """References of the Solvimon custom fields that hold the Rillet ids."""

    customer: str = Field(default="rillet_customer_id", description='"Rillet Customer ID".')
    product: str = Field(default="rillet_product_id", description='"Rillet Product ID".')
    subsidiary: str = Field(default="rillet_subsidiary_id", description='"Rillet Subsidiary ID".')
    invoice: str = Field(
        default=RILLET_INVOICE_ID_FIELD, description='"Rillet Invoice ID", also of credit notes.'
    )
    invoice_number: str = Field(
        default="rillet_invoice_number", description='"Rillet Invoice Number", also of credit notes.'
    )
