"""A connection: one Solvimon platform paired with one Rillet organisation."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import requests

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.names import UnknownConnection, connection_name
from solvimon_rillet.connections.oauth_client import authorization_server
from solvimon_rillet.connections.rillet_tokens import RilletTokens
from solvimon_rillet.http.client import CountingRateLimiter, Http, RateLimiter
from solvimon_rillet.http.session import session
from solvimon_rillet.ledger.ledger import Ledger
from solvimon_rillet.rate_limit.dynamodb_store import DynamoDBRequestWindowStore
from solvimon_rillet.rate_limit.limiter import Priority, RateLimit, SlidingWindowRateLimiter
from solvimon_rillet.rillet.client import API_VERSION, RilletClient
from solvimon_rillet.rillet.oauth import RilletOAuth
from solvimon_rillet.settings import Pacing, Settings
from solvimon_rillet.solvimon.client import SolvimonClient


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection with its current settings, the clients of both vendors, and the ledger.

    Attributes:
        name: such as ``default``.
        settings: of the connection.
        solvimon: its Solvimon platform.
        rillet: its Rillet organisation, within the rate limit.
        ledger: the document records of all connections.
        table: the DynamoDB table behind the ledger.
        clock: unix seconds.
        exists: whether a connection of this name has settings.
    """

    name: str
    settings: Settings
    solvimon: SolvimonClient
    rillet: RilletClient
    ledger: Ledger
    table: Table
    clock: Callable[[], float]
    exists: Callable[[str], bool] = lambda _name: True


class Connections:
    """Opens connections; their tokens and rate limiters are shared by all calls of a process.

    Args:
        configuration: settings and secrets.
        ledger: the document records.
        table: the table behind it.
        clock: unix seconds.
        count: records a metric of a connection.
    """

    def __init__(
        self,
        configuration: Configuration,
        ledger: Ledger,
        table: Table,
        clock: Callable[[], float],
        count: Callable[[str, str], None],
    ) -> None:
        self._configuration = configuration
        self._ledger = ledger
        self._table = table
        self._clock = clock
        self._count = count
        self._lock = threading.Lock()
        self._tokens: dict[str, RilletTokens] = {}
        self._rate_limiters: dict[tuple[str, Priority, Pacing], SlidingWindowRateLimiter] = {}
        # Each call to Rillet takes a slot of the rate limit, so none is repeated without the limiter.
        self._solvimon_session: requests.Session = session(get_retries=2)
        self._rillet_session: requests.Session = session(get_retries=0)

    def open(
        self, connection: object, priority: Priority = Priority.LIVE, *, unless_backing_off: bool = False
    ) -> Connection:
        """A connection with its current settings.

        Args:
            connection: its name, from an event or a person.
            priority: of its calls to Rillet.
            unless_backing_off: raise ``RateLimited`` while Rillet's rate limit is used up.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
            RateLimited: the rate limit is used up, and ``unless_backing_off`` is set.
        """
        name = connection_name(connection)
        settings = self._configuration.settings(name)
        limiter = self.rate_limiter(name, settings, priority)
        if unless_backing_off:
            limiter.raise_if_backing_off()
        return self._open(name, settings, limiter)

    def open_for_bulk_work(self, connection: object) -> tuple[Connection, CountingRateLimiter]:
        """A connection whose calls to Rillet give way to live work, and their count.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        name = connection_name(connection)
        settings = self._configuration.settings(name)
        limiter = CountingRateLimiter(self.rate_limiter(name, settings, Priority.BULK))
        return self._open(name, settings, limiter), limiter

    def tokens(self, connection: str, settings: Settings) -> RilletTokens:
        """The Rillet tokens of a connection, one object per connection and process."""
        with self._lock:
            if connection not in self._tokens:

                def oauth() -> RilletOAuth:
                    current = self._configuration.settings(connection)
                    return authorization_server(self._configuration, current.rillet)

                self._tokens[connection] = RilletTokens(
                    connection, self._configuration, self._table, oauth, self._clock
                )
            return self._tokens[connection]

    def rate_limiter(
        self, connection: str, settings: Settings, priority: Priority
    ) -> SlidingWindowRateLimiter:
        """The rate limiter of a connection's calls, one object per priority and process."""
        pacing = settings.rillet.pacing
        key = (connection, priority, pacing)
        with self._lock:
            if key not in self._rate_limiters:
                limit = RateLimit(pacing.requests, pacing.window_seconds + pacing.margin_seconds)
                store = DynamoDBRequestWindowStore(self._table)
                self._rate_limiters[key] = SlidingWindowRateLimiter(
                    connection, store, limit, priority, self._clock, count=self._count
                )
            return self._rate_limiters[key]

    def solvimon(self, connection: str, settings: Settings) -> SolvimonClient:
        """A client of the connection's Solvimon platform."""
        platform = settings.solvimon.platform_id

        def headers() -> Mapping[str, str]:
            key = self._configuration.credential(connection, "solvimon", "api_key")
            return {"X-API-KEY": key, **({"x-platform-id": platform} if platform else {})}

        def renew(refused: Mapping[str, str]) -> bool:
            self._configuration.forget_secret(connection, "solvimon")
            return self._configuration.credential(connection, "solvimon", "api_key") != refused["X-API-KEY"]

        base_url = settings.solvimon.base_url
        return SolvimonClient(
            Http("Solvimon", base_url, headers, self._solvimon_session, "X-REQUEST-ID", renew=renew)
        )

    def rillet(self, connection: str, settings: Settings, limiter: RateLimiter | None = None) -> RilletClient:
        """A client of the connection's Rillet organisation; its calls are live work by default."""
        tokens = self.tokens(connection, settings)

        def renew(refused: Mapping[str, str]) -> bool:
            return tokens.renew(refused["Authorization"].removeprefix("Bearer "))

        limiter = limiter or self.rate_limiter(connection, settings, Priority.LIVE)
        return self._rillet_client(settings, tokens.access_token, limiter, renew)

    def rillet_with_token(
        self, connection: str, settings: Settings, token: Callable[[], str]
    ) -> RilletClient:
        """A client that sends a given bearer token, before the connection stores it."""
        limiter = self.rate_limiter(connection, settings, Priority.LIVE)
        return self._rillet_client(settings, token, limiter, None)

    def _open(self, name: str, settings: Settings, limiter: RateLimiter) -> Connection:
        return Connection(
            name,
            settings,
            self.solvimon(name, settings),
            self.rillet(name, settings, limiter),
            self._ledger,
            self._table,
            self._clock,
            self._exists,
        )

    def _exists(self, name: str) -> bool:
        try:
            self._configuration.settings(name)
        except UnknownConnection:
            return False
        return True

    def _rillet_client(
        self,
        settings: Settings,
        token: Callable[[], str],
        limiter: RateLimiter,
        renew: Callable[[Mapping[str, str]], bool] | None,
    ) -> RilletClient:
        def headers() -> Mapping[str, str]:
            return {"Authorization": f"Bearer {token()}", "X-Rillet-API-Version": API_VERSION}

        base_url = settings.rillet.base_url
        return RilletClient(
            Http("Rillet", base_url, headers, self._rillet_session, rate_limiter=limiter, renew=renew)
        )
