"""Metrics: counts are summed, measurements are kept one by one, each connection by itself."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from local.aws.runtime import LambdaContext
from solvimon_rillet.entrypoints.telemetry import Telemetry

ENVIRONMENT = {
    "POWERTOOLS_SERVICE_NAME": "export_invoice",
    "POWERTOOLS_METRICS_NAMESPACE": "SolvimonRillet/dev",
}


def written(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a flush writes."""
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    out = io.StringIO()
    with redirect_stdout(out):
        telemetry.flush()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_thousand_calls_are_one_value_of_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = Telemetry(ENVIRONMENT, "export_invoice")
    for _ in range(1000):
        telemetry.count("RilletCalls", "default")

    [line] = written(telemetry, monkeypatch)

    assert line["RilletCalls"] == [1000.0]
    assert (line["service"], line["connection"]) == ("export_invoice", "default")


def test_measurements_stay_apart_so_that_their_longest_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = Telemetry(ENVIRONMENT, "export_invoice")
    for seconds in (3, 7200):
        telemetry.count("BookedAfterSeconds", "default", seconds, MetricUnit.Seconds)

    [line] = written(telemetry, monkeypatch)

    assert line["BookedAfterSeconds"] == [3.0, 7200.0]


def test_connections_are_counted_apart_and_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = Telemetry(ENVIRONMENT, "export_invoice")
    for connection in ("acme", "globex", "acme"):
        telemetry.count("RilletCalls", connection)

    lines = written(telemetry, monkeypatch)
    again = written(telemetry, monkeypatch)

    assert {line["connection"]: line["RilletCalls"] for line in lines} == {"acme": [2.0], "globex": [1.0]}
    assert again == []


LIBRARIES = ("botocore.endpoint", "botocore.auth", "boto3", "urllib3.connectionpool", "requests", "authlib.x")


@pytest.fixture
def runtimes_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What Lambda's runtime writes: it gives the root logger the function's level, and a handler."""
    root, out = logging.getLogger(), io.StringIO()
    before = root.level
    monkeypatch.setattr(root, "handlers", [logging.StreamHandler(out)])
    root.setLevel(logging.DEBUG)
    yield out
    root.setLevel(before)


@pytest.mark.parametrize("library", LIBRARIES)
def test_no_level_of_ours_lets_a_library_print_bodies(library: str, runtimes_log: io.StringIO) -> None:
    telemetry = Telemetry(
        {"POWERTOOLS_SERVICE_NAME": f"debug_{library}", "POWERTOOLS_LOG_LEVEL": "DEBUG"}, "f"
    )

    logging.getLogger(library).debug("a body")
    logging.getLogger(library).info("a body")
    logging.getLogger(library).warning("a warning")
    assert runtimes_log.getvalue() == "a warning\n"
    assert telemetry.logger.log_level == logging.DEBUG


def test_an_event_is_never_logged_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event of an authorisation has its code."""
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    telemetry, out = Telemetry({}, "test_event_log"), io.StringIO()
    for handler in telemetry.logger.handlers:
        monkeypatch.setattr(handler, "stream", out)

    @telemetry.handler
    def handle(event: dict[str, Any], _context: Any) -> dict[str, Any]:  # noqa: ANN401
        telemetry.logger.info("handled")
        return event

    handle({"code": "the-code"}, LambdaContext("f", "arn", 128, 30))

    assert "handled" in out.getvalue()
    assert "the-code" not in out.getvalue()
