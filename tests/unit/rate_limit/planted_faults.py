"""Sixty faults planted in the rate limiter, its store, the breaker and the fan-out: tests must notice them.

``python -m tests.unit.rate_limit.planted_faults`` plants each one in a process of its own, runs the unit
tests there, and prints those that nobody noticed.
"""

import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from io import StringIO
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = "solvimon_rillet"
TESTS = [
    "tests/unit/rate_limit/test_exact_send_times.py",
    "tests/unit/rate_limit/test_breaker.py",
    "tests/unit/fan_out/test_fan_out.py",
    "tests/unit/rate_limit/test_limiter.py",
]


@dataclass(frozen=True)
class Fault:
    """A piece of a module's text, and what stands in its place."""

    module: str
    right: str
    wrong: str

    @property
    def name(self) -> str:
        """The fault in words."""
        return f"{self.module}: {' '.join(self.right.split())} -> {' '.join(self.wrong.split())}"

    @property
    def path(self) -> Path:
        """The module's file."""
        return ROOT / "layers/mapping" / PACKAGE / f"{self.module.replace('.', '/')}.py"

    def source(self) -> str:
        """The module with the fault.

        Raises:
            ValueError: the piece is not there exactly once.
        """
        text = self.path.read_text(encoding="utf-8")
        if text.count(self.right) != 1:
            raise ValueError(f"{self.name}: is there {text.count(self.right)} times")
        return text.replace(self.right, self.wrong)


REPLACED: dict[str, list[tuple[str, str]]] = {
    "rate_limit.send_times": [
        ("MAX_WAIT_SECONDS = 2.0", "MAX_WAIT_SECONDS = 20.0"),
        ("_WINDOW_PARTS = 10 ", "_WINDOW_PARTS = 1000 "),
        ("_WINDOW_PARTS = 10 ", "_WINDOW_PARTS = 9 "),
        ("min(max(1, self.limit // _WINDOW_PARTS), self.limit - 1)", "max(1, self.limit // _WINDOW_PARTS)"),
        ("min(max(1, self.limit", "min(max(0, self.limit"),
        ("granted = at - now <= MAX_WAIT_SECONDS", "granted = at - now < MAX_WAIT_SECONDS"),
        ('name = "live" if priority is Priority.LIVE else "bulk"', 'name = "live"'),
        ("tuple(sorted((*(live if", "tuple(((*(live if"),
        ('_waits_until": at + MAX_WAIT_SECONDS', '_waits_until": at'),
        ("send_time > now - rate_limit.window_seconds", "send_time > now - rate_limit.window_seconds / 2"),
        ("send_time > now - rate_limit.window_seconds", "send_time >= now - 2 * rate_limit.window_seconds"),
        ("earliest = max(now, window.blocked_until)", "earliest = now"),
        ("earliest = max(now, window.blocked_until)", "earliest = max(now, window.blocked_until - 1)"),
        ("for send_time in (*window.live, *window.bulk)]", "for send_time in (*window.live,)]"),
        (
            "rate_limit.window_seconds / _WINDOW_PARTS for send_time in window.bulk]",
            "rate_limit.window_seconds for send_time in window.bulk]",
        ),
        ("waits = [window.live_waits_until, window.bulk_waits_until]", "waits = [window.live_waits_until]"),
        ("start = at - rate_limit.window_seconds + _ROUNDING", "start = at - rate_limit.window_seconds + 1"),
        ("max(0, rate_limit.reserve - bulk)", "rate_limit.reserve"),
        ("if window.bulk_waits_until > at else 0", "if window.bulk_waits_until < at else 0"),
        ("live + bulk + kept_free < rate_limit.limit", "live + bulk + kept_free <= rate_limit.limit"),
        ("if live + bulk >= rate_limit.limit:", "if bulk >= rate_limit.limit:"),
        ("window.live_waits_until > at and bulk >= rate_limit.reserve", "window.live_waits_until > at"),
        (
            "part_start = at - rate_limit.window_seconds / _WINDOW_PARTS",
            "part_start = at - rate_limit.window_seconds * _WINDOW_PARTS",
        ),
        ("math.ceil(rate_limit.limit / _WINDOW_PARTS) + 1", "math.ceil(rate_limit.limit / _WINDOW_PARTS)"),
    ],
    "rate_limit.limiter": [
        ("RETRY_EARLY_SECONDS = 1.0", "RETRY_EARLY_SECONDS = 0.0"),
        ("_MAX_ATTEMPTS = 40", "_MAX_ATTEMPTS = 39"),
        ("live=tuple(sorted({*there.live, *source.live}))", "live=there.live"),
        (
            "blocked_until=max(there.blocked_until, source.blocked_until)",
            "blocked_until=source.blocked_until - 9",
        ),
        ("if not slot.granted and is_last:\n                continue", "if False:\n                continue"),
        ("if self._priority is Priority.BULK:", "if True:"),
        (
            "version=window.version + 1)\n                self._count",
            "version=window.version)\n                self._count",
        ),
        ("self._sleep(max(0.0, slot.at - self._clock()))", "self._sleep(0.0)"),
        ("if ahead > MAX_WAIT_SECONDS:", "if False:"),
        ("until = self._clock() + self._rate_limit.window_seconds", "until = self._clock()"),
        ("if waits < slot.at:", "if True:"),
        ("random.uniform(0.002, 0.03)", "random.uniform(0.2, 3.0)"),
    ],
    "rate_limit.dynamodb_store": [
        ('bulk=_to_seconds(item.get("bulk", ()))', 'bulk=_to_seconds(item.get("live", ()))'),
        ('item.get("blocked_until", 0) / 1000', 'item.get("blocked_until", 0)'),
        ('"version": window.version + 1', '"version": window.version'),
        ("return False", "return True"),
        ("[-int(-timestamp * 1000 // 1) for", "[int(timestamp * 1000 // 1) for"),
    ],
    "rate_limit.breaker": [
        ("THRESHOLD = 4", "THRESHOLD = 5"),
        ("if health.open_until > now:\n        return health", "if False:\n        return health"),
        ("FIRST_SECONDS * 2**health.openings", "FIRST_SECONDS * 2 * health.openings"),
        ("max(0.0, self.open_until - now, self.probe_until - now)", "max(0.0, self.open_until - now)"),
        ("if now - health.failed_at <= FORGET_SECONDS else 0", "if True else 0"),
        ("_CACHE_SECONDS = 5.0", "_CACHE_SECONDS = 50.0"),
        ("if points else HEALTHY", "if points else before"),
        ("random.uniform(1.0, 1.5) + random.uniform(0.0, 5.0)", "random.uniform(0.5, 1.0)"),
        ("{**self._known, **changed}.items() if health", "{**changed}.items() if health"),
    ],
    "connections.connection_list": [
        ('self._clock() < int(kept["read_at"]) + LIST_TTL_SECONDS', "True"),
        ("return names  # an older", "raise  # an older"),
    ],
    "entrypoints.sweep_queue": [
        ("queue.put(bodies, connections)", "queue.put(bodies)"),
        ("max(asked_at, to_sweep.get(connection, 0.0))", "asked_at"),
        ("swept.result()", "pass"),
    ],
    "workflows.reconcile.fan_out": [
        ("known.append(name)", "pass"),
        ("exclude_none=True, exclude_defaults=True", "exclude_none=True"),
        ('f"{function} {json.dumps(event, sort_keys=True)}"', 'f"{json.dumps(event, sort_keys=True)}"'),
    ],
    "aws.durable_executions": [
        ('InvocationType="Event"', 'InvocationType="RequestResponse"'),
        (
            "if code == _ALREADY_STARTED:\n                return False",
            "if False:\n                return False",
        ),
    ],
}
"""By module: each piece, and what stands in its place."""
FAULTS = [Fault(module, *pieces) for module, faults in REPLACED.items() for pieces in faults]
_LONGEST_SECONDS = 300
SURVIVORS: dict[str, str] = {}
"""Faults that change nothing, by their names, each with the reason."""


