"""The handler that every function's module offers to Lambda."""

import os
import threading
import time
from collections.abc import Callable
from typing import Any

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
CreateHandler = Callable[..., Handler]


def on_first_call(create_handler: CreateHandler) -> Handler:
    """A handler that is created from the process's environment at Lambda's first call.

    Importing a function's module reads no environment: the local system and the tests create handlers of
    their own, each with its environment and clock.
    """
    lock = threading.Lock()
    made: list[Handler] = []

    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        with lock:
            if not made:
                made.append(create_handler(os.environ, clock=time.time))
        return made[0](event, context)

    return handler
