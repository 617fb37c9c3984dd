"""All settings of one connection: one model, whose defaults make an empty ``{}`` valid."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, ValidationError

from solvimon_rillet.errors import SettingsInvalid
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.settings.links import CustomFields, FallbackProducts, Matching, ReferenceTypes
from solvimon_rillet.settings.scheduled_runs import DigestSettings, ReconcileSettings, SweepSettings
from solvimon_rillet.settings.values import SettingsGroup
from solvimon_rillet.settings.vendors import RilletSettings, SolvimonSettings

TaxType = Literal["VAT", "SALES_TAX", "none"]
_NO_TAX = frozenset({"NO_TAX", "EXEMPT"})


class InvoiceScope(StrEnum):
    """The scopes of an invoice in Rillet (Rillet API v4, Create an invoice)."""

    FULL = "FULL"
    REVENUE_RECOGNITION_ONLY = "REVENUE_RECOGNITION_ONLY"
    AR_ONLY = "AR_ONLY"


class Workflows(SettingsGroup):
    """The switches of the workflows."""

    export_invoice: bool = Field(default=True, description="Export finalised invoices to Rillet.")
    mark_invoice_paid: bool = Field(
        default=True, description="Mark invoices as paid in Solvimon when they are paid in Rillet."
    )
    sync_customer: bool = Field(default=True, description="Synchronise edits of customers to Rillet.")
    export_credit_memo: bool = Field(default=True, description="Export finalised credit notes to Rillet.")
    import_customers: bool = Field(default=True, description="Import customers from Rillet, on request.")
    import_products: bool = Field(default=True, description="Import products from Rillet, on request.")
    import_subsidiaries: bool = Field(
        default=True, description="Import subsidiaries from Rillet as billing entities, on request."
    )


class Settings(SettingsGroup):
    """All settings of one connection. Unknown names are rejected, so that a typing error is noticed."""

    workflows: Workflows = Field(default=Workflows(), description="The switches of the workflows.")
    solvimon: SolvimonSettings = Field(
        default=SolvimonSettings(), description="Solvimon's address and the use of it."
    )
    rillet: RilletSettings = Field(
        default=RilletSettings(), description="Rillet's address and the use of it."
    )
    invoice_scope: InvoiceScope = Field(
        default=InvoiceScope.FULL,
        description="The scope of invoices in Rillet. `FULL`: the guide's own field table; "
        "`REVENUE_RECOGNITION_ONLY`: Rillet keeps Solvimon's number by contract, without memo, PO number "
        "and tax rate; `AR_ONLY`: receivables only.",
    )
    send_invoice_number_in_full_scope: bool = Field(
        default=True,
        description="Send Solvimon's number in `FULL` scope too. Rillet documents that it numbers such "
        "invoices itself; the number in its answer is recorded in any case.",
    )
    mark_as_sent: bool = Field(
        default=True,
        description="In `FULL` scope, mark each exported invoice as sent in Rillet. Until then Rillet holds "
        "it as unbilled, and may mail it although Solvimon has sent it. One more Rillet call for each "
        "invoice; without effect in the other scopes.",
    )
    write_back: bool = Field(
        default=True,
        description="After an export, show Rillet's id and number on the invoice or credit note in Solvimon: "
        "in the custom fields `custom_fields.invoice` and `custom_fields.invoice_number`, and as a link if "
        "`solvimon.integration_id` is set. One more Solvimon call for each document, none to Rillet.",
    )
    outcome_events: bool = Field(
        default=False,
        description="Publish outcomes on the stack's event bus, for rules of your own "
        "(source `solvimon-rillet`; docs/extending.md).",
    )
    start_date: date | None = Field(
        default=None, description="Invoices dated before this day are skipped. `null`: none are."
    )
    closed_periods: Literal["hold", "next_open_day"] = Field(
        default="hold",
        description="An invoice dated in a period that Rillet has closed: `hold` rejects it with the remedy; "
        "`next_open_day` books it on the first open day and keeps the true date in the memo (outside `FULL` "
        "scope, in the first line's description).",
    )
    negative_invoices: Literal["refuse", "send"] = Field(
        default="refuse",
        description="An invoice that is no credit note and has a negative total: `refuse` rejects it with "
        "the remedy; `send` books it as Solvimon has it. Rillet does not document whether it takes one.",
    )
    credit_of_another_entity: Literal["refuse", "book_unapplied"] = Field(
        default="refuse",
        description="A credit note of another billing entity than the invoice that it credits: `refuse` "
        "rejects it with the remedy; `book_unapplied` books its memo in its own subsidiary and applies it to "
        "nothing of the other one.",
    )
    credits_in_rillet: Literal["report", "mark"] = Field(
        default="report",
        description="A credit that only Rillet has (a write-off, goodwill): `report` names it in the "
        "reconciliation, and the invoice stays open in Solvimon; `mark` counts it like a payment, so that "
        "Solvimon stops reminding.",
    )
    entered_again: Literal["confirm", "adopt"] = Field(
        default="confirm",
        description="A document that was deleted in Rillet and entered again with our reference: `confirm` "
        "waits for `sync_status` (`resolve`); `adopt` lets a reconciliation take it over if its total is the "
        "same.",
    )
    ledger_restored_to: datetime | None = Field(
        default=None,
        description="The moment to which the ledger's table was restored. While it is set, exports wait "
        "until a reconciliation with `adopt` has taken over what Rillet has. `null`: it was never restored.",
    )
    create_missing_customers: bool = Field(
        default=True, description="Create a customer in Rillet if an invoice needs one that is not linked."
    )
    matching: Matching = Field(
        default=Matching(),
        description="Records that exist in both systems without a link. One word stands for all kinds.",
    )
    payments: Literal["state", "record_each"] = Field(
        default="state",
        description="`state`: write `paid` and `payment_status` of an invoice. `record_each`: also record "
        "each successful Rillet payment in Solvimon, once, and reverse it there if it is undone in Rillet.",
    )
    reconcile: ReconcileSettings = Field(
        default=ReconcileSettings(), description="Actions of a reconciliation besides its report."
    )
    digest: DigestSettings = Field(default=DigestSettings(), description="The daily message.")
    sweep: SweepSettings = Field(default=SweepSettings(), description="The range of the sweep.")
    fallback_products: FallbackProducts = Field(
        default=FallbackProducts(), description="Rillet products for groups without a product."
    )
    subsidiaries: dict[str, str] = Field(
        default={},
        description="Billing entities that are linked manually: `{rillet subsidiary id: solvimon id}`. An "
        "import links them and changes nothing else.",
    )
    product_category: str = Field(
        default="rillet_products",
        pattern=r"^\S{1,256}$",
        description="Reference of the Solvimon category for imported products; created as "
        '"Rillet Products" if it is missing.',
    )
    tax_types: dict[str, TaxType] = Field(
        default={},
        description="`tax_rate.type` by `COUNTRY:CATEGORY`, `CATEGORY` or `COUNTRY` (first match). "
        "Otherwise `SALES_TAX` for US and CA, `VAT` elsewhere. `none` for a `CATEGORY` sends no rate where "
        "its tax is zero; so it is for `NO_TAX` and `EXEMPT` unless they are set.",
    )
    tax_country: str | None = Field(
        default=None,
        pattern="^[A-Z]{2}$",
        description="Country of a tax if neither the invoice nor the billing entity names it (ISO 3166).",
    )
    tax_amount_on: Literal["items", "header", "both"] = Field(
        default="items", description="Place of the tax amount outside `FULL` scope."
    )
    reference_types: ReferenceTypes = Field(
        default=ReferenceTypes(), description="Rillet's external reference types."
    )
    custom_fields: CustomFields = Field(
        default=CustomFields(), description="Solvimon's custom fields with the Rillet ids."
    )
    address_state: str | None = Field(
        default=None,
        description="State for addresses without one; Rillet requires it. `null`: such an address is left "
        "out, with a warning.",
    )
    address_zip_code: str | None = Field(
        default=None,
        description="Zip code for addresses without one (some countries have none); Rillet requires it. "
        "`null`: such an address is left out, with a warning.",
    )
    name_on_invoice: Literal["follow", "keep"] = Field(
        default="follow",
        description="Rillet's `name_on_invoice` when a customer is synchronised. `follow`: the legal name, "
        "as the guide says; `keep`: one that was set by hand in Rillet (it differs from the name) stays.",
    )
    time_zones: dict[str, str] = Field(
        default={},
        description='IANA names for other time zone names, such as `{"PST": "America/Los_Angeles"}`.',
    )

    @property
    def categories_without_tax(self) -> frozenset[str]:
        """Solvimon's tax categories that are no tax, so that they need neither a rate nor a country."""
        configured = {key.rpartition(":")[2] for key in self.tax_types}
        return (_NO_TAX - configured) | {key for key, kind in self.tax_types.items() if kind == "none"}

    @classmethod
    def parse(cls, text: str, hosts: AllowedHosts | None = None) -> Self:
        """Read settings from JSON.

        Args:
            text: the JSON; an empty one is ``{}``.
            hosts: where credentials may be sent; ``None`` for the vendors' own.

        Raises:
            SettingsInvalid: names each wrong value with its path, the problem and the allowed values.
        """
        try:
            return cls.model_validate_json(text or "{}", context=hosts)
        except ValidationError as error:
            problems = problems_in_words(error, cls, whole="settings", noun="setting")
            raise SettingsInvalid(problems) from None
