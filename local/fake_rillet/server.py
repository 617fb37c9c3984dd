"""The fake as a server on loopback."""

import threading
import time
from collections.abc import Callable
from types import TracebackType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.fake_rillet.app import create_app
from local.fake_rillet.state import State
from local.fake_vendor.traffic_recorder import TrafficRecorder

HOST = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    """A request handler that writes no access log; `State.calls` is the log."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


class FakeRillet:
    """A Rillet on this machine.

    It outlives `stop`: what it remembers is there again after the next `start`. Usable as a context
    manager.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        rate_limit: int = 60,
        rate_window: float = 60.0,
    ) -> None:
        """Create a fake that is not started and has no organisation.

        Args:
            clock: Unix seconds.
            rate_limit: calls per window and organisation.
            rate_window: seconds.
        """
        self.state = State(clock, rate_limit, rate_window)
        self.recorder = TrafficRecorder("rillet", create_app(self.state))
        self._server: BaseWSGIServer | None = None
        self._thread: threading.Thread | None = None
        self._courier: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end.

        Raises:
            RuntimeError: the fake is not started.
        """
        if self._server is None:
            raise RuntimeError("the fake is not started")
        return f"http://{HOST}:{self._server.port}"

    def start(self, port: int = 0) -> None:
        """Listen on loopback in a thread of its own; port 0 takes any free one."""
        if self._server is not None:
            raise RuntimeError("the fake is already started")
        self._server = make_server(HOST, port, self.recorder, threaded=True, request_handler=_QuietHandler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="rillet-fake", daemon=True
        )
        self._thread.start()

    def start_delivery(self, interval: float = 0.2) -> None:
        """Deliver webhooks in the background until `stop`, looking every `interval` seconds."""
        if self._courier is not None:
            raise RuntimeError("webhooks are already being delivered")
        self._stopping.clear()
        self._courier = threading.Thread(
            target=self._deliver, args=(interval,), name="rillet-fake-webhooks", daemon=True
        )
        self._courier.start()

    def stop(self) -> None:
        """Stop listening and delivering; does nothing if the fake is not started."""
        self._stopping.set()
        if self._courier is not None:
            self._courier.join()
            self._courier = None
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        self._server = self._thread = None

    def _deliver(self, interval: float) -> None:
        while not self._stopping.wait(interval):
            for organisation in list(self.state.organisations.values()):
                organisation.deliver_webhooks()

    def __enter__(self) -> "FakeRillet":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
