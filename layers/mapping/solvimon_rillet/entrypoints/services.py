"""Putting the parts together: what a function needs is built once, when it is first used.

Workflows and clients are imported where they are built, so that a function loads only what it uses: a cold
start of the webhook's receiver must not wait for the imports of nine other functions.
"""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.names import connection_name
from solvimon_rillet.rate_limit.limiter import Priority, RateLimit, SlidingWindowRateLimiter

if TYPE_CHECKING:
    import requests

    from solvimon_rillet.aws.dynamodb import Table
    from solvimon_rillet.aws.eventbridge import Bus
    from solvimon_rillet.aws.s3_sns import ReportBucket, Topic
    from solvimon_rillet.aws.sqs import Queue
    from solvimon_rillet.connections.rillet_tokens import RilletTokens
    from solvimon_rillet.http import CountingRateLimiter, RateLimiter
    from solvimon_rillet.ledger.ledger import Ledger
    from solvimon_rillet.rillet.client import RilletClient
    from solvimon_rillet.rillet.oauth import RilletOAuth
    from solvimon_rillet.settings import Pacing, Settings
    from solvimon_rillet.solvimon.client import SolvimonClient
    from solvimon_rillet.workflows.connect.authorization import RilletAuthorization
    from solvimon_rillet.workflows.connect.connection_status import ConnectionStatus
    from solvimon_rillet.workflows.export.credit_memo import ExportCreditMemo
    from solvimon_rillet.workflows.export.invoice import ExportInvoice
    from solvimon_rillet.workflows.imports.resource import ImportedResource
    from solvimon_rillet.workflows.imports.steps import ImportServices as ImportParts
    from solvimon_rillet.workflows.outcome import Result
    from solvimon_rillet.workflows.payments.mark_invoice_paid import MarkInvoicePaid
    from solvimon_rillet.workflows.reconcile.steps import ReconcileServices as ReconcileParts
    from solvimon_rillet.workflows.sweep.sweep import Sweep
    from solvimon_rillet.workflows.sync_customer import SyncCustomer

Count = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class _Vendors:
    """A connection's name, its settings as they are now, and clients of both vendors."""

    connection: str
    settings: "Settings"
    solvimon: "SolvimonClient"
    rillet: "RilletClient"


