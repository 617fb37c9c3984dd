"""Connect a Rillet organisation: authorise, see how things stand, disconnect."""

import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.connections.oauth_client import authorization_server, oauth_client
from solvimon_rillet.errors import ConnectionBroken, SolvimonRilletError
from solvimon_rillet.rillet.models import Organization
from solvimon_rillet.rillet.oauth import Grant, GrantRefused, RilletOAuth
from solvimon_rillet.settings import RilletSettings, Settings

logger = logging.getLogger(__name__)

STATE_SECONDS = 600
CALLBACK = "/oauth/rillet/callback"


@dataclass(frozen=True, slots=True)
class CallbackPage:
    """What a person's browser is told after the authorisation."""

    status: int
    title: str
    text: str


class RilletAuthorization:
    """Authorisation of the connections of this deployment.

    Args:
        configuration: settings, secrets and where they are kept.
        table: keeps one-time states for ten minutes, and which organisation a connection belongs to.
        connections: tokens and clients of a connection.
        clock: unix seconds.
    """

    def __init__(
        self,
        configuration: Configuration,
        table: Table,
        connections: Connections,
        clock: Callable[[], float],
    ) -> None:
        self._configuration = configuration
        self._table = table
        self._connections = connections
        self._clock = clock

    def start(self, connection: str) -> dict[str, Any]:
        """A one-time URL at which a person grants access.

        Raises:
            UnknownConnection: the connection has no settings parameter.
            ConnectionBroken: this deployment has no OAuth client yet.
            RetryLater: a service does not answer.
        """
        settings = self._configuration.settings(connection)
        oauth = self._oauth(settings.rillet)
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        ends = int(self._clock()) + STATE_SECONDS
        self._table.put(
            _state_key(state),
            {"connection": connection, "verifier": verifier, "ends": ends, "expires_at": ends},
        )
        logger.info("rillet authorisation started", extra={"connection": connection})
        return {
            "connection": connection,
            "authorisation_url": oauth.authorization_url(state, verifier),
            "valid_for_seconds": STATE_SECONDS,
            "next": "Open the URL once, log in to Rillet, choose the organisation and grant access.",
        }

    def callback(self, query: Mapping[str, str]) -> CallbackPage:
        """Finish an authorisation. Whatever is not a valid answer to a URL of ours changes nothing."""
        try:
            kept = self._table.pop(_state_key(query.get("state", ""))) if query.get("state") else None
        except SolvimonRilletError as error:
            return CallbackPage(502, "Nothing is connected", f"{error} Open the page again in a moment.")
        if kept is None or int(kept["ends"]) <= self._clock():
            return CallbackPage(
                400,
                "This link is not valid any more",
                "It was used already, it is older than ten minutes, or it is not ours. Nothing was changed. "
                "Invoke connect_rillet again to get a new one.",
            )
        connection = str(kept["connection"])
        if query.get("error") or not query.get("code"):
            reason = query.get("error_description") or query.get("error") or "no code"
            return CallbackPage(
                400, f"{connection} is not connected", f"Rillet said: {reason[:200]}. Nothing was changed."
            )
        try:
            return self._finish(connection, query["code"], str(kept["verifier"]))
        except GrantRefused as error:
            text = f"Rillet refused the authorisation ({error}). Nothing was changed."
            return CallbackPage(400, f"{connection} is not connected", text)
        except SolvimonRilletError as error:
            return CallbackPage(
                502, f"{connection} is not connected", f"{error} Start again with a new link."
            )

    def _finish(self, connection: str, code: str, verifier: str) -> CallbackPage:
        settings = self._configuration.settings(connection)
        granted = self._oauth(settings.rillet).redeem(code, verifier)
        organisation = self._connections.rillet_with_token(
            connection, settings, lambda: granted.access_token
        ).organization()
        owner = self._bound_organisation(connection, settings)
        if owner.get("organisation_id", organisation.id) != organisation.id:
            return CallbackPage(
                409,
                f"{connection} belongs to another organisation",
                f"It has booked into {owner.get('organisation_name')} so far. Nothing was changed. Use a "
                f"connection of its own for {organisation.trade_name}.",
            )
        self._store(connection, settings, granted, organisation)
        return CallbackPage(
            200,
            f"{connection} is connected to {organisation.trade_name}",
            "You may close this window. Documents that were waiting continue by themselves.",
        )

    def _bound_organisation(self, connection: str, settings: Settings) -> Mapping[str, Any]:
        """The organisation that a connection has booked into, by an authorisation or by an API key."""
        if owner := self._table.get(_organisation_key(connection)):
            return owner
        try:
            key = self._configuration.credential(connection, "rillet", "api_key")
            found = self._connections.rillet_with_token(connection, settings, lambda: key).organization()
        except ConnectionBroken:  # no key, or one that opens nothing any more
            return {}
        return {"organisation_id": found.id, "organisation_name": found.trade_name}

    def _store(self, connection: str, settings: Settings, granted: Grant, organisation: Organization) -> None:
        names = {"organisation_id": organisation.id, "organisation_name": organisation.trade_name}
        self._connections.tokens(connection, settings).replace(granted, names)
        self._table.put(_organisation_key(connection), names)
        logger.info("rillet connected", extra={"connection": connection, "organisation": organisation.id})

    def disconnect(self, connection: str) -> dict[str, Any]:
        """Revoke the tokens at Rillet and forget them. An API key stays in its secret.

        Raises:
            UnknownConnection: the connection has no settings parameter.
            RetryLater: a service does not answer; nothing is forgotten.
        """
        settings = self._configuration.settings(connection)
        tokens = self._connections.tokens(connection, settings)
        with tokens.refresh_lock():
            grant = self._configuration.tokens(connection, fresh=True)
            if grant.get("auth", "api_key") != "oauth":
                told = (
                    "It uses an API key. Remove it from the connection's Rillet secret, and revoke it in "
                    "Rillet."
                )
                return {"connection": connection, "disconnected": False, "note": told}
            note, revoked = self._revoke(settings.rillet, grant.get("refresh_token", ""))
            tokens.forget()
        logger.info("rillet disconnected", extra={"connection": connection, "revoked": revoked})
        return {"connection": connection, "disconnected": True, "revoked": revoked, "note": note}

    def _revoke(self, settings: RilletSettings, token: str) -> tuple[str, bool]:
        """Revoke a refresh token at Rillet; what to tell, and whether it is revoked."""
        if not token:
            return "There was no token to revoke.", False
        if self._oauth(settings).revoke(token):
            return "The tokens are revoked and forgotten.", True
        told = "The tokens are forgotten here, but Rillet did not revoke them"
        if not oauth_client(self._configuration).secret:
            told += ": a client without a secret may not revoke"
        return f"{told}. Remove the app's access in Rillet as well.", False

    def _oauth(self, settings: RilletSettings) -> RilletOAuth:
        return authorization_server(self._configuration, settings, self._configuration.api_url() + CALLBACK)


def _state_key(state: str) -> str:
    """States are kept by their hash: who reads the table cannot finish somebody's authorisation."""
    return f"(deployment)#oauth-state#{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()}"


def _organisation_key(connection: str) -> str:
    return f"{connection}#oauth#organisation"
