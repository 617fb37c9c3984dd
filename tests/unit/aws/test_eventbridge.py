"""When publishing returns, the bus has the event."""

import json
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.errors import RetryLater
from solvimon_rillet.events import INVOICE_FINALISED, BusEvent

Json = dict[str, Any]
EVENT = BusEvent("solvimon", INVOICE_FINALISED, "default", "invo_1", "e1", "2026-11-01T08:00:00Z")


def publish(answer: Json | Exception) -> list[Json]:
    """Publish an event on a bus that answers so; return what EventBridge got."""
    events = Mock(put_events=Mock(side_effect=[answer]))
    Bus("the-bus", events).publish(EVENT)
    entries: list[Json] = events.put_events.call_args.kwargs["Entries"]
    return entries


def test_an_event_carries_ids_and_no_payload() -> None:
    [entry] = publish({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})

    assert (
        entry.items()
        >= {"EventBusName": "the-bus", "Source": "solvimon", "DetailType": "Invoice Finalised"}.items()
    )
    assert json.loads(entry["Detail"]) == {
        "connection": "default",
        "id": "invo_1",
        "event_id": "e1",
        "occurred_at": "2026-11-01T08:00:00Z",
    }


def test_what_was_published_is_what_a_queue_hands_over() -> None:
    [entry] = publish({"FailedEntryCount": 0, "Entries": []})
    on_queue = {
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
    }

    assert BusEvent.from_queue(json.dumps(on_queue)) == EVENT


@pytest.mark.parametrize(
    "failure",
    [ClientError({"Error": {"Code": "Throttled"}}, "PutEvents"), ReadTimeoutError(endpoint_url="x")],
)
def test_a_bus_that_does_not_answer_is_tried_again_later(failure: Exception) -> None:
    with pytest.raises(RetryLater, match="does not answer"):
        publish(failure)


@pytest.mark.parametrize(
    ("entry", "code"), [({"ErrorCode": "InternalFailure"}, "InternalFailure"), ({}, "unknown")]
)
def test_a_bus_that_answers_but_did_not_take_the_event_is_tried_again_later(entry: Json, code: str) -> None:
    with pytest.raises(RetryLater, match=rf"refused the event \({code}\)"):
        publish({"FailedEntryCount": 1, "Entries": [entry]})
