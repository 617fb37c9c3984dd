"""Stand-ins for the functions: they note what reaches them and do what a test tells them."""

from collections.abc import Callable
from typing import Any

from local.aws.runtime import LambdaContext

Json = dict[str, Any]
Behaviour = Callable[[Json, LambdaContext], object]


def _succeed(event: Json, context: LambdaContext) -> object:
    return {}


class Stub:
    """One function."""

    def __init__(self) -> None:
        self.events: list[Json] = []
        self.contexts: list[LambdaContext] = []
        self.environments: list[dict[str, str]] = []
        self.clocks: list[Callable[[], float]] = []
        self.behaviour: Behaviour = _succeed

    def build(self, environment: dict[str, str], *, clock: Callable[[], float]) -> Behaviour:
        self.environments.append(environment)
        self.clocks.append(clock)
        return self.handle

    def handle(self, event: Json, context: LambdaContext) -> object:
        self.events.append(event)
        self.contexts.append(context)
        return self.behaviour(event, context)
