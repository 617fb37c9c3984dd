"""Waiting is a copy of the message with a delay, and it has an end."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from solvimon_rillet.aws.sqs import MAX_DEFERRAL_SECONDS, MAX_DELAY_SECONDS, Queue
from solvimon_rillet.errors import RetryLater

NOW = 1_800_000_000
URL = "https://sqs.example/queue"
Json = dict[str, Any]


class Sqs:
    """SQS, which keeps what it is sent or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.sent: list[Json] = []
        self._failure = failure

    def send_message(self, **message: Any) -> Json:
        if self._failure:
            raise self._failure
        self.sent.append(message)
        return {"MessageId": "1"}


def queue(sqs: Sqs, now: float = NOW) -> Queue:
    return Queue(URL, sqs, lambda: now)  # type: ignore[arg-type]


def as_lambda_hands_over(message: Json) -> Json:
    """The attributes of a sent message as a function gets them."""
    return {
        name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
        for name, value in message["MessageAttributes"].items()
    }


def test_a_copy_has_the_same_body_and_remembers_when_the_message_was_first_seen() -> None:
    sqs = Sqs()

    deferred = queue(sqs).defer("body", {}, 30)

    assert (deferred.delay, deferred.waited) == (30, 0)
    assert sqs.sent == [
        {
            "QueueUrl": URL,
            "MessageBody": "body",
            "DelaySeconds": 30,
            "MessageAttributes": {
                "deferrals": {"DataType": "Number", "StringValue": "1"},
                "first_seen": {"DataType": "Number", "StringValue": str(NOW)},
            },
        }
    ]


def test_a_copy_of_a_copy_counts_on() -> None:
    sqs = Sqs()
    queue(sqs).defer("body", {}, 30)

    deferred = queue(sqs, NOW + 100).defer("body", as_lambda_hands_over(sqs.sent[0]), 30)

    assert deferred.waited == 100
    assert as_lambda_hands_over(sqs.sent[1])["deferrals"]["stringValue"] == "2"
    assert as_lambda_hands_over(sqs.sent[1])["first_seen"]["stringValue"] == str(NOW)


@pytest.mark.parametrize(
    ("after", "delay"), [(0, 1), (0.2, 1), (1, 1), (61.2, 62), (899.5, 900), (900, 900), (10**6, 900)]
)
def test_a_wait_that_is_asked_for_is_kept_within_what_sqs_allows_and_never_cut_short(
    after: float, delay: int
) -> None:
    sqs = Sqs()

    deferred = queue(sqs).defer("body", {}, after)

    assert deferred.delay == sqs.sent[0]["DelaySeconds"] == delay


@pytest.mark.parametrize(
    ("times", "longest"), [(0, 15), (1, 30), (2, 60), (5, 480), (6, 900), (7, 900), (1000, 900)]
)
def test_a_delay_without_a_given_time_grows_to_a_quarter_of_an_hour(times: int, longest: int) -> None:
    sqs = Sqs()
    attributes = {"deferrals": {"stringValue": str(times)}}

    delays = {queue(sqs).defer("body", attributes, None).delay for _ in range(50)}

    assert min(delays) >= 0.8 * longest - 1
    assert max(delays) <= longest <= MAX_DELAY_SECONDS
    assert len(delays) > 1, "many messages do not all come back at once"


def _seen(seconds_ago: int) -> Json:
    return {"first_seen": {"stringValue": str(NOW - seconds_ago)}}


def test_a_message_waits_for_14_days_and_no_longer() -> None:
    sqs = Sqs()

    queue(sqs).defer("body", _seen(MAX_DEFERRAL_SECONDS), 30)
    with pytest.raises(RetryLater, match="14 days"):
        queue(sqs).defer("body", _seen(MAX_DEFERRAL_SECONDS + 1), 30)

    assert len(sqs.sent) == 1


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "ServiceUnavailable"}}, "Send"),
        EndpointConnectionError(endpoint_url=URL),
    ],
)
def test_a_queue_that_takes_nothing_says_so_and_the_original_must_stay(failure: Exception) -> None:
    with pytest.raises(RetryLater, match="does not take the message"):
        queue(Sqs(failure)).defer("body", {}, 30)


@pytest.mark.parametrize("value", ["", "-1", "1.5", "soon", "²", None])
def test_foreign_attributes_are_ignored(value: object) -> None:
    sqs = Sqs()
    attributes = {name: {"stringValue": value} for name in ("deferrals", "first_seen")}

    queue(sqs).defer("body", attributes, 30)

    assert as_lambda_hands_over(sqs.sent[0])["deferrals"]["stringValue"] == "1"
    assert as_lambda_hands_over(sqs.sent[0])["first_seen"]["stringValue"] == str(NOW)


class BatchSqs:
    """SQS, which takes messages in batches and refuses some a few times."""

    def __init__(self, refuse: dict[str, int] | None = None, failure: Exception | None = None) -> None:
        self.batches: list[list[str]] = []
        self.taken: list[str] = []
        self._refuse = refuse or {}
        self._failure = failure

    def send_message_batch(self, QueueUrl: str, Entries: list[Json]) -> Json:
        if self._failure:
            raise self._failure
        assert QueueUrl == URL
        assert len({entry["Id"] for entry in Entries}) == len(Entries) <= 10
        self.batches.append([entry["MessageBody"] for entry in Entries])
        failed = []
        for entry in Entries:
            body = entry["MessageBody"]
            if self._refuse.get(body, 0):
                self._refuse[body] -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.taken.append(body)
        return {"Successful": [], "Failed": failed}

    def get_queue_attributes(self, **asked: Any) -> Json:
        if self._failure:
            raise self._failure
        assert asked == {"QueueUrl": URL, "AttributeNames": ["ApproximateNumberOfMessages"]}
        return {"Attributes": {"ApproximateNumberOfMessages": "7"}}


def batch_queue(sqs: BatchSqs) -> Queue:
    return Queue(URL, sqs, lambda: NOW, lambda _seconds: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "batches"), [(0, []), (1, [1]), (10, [10]), (25, [10, 10, 5])])
def test_many_messages_are_put_ten_at_a_time(count: int, batches: list[int]) -> None:
    sqs = BatchSqs()
    bodies = [str(number) for number in range(count)]

    batch_queue(sqs).put(bodies)

    assert [len(batch) for batch in sqs.batches] == batches
    assert sqs.taken == bodies


def test_a_message_that_is_refused_in_a_batch_is_put_again_alone() -> None:
    sqs = BatchSqs(refuse={"b": 2})

    batch_queue(sqs).put(["a", "b", "c"])

    assert sqs.batches == [["a", "b", "c"], ["b"], ["b"]]
    assert sorted(sqs.taken) == ["a", "b", "c"]


def test_a_message_that_is_refused_again_and_again_is_told() -> None:
    sqs = BatchSqs(refuse={"b": 99})

    with pytest.raises(RetryLater, match="does not take all"):
        batch_queue(sqs).put(["a", "b"])


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessageBatch"),
        EndpointConnectionError(endpoint_url="x"),
    ],
)
def test_a_queue_that_fails_is_told_and_no_bug(failure: Exception) -> None:
    broken = batch_queue(BatchSqs(failure=failure))

    with pytest.raises(RetryLater, match="does not take messages"):
        broken.put(["a"])
    with pytest.raises(RetryLater, match="does not answer"):
        broken.depth()


def test_a_queue_says_how_many_messages_wait() -> None:
    assert batch_queue(BatchSqs()).depth() == 7
