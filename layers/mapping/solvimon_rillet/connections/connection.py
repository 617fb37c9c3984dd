"""A connection: one Solvimon platform paired with one Rillet organisation."""

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.configuration import Configuration, uses_oauth
from solvimon_rillet.connections.directory import Directory, RilletCache
from solvimon_rillet.connections.names import UnknownConnection, connection_name
from solvimon_rillet.connections.oauth_client import authorization_server
from solvimon_rillet.connections.organisations import RilletOrganisations
from solvimon_rillet.connections.owner import RILLET_SIDE, SOLVIMON_SIDE, Owner, Owners
from solvimon_rillet.connections.rillet_tokens import RilletTokens
from solvimon_rillet.connections.write_evidence import WriteEvidence, WriteOutcome
from solvimon_rillet.errors import ConnectionBroken, SolvimonRilletError
from solvimon_rillet.http.client import CountingRateLimiter, Http, RateLimiter
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.http.session import session
from solvimon_rillet.ledger.ledger import Ledger
from solvimon_rillet.rate_limit.breaker import FAILURE_POINTS, TIME_OUT_POINTS, CircuitBreaker
from solvimon_rillet.rate_limit.dynamodb_store import DynamoDBRequestWindowStore
from solvimon_rillet.rate_limit.limiter import SlidingWindowRateLimiter
from solvimon_rillet.rate_limit.send_times import Priority, RateLimit
from solvimon_rillet.rillet.client import API_VERSION, RilletClient
from solvimon_rillet.rillet.oauth import RilletOAuth
from solvimon_rillet.settings import Pacing, Settings
from solvimon_rillet.solvimon.client import SolvimonClient

