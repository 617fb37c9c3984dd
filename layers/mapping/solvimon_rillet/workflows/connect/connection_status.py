"""The status of a connection: a checklist with a remedy for each part that fails."""

import contextlib
import logging
from datetime import UTC, datetime
from typing import Any

from solvimon_rillet.aws.s3_sns import Topic
from solvimon_rillet.connections.configuration import Configuration, uses_oauth
from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.connections.grant_history import GrantEntry, GrantHistory
from solvimon_rillet.connections.webhook_arrivals import VENDORS_WITH_WEBHOOKS, WebhookArrivals
from solvimon_rillet.errors import ConnectionBroken, RetryLater, SolvimonRilletError
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.settings import InvoiceScope, Settings
from solvimon_rillet.workflows.connect.checklist import Check
from solvimon_rillet.workflows.connect.readiness import Readiness, alarm_address
from solvimon_rillet.workflows.connect.shared_pair import only_connection

logger = logging.getLogger(__name__)
WEBHOOKS = "webhooks"
"""The secret with the webhooks' secrets of both vendors; ``receive_webhook`` can read no other one."""
_DOCUMENTS_WAIT = "; the documents wait."  # for a webhook's secret none does


class ConnectionStatus:
    """Checks every part of a connection, and changes none; it notes which organisation Rillet names.

    Args:
        configuration: settings and secrets.
        connections: tokens and clients of a connection.
        history: who connected it.
        arrivals: when the last webhooks arrived.
        topic: of the alarms.
    """

    def __init__(
        self,
        configuration: Configuration,
        connections: Connections,
        history: GrantHistory,
        arrivals: WebhookArrivals,
        topic: Topic,
    ) -> None:
        self._configuration = configuration
        self._connections = connections
        self._history = history
        self._arrivals = arrivals
        self._topic = topic

    def describe(self, connection: str) -> dict[str, Any]:
        """The status of a connection.

        Raises:
            UnknownConnection: it has no settings parameter.
            RetryLater: its settings cannot be read or used, and there are no earlier ones.
        """
        settings = self._configuration.settings(connection)
        # A person may have corrected a secret a moment ago.
        self._configuration.forget_secret(connection, "solvimon")
        self._configuration.forget_secret(connection, WEBHOOKS)
        self._connections.tokens(connection, settings).reload()
        fault = self._configuration.settings_error(connection)
        organisation: dict[str, str] = {}
        rillet = self._rillet(connection, settings, organisation)  # before the grant, which it may refuse
        grant, connected = self._grant(connection, settings), self._connected(connection)
        readiness = Readiness(connection, settings, self._configuration, self._connections)
        parameter = f"/{self._configuration.stack}/{connection}/settings"
        checks = [
            Check(
                "settings",
                not fault,
                fault or f"valid; {_scope_text(settings)}",
                "Correct the value: configure shows and changes it; by hand it is the SSM parameter "
                f"{parameter}. Until then the last valid settings apply.",
            ),
            readiness.reference_types(),
            self._solvimon_key(connection, settings),
            self._webhook(connection, "webhook_secret", "Solvimon"),
            rillet,
            self._webhook(connection, "webhook_token", "Rillet"),
            readiness.may_write(grant, int(connected["at"]) if connected else 0),
            readiness.fallback_products(),
            readiness.start_date(),
            readiness.records_linked(),
            only_connection(
                connection, settings, organisation.get("id", ""), self._configuration, self._connections
            ),
            alarm_address(self._topic),
        ]
        in_force = connected if grant["auth"] == "oauth" and "action_needed" not in grant else None
        return {
            "connection": connection,
            "ready": all(check.ok for check in checks if check.blocking),
            "organisation": organisation or None,
            **grant,
            "connected_since": format_timestamp(in_force["at"]) if in_force else None,
            "connected_by": in_force["by"] if in_force else None,
            "workflows": settings.workflows.model_dump(),
            "webhook_urls": {vendor: self._url(connection, vendor) for vendor in VENDORS_WITH_WEBHOOKS},
            "checklist": [check.as_answer() for check in checks],
        }

    def _url(self, connection: str, vendor: str) -> str:
        return f"{self._configuration.api_url()}/webhooks/{vendor}/{connection}"

    def _connected(self, connection: str) -> GrantEntry | None:
        """The person who authorised the connection, and the time; ``None`` if that is not known."""
        with contextlib.suppress(RetryLater):
            return self._history.connected(connection)
        return None

    def _solvimon_key(self, connection: str, settings: Settings) -> Check:
        name = "Solvimon API key"
        try:
            self._connections.solvimon(connection, settings).ping()
        except ConnectionBroken as error:
            secret = self._configuration.secret_name(connection, "solvimon")
            remedy = f"Put a valid API key into the secret {secret}, under api_key."
            return Check(name, False, str(error), remedy)
        except (SolvimonRilletError, RequestRejected) as error:
            return Check(name, False, str(error), _retry_remedy("solvimon"))
        return Check(name, True, f"{settings.solvimon.base_url} accepts it")

    def _webhook(self, connection: str, key: str, vendor: str) -> Check:
        name, secret = f"{vendor} webhook", self._configuration.secret_name(connection, WEBHOOKS)
        try:
            self._configuration.credential(connection, WEBHOOKS, key)
        except ConnectionBroken as error:
            remedy = (
                f"Create the webhook in {vendor} with the URL in webhook_urls, and put its secret into the "
                f"secret {secret}, under {key}. Until then its webhooks are refused, and the sweep finds "
                "what they would have reported; no document waits for it."
            )
            if self._has_old_place(connection, key, vendor):
                old = self._configuration.secret_name(connection, vendor.lower())
                remedy = (
                    f"It is still in the secret {old}, which the function behind the webhooks may not read. "
                    f"Move {key} from there into {secret}."
                )
            return Check(name, False, str(error).replace(_DOCUMENTS_WAIT, "."), remedy)
        except SolvimonRilletError as error:
            return Check(name, False, str(error), "Request the status again in a minute.")
        return Check(name, True, f"its secret is stored; {self._last_arrival(connection, vendor.lower())}")

    def _last_arrival(self, connection: str, vendor: str) -> str:
        """When the vendor's last webhook arrived."""
        try:
            at = self._arrivals.last(connection, vendor)
        except RetryLater:
            return "whether one has arrived is not known now"
        if at is None:
            return f"none has arrived yet; it goes to {self._url(connection, vendor)}"
        return f"the last one arrived at {format_timestamp(at)}"

    def _has_old_place(self, connection: str, key: str, vendor: str) -> bool:
        """Whether a webhook's secret is where earlier versions read it: beside the vendor's API key."""
        try:
            return bool(self._configuration.secret(connection, vendor.lower()).get(key))
        except SolvimonRilletError:
            return False

    def _rillet(self, connection: str, settings: Settings, organisation: dict[str, str]) -> Check:
        name, connect = "Rillet", f'Invoke connect_rillet with {{"connection": "{connection}"}}.'
        try:
            found = self._connections.rillet(connection, settings).organization()
        except ConnectionBroken as error:
            secret = self._configuration.secret_name(connection, "rillet")
            remedy = f"{connect} Or put an API key into the secret {secret}, under api_key."
            return Check(name, False, str(error), remedy)
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
