"""The status of a connection: a checklist with a remedy for each part that fails."""

import contextlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from solvimon_rillet.connections.configuration import Configuration, uses_oauth
from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.errors import ConnectionBroken, SolvimonRilletError
from solvimon_rillet.http.client import RequestRejected
from solvimon_rillet.settings import InvoiceScope, Settings

logger = logging.getLogger(__name__)

_DOCUMENTS_WAIT = "; the documents wait."  # for a webhook's secret none does


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist."""

    name: str
    ok: bool
    found: str
    remedy: str = ""

    def as_answer(self) -> dict[str, Any]:
        """The check as JSON; with a remedy if it failed."""
        answer = {"check": self.name, "ok": self.ok, "found": self.found}
        return answer if self.ok else {**answer, "remedy": self.remedy}


class ConnectionStatus:
    """Checks every part of a connection, and changes none; it notes which organisation Rillet names.

    Args:
        configuration: settings and secrets.
        connections: tokens and clients of a connection.
    """

    def __init__(self, configuration: Configuration, connections: Connections) -> None:
        self._configuration = configuration
        self._connections = connections

    def describe(self, connection: str) -> dict[str, Any]:
        """The status of a connection.

        Raises:
            UnknownConnection: it has no settings parameter.
            RetryLater: its settings cannot be read or used, and there are no earlier ones.
        """
        settings = self._configuration.settings(connection)
        # A person may have corrected a secret a moment ago.
        self._configuration.forget_secret(connection, "solvimon")
        self._connections.tokens(connection, settings).reload()
        fault = self._configuration.settings_error(connection)
        organisation: dict[str, str] = {}
        checks = [
            Check(
                "settings",
                not fault,
                fault or f"valid; {_scope_text(settings)}",
                "Correct the value; until then the last valid settings apply.",
            ),
            self._solvimon_key(connection, settings),
            self._webhook_secret(connection, "solvimon", "webhook_secret", "Solvimon"),
            self._rillet(connection, settings, organisation),
            self._webhook_secret(connection, "rillet", "webhook_token", "Rillet"),
        ]
        url = self._configuration.api_url()
        return {
            "connection": connection,
            "ready": all(check.ok for check in checks),
            "organisation": organisation or None,
            **self._grant(connection, settings),
            "workflows": settings.workflows.model_dump(),
            "webhook_urls": {
                "solvimon": f"{url}/webhooks/solvimon/{connection}",
                "rillet": f"{url}/webhooks/rillet/{connection}",
            },
            "checklist": [check.as_answer() for check in checks],
        }

    def _solvimon_key(self, connection: str, settings: Settings) -> Check:
        name = "Solvimon API key"
        try:
            self._connections.solvimon(connection, settings).ping()
        except ConnectionBroken as error:
            remedy = "Put a valid API key into the connection's Solvimon secret, under api_key."
            return Check(name, False, str(error), remedy)
        except (SolvimonRilletError, RequestRejected) as error:
            return Check(name, False, str(error), _retry_remedy("solvimon"))
        return Check(name, True, f"{settings.solvimon.base_url} accepts it")

    def _webhook_secret(self, connection: str, secret: str, key: str, vendor: str) -> Check:
        name = f"{vendor} webhook"
        try:
            self._configuration.credential(connection, secret, key)
        except ConnectionBroken as error:
            remedy = (
                f"Create the webhook in {vendor} with the URL in webhook_urls, and put its secret into the "
                f"secret …/{connection}/{secret}, under {key}. Until then its webhooks are refused, and the "
                "sweep finds what they would have told; no document waits for it."
            )
            return Check(name, False, str(error).replace(_DOCUMENTS_WAIT, "."), remedy)
        except SolvimonRilletError as error:
            return Check(name, False, str(error), "Request the status again in a minute.")
        return Check(
            name, True, "its secret is stored; the log of receive_webhook shows whether deliveries arrive"
        )

    def _rillet(self, connection: str, settings: Settings, organisation: dict[str, str]) -> Check:
        name, connect = "Rillet", f'Invoke connect_rillet with {{"connection": "{connection}"}}.'
        try:
            found = self._connections.rillet(connection, settings).organization()
        except ConnectionBroken as error:
            return Check(name, False, str(error), f"{connect} Or put an API key into the Rillet secret.")
        except SolvimonRilletError as error:
            return Check(name, False, str(error), _retry_remedy("rillet"))
        self._note(connection, found.id)
        organisation |= {"id": found.id, "name": found.trade_name}
        return Check(name, True, f"connected to {found.trade_name}")

    def _note(self, connection: str, organisation: str) -> None:
        """Remember the organisation, whose rate limit all of its connections share."""
        with contextlib.suppress(SolvimonRilletError):  # the next status notes it
            self._connections.note_organisation(connection, organisation)

    def _grant(self, connection: str, settings: Settings) -> dict[str, Any]:
        """The authentication at Rillet, without any token."""
        try:
            tokens = self._connections.tokens(connection, settings)
            current = tokens.current()
            grant = current.fields
            if not uses_oauth(grant):
                return {"auth": "api_key"}
            broken = tokens.is_broken(current)
        except SolvimonRilletError:
            return {"auth": None}
        ends = grant.get("expires_at", "")
        seconds = int(ends) if ends.isascii() and ends.isdigit() and len(ends) <= 11 else None
        expiry = None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
        answer = {"auth": "oauth", "scopes": grant.get("scope", "").split(), "token_expires_at": expiry}
        if not broken:
            return answer
        return {**answer, "action_needed": "reconnect" if grant.get("access_token") else "connect"}


def _scope_text(settings: Settings) -> str:
    """The scope of invoices, and what it means for sending them."""
    scope = f"invoices are booked in the scope {settings.invoice_scope}"
    if settings.invoice_scope is not InvoiceScope.FULL:
        return f"{scope}, in which Rillet sends none"
    if settings.mark_as_sent:
        return f"{scope} and marked as sent there; switch off Rillet's own sending, charging and reminding"
    return f"{scope} and stay unbilled there until a person marks them as sent; Rillet may mail them"


def _retry_remedy(vendor: str) -> str:
    return (
        f"Request the status again in a minute; if it fails again, check {vendor}.base_url in the settings."
    )