class _Planted(MetaPathFinder, SourceLoader):  # type: ignore[misc] # typeshed's bases differ
    """Loads one module with its fault."""

    def __init__(self, fault: Fault) -> None:
        self._module, self._path = f"{PACKAGE}.{fault.module}", str(fault.path)
        self._source = fault.source().encode()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module."""
        if fullname != self._module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self._path)

    def get_filename(self, fullname: str) -> str:
        """The file of the module."""
        return self._path

    def get_data(self, path: str) -> bytes:
        """The source; no bytecode."""
        if path.endswith(importlib.machinery.BYTECODE_SUFFIXES[0]):
            raise OSError
        return self._source


def unnoticed(faults: Sequence[Fault]) -> Iterator[Fault]:
    """Plant each fault in a process of its own; yield those that the tests do not notice.

    Raises:
        RuntimeError: this process has loaded the package already.
    """
    if any(f"{PACKAGE}.{fault.module}" in sys.modules for fault in faults):
        raise RuntimeError("run it in a fresh process")
    for fault in faults:
        child = os.fork()
        if not child:
            signal.alarm(_LONGEST_SECONDS)  # a fault that lets the tests go round in circles is noticed
            sys.meta_path.insert(0, _Planted(fault))
            with redirect_stdout(StringIO()):
                ended = pytest.main(
                    ["-x", "-q", "--noconftest", "-o", "addopts=", "-p", "no:cacheprovider", *TESTS]
                )
            os._exit(int(ended))
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK:
            yield fault


def main() -> None:
    """Print the faults that nobody noticed; fail for one that is not known to change nothing."""
    os.chdir(ROOT)
    living = list[str]()
    for fault in unnoticed(FAULTS):
        living.append(fault.name)
        sys.stdout.write(f"{fault.name}: {SURVIVORS.get(fault.name, 'NOT NOTICED')}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(FAULTS)} faults, {len(living)} not noticed\n")
    sys.exit(bool(set(living) - SURVIVORS.keys()))


if __name__ == "__main__":
    main()
