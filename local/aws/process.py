"""The process of an invocation: a thread of its own, which ends at the function's time-out.

Lambda kills the process. A thread cannot be killed while it waits in C code, so two things make it as good
as dead: an exception is raised in it and in every thread that it started as soon as they run Python again,
and no call of theirs to AWS or to a vendor leaves any more. The caller does not wait for them.
"""

import ctypes
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter


class Killed(BaseException):
    """Lambda ends the process here, and no handler runs; tests raise it from inside a function."""


class TimedOut(Killed):
    """The process was killed at the function's time-out."""


@dataclass(eq=False)
class _Process:
    """One invocation: its threads, and whether Lambda has killed it."""

    threads: list[threading.Thread] = field(default_factory=list)
    killed: bool = False

    def kill(self) -> None:
        self.killed = True
        alive = [thread.ident for thread in self.threads if thread.is_alive() and thread.ident]
        identities, ending = [ctypes.c_ulong(each) for each in alive], ctypes.py_object(TimedOut)
        # No function of Python is called in between: while its coverage is measured, Python 3.11 enters none
        # before a thread has taken its exception, and that one may wait for another of these threads.
        for identity in identities:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ending)


_mine: ContextVar[_Process | None] = ContextVar("process", default=None)


def run_process(work: Callable[[], Any], seconds: float) -> Any:  # noqa: ANN401 - what the work returns
    """Do work as a process does that has so much real time.

    Args:
        work: what to do.
        seconds: the function's time-out.

    Returns:
        What the work returns.

    Raises:
        TimedOut: it took longer, and was killed.
        BaseException: whatever the work raises.
    """
    process, outcome = _Process(), Future[Any]()

    def run() -> None:
        _mine.set(process)
        try:
            outcome.set_result(work())
        # Whatever ends the work is for the caller.
        except BaseException as error:  # noqa: BLE001
            outcome.set_exception(error)

    thread = threading.Thread(target=run, name="invocation", daemon=True)
    process.threads.append(thread)
    Context().run(thread.start)  # another process than that of the caller, if it has one
    thread.join(seconds)
    if thread.is_alive():
        process.kill()
        raise TimedOut(f"Task timed out after {seconds:.2f} seconds")
    return outcome.result()


def current_process() -> object | None:
    """Return what stands for the process of the caller; None outside of all processes."""
    return _mine.get()


def ensure_alive() -> None:
    """Let nothing out of a process that has been killed.

    Raises:
        TimedOut: the caller belongs to such a process.
    """
    process = _mine.get()
    if process is not None and process.killed:
        raise TimedOut("the process has been killed")


@contextmanager
def killed_processes_are_silent() -> Iterator[None]:
    """While this lasts, no request leaves a killed process, and its threads are known."""
    send_aws, send, start = URLLib3Session.send, HTTPAdapter.send, threading.Thread.start

    def sent_aws(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        ensure_alive()
        return send_aws(session, request)

    def sent(adapter: HTTPAdapter, request: PreparedRequest, *args: Any, **more: Any) -> Response:
        ensure_alive()
        return send(adapter, request, *args, **more)

    def started(thread: threading.Thread) -> None:
        if (process := _mine.get()) is not None:
            process.threads.append(thread)
            context, run = copy_context(), thread.run

            def run_until_killed() -> None:
                with suppress(TimedOut):
                    context.run(run)

            thread.run = run_until_killed  # type: ignore[method-assign]
        start(thread)

    with (
        patch.object(URLLib3Session, "send", sent_aws),
        patch.object(HTTPAdapter, "send", sent),
        patch.object(threading.Thread, "start", started),
    ):
        yield
