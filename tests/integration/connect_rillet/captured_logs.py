"""What the functions log during a test, metrics included, and the secrets that are made meanwhile."""

import io
import json
import logging
import secrets
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.aws.server import environment
from local.aws.stack_contents import StackConfiguration
from local.system import LocalSystem
from tests.support.builders import Json

FUNCTIONS = ("receive_webhook", "export_invoice", "connect_rillet")


@dataclass
class Logs:
    """What the functions wrote to their log, metrics included."""

    printed: pytest.CaptureFixture[str]
    out: io.StringIO = field(default_factory=io.StringIO)
    others: io.StringIO = field(default_factory=io.StringIO)
    secrets: set[str] = field(default_factory=set)

    @property
    def lines(self) -> list[Json]:
        """Everything that our own code wrote, line by line; each is JSON."""
        return [json.loads(line) for line in self.text.splitlines()]

    def with_message(self, message: str) -> list[Json]:
        """The lines with a message."""
        return [line for line in self.lines if line.get("message") == message]

    @property
    def text(self) -> str:
        """Everything that our own code wrote: log lines, and metrics, which are printed."""
        self.out.write(self.printed.readouterr().out)
        return self.out.getvalue()

    @property
    def metrics(self) -> Counter[tuple[str, ...]]:
        """Sums of the metrics, by metric and the values of each set of dimensions."""
        sums: Counter[tuple[str, ...]] = Counter()
        for line in self.lines:
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                for metric in directive["Metrics"]:
                    total = int(sum(line[metric["Name"]]))
                    for dimensions in directive["Dimensions"]:
                        sums[(metric["Name"], *(line[name] for name in dimensions))] += total
        return sums

    def leaks(self) -> list[str]:
        """The lines that hold a secret."""
        text = self.text + self.others.getvalue()
        return [line for line in text.splitlines() if any(value in line for value in self.secrets)]


@contextmanager
def capture_logs(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, printed: pytest.CaptureFixture[str]
) -> Iterator[Logs]:
    """Capture what every function logs at its most detailed level, and all secrets that are made."""
    logs = Logs(printed)
    with ExitStack() as undo:
        _record_secrets(logs, monkeypatch)
        ours = [logging.getLogger(name) for name in (*FUNCTIONS, "solvimon_rillet")]
        for logger in ours[:-1]:
            if not _streams(logger):  # a logger gets its handler when its function is first built
                system.invoke(logger.name, {"action": "?"})
        _detach(system)
        undo.callback(_detach, system)
        for logger in ours:
            undo.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
            for handler in _streams(logger):
                handler.stream = logs.out  # setStream would flush the one before, which may be closed
        root, others = logging.getLogger(), logging.StreamHandler(logs.others)
        undo.callback(root.setLevel, root.level)
        root.setLevel(logging.INFO)  # Lambda's own is WARNING
        root.addHandler(others)
        undo.callback(root.removeHandler, others)
        undo.enter_context(environment({"POWERTOOLS_METRICS_DISABLED": None}))
        yield logs


def _detach(system: LocalSystem) -> None:
    """Let the handlers of all functions, also of those built in a test, write to a stream that stays open."""
    for name in (*system.deployment.functions, "solvimon_rillet"):
        for handler in _streams(logging.getLogger(name)):
            handler.stream = sys.__stdout__  # without a flush: the stream before may be closed


def _streams(logger: logging.Logger) -> list["logging.StreamHandler[Any]"]:
    """The handlers of a function's own; pytest adds some that are none of ours."""
    return [handler for handler in logger.handlers if type(handler) is logging.StreamHandler]


def _record_secrets(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record what anybody makes: states, verifiers, codes, tokens, client and webhook secrets, and keys."""
    for name in ("token_urlsafe", "token_hex"):
        make = getattr(secrets, name)

        def recording(nbytes: int | None = None, *, _make: Any = make) -> str:  # noqa: ANN401 - a function
            made: str = _make(nbytes)
            logs.secrets.add(made)
            return made

        monkeypatch.setattr(secrets, name, recording)
    put_secret = StackConfiguration.put_secret

    def putting(self: StackConfiguration, name: str, value: Mapping[str, str]) -> None:
        logs.secrets |= {part for key, part in value.items() if part and _is_secret(key)}
        put_secret(self, name, value)

    monkeypatch.setattr(StackConfiguration, "put_secret", putting)


def _is_secret(key: str) -> bool:
    return key.endswith(("key", "secret", "token")) and key != "token_in"
