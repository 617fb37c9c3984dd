"""What the tests arrange: stubs of the functions, events on the bus; and the secrets that they read."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

from local.aws.runtime import LambdaContext
from local.system import LocalSystem

Json = dict[str, Any]
Behaviour = Callable[[Json, LambdaContext], object]


class Stub:
    """One function: it records its events and answers as a test tells it."""

    def __init__(self) -> None:
        self.events: list[Json] = []
        self.contexts: list[LambdaContext] = []
        self.environments: list[dict[str, str]] = []
        self.clocks: list[Callable[[], float]] = []
        self.behaviour: Behaviour = lambda event, context: {}

    @property
    def event(self) -> Json:
        """The only event."""
        [event] = self.events
        return event

    def build(self, environment: dict[str, str], *, clock: Callable[[], float]) -> Behaviour:
        self.environments.append(environment)
        self.clocks.append(clock)
        return self.handle

    def handle(self, event: Json, context: LambdaContext) -> object:
        self.events.append(event)
        self.contexts.append(context)
        return self.behaviour(event, context)


def raising(error: BaseException) -> Behaviour:
    """A behaviour that raises."""
    return Mock(side_effect=error)


def publish(
    system: LocalSystem, detail: Json, source: str = "solvimon", detail_type: str = "Invoice Finalised"
) -> None:
    """Put an event onto the bus."""
    bus = system.deployment.outputs["EventBusName"]
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "EventBusName": bus}
    system.aws.events.put_events(Entries=[entry])  # type: ignore[list-item]


def secret(system: LocalSystem, name: str) -> Json:
    """Return a secret of the stack."""
    text = system.aws.secretsmanager.get_secret_value(SecretId=f"solvimon-rillet/{name}")["SecretString"]
    value: Json = json.loads(text)
    return value
