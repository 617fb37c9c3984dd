"""What the tests of both fakes share: a clock, a harness, a receiver of webhooks, waiting for a thread."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from local.fake_vendor.http_server import HttpServer, QuietHandler

Json = dict[str, Any]

SAMPLES = Path(os.environ.get("SAMPLES_DIR", Path(__file__).parents[3] / "shared/samples"))
"""Invoices and credit notes as Solvimon really sends them."""


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: float) -> None:
        self.start = self.time = start

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds

    def reset(self) -> None:
        self.time = self.start


class Harness:
    """A fake that runs as long as this is entered."""

    fake: HttpServer

    def __enter__(self) -> Self:
        self.fake.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.fake.stop()


@dataclass
class Receiver:
    """An endpoint on loopback that keeps the webhooks it gets and answers them with 200 or `answers`."""

    answers: list[int] = field(default_factory=list)
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    waits: threading.Event | None = None
    arrived: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Receiver":
        application = Request.application(self._take)
        self._server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=QuietHandler)
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


def accepted(response: requests.Response) -> Json:
    """The answer to a call that must be accepted with 200."""
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def wait_until(condition: Callable[[], bool]) -> None:
    """Yield to the server's threads until a condition holds."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)
