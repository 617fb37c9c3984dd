"""What every function's module has in common: a handler that is built when it is first called."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging import utils

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Build = Callable[..., Handler]


def lazily(build: Build) -> Handler:
    """A handler that builds itself from the process's environment at its first call."""
    lock = threading.Lock()
    built: list[Handler] = []

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        with lock:
            if not built:
                built.append(build(os.environ, clock=time.time))
        return built[0](event, context)

    return handler


def telemetry(environment: Mapping[str, str], name: str) -> tuple[Logger, Metrics]:
    """The function's logger (JSON, ids only, never a body or secret) and its metrics (EMF).

    The shared package logs through the standard library; its records take the same form.
    """
    service = environment.get("POWERTOOLS_SERVICE_NAME", name)
    logger = Logger(service=service, level=environment.get("POWERTOOLS_LOG_LEVEL", "INFO"))
    utils.copy_config_to_registered_loggers(source_logger=logger, include={"solvimon_rillet"})
    namespace = environment.get("POWERTOOLS_METRICS_NAMESPACE", "SolvimonRillet")
    return logger, Metrics(namespace=namespace, service=service)


def flush(metrics: Metrics) -> None:
    """Write the metrics of this run, if there are any."""
    if metrics.metric_set:
        metrics.flush_metrics()
