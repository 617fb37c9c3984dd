"""A function's handler is built once, at its first call, from the environment of that moment."""

import importlib.util
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
import requests

from local.system import ROOT
from solvimon_rillet.entrypoints.lambda_handler import Handler, on_first_call

Json = dict[str, Any]
FUNCTIONS = sorted((ROOT / "functions").glob("*/*.py"))


class Builder:
    """Builds handlers that say what they were built from."""

    def __init__(self, failures: int = 0) -> None:
        self.built: list[dict[str, str]] = []
        self.clocks: list[Callable[[], float]] = []
        self._failures = failures

    def __call__(self, environment: Mapping[str, str], *, clock: Callable[[], float]) -> Handler:
        if self._failures:
            self._failures -= 1
            raise KeyError("STACK")
        self.built.append(dict(environment))
        self.clocks.append(clock)
        return lambda event, context: {"event": event, "context": context}


def test_nothing_is_built_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder()
    handler = on_first_call(builder)
    before = len(builder.built)
    monkeypatch.setenv("STACK", "set after the import")

    handler({}, None)

    assert before == 0
    assert builder.built[0]["STACK"] == "set after the import"


def test_the_event_and_the_context_reach_the_built_handler() -> None:
    context = object()

    assert on_first_call(Builder())({"a": 1}, context) == {"event": {"a": 1}, "context": context}


def test_it_is_built_once_however_often_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = Builder()
    handler = on_first_call(builder)

    for name in ("first", "second"):
        monkeypatch.setenv("STACK", name)
        handler({}, None)

    assert [environment["STACK"] for environment in builder.built] == ["first"]


def test_it_is_built_once_when_many_threads_call_it_first() -> None:
    builder, start = Builder(), threading.Barrier(20, timeout=20)
    handler = on_first_call(builder)
    answers: list[Json] = []

    def call() -> None:
        start.wait()
        answers.append(handler({}, None))

    with ThreadPoolExecutor(20) as threads:
        for _ in range(20):
            threads.submit(call)

    assert (len(builder.built), len(answers)) == (1, 20)


def test_a_build_that_failed_is_tried_again_at_the_next_call() -> None:
    builder = Builder(failures=1)
    handler = on_first_call(builder)
    with pytest.raises(KeyError):
        handler({}, None)

    assert handler({}, None)["event"] == {}


def test_two_functions_do_not_share_what_they_built() -> None:
    first, second = Builder(), Builder()

    on_first_call(first)({}, None)
    on_first_call(second)({}, None)

    assert (len(first.built), len(second.built)) == (1, 1)


def imported(path: Path) -> ModuleType:
    """The module of a function, imported once more."""
    spec = importlib.util.spec_from_file_location(f"imported_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NEVER = Mock(side_effect=AssertionError("not before it is needed"))


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_importing_a_function_reads_no_environment_and_opens_no_connection(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STACK", "LEDGER_TABLE", "EVENT_BUS", "QUEUE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3, "client", NEVER)
    monkeypatch.setattr(requests.Session, "request", NEVER)

    module = imported(path)

    assert callable(module.handler)
    assert callable(module.create_handler)


@pytest.mark.parametrize("path", FUNCTIONS, ids=lambda path: path.stem)
def test_building_a_function_opens_no_connection_either(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = imported(path)
    monkeypatch.setattr(requests.Session, "request", NEVER)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    environment = {
        "STACK": "stack",
        "LEDGER_TABLE": "table",
        "EVENT_BUS": "bus",
        "QUEUE_URL": "https://sqs.example/queue",
        "POWERTOOLS_SERVICE_NAME": f"test-{path.stem}",
    }

    handler = module.create_handler(environment, clock=lambda: 0.0)

    assert callable(handler)
