"""Which methods of the vendors' clients no scenario has called, so that what they send went unchecked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch


@contextmanager
def uncalled_methods(*clients: type) -> Iterator[set[str]]:
    """The public methods of some classes; each leaves the set when it is called.

    Args:
        clients: the classes.
    """
    uncalled: set[str] = set()

    def recorded(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*args: object, **more: object) -> object:
            uncalled.discard(name)
            return method(*args, **more)

        return call

    with ExitStack() as patches:
        for client in clients:
            for name, method in list(vars(client).items()):
                if callable(method) and not name.startswith("_"):
                    full_name = f"{client.__name__}.{name}"
                    uncalled.add(full_name)
                    patches.enter_context(patch.object(client, name, recorded(full_name, method)))
        yield uncalled