VENDOR_NAMES = (SOLVIMON_SIDE.vendor, RILLET_SIDE.vendor)


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
        directory: lists the records of both systems.
        exists: whether a connection of this name has settings.
        known_fields: references of Solvimon's custom fields that this process has found.
    """

    name: str
    settings: Settings
    solvimon: SolvimonClient
    rillet: RilletClient
    ledger: Ledger
    table: Table
    clock: Callable[[], float]
    directory: Directory
    exists: Callable[[str], bool] = lambda _name: True
    known_fields: set[str] = field(default_factory=set)


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
        self._organisations = RilletOrganisations(configuration, table, clock)
        self.owners = Owners(table, self._exists)
        self.evidence = WriteEvidence(table, clock)
        self._tokens: dict[str, RilletTokens] = {}
        self._rillet_caches: dict[str, RilletCache] = {}
        self._breakers: dict[str, CircuitBreaker] = {}
        self._known_fields: dict[str, set[str]] = {}
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
            unless_backing_off: raise ``RateLimited`` while Rillet's rate limit is used up, and
                ``VendorUnavailable`` while a vendor does not answer.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
            RateLimited: the rate limit is used up, and ``unless_backing_off`` is set.
            VendorUnavailable: a vendor did not answer the last calls, and ``unless_backing_off`` is set.
        """
        name = connection_name(connection)
        settings = self._configuration.settings(name)
        limiter = self.rate_limiter(name, settings, priority)
        if unless_backing_off:
            limiter.raise_if_backing_off()
            self.breaker(name).check(*VENDOR_NAMES)
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

    def breaker(self, connection: str) -> CircuitBreaker:
        """The circuit breakers of a connection's vendors, one object per process."""
        with self._lock:
            if connection not in self._breakers:
                self._breakers[connection] = CircuitBreaker(connection, self._table, self._clock)
            return self._breakers[connection]

    def rate_limiter(
        self, connection: str, settings: Settings, priority: Priority
    ) -> SlidingWindowRateLimiter:
        """The rate limiter of a connection's calls, one object per priority and process.

        The calls of all connections of one Rillet organisation share its limit.
        """
        pacing = settings.rillet.pacing
        key = (connection, priority, pacing)
        with self._lock:
            if key not in self._rate_limiters:
                limit = RateLimit(pacing.requests, pacing.window_seconds + pacing.margin_seconds)
                store = DynamoDBRequestWindowStore(self._table)
                self._rate_limiters[key] = SlidingWindowRateLimiter(
                    connection,
                    store,
                    limit,
                    priority,
                    self._clock,
                    count=self._count,
                    window_of=self._organisations.window,
                )
            return self._rate_limiters[key]

    def known_organisation(self, connection: str) -> str:
        """The organisation of a connection's credential, without a call to Rillet; empty if it is unknown.

        Raises:
            ConnectionBroken: the connection has no credential.
            RetryLater: a service does not answer.
        """
        return self._organisations.known(connection)

    def learn_organisation(self, connection: Connection) -> None:
        """Ask Rillet once for the organisation of a connection's API key; nothing if it is known.

        Raises:
            ConnectionBroken: the connection has no valid credential.
            RetryLater: Rillet or a service does not answer.
        """
        if not self._organisations.known(connection.name):
            self.note_organisation(connection.name, connection.rillet.organization().id)

    def note_organisation(self, connection: str, organisation: str) -> None:
        """Remember the organisation that Rillet named for a connection's credential.

        Raises:
            ConnectionBroken: the connection has no credential.
            RetryLater: a service does not answer.
        """
        self._organisations.learn(connection, organisation)

    def solvimon(self, connection: str, settings: Settings) -> SolvimonClient:
        """A client of the connection's Solvimon platform."""
        platform = settings.solvimon.platform_id

        def headers() -> Mapping[str, str]:
            key = self._configuration.credential(connection, "solvimon", "api_key")
            return {"X-API-KEY": key, **({"x-platform-id": platform} if platform else {})}

        def proof(sent: Mapping[str, str]) -> str:
            return f"{sent['X-API-KEY']} {platform or ''}"

        def renew(refused: Mapping[str, str]) -> bool:
            self._configuration.forget_secret(connection, "solvimon")
            return self._configuration.credential(connection, "solvimon", "api_key") != refused["X-API-KEY"]

        def on_platform(identifier: str) -> None:
            self.owners.see(connection, SOLVIMON_SIDE, Owner(identifier), proof(headers()))

        def ask() -> Owner | None:
            found = client.platform_id()
            return Owner(found) if found else None

        def check(sent: Mapping[str, str]) -> None:
            self.owners.check(connection, SOLVIMON_SIDE, proof(sent), ask)

        http = Http(
            "Solvimon",
            settings.solvimon.base_url,
            headers,
            self._solvimon_session,
            "X-REQUEST-ID",
            renew=renew,
            before_write=check,
            on_result=self._recorder(connection, SOLVIMON_SIDE.vendor),
            after_write=self._noting(connection, "solvimon"),
        )
        client = SolvimonClient(http, on_platform)
        return client

    def rillet(self, connection: str, settings: Settings, limiter: RateLimiter | None = None) -> RilletClient:
        """A client of the connection's Rillet organisation; its calls are live work by default."""
        tokens = self.tokens(connection, settings)

        def renew(refused: Mapping[str, str]) -> bool:
            return tokens.renew(refused["Authorization"].removeprefix("Bearer "))

        def ask() -> Owner:
            found = client.organization()
            with contextlib.suppress(SolvimonRilletError):  # it is a hint for the rate limit
                self.note_organisation(connection, found.id)
            return Owner(found.id, found.trade_name)

        def see_platform() -> None:
            with contextlib.suppress(ConnectionBroken, RequestRejected):  # Solvimon's own calls say so
                self.solvimon(connection, settings).see_platform()

        def check(sent: Mapping[str, str]) -> None:
            secret = self._configuration.rillet_secret(connection).fields
            # Access tokens change every hour; those of one grant stay with its organisation.
            grant = f"oauth {secret.get('organisation_id', '')}"
            proof = grant if uses_oauth(secret) else sent["Authorization"]
            self.owners.check(connection, RILLET_SIDE, proof, ask, see_platform)

        limiter = limiter or self.rate_limiter(connection, settings, Priority.LIVE)
        recorder = self._recorder(connection, RILLET_SIDE.vendor)
        noting = self._noting(connection, "rillet")
        client = self._rillet_client(
            settings, tokens.access_token, limiter, renew, check, on_result=recorder, after_write=noting
        )
        return client

    def credential_proof(self, connection: str, vendor: str) -> str:
        """The identity of the credential in force: a key, or a grant, whose tokens change every hour.

        Raises:
            ConnectionBroken: there is none.
            RetryLater: a service does not answer.
        """
        if vendor == "rillet" and uses_oauth(secret := self._configuration.rillet_secret(connection).fields):
            return f"oauth {secret.get('organisation_id', '')}"
        return self._configuration.credential(connection, vendor, "api_key")

    def _noting(self, connection: str, vendor: str) -> Callable[[str, bool, object, object], None]:
        """Record the results of writes, which show a person whether a key may only read."""

        def note(path: str, allowed: bool, body: object, answer: object) -> None:
            if path.partition("?")[0].endswith("/search"):  # a read that is a POST
                return
            with contextlib.suppress(SolvimonRilletError):  # it is a hint
                proof = self.credential_proof(connection, vendor)
                self.evidence.note(connection, vendor, proof, WriteOutcome(path, allowed, body, answer))

        return note

    def rillet_with_token(
        self, connection: str, settings: Settings, token: Callable[[], str]
    ) -> RilletClient:
        """A client that sends a given bearer token, before the connection stores it."""
        limiter = self.rate_limiter(connection, settings, Priority.LIVE)
        return self._rillet_client(settings, token, limiter, None)

    def _open(self, name: str, settings: Settings, limiter: RateLimiter) -> Connection:
        solvimon, rillet = self.solvimon(name, settings), self.rillet(name, settings, limiter)
        cache = self._rillet_caches.setdefault(name, RilletCache())
        directory = Directory(settings, solvimon, rillet, self._clock, cache)
        return Connection(
            name,
            settings,
            solvimon,
            rillet,
            self._ledger,
            self._table,
            self._clock,
            directory,
            self._exists,
            self._known_fields.setdefault(name, set()),
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
        before_write: Callable[[Mapping[str, str]], None] = lambda _headers: None,
        on_result: Callable[[bool, bool], None] = lambda _answered, _timed_out: None,
        after_write: Callable[[str, bool, object, object], None] = lambda *_: None,
    ) -> RilletClient:
        def headers() -> Mapping[str, str]:
            return {"Authorization": f"Bearer {token()}", "X-Rillet-API-Version": API_VERSION}

        http = Http(
            "Rillet",
            settings.rillet.base_url,
            headers,
            self._rillet_session,
            rate_limiter=limiter,
            renew=renew,
            before_write=before_write,
            on_result=on_result,
            after_write=after_write,
        )
        return RilletClient(http)

    def _recorder(self, connection: str, vendor: str) -> Callable[[bool, bool], None]:
        """Records the results of calls in the breaker of a vendor."""
        breaker = self.breaker(connection)

        def record(answered: bool, timed_out: bool) -> None:
            breaker.record(vendor, 0 if answered else TIME_OUT_POINTS if timed_out else FAILURE_POINTS)

        return record
