"""The settings of both vendors: addresses, links, webhooks, OAuth and the rate limit."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from solvimon_rillet.rillet import webhooks as rillet_webhooks
from solvimon_rillet.settings.values import DeskLink, DocumentLink, SettingsGroup, WebAddress
from solvimon_rillet.solvimon import webhooks as solvimon_webhooks

_DAY_SECONDS = 86_400


class SolvimonSettings(SettingsGroup):
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
        le=7 * _DAY_SECONDS,
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


class OAuthSettings(SettingsGroup):
    """Rillet's authorization server (RFC 8414 metadata of api.rillet.com)."""

    authorization_endpoint: WebAddress | None = Field(
        default=None, description="`null`: `{base_url}/oauth2/authorize`."
    )
    token_endpoint: WebAddress | None = Field(default=None, description="`null`: `{base_url}/oauth2/token`.")
    revocation_endpoint: WebAddress | None = Field(
        default=None, description="`null`: `{base_url}/oauth2/revoke`."
    )
    scopes: list[str] = Field(default=["read", "write"], description="Scopes to request.")


class Pacing(SettingsGroup):
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


class RilletSettings(SettingsGroup):
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
        le=14 * _DAY_SECONDS,
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
