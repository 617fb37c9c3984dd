"""What every function's module has in common: a handler that is built when it is first called."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Build = Callable[..., Handler]


def lazily(build: Build) -> Handler:
    """A handler that builds itself from the process's environment at its first call."""
    lock = threading.Lock()
    built: list[Handler] = []

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        with lock:
            if not built:
                built.append(build(os.environ, clock=time.time))
        return built[0](event, context)

    return handler
