"""The demo as a program: what goes onto the screen, what into the log, and how it ends."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from local.demo import missing_package
from local.demo.console import Console

if TYPE_CHECKING:
    from local.system import LocalSystem

_PROJECT = Path(__file__).resolve().parent.parent.parent
DEMO_LOG = _PROJECT / "build" / "demo" / "functions.log"
INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended."""

logger = logging.getLogger(__name__)


def demo(out: TextIO, errors: TextIO, log: Path = DEMO_LOG) -> int:
    """Start the local system, run the demo and print whether both sides' books agree.

    Args:
        out: where the demo prints; its last line is `DEMO` and the figures as JSON.
        errors: where one plain line goes when the demo cannot run.
        log: the file for what the functions write.

    Returns:
        The exit code.
    """
    started = time.monotonic()
    try:
        with _written_to(log):
            try:
                return _run_demo(Console(out), started, log)
            except KeyboardInterrupt:
                errors.write("demo: stopped by Ctrl-C; nothing is left running.\n")
                return INTERRUPTED
            except ModuleNotFoundError as missing:
                errors.write(f"demo: {missing_package(missing.name)}\n")
            # Whatever else went wrong: its traceback belongs into the log, not onto a visitor's screen.
            except Exception as error:
                logger.exception("the demo stopped")
                errors.write(f"demo: {_plain_error(error)} The log is {_short(log)}.\n")
    except OSError as error:
        errors.write(f"demo: {_short(log)} cannot be written ({error.strerror}). Make its folder writable.\n")
    return 1


def _run_demo(console: Console, started: float, log: Path) -> int:
    console.heading("Solvimon invoices into Rillet: exactly once and to the cent")
    console.say(
        "Everything runs on this machine: AWS is played by moto, with template.yaml deployed into it; "
        "Solvimon and Rillet are played by fakes that behave like them."
    )
    # Late, so that the lines above are there at once: these imports take seconds.
    from local.demo import script

    with ExitStack() as running:
        system = _start_system(running)
        console.note(f"Started in {time.monotonic() - started:.1f} s. The functions' logs: {_short(log)}")
        result = script.run_sections(system, console)
    return script.print_result(console, result, time.monotonic() - started)


def _start_system(running: ExitStack) -> "LocalSystem":
    from local.demo.context import DemoStopped
    from local.system import LocalSystem

    try:
        return running.enter_context(LocalSystem())
    # SystemExit is what werkzeug's server makes of a port that it cannot have.
    except (OSError, SystemExit) as error:
        raise DemoStopped(
            f"The local system cannot listen on 127.0.0.1 ({error}). It takes free ports: allow that, or end "
            "the programs that hold them all, and run `make demo` again"
        ) from error


@contextmanager
def _written_to(log: Path) -> Iterator[None]:
    """Send what the functions, AWS and the fakes print into a file, the one of the run before gone."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8", buffering=1) as file, redirect_stdout(file), redirect_stderr(file):
        yield


def _plain_error(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{text[0].rstrip('.') if text else type(error).__name__}."


def _short(path: Path) -> str:
    return str(path.relative_to(_PROJECT)) if path.is_relative_to(_PROJECT) else str(path)
