"""Publishing to the EventBridge bus."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import simplejson
from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import BusEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


_EVENTS_A_REQUEST = 10  # limit of one request


class Bus:
    """The event bus of the deployment."""

    def __init__(self, name: str, events: "EventBridgeClient") -> None:
        self._name = name
        self._events = events

    def publish(self, *events: BusEvent) -> None:
        """Put events on the bus; when this returns, the bus has them all.

        Raises:
            RetryLater: the bus rejected one of them, or does not answer.
        """
        for start in range(0, len(events), _EVENTS_A_REQUEST):
            self._put([self._entry(event) for event in events[start : start + _EVENTS_A_REQUEST]])

    def publish_outcome(self, source: str, detail_type: str, detail: Mapping[str, object]) -> None:
        """Put an event about an outcome on the bus.

        Raises:
            RetryLater: the bus rejected it, or does not answer.
        """
        text = simplejson.dumps(detail, use_decimal=True)
        entry = {"EventBusName": self._name, "Source": source, "DetailType": detail_type, "Detail": text}
        self._put([entry])

    def _entry(self, event: BusEvent) -> dict[str, str]:
        return {
            "EventBusName": self._name,
            "Source": event.source,
            "DetailType": event.detail_type,
            "Detail": json.dumps(event.detail()),
        }

    def _put(self, entries: list[dict[str, str]]) -> None:
        try:
            answer = self._events.put_events(Entries=entries)  # type: ignore[arg-type]
        except (ClientError, BotoCoreError) as error:
            raise RetryLater(f"The event bus does not answer ({type(error).__name__}).") from error
        if answer.get("FailedEntryCount"):
            codes = [entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry]
            raise RetryLater(f"The event bus refused the event ({codes[0] if codes else 'unknown'}).")
