"""Metrics: counts are summed, measurements are kept one by one, each connection by itself."""

import io
import json
from contextlib import redirect_stdout
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit

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
