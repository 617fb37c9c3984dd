"""Whether all that can be sent was sent: which methods of the vendors' clients were called."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch


@contextmanager
def calls_of(*clients: type) -> Iterator[set[str]]:
    """Note which public methods of some classes are called; the set holds those that were not.

    Args:
        clients: the classes.
    """
    left: set[str] = set()

    def noting(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def noted(*args: object, **more: object) -> object:
            left.discard(name)
            return method(*args, **more)

        return noted

    with ExitStack() as undo:
        for client in clients:
            for name, method in list(vars(client).items()):
                if callable(method) and not name.startswith("_"):
                    left.add(f"{client.__name__}.{name}")
                    noted = noting(f"{client.__name__}.{name}", method)
                    undo.enter_context(patch.object(client, name, noted))
        yield left
