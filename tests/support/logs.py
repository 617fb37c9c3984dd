"""What the package logs, whoever has configured its loggers in this process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


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
    """Note what the package logs while this lasts."""
    logger, handler = logging.getLogger("solvimon_rillet"), Logged()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
