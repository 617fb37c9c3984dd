"""The Rillet organisation of each connection, as far as it is known: its connections share one rate limit."""

import threading
from collections.abc import Callable, Mapping

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.configuration import Configuration, uses_oauth
from solvimon_rillet.connections.token_fields import fingerprint
from solvimon_rillet.errors import Recoverable
from solvimon_rillet.rate_limit.dynamodb_store import DynamoDBRequestWindowStore
from solvimon_rillet.rate_limit.limiter import move_window

_UNKNOWN_SECONDS = 60  # for so long an organisation that is not known yet is not looked for again


class RilletOrganisations:
    """Which organisation a connection books into.

    A grant's secret names its organisation. The one of an API key is learned from Rillet's answer once, and
    kept beside the key's fingerprint, so that another key is another question.

    Args:
        configuration: reads the credentials, which the process remembers.
        table: keeps the organisations of API keys.
        clock: unix seconds.
    """

    def __init__(self, configuration: Configuration, table: Table, clock: Callable[[], float]) -> None:
        self._configuration = configuration
        self._table = table
        self._clock = clock
        self._lock = threading.Lock()
        self._of_keys: dict[str, tuple[str, str, float]] = {}

    def window(self, connection: str) -> str:
        """The name of the request window that the connection's calls count in.

        It is the organisation's, or one of the connection and its key while the organisation is unknown.
        """
        try:
            organisation = self.known(connection)
            own = _window_before(connection, self._configuration.rillet_secret(connection).fields)
        except Recoverable:  # the call itself meets the same error, and says so
            return connection
        return _window_of(organisation) if organisation else own

    def known(self, connection: str) -> str:
        """The organisation's id; empty while it is unknown.

        Raises:
            ConnectionBroken: the connection has no credential.
            RetryLater: a service does not answer.
        """
        secret = self._configuration.rillet_secret(connection).fields
        if uses_oauth(secret):
            return secret.get("organisation_id", "")
        key = fingerprint(secret.get("api_key", ""))
        with self._lock:
            of_key, organisation, until = self._of_keys.get(connection, ("", "", 0.0))
        if of_key == key and (organisation or self._clock() < until):
            return organisation
        # Without the lock: connections that are swept side by side do not wait for each other's read.
        item = self._table.get(_organisation_key(connection)) or {}
        organisation = str(item["organisation_id"]) if item.get("credential") == key else ""
        with self._lock:
            self._of_keys[connection] = key, organisation, self._clock() + _UNKNOWN_SECONDS
        return organisation

    def learn(self, connection: str, organisation: str) -> None:
        """Remember the organisation that Rillet named for the connection's credential.

        The calls that the connection has made so far count in the organisation's window from now on.

        Raises:
            RateLimited: the window is under heavy use.
            RetryLater: a service does not answer.
        """
        secret = self._configuration.rillet_secret(connection).fields
        names_it = uses_oauth(secret)
        if not names_it and self.known(connection) == organisation:
            return
        own = _window_before(connection, secret)
        move_window(DynamoDBRequestWindowStore(self._table), own, _window_of(organisation))
        if names_it:
            return
        key = fingerprint(secret.get("api_key", ""))
        self._table.put(_organisation_key(connection), {"organisation_id": organisation, "credential": key})
        with self._lock:
            self._of_keys[connection] = key, organisation, 0.0


def _window_of(organisation: str) -> str:
    """The name of an organisation's request window."""
    return f"(organisation)#{organisation}"


def _window_before(connection: str, secret: Mapping[str, str]) -> str:
    """The name of the window until the organisation is known; another key may be another organisation's."""
    if uses_oauth(secret):
        return connection
    return f"{connection}#pacer#{fingerprint(secret.get('api_key', ''))}"


def _organisation_key(connection: str) -> str:
    return f"{connection}#pacer#organisation"
