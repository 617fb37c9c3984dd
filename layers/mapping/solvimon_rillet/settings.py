"""The settings of one connection: one model, whose defaults make an empty ``{}`` valid."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from solvimon_rillet.errors import SettingsInvalid
from solvimon_rillet.formatting import validation_problems
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.rillet import webhooks as rillet_webhooks
from solvimon_rillet.solvimon import webhooks as solvimon_webhooks
from solvimon_rillet.solvimon.types import RILLET_INVOICE_ID_FIELD


class InvoiceScope(StrEnum):
    """The scopes of an invoice in Rillet (Rillet API v4, Create an invoice)."""

    FULL = "FULL"
    REVENUE_RECOGNITION_ONLY = "REVENUE_RECOGNITION_ONLY"
    AR_ONLY = "AR_ONLY"


def _web_address(value: str, info: ValidationInfo) -> str:
    hosts = info.context if isinstance(info.context, AllowedHosts) else AllowedHosts()
    return hosts.check(value)


def _is_link(value: str) -> bool:
    """Whether people can follow it as a link that takes no credential along."""
    parts = urlsplit(value)
    whole = all("!" <= sign <= "~" for sign in value) and parts.scheme == "https" and parts.hostname
    return bool(whole) and "@" not in parts.netloc


def _desk_link(value: str) -> str:
    if value != "auto" and not _is_link(value):
        raise ValueError("should be an https:// address without blanks and user, or auto")
    return value


def _document_link(value: str) -> str:
    if not _is_link(value) or "{id}" not in value:
        raise ValueError("should be an https:// address without blanks and user, with {id} for the id")
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        raise ValueError("should be an IANA time zone, such as Europe/Amsterdam") from None
    return value


WebAddress = Annotated[str, AfterValidator(_web_address)]
DeskLink = Annotated[str, AfterValidator(_desk_link)]
DocumentLink = Annotated[str, AfterValidator(_document_link)]
_DAY = 86_400
TaxType = Literal["VAT", "SALES_TAX", "none"]
_NO_TAX = frozenset({"NO_TAX", "EXEMPT"})


class _SettingsGroup(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Workflows(_SettingsGroup):
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


class SolvimonSettings(_SettingsGroup):
    """Solvimon's address, and the connection's use of it."""

    base_url: WebAddress = Field(
        default="https://api.solvimon.com/v1",
        description="API address with its version; test: `https://test.api.solvimon.com/v1`, "
        "or your dedicated host. https, on a host of the stack's parameter `VendorHosts`.",
    )
    desk_invoice_url: DeskLink | None = Field(
        default="auto",
        description="Link back to the invoice that Rillet shows; `{id}` is replaced. `auto`: Solvimon's Desk "
        "that belongs to `base_url`, with the path `/invoices/{id}`. `null`: no link.",
    )
    platform_id: str | None = Field(
        default=None, description="Sent as `x-platform-id` if the API key serves several platforms."
    )
    integration_id: str | None = Field(
        default=None,
        pattern=r"^\S{1,128}$",
        description="Id of the integration in Solvimon under which its Desk shows the links to Rillet "
        "(`rillet.invoice_url`, `rillet.credit_memo_url`). `null`: no links.",
    )
    webhook_max_age_seconds: int = Field(
        default=solvimon_webhooks.MAX_AGE_SECONDS,
        ge=0,
        le=7 * _DAY,
        description="How old a webhook's signature may be. Solvimon advises 300; if its later retries are "
        "rejected with `too old` in the log, raise this.",
    )

    def invoice_link(self, invoice_id: str) -> str | None:
        """The address of an invoice in Solvimon Desk, or ``None`` if links are off."""
        template = self.desk_invoice_url
        if template == "auto":
            desk = "test.desk" if urlsplit(self.base_url).hostname == "test.api.solvimon.com" else "desk"
            template = f"https://{desk}.solvimon.com/invoices/{{id}}"
        return template.replace("{id}", invoice_id) if template else None


class OAuthSettings(_SettingsGroup):
    """Rillet's authorization server (RFC 8414 metadata of api.rillet.com)."""

    authorization_endpoint: WebAddress | None = Field(
        default=None, description="`null`: `{base_url}/oauth2/authorize`."
    )
    token_endpoint: WebAddress | None = Field(default=None, description="`null`: `{base_url}/oauth2/token`.")
    revocation_endpoint: WebAddress | None = Field(
        default=None, description="`null`: `{base_url}/oauth2/revoke`."
    )
    scopes: list[str] = Field(default=["read", "write"], description="Scopes to request.")


