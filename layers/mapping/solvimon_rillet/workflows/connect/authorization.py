"""Connect a Rillet organisation by OAuth, and disconnect it."""

import contextlib
import hashlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.connections.configuration import Configuration, uses_oauth
from solvimon_rillet.connections.connection import Connections
from solvimon_rillet.connections.grant_history import CONNECTED, DISCONNECTED, GrantHistory
from solvimon_rillet.connections.oauth_client import authorization_server, oauth_client
from solvimon_rillet.connections.owner import RILLET_SIDE, AnotherOwner, Owner
from solvimon_rillet.connections.pairs import SharedPair
from solvimon_rillet.errors import ConnectionBroken, SolvimonRilletError
from solvimon_rillet.ledger.actor import UNKNOWN_ACTOR, current_actor
from solvimon_rillet.rillet.models import Organization
from solvimon_rillet.rillet.oauth import Grant, GrantRefused, RilletOAuth
from solvimon_rillet.settings import RilletSettings, Settings
from solvimon_rillet.workflows.connect.shared_pair import connection_of_pair

logger = logging.getLogger(__name__)

STATE_SECONDS = 600
CALLBACK = "/oauth/rillet/callback"


@dataclass(frozen=True, slots=True)
class CallbackPage:
    """The page that a person's browser shows after the authorisation; ``connection`` may be unknown."""

    status: int
    title: str
    text: str
    connection: str = ""


