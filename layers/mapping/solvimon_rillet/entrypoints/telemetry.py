"""Logs and metrics of a function: JSON lines with ids, never a body or a secret; metrics as EMF."""

import logging
import threading
import traceback
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import utils
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.errors import SolvimonRilletError

ALL_CONNECTIONS = "all"
"""The connection of a metric that belongs to none."""
_Metric = tuple[str, str, MetricUnit, float]


class Telemetry:
    """The logger and the metrics of one function.

    Each metric is counted once for all functions and connections (dimension ``scope``), for alarms, and once
    more by ``service`` and ``connection``, to find the connection.

    Args:
        environment: the function's environment.
        name: the function's name.
    """

    def __init__(self, environment: Mapping[str, str], name: str) -> None:
        self._service = environment.get("POWERTOOLS_SERVICE_NAME", name)
        self._namespace = environment.get("POWERTOOLS_METRICS_NAMESPACE", "SolvimonRillet")
        self._values: list[_Metric] = []
        self._lock = threading.Lock()
        self.logger = Logger(
            service=self._service,
            level=environment.get("POWERTOOLS_LOG_LEVEL", "INFO"),
            logger_formatter=_Formatter(),
        )
        _silence_libraries()
        # The shared package logs through the standard library; its records take the same form.
        utils.copy_config_to_registered_loggers(source_logger=self.logger, include={"solvimon_rillet"})

    def handler(self, handle: Handler) -> Handler:
        """Wrap a handler: its log lines carry Lambda's request id, and its metrics are written at its end."""

        @self.logger.inject_lambda_context(clear_state=True, log_event=False)
        def observed(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
            try:
                return handle(event, context)
            except Exception as error:  # noqa: BLE001 - Lambda's runtime would log and answer its text
                raise self.unexpected(error) from None
            finally:
                self.flush()

        return observed

    def unexpected(self, error: Exception) -> "UnexpectedError":
        """Log an error that no code expects, and return one that quotes nothing, for Lambda to report."""
        self.logger.error("function failed", exc_info=error)
        self.count("FunctionFailed", ALL_CONNECTIONS)
        return UnexpectedError(
            f"The function failed with an internal error ({type(error).__name__}); its log shows where."
        )

    def count(
        self, name: str, connection: str, value: float = 1, unit: MetricUnit = MetricUnit.Count
    ) -> None:
        """Record a metric; ``flush`` writes it."""
        with self._lock:
            self._values.append((connection, name, unit, value))

    def discard(self, name: str, connection: str) -> None:
        """Forget what was recorded of a metric of a connection since the last ``flush``."""
        with self._lock:
            self._values = [value for value in self._values if value[:2] != (connection, name)]

    def flush(self) -> None:
        """Write the recorded metrics, one EMF line per connection."""
        with self._lock:
            values, self._values = _sum_counts(self._values), []
        for connection in dict.fromkeys(value[0] for value in values):
            # A provider of its own: all instances of Powertools' Metrics share their state.
            provider = AmazonCloudWatchEMFProvider(
                namespace=self._namespace,
                service="",  # else it would be a dimension of the first set, with a metric for each function
                metric_set={},
                dimension_set={"scope": "all"},
                metadata_set={},
            )
            provider.add_dimensions(service=self._service, connection=connection)
            for metric_connection, name, unit, value in values:
                if metric_connection == connection:
                    provider.add_metric(name=name, unit=unit, value=value)
            provider.flush_metrics()


class UnexpectedError(Exception):
    """An error that no code expects, by its type: its text may quote anything."""


class _Formatter(LambdaPowertoolsFormatter):
    """Log lines whose tracebacks show where an error came from, and of its texts only our own."""

    def __init__(self) -> None:
        super().__init__(serialize_stacktrace=False)

    def formatException(self, ei: Any) -> str:  # noqa: ANN401 - as in logging
        """The stack of an error and of its causes."""
        parts = list[str]()
        error: BaseException | None = ei[1]
        while error is not None:
            text = f"{type(error).__name__}: {error}" if isinstance(error, _OURS) else type(error).__name__
            parts.append("".join([*traceback.format_tb(error.__traceback__), text]))
            context = None if error.__suppress_context__ else error.__context__
            error = error.__cause__ or context
        return "\n\ncaused by\n\n".join(parts)


_OURS = (SolvimonRilletError, UnexpectedError)


def _silence_libraries() -> None:
    """Let libraries log warnings and errors only, whatever the function's level is.

    Lambda's runtime gives the root logger the function's level, and its own handler. At DEBUG botocore then
    prints whole requests and answers, secrets and tokens included. Only our own loggers have a level of their
    own; every other one takes the root's.
    """
    root = logging.getLogger()
    root.setLevel(max(root.level, logging.WARNING))


def _sum_counts(values: list[_Metric]) -> list[_Metric]:
    """The metrics with the counts of each name added up, so that a thousand calls are one value."""
    sums: dict[tuple[str, str], float] = {}
    for connection, name, unit, value in values:
        if unit is MetricUnit.Count:
            sums[connection, name] = sums.get((connection, name), 0) + value
    counted = [(connection, name, MetricUnit.Count, total) for (connection, name), total in sums.items()]
    return counted + [value for value in values if value[2] is not MetricUnit.Count]