class Services:
    """The collaborators of one function, from its environment.

    Args:
        environment: what the template sets, such as ``STACK``, ``LEDGER_TABLE`` and ``QUEUE_URL``.
        clock: unix seconds; tests pass their own.
        count: notes a metric of a connection.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        count: Count = lambda _name, _connection: None,
    ) -> None:
        self._environment = environment
        self._count = count
        self._lock = threading.Lock()
        self._tokens: dict[str, RilletTokens] = {}
        self._rate_limiters: dict[tuple[str, Priority, Pacing], SlidingWindowRateLimiter] = {}
        self.clock = clock

    def aws(self, service: str) -> Any:  # noqa: ANN401 - the client's type is the service's
        """A client of an AWS service that names this function in its calls; see ``aws``."""
        return aws(service, self._environment.get("AWS_LAMBDA_FUNCTION_NAME"))

    @cached_property
    def configuration(self) -> Configuration:
        """Settings and secrets of the connections."""
        ssm, secrets = self.aws("ssm"), self.aws("secretsmanager")
        return Configuration(self._environment["STACK"], ssm, secrets, self.clock, self._count)

    @cached_property
    def bus(self) -> "Bus":
        """The event bus."""
        from solvimon_rillet.aws.eventbridge import Bus

        return Bus(self._environment["EVENT_BUS"], self.aws("events"))

    @cached_property
    def reports(self) -> "ReportBucket":
        """The bucket of reports."""
        from solvimon_rillet.aws.s3_sns import ReportBucket

        return ReportBucket(self._environment["REPORT_BUCKET"], self.aws("s3"))

    @cached_property
    def topic(self) -> "Topic":
        """The topic of alarms and summaries."""
        from solvimon_rillet.aws.s3_sns import Topic

        return Topic(self._environment["ALARM_TOPIC"], self.aws("sns"))

    @cached_property
    def table(self) -> "Table":
        """The one table."""
        from solvimon_rillet.aws.dynamodb import Table

        return Table(self._environment["LEDGER_TABLE"], self.aws("dynamodb"))

    @cached_property
    def ledger(self) -> "Ledger":
        """The ledger of all connections."""
        from solvimon_rillet.ledger.ledger import Ledger

        return Ledger(self.table, self.clock)

    @cached_property
    def queue(self) -> "Queue":
        """The function's own queue."""
        from solvimon_rillet.aws.sqs import Queue

        return Queue(self._environment["QUEUE_URL"], self.aws("sqs"), self.clock)

    @cached_property
    def _sessions(self) -> "Mapping[str, requests.Session]":
        from solvimon_rillet.http import session

        # Rillet's calls are counted, so none is repeated behind the back of whoever counts them.
        return {"solvimon": session(get_retries=2), "rillet": session(get_retries=0)}

    def export_invoice(self, connection: object, priority: Priority = Priority.LIVE) -> "ExportInvoice":
        """The workflow for a connection, with the settings that are in force now.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read, or Rillet's budget is used up for the moment.
        """
        return self._export_invoice(self._vendors(connection, priority))

    def export_credit_memo(
        self, connection: object, priority: Priority = Priority.LIVE
    ) -> "ExportCreditMemo":
        """The workflow for a connection; raises as ``export_invoice``."""
        from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
        from solvimon_rillet.workflows.export.credit_memo import ExportCreditMemo

        at = self._vendors(connection, priority)
        invoices = self._export_invoice(at)

        def original(invoice_id: str) -> "Result":
            return invoices.run(invoice_id, run_id())

        books = AccountingPeriods(at.connection, self.table, at.rillet, self.clock)
        return ExportCreditMemo(
            at.connection, at.settings, self.ledger, at.solvimon, at.rillet, books, self.clock, original
        )

    def sync_customer(self, connection: object, priority: Priority = Priority.LIVE) -> "SyncCustomer":
        """The workflow for a connection; raises as ``export_invoice``."""
        from solvimon_rillet.workflows.sync_customer import SyncCustomer

        at = self._vendors(connection, priority)
        return SyncCustomer(at.connection, at.settings, self.ledger, at.solvimon, at.rillet, self.clock)

    def mark_invoice_paid(self, connection: object, priority: Priority = Priority.LIVE) -> "MarkInvoicePaid":
        """The workflow for a connection, even while Rillet's budget is used up: it seldom needs it.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        from solvimon_rillet.workflows.payments.mark_invoice_paid import MarkInvoicePaid

        at = self._vendors(connection, priority, look_ahead=False)
        return MarkInvoicePaid(at.connection, at.settings, self.ledger, at.solvimon, at.rillet, self.clock)

    def import_parts(
        self, kind: "ImportedResource", connection: object
    ) -> "tuple[ImportParts, CountingRateLimiter]":
        """What an import of a connection works with, as its settings are now, and the count of its calls.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        from solvimon_rillet.ledger.import_state import ImportState
        from solvimon_rillet.workflows.imports.steps import ImportServices

        at, gate = self._counted(connection)
        ledger = ImportState(at.connection, kind.name, self.table, self.clock)
        return ImportServices(at.settings, at.solvimon, at.rillet, ledger), gate

    def reconcile_parts(self, connection: object) -> "tuple[ReconcileParts, CountingRateLimiter]":
        """What a reconciliation of a connection works with, and the count of its calls; raises as imports."""
        from solvimon_rillet.workflows.reconcile.steps import ReconcileServices

        at, gate = self._counted(connection)
        name, settings, ledger = at.connection, at.settings, self.ledger
        parts = ReconcileServices(
            name, settings, ledger, at.solvimon, at.rillet, self.reports, self.bus, self.topic
        )
        return parts, gate

    def sweep(self, connection: object) -> "Sweep":
        """The sweep of a connection, with the settings that are in force now.

        Raises:
            UnknownConnection: there is no such connection.
            RetryLater: its settings cannot be read.
        """
        from solvimon_rillet.ledger.sweep_state import SweepState
        from solvimon_rillet.workflows.sweep.base import SweepContext
        from solvimon_rillet.workflows.sweep.sweep import Sweep, scans_of

        at = self._vendors(connection, Priority.BULK, look_ahead=False)
        name = at.connection
        memory = SweepState(name, self.table, self.clock)
        tools = SweepContext(name, at.settings, self.ledger, memory, self.bus, self.clock)

        def check_credentials() -> None:
            self.configuration.credential(name, "solvimon", "api_key")
            self.tokens(name, at.settings).access_token()

        return Sweep(tools, scans_of(tools, at.solvimon, at.rillet), check_credentials, self._count)

    def connect_rillet(self) -> "RilletAuthorization":
        """Authorisation of connections."""
        from solvimon_rillet.workflows.connect.authorization import RilletAuthorization

        def rillet_for(name: str, settings: "Settings", token: Callable[[], str]) -> "RilletClient":
            gate = self.rate_limiter(name, settings, Priority.LIVE)
            return self._rillet_client(settings, token, gate, None)

        return RilletAuthorization(self.configuration, self.table, self.tokens, rillet_for, self.clock)

    def connection_status(self) -> "ConnectionStatus":
        """How connections stand."""
        from solvimon_rillet.workflows.connect.connection_status import ConnectionStatus

        return ConnectionStatus(self.configuration, self.tokens, self.solvimon, self.rillet)

    def tokens(self, connection: str, settings: "Settings") -> "RilletTokens":
        """The tokens of a connection, one object per connection and process."""
        from solvimon_rillet.connections.rillet_tokens import RilletTokens

        with self._lock:
            if connection not in self._tokens:

                def oauth() -> "RilletOAuth":
                    from solvimon_rillet.connections.oauth_client import authorization_server

                    now = self.configuration.settings(connection)  # whatever they were when this was made
                    return authorization_server(self.configuration, now.rillet)

                self._tokens[connection] = RilletTokens(
                    connection, self.configuration, self.table, oauth, self.clock
                )
            return self._tokens[connection]

    def rate_limiter(
        self, connection: str, settings: "Settings", priority: Priority
    ) -> SlidingWindowRateLimiter:
        """The pacer of a connection's calls, one object per priority and process."""
        from solvimon_rillet.rate_limit.dynamodb_store import DynamoDBRequestWindowStore

        key = (connection, priority, settings.rillet.pacing)
        with self._lock:
            if key not in self._rate_limiters:
                pacing = settings.rillet.pacing
                budget = RateLimit(pacing.requests, pacing.window_seconds + pacing.margin_seconds)
                self._rate_limiters[key] = SlidingWindowRateLimiter(
                    connection,
                    DynamoDBRequestWindowStore(self.table),
                    budget,
                    priority,
                    self.clock,
                    count=self._count,
                )
            return self._rate_limiters[key]

    def solvimon(self, connection: str, settings: "Settings") -> "SolvimonClient":
        """A client of the connection's Solvimon platform."""
        from solvimon_rillet.http import Http
        from solvimon_rillet.solvimon.client import SolvimonClient

        platform = settings.solvimon.platform_id

        def headers() -> Mapping[str, str]:
            key = self.configuration.credential(connection, "solvimon", "api_key")
            return {"X-API-KEY": key, **({"x-platform-id": platform} if platform else {})}

        def renew(refused: Mapping[str, str]) -> bool:
            self.configuration.forget_secret(connection, "solvimon")
            return self.configuration.credential(connection, "solvimon", "api_key") != refused["X-API-KEY"]

        base_url, http = settings.solvimon.base_url, self._sessions["solvimon"]
        return SolvimonClient(Http("Solvimon", base_url, headers, http, "X-REQUEST-ID", renew=renew))

    def rillet(
        self, connection: str, settings: "Settings", gate: "RateLimiter | None" = None
    ) -> "RilletClient":
        """A client of the connection's Rillet organisation."""
        tokens = self.tokens(connection, settings)

        def renew(refused: Mapping[str, str]) -> bool:
            return tokens.renew(refused["Authorization"].removeprefix("Bearer "))

        gate = gate or self.rate_limiter(connection, settings, Priority.LIVE)
        return self._rillet_client(settings, tokens.access_token, gate, renew)

    def _vendors(self, connection: object, priority: Priority, *, look_ahead: bool = True) -> _Vendors:
        name = connection_name(connection)
        settings = self.configuration.settings(name)
        pacer = self.rate_limiter(name, settings, priority)
        if look_ahead:
            pacer.raise_if_backing_off()
        return _Vendors(name, settings, self.solvimon(name, settings), self.rillet(name, settings, pacer))

    def _counted(self, connection: object) -> "tuple[_Vendors, CountingRateLimiter]":
        """Clients whose calls to Rillet give way to live work, and are counted."""
        from solvimon_rillet.http import CountingRateLimiter

        name = connection_name(connection)
        settings = self.configuration.settings(name)
        gate = CountingRateLimiter(self.rate_limiter(name, settings, Priority.BULK))
        at = _Vendors(name, settings, self.solvimon(name, settings), self.rillet(name, settings, gate))
        return at, gate

    def _export_invoice(self, at: _Vendors) -> "ExportInvoice":
        from solvimon_rillet.workflows.export.accounting_periods import AccountingPeriods
        from solvimon_rillet.workflows.export.invoice import ExportInvoice

        books = AccountingPeriods(at.connection, self.table, at.rillet, self.clock)
        return ExportInvoice(
            at.connection, at.settings, self.ledger, at.solvimon, at.rillet, books, self.clock
        )

    def _rillet_client(
        self,
        settings: "Settings",
        token: Callable[[], str],
        gate: "RateLimiter",
        renew: Callable[[Mapping[str, str]], bool] | None,
    ) -> "RilletClient":
        from solvimon_rillet.http import Http
        from solvimon_rillet.rillet.client import API_VERSION, RilletClient

        def headers() -> Mapping[str, str]:
            return {"Authorization": f"Bearer {token()}", "X-Rillet-API-Version": API_VERSION}

        base_url, http = settings.rillet.base_url, self._sessions["rillet"]
        return RilletClient(Http("Rillet", base_url, headers, http, rate_limiter=gate, renew=renew))


def aws(service: str, caller: str | None) -> Any:  # noqa: ANN401 - the client's type is the service's
    """A client of an AWS service that gives up while the function still has time to hand its message back.

    Three attempts of 6 seconds stay below the 25 seconds that a document is given (``inbox``); boto3's own
    defaults would wait for minutes.

    Args:
        service: such as ``dynamodb``.
        caller: the function's name, which CloudTrail then shows in the user agent.
    """
    # The stubs are older than the user agent's application id.
    config = Config(  # type: ignore[call-arg]
        connect_timeout=2,
        read_timeout=4,
        retries={"total_max_attempts": 3, "mode": "standard"},
        user_agent_appid=caller[:50] if caller else None,
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def run_id() -> str:
    """A name for one run, under which it holds leases."""
    return uuid.uuid4().hex