class RilletAuthorization:
    """Authorises the connections of this deployment.

    Args:
        configuration: settings and secrets.
        table: keeps one-time states for ten minutes, and the organisation of each connection.
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
        self._history = GrantHistory(table, clock)

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
            {
                "connection": connection,
                "verifier": verifier,
                "by": current_actor(),
                "ends": ends,
                "expires_at": ends,
            },
        )
        logger.info("rillet authorisation started", extra={"connection": connection})
        return {
            "connection": connection,
            "authorisation_url": oauth.authorization_url(state, verifier),
            "valid_for_seconds": STATE_SECONDS,
            "next": "Open the URL once, log in to Rillet, choose the organisation and grant access.",
        }

    def callback(self, query: Mapping[str, str]) -> CallbackPage:
        """Finish an authorisation; an invalid answer, or one to an unknown URL, changes nothing."""
        try:
            pending = self._table.pop(_state_key(query.get("state", ""))) if query.get("state") else None
        except SolvimonRilletError as error:
            return CallbackPage(
                502, "Nothing is connected", f"{error.message} Open the page again in a moment."
            )
        if pending is None or int(pending["ends"]) <= self._clock():
            return CallbackPage(
                400,
                "This link is not valid any more",
                "It was used already, it is older than ten minutes, or this deployment did not create it. "
                "Nothing was changed. Invoke connect_rillet again to get a new link.",
            )
        return replace(self._answered(pending, query), connection=str(pending["connection"]))

    def _answered(self, pending: Item, query: Mapping[str, str]) -> CallbackPage:
        """Finish the authorisation of a state that was just used."""
        connection = str(pending["connection"])
        try:
            settings = self._configuration.settings(connection)
        except SolvimonRilletError as error:
            return CallbackPage(
                502, f"{connection} is not connected", f"{error.message} Start again with a new link."
            )
        if query.get("iss", settings.rillet.issuer).rstrip("/") != settings.rillet.issuer:
            return CallbackPage(
                400,
                f"{connection} is not connected",
                f"The answer comes from another authorization server than {settings.rillet.issuer}. Nothing "
                "was changed. Check rillet.base_url in the settings, then start again with a new link.",
            )
        if query.get("error") or not query.get("code"):
            reason = query.get("error_description") or query.get("error") or "no code"
            return CallbackPage(
                400,
                f"{connection} is not connected",
                f"Rillet says: {reason[:200]}. Nothing was changed.",
            )
        try:
            by = str(pending.get("by") or UNKNOWN_ACTOR)
            return self._finish(connection, query["code"], str(pending["verifier"]), by)
        except GrantRefused as error:
            text = f"Rillet refused the authorisation ({error.message.rstrip('.')}). Nothing was changed."
            return CallbackPage(400, f"{connection} is not connected", text)
        except SolvimonRilletError as error:
            return CallbackPage(
                502, f"{connection} is not connected", f"{error.message} Start again with a new link."
            )

    def _finish(self, connection: str, code: str, verifier: str, by: str) -> CallbackPage:
        """Redeem the code and keep the grant; one that cannot be stored is revoked."""
        settings = self._configuration.settings(connection)
        oauth = self._oauth(settings.rillet)
        granted = oauth.redeem(code, verifier)
        try:
            kept = self._keep(connection, settings, granted)
        except SolvimonRilletError:
            _discard(oauth, granted)
            raise
        if isinstance(kept, CallbackPage):
            _discard(oauth, granted)
            return kept
        self._history.note(connection, CONNECTED, by, kept.trade_name)
        logger.info("rillet connected", extra={"connection": connection, "organisation": kept.id})
        return CallbackPage(
            200,
            f"{connection} is connected to {kept.trade_name}",
            "You may close this window. Waiting documents continue automatically.",
        )

    def _keep(self, connection: str, settings: Settings, granted: Grant) -> Organization | CallbackPage:
        """Store the tokens, unless the connection belongs to another organisation; then the page says so."""
        self._bind_to_key(connection, settings)
        organisation = self._connections.rillet_with_token(
            connection, settings, lambda: granted.access_token
        ).organization()
        try:
            self._refuse_shared_pair(connection, settings, organisation.id)
            # Before the tokens: of two callbacks at once only one stores any.
            self._connections.owners.claim(
                connection,
                RILLET_SIDE,
                Owner(organisation.id, organisation.trade_name),
                f"oauth {organisation.id}",
            )
        except AnotherOwner as other:
            return CallbackPage(
                409,
                f"{connection} belongs to another organisation",
                f"It has booked into {other.bound.name or other.bound.id} so far. Nothing was changed. Use a "
                f"connection of its own for {organisation.trade_name}.",
            )
        except SharedPair as taken:
            return CallbackPage(
                409,
                f"{connection} is not connected",
                f"The connection {taken.other} books the same Solvimon platform into "
                f"{organisation.trade_name} already; each document would be booked twice. Nothing was "
                f"changed, and what you have just granted is revoked. Remove the settings of {taken.other}, "
                f"or give {connection} the API key of another Solvimon platform, or choose another "
                "organisation. Then start again with a new link.",
            )
        replaced = self._replaced_token(connection, settings)
        self._connections.tokens(connection, settings).store(granted, _organisation_names(organisation))
        with contextlib.suppress(SolvimonRilletError):  # the next status notes it
            self._connections.note_organisation(connection, organisation.id)
        if replaced not in {"", granted.refresh_token}:
            with contextlib.suppress(SolvimonRilletError):  # it is of no use any more, and ends by its age
                self._oauth(settings.rillet).revoke(replaced)
        return organisation

    def _refuse_shared_pair(self, connection: str, settings: Settings, organisation_id: str) -> None:
        """Raise ``SharedPair`` if another connection books the same platform into the organisation.

        A connection that is bound to another organisation has another problem, and a page of its own.
        """
        bound = self._connections.owners.owner(connection, RILLET_SIDE)
        if bound and bound.id != organisation_id:
            return
        arguments = (connection, settings, organisation_id, self._configuration, self._connections)
        if other := connection_of_pair(*arguments):
            raise SharedPair(connection, other)

    def _replaced_token(self, connection: str, settings: Settings) -> str:
        """The refresh token of the grant that a new one replaces; empty if there is none."""
        try:
            fields = self._connections.tokens(connection, settings).current().fields
        except ConnectionBroken:
            return ""
        return fields.get("refresh_token", "") if uses_oauth(fields) else ""

    def _bind_to_key(self, connection: str, settings: Settings) -> None:
        """Bind a connection to the organisation of its API key, if it has one and is not bound yet."""
        if self._connections.owners.owner(connection, RILLET_SIDE):
            return
        try:
            key = self._configuration.credential(connection, "rillet", "api_key")
            found = self._connections.rillet_with_token(connection, settings, lambda: key).organization()
            self._connections.owners.claim(connection, RILLET_SIDE, Owner(found.id, found.trade_name))
        except ConnectionBroken:  # no key, one that is not valid any more, or another claim a moment ago
            return

    def disconnect(self, connection: str) -> dict[str, Any]:
        """Revoke the tokens at Rillet and delete them here. An API key stays in its secret.

        Raises:
            UnknownConnection: the connection has no settings parameter.
            RetryLater: a service does not answer; nothing is forgotten.
        """
        settings = self._configuration.settings(connection)
        tokens = self._connections.tokens(connection, settings)
        with tokens.refresh_lock():
            while True:
                current = tokens.current()
                if not uses_oauth(current.fields):
                    note = (
                        "It uses an API key. Remove it from the connection's Rillet secret, and revoke it in "
                        "Rillet."
                    )
                    return {"connection": connection, "disconnected": False, "note": note}
                note, revoked = self._revoke(settings.rillet, current.fields.get("refresh_token", ""))
                if tokens.disconnect(current):  # else a worker stored a refresh meanwhile: revoke that one
                    break
        self._history.note(connection, DISCONNECTED, current_actor())
        logger.info("rillet disconnected", extra={"connection": connection, "revoked": revoked})
        return {"connection": connection, "disconnected": True, "revoked": revoked, "note": note}

    def _revoke(self, settings: RilletSettings, token: str) -> tuple[str, bool]:
        """Revoke a refresh token at Rillet; a note for the answer, and whether it is revoked."""
        if not token:
            return "There was no token to revoke.", False
        if self._oauth(settings).revoke(token):
            return "The tokens are revoked and forgotten.", True
        note = "The tokens are forgotten here, but Rillet did not revoke them"
        if not oauth_client(self._configuration).secret:
            note += ": a client without a secret may not revoke"
        return f"{note}. Remove the app's access in Rillet as well.", False

    def _oauth(self, settings: RilletSettings) -> RilletOAuth:
        return authorization_server(self._configuration, settings, self._configuration.api_url() + CALLBACK)


def _organisation_names(organisation: Organization) -> dict[str, str]:
    return {"organisation_id": organisation.id, "organisation_name": organisation.trade_name}


def _discard(oauth: RilletOAuth, granted: Grant) -> None:
    """Revoke a grant that is not kept, if Rillet answers and allows it."""
    with contextlib.suppress(SolvimonRilletError):
        oauth.revoke(granted.refresh_token or granted.access_token)


def _state_key(state: str) -> str:
    """The key of a state, by its hash: a reader of the table cannot finish an authorisation."""
    return f"(deployment)#oauth-state#{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()}"
