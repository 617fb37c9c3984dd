"""The log of the package, whatever has configured its loggers in this process, and that of the functions."""

import io
import json
import logging
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field

from local.aws.server import environment
from local.system import LocalSystem
from tests.support.builders import Json

FUNCTIONS = ("receive_webhook", "export_invoice")
_NO_REQUEST = {"?": 1}


class Logged(logging.Handler):
    """Keeps every record."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def messages(self) -> list[str]:
        """The messages, in order."""
        return [record.getMessage() for record in self.records]

    @property
    def text(self) -> str:
        """Everything that a formatter could write, extra fields and tracebacks included."""
        formatter = logging.Formatter()
        return "\n".join(f"{formatter.format(record)} {vars(record)}" for record in self.records)


@contextmanager
def logged(level: int = logging.DEBUG) -> Iterator[Logged]:
    """Keep the package's log records while this lasts."""
    logger, handler = logging.getLogger("solvimon_rillet"), Logged()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@dataclass
class FunctionLogs:
    """The log and the metrics of the functions; ``namespace`` is where the metrics belong."""

    namespace: str
    out: io.StringIO = field(default_factory=io.StringIO)
    functions: Collection[str] = FUNCTIONS

    @property
    def text(self) -> str:
        """Everything, as it was written."""
        return self.out.getvalue()

    @property
    def lines(self) -> list[Json]:
        """Everything, line by line; each is JSON."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def metrics(self) -> Counter[str]:
        """Sums of the metrics (CloudWatch's embedded metric format), named ``connection.Metric``."""
        sums: Counter[str] = Counter()
        for line in self.lines:
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == self.namespace
                assert directive["Dimensions"][0] == ["scope"], "the alarms ask for it"
                assert line["service"] in self.functions
                for metric in directive["Metrics"]:
                    sums[f"{line['connection']}.{metric['Name']}"] += int(sum(line[metric["Name"]]))
        return sums


@contextmanager
def function_logs(system: LocalSystem, functions: Collection[str] = FUNCTIONS) -> Iterator[FunctionLogs]:
    """Keep what functions log while this lasts, at the most detailed level that the template offers."""
    logs = FunctionLogs(
        system.runtime.functions["export_invoice"].environment["POWERTOOLS_METRICS_NAMESPACE"],
        functions=functions,
    )
    for function in functions:
        system.invoke(function, _NO_REQUEST)  # a logger gets its handler when its function is first built
    loggers = [logging.getLogger(name) for name in (*functions, "solvimon_rillet")]
    handlers = {h for logger in loggers for h in logger.handlers if isinstance(h, logging.StreamHandler)}
    levels = [logger.level for logger in loggers]
    streams = {handler: handler.setStream(logs.out) for handler in handlers}
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        with environment({"POWERTOOLS_METRICS_DISABLED": None}), redirect_stdout(logs.out):
            yield logs
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for handler, stream in streams.items():
            handler.setStream(stream)
