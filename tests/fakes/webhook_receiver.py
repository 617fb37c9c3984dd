"""Somebody who receives webhooks on loopback."""

import threading
from dataclasses import dataclass, field

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@dataclass
class Receiver:
    """An endpoint on loopback that keeps what it gets and answers what it is told to."""

    answers: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    waits: threading.Event | None = None
    arrived: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Receiver":
        application = Request.application(self._take)
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_QuietHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self.waits is not None:
            self.waits.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/webhooks/default"

    def _take(self, request: Request) -> Response:
        if self.waits is not None:
            self.waits.wait(10)
        headers = {name.upper(): value for name, value in request.headers.items()}
        self.received.append((headers, request.get_data()))
        self.arrived.set()
        return Response(status=self.answers.pop(0) if self.answers else 200)
