"""Something happens at a call of a method: just before it, or once it has answered."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest


def before_call(
    patch: pytest.MonkeyPatch, owner: type, method: str, act: Callable[..., object], call: int = 0
) -> None:
    """Do something just before a call of a method; what it raises, the call raises.

    Args:
        patch: takes it back.
        owner: the method's class.
        method: its name.
        act: is given what the method is given.
        call: which one, the first being 1; with 0, each.
    """
    real, calls = getattr(owner, method), count(1)

    def acting(*given: Any, **more: Any) -> Any:  # noqa: ANN401 - the method's own types
        if next(calls) == call or not call:
            act(*given, **more)
        return real(*given, **more)

    patch.setattr(owner, method, acting)


def after_call(
    patch: pytest.MonkeyPatch, owner: type, method: str, act: Callable[..., object], call: int = 0
) -> None:
    """Do something once a call of a method has its answer; the arguments are those of ``before_call``."""
    real, calls = getattr(owner, method), count(1)

    def acting(*given: Any, **more: Any) -> Any:  # noqa: ANN401 - the method's own types
        number, answer = next(calls), real(*given, **more)
        if number == call or not call:
            act(*given, **more)
        return answer

    patch.setattr(owner, method, acting)
