"""A fake as a program on loopback: its HTTP server and the thread that delivers its webhooks."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local.fake_vendor.traffic_recorder import TrafficRecorder, Vendor

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """A request handler without an access log; the fakes have their own logs of calls."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Write nothing."""


class HttpServer:
    """Serves a fake; usable as a context manager. The fake's state outlives `stop`.

    Attributes:
        recorder: reports every call to its listeners.
        base_path: of the API.
    """

    base_path = ""

    def __init__(self, vendor: Vendor, application: "WSGIApplication", deliver: Callable[[], object]) -> None:
        """Create a server that is not started.

        Args:
            vendor: names the threads and the recorded calls.
            application: the fake.
            deliver: sends all webhooks that are due.
        """
        self.recorder = TrafficRecorder(vendor, application)
        self._name = f"{vendor}-fake"
        self._deliver = deliver
        self._server: BaseWSGIServer | None = None
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._delivering = False

    @property
    def origin(self) -> str:
        """The address of the server, without a path.

        Raises:
            RuntimeError: the fake is not started.
        """
        if self._server is None:
            raise RuntimeError("the fake is not started")
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The base URL that clients are configured with, without a slash at the end."""
        return f"{self.origin}{self.base_path}"

    def start(self, port: int = 0) -> Self:
        """Listen on loopback; port 0 takes a free one.

        Raises:
            RuntimeError: the fake is already started.
        """
        if self._server is not None:
            raise RuntimeError("the fake is already started")
        self._stopping.clear()
        server = make_server(HOST, port, self.recorder, threaded=True, request_handler=QuietHandler)
        self._server = server
        self._run(lambda: server.serve_forever(poll_interval=0.1))
        return self

    def start_delivery(self, interval: float = 0.2) -> None:
        """Deliver webhooks in the background until `stop`, every `interval` seconds.

        Raises:
            RuntimeError: they are already being delivered.
        """
        if self._delivering:
            raise RuntimeError("webhooks are already being delivered")
        self._delivering = True
        self._stopping.clear()

        def deliver_until_stopped() -> None:
            while not self._stopping.wait(interval):
                self._deliver()

        self._run(deliver_until_stopped)

    def stop(self) -> None:
        """Stop listening and delivering; does nothing if the fake is not started."""
        self._stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for thread in self._threads:
            thread.join(timeout=15)
        self._threads.clear()
        self._delivering = False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=self._name, daemon=True)
        thread.start()
        self._threads.append(thread)
