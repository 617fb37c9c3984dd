"""Publishing to the EventBridge bus."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import BusEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


class Bus:
    """The deployment's own event bus."""

    def __init__(self, name: str, events: "EventBridgeClient") -> None:
        self._name = name
        self._events = events

    def publish(self, event: BusEvent) -> None:
        """Put an event on the bus; when this returns, the bus has it.

        Raises:
            RetryLater: the bus did not take it.
        """
        entry = {
            "EventBusName": self._name,
            "Source": event.source,
            "DetailType": event.detail_type,
            "Detail": json.dumps(event.detail()),
        }
        try:
            answer = self._events.put_events(Entries=[entry])  # type: ignore[list-item]
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The event bus does not answer ({type(error).__name__}).") from error
        if answer.get("FailedEntryCount"):
            code = answer["Entries"][0].get("ErrorCode", "unknown")
            raise RetryLater(f"The event bus refused the event ({code}).")