class Pacing(_SettingsGroup):
    """Rillet's rate limit, which all functions share, and all connections of one organisation."""

    requests: int = Field(
        default=60,
        ge=1,
        le=1000,
        description="Requests in a window. Lower it if other programs use the same organisation; all "
        "connections of one organisation share its window, and should agree on these values.",
    )
    window_seconds: float = Field(default=60, gt=0, le=3600, description="Length of Rillet's sliding window.")
    margin_seconds: float = Field(
        default=1,
        ge=0,
        le=60,
        description="Added to the window: what the clocks of two functions and their latencies to Rillet "
        "together may differ by.",
    )


class RilletSettings(_SettingsGroup):
    """Rillet's address, and the connection's use of it."""

    base_url: WebAddress = Field(
        default="https://api.rillet.com",
        description="API address; test: `https://sandbox.api.rillet.com`. "
        "https, on a host of the stack's parameter `VendorHosts`.",
    )
    invoice_url: DocumentLink | None = Field(
        default=None,
        description="Link to an invoice in Rillet's app, which Solvimon's Desk shows; `{id}` is replaced. "
        "Rillet does not document it: open an invoice in Rillet and copy the address. `null`: no link.",
    )
    credit_memo_url: DocumentLink | None = Field(default=None, description="The same for credit memos.")
    webhook_token_form: rillet_webhooks.TokenForm = Field(
        default="auto",
        description="Whether a webhook's token is the signing key as text, or decoded from Base64 first. "
        "Rillet does not say; `auto` accepts both.",
    )
    webhook_max_age_seconds: int = Field(
        default=rillet_webhooks.MAX_AGE_SECONDS,
        ge=0,
        le=14 * _DAY,
        description="How old a webhook may be. Rillet names no limit and may retry for long with the same "
        "timestamp; a repeated event is harmless.",
    )
    oauth: OAuthSettings = Field(default=OAuthSettings(), description="Rillet's authorization server.")
    pacing: Pacing = Field(default=Pacing(), description="Rillet's rate limit.")

    def document_link(self, rillet_id: str, *, is_credit_memo: bool = False) -> str | None:
        """The address of an invoice or credit memo in Rillet's app, or ``None`` if it is not known."""
        template = self.credit_memo_url if is_credit_memo else self.invoice_url
        return template.replace("{id}", rillet_id) if template else None

    @property
    def issuer(self) -> str:
        """The authorization server's identifier (RFC 9207): the origin of its authorization endpoint."""
        parts = urlsplit(self.endpoint("authorization"))
        return f"{parts.scheme}://{parts.netloc}"

    def endpoint(self, name: Literal["authorization", "token", "revocation"]) -> str:
        """The address of an endpoint of the authorization server."""
        path = {"authorization": "authorize", "token": "token", "revocation": "revoke"}[name]
        endpoint: str | None = getattr(self.oauth, f"{name}_endpoint")
        return endpoint or f"{self.base_url}/oauth2/{path}"


class DigestSettings(_SettingsGroup):
    """The daily message about the status."""

    hour: int | None = Field(
        default=None,
        ge=0,
        le=23,
        description="From this hour on, the first sweep of a day sends the digest to the alarm topic: what "
        "was booked, what needs you, whether the last reconciliation tied out. `null`: none is sent.",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC", description="Time zone of the hour (IANA name), such as `Europe/Amsterdam`."
    )


class SweepSettings(_SettingsGroup):
    """The range in which the sweep looks for events that no webhook reported."""

    lookback_days: int = Field(
        default=7,
        ge=1,
        le=366,
        description="The sweep finds invoices that are dated at most this many days back. Raise it if "
        "invoices are finalised long after their date.",
    )
    customers_per_run: int = Field(
        default=1000,
        ge=0,
        le=100_000,
        description="Customers that one sweep compares with their last sync, in whole hundreds; the next "
        "sweep continues with the others. 0: none.",
    )
    quiet_minutes: int = Field(
        default=0,
        ge=0,
        le=1440,
        description="After a day with nothing new, the connection is swept only every so many minutes, until "
        "there is something new again. 0: by every schedule. A person's own sweep always runs.",
    )


class ReconcileSettings(_SettingsGroup):
    """Actions of a reconciliation besides its report."""

    redrive: bool = Field(
        default=True,
        description="Export documents that a reconciliation finds missing, and mark invoices that are paid "
        "in Rillet; live work goes first. Rejected documents still wait for a user.",
    )


MatchingMode = Literal["propose", "link", "create"]


class Matching(_SettingsGroup):
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


class FallbackProducts(_SettingsGroup):
    """Rillet product ids for groups without a product."""

    discount: str | None = Field(default=None, description="For discounts.")
    commitment: str | None = Field(default=None, description="For commitments.")
    one_off: str | None = Field(default=None, description="For one-off amounts.")
    default: str | None = Field(default=None, description="For everything else without a product.")


class ReferenceTypes(_SettingsGroup):
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


class CustomFields(_SettingsGroup):
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


class Settings(_SettingsGroup):
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
            raise SettingsInvalid(validation_problems(error, "settings", model=cls)) from None
