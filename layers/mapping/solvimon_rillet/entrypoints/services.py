"""The AWS services and connections of a function, made from its environment on first use.

Clients and workflows are imported where they are made, so that a function loads only what it uses: a cold
start of the webhook's receiver must not wait for the imports of nine other functions.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.http.allowed_hosts import AllowedHosts

if TYPE_CHECKING:
    from solvimon_rillet.aws.durable_executions import DurableExecutions
    from solvimon_rillet.aws.dynamodb import Table
    from solvimon_rillet.aws.eventbridge import Bus
    from solvimon_rillet.aws.s3_sns import ReportBucket, Topic
    from solvimon_rillet.aws.sqs import Queue
    from solvimon_rillet.connections.connection import Connections
    from solvimon_rillet.connections.connection_list import ConnectionList
    from solvimon_rillet.connections.webhook_arrivals import WebhookArrivals
    from solvimon_rillet.ledger.ledger import Ledger
    from solvimon_rillet.ledger.run_log import RunLog
    from solvimon_rillet.workflows.outcome_events import OutcomeEvents

Count = Callable[[str, str], None]


class Services:
    """The AWS services of one function, and its connections.

    Args:
        environment: the template's variables, such as ``STACK``, ``LEDGER_TABLE`` and ``QUEUE_URL``.
        clock: unix seconds; tests pass their own.
        count: records a metric of a connection.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        count: Count = lambda _name, _connection: None,
    ) -> None:
        self._environment = environment
        self._count = count
        self.clock = clock

    def aws_client(self, service: str) -> Any:  # noqa: ANN401 - the client's type is the service's
        """A client of an AWS service; see ``create_aws_client``."""
        return create_aws_client(service, self._environment.get("AWS_LAMBDA_FUNCTION_NAME"))

    @cached_property
    def configuration(self) -> Configuration:
        """Settings and secrets of the connections."""
        ssm, secrets = self.aws_client("ssm"), self.aws_client("secretsmanager")
        hosts = AllowedHosts.from_environment(self._environment)
        stack, kms_key = self._environment["STACK"], self._environment.get("KMS_KEY", "")
        return Configuration(stack, ssm, secrets, self.clock, self._count, hosts, kms_key)

    @cached_property
    def connections(self) -> "Connections":
        """Opens a connection by its name."""
        from solvimon_rillet.connections.connection import Connections

        return Connections(self.configuration, self.ledger, self.table, self.clock, self._count)

    @cached_property
    def connection_list(self) -> "ConnectionList":
        """The names of all connections."""
        from solvimon_rillet.connections.connection_list import ConnectionList

        return ConnectionList(self.table, self.configuration.connections, self.clock)

    @cached_property
    def bus(self) -> "Bus":
        """The event bus."""
        from solvimon_rillet.aws.eventbridge import Bus

        return Bus(self._environment["EVENT_BUS"], self.aws_client("events"))

    @cached_property
    def reports(self) -> "ReportBucket":
        """The S3 bucket of reports."""
        from solvimon_rillet.aws.s3_sns import ReportBucket

        return ReportBucket(self._environment["REPORT_BUCKET"], self.aws_client("s3"))

    @cached_property
    def topic(self) -> "Topic":
        """The SNS topic of alarms and summaries."""
        from solvimon_rillet.aws.s3_sns import Topic

        has_channel = bool(self._environment.get("SLACK_CHANNEL"))
        return Topic(self._environment["ALARM_TOPIC"], self.aws_client("sns"), has_channel=has_channel)

    @property
    def has_panel(self) -> bool:
        """Whether the deployment has a panel."""
        return self._environment.get("PANEL") == "on"

    @cached_property
    def table(self) -> "Table":
        """The DynamoDB table of all records."""
        from solvimon_rillet.aws.dynamodb import Table

        return Table(self._environment["LEDGER_TABLE"], self.aws_client("dynamodb"))

    @cached_property
    def hint_table(self) -> "Table":
        """The table, for notes that nothing depends on: a write that takes long is given up at once."""
        from solvimon_rillet.aws.dynamodb import Table

        client = create_hint_client("dynamodb", self._environment.get("AWS_LAMBDA_FUNCTION_NAME"))
        return Table(self._environment["LEDGER_TABLE"], client)

    @cached_property
    def webhook_arrivals(self) -> "WebhookArrivals":
        """When the last webhooks arrived."""
        from solvimon_rillet.connections.webhook_arrivals import WebhookArrivals

        return WebhookArrivals(lambda: self.hint_table, self.clock)

    @cached_property
    def ledger(self) -> "Ledger":
        """The ledger of all connections."""
        from solvimon_rillet.ledger.ledger import Ledger

        return Ledger(self.table, self.clock)

    @cached_property
    def runs(self) -> "RunLog":
        """The records of imports and reconciliations."""
        from solvimon_rillet.ledger.run_log import RunLog

        return RunLog(self.table, self.clock)

    @cached_property
    def own_executions(self) -> "DurableExecutions":
        """The durable executions of the function itself."""
        from solvimon_rillet.aws.durable_executions import DurableExecutions

        return DurableExecutions(self._environment["AWS_LAMBDA_FUNCTION_NAME"], self.aws_client("lambda"))

    @cached_property
    def outcomes(self) -> "OutcomeEvents":
        """Publishes outcomes for the connections that want it."""
        from solvimon_rillet.workflows.outcome_events import OutcomeEvents

        return OutcomeEvents(
            self.configuration.settings, lambda: self.ledger, lambda: self.bus, self.clock, self._count
        )

    @cached_property
    def queue(self) -> "Queue":
        """The function's own queue."""
        return self._queue_at(self._environment["QUEUE_URL"])

    @property
    def dead_letter_queues(self) -> dict[str, "Queue"]:
        """The dead-letter queues of all functions, by name."""
        urls = self._environment.get("DEAD_LETTERS", "").split()
        return {url.rpartition("/")[2]: self._queue_at(url) for url in urls}

    def _queue_at(self, url: str) -> "Queue":
        from solvimon_rillet.aws.sqs import Queue

        return Queue(url, self._sqs, self.clock)

    @cached_property
    def _sqs(self) -> Any:  # noqa: ANN401 - the client's type is the service's
        return self.aws_client("sqs")


def create_aws_client(service: str, caller: str | None) -> Any:  # noqa: ANN401 - the client's type is the service's
    """A client of an AWS service whose time-outs leave the function time to return its message.

    Three attempts of 6 seconds stay below the 25 seconds that a document is given
    (``queue_processor.NEEDED_MILLISECONDS``); boto3's defaults would wait for minutes.

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


def create_hint_client(service: str, caller: str | None) -> Any:  # noqa: ANN401 - the client's type is the service's
    """A client for what may fail: one attempt of at most a second, so that no request waits for it."""
    config = Config(  # type: ignore[call-arg]
        connect_timeout=0.5,
        read_timeout=0.5,
        retries={"total_max_attempts": 1},
        user_agent_appid=caller[:50] if caller else None,
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def run_id() -> str:
    """A unique name for one run, which holds leases under it."""
    return uuid.uuid4().hex
