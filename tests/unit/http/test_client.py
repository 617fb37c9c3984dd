"""Every outcome of a call is typed by what recovers it."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal
from email.message import Message
from http.client import parse_headers
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError

from local.clock import Clock
from solvimon_rillet.entrypoints.queue_processor import NEEDED_MILLISECONDS
from solvimon_rillet.errors import ConnectionBroken, OutcomeUnknown, Recoverable, RetryLater
from solvimon_rillet.http import client as http
from solvimon_rillet.http.client import Http, RateLimiter
from solvimon_rillet.http.deadline import sending_until
from solvimon_rillet.http.failures import RequestRejected
from solvimon_rillet.http.session import session
from tests.support.logs import logged

RESET, HANG = "reset", "hang"


class Request:
    """A request as it arrived."""

    def __init__(self, line: str, headers: Message, body: bytes) -> None:
        self.method, self.target, _ = line.split(" ")
        self.headers = headers
        self.body = body


class Vendor:
    """A server on loopback that answers one script after another, the last one again and again."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[bytes | str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.arrived = threading.Semaphore(0)
        self._released = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._released.set()
        self._socket.close()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answers.append("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def misbehave(self, how: str | bytes) -> None:
        self.answers.append(how)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            line = stream.readline().decode("latin-1").strip()
            headers = parse_headers(BytesIO(b"".join(iter(stream.readline, b"\r\n")) + b"\r\n"))
            body = stream.read(int(headers.get("Content-Length", "0")))
            self.requests.append(Request(line, headers, body))
            self.arrived.release()
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            if answer == HANG:
                self._released.wait(10)
            elif answer == RESET:
                linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            elif isinstance(answer, bytes):
                connection.sendall(answer)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    yield made
    made.close()


def client(vendor: Vendor | str, **more: Any) -> Http:
    """A client without retries."""
    url = vendor if isinstance(vendor, str) else vendor.url
    headers = more.pop("headers", lambda: {"Authorization": "Bearer sk_secret"})
    return Http("Rillet", url, headers, more.pop("http", session(0)), **more)


def failure_of(http_: Http, method: str) -> BaseException:
    """What a call raises."""

    def call() -> object:
        if method == "GET":
            return http_.get("/things", {"limit": 1})
        return http_.post("/things", {"note": "private words"}, "key-1")

    with pytest.raises((Recoverable, RequestRejected)) as raised:
        call()
    return raised.value


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_connection_means_that_nothing_happened(method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    error = failure_of(client(f"http://127.0.0.1:{port}"), method)

    assert type(error) is RetryLater
    assert str(error) == "Rillet cannot be reached."


_LOST = HTTPConnection("rillet.example")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("error", "happened"),
    [
        (requests.ConnectTimeout(MaxRetryError(None, "/", ConnectTimeoutError())), False),  # type: ignore[arg-type]
        (
            requests.ConnectionError(
                MaxRetryError(None, "/", NameResolutionError("rillet.example", _LOST, socket.gaierror()))  # type: ignore[arg-type]
            ),
            False,
        ),
        (requests.RequestException(), True),
        (requests.ConnectionError("?"), True),
        (requests.exceptions.SSLError(), True),
    ],
    ids=["connect time-out", "no such name", "unclassified", "a connection's", "TLS"],
)
def test_only_a_connection_that_was_never_made_means_that_nothing_happened(
    error: requests.RequestException, happened: bool, method: str
) -> None:
    expected = OutcomeUnknown if happened and method == "POST" else RetryLater

    with patch.object(HTTPAdapter, "send", side_effect=error):
        failure = failure_of(client("http://rillet.example"), method)

    assert type(failure) is expected


TRUNCATED = b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{"
NO_HTTP = b"what?\r\n\r\n"


@pytest.mark.parametrize(("method", "expected"), [("GET", RetryLater), ("POST", OutcomeUnknown)])
@pytest.mark.parametrize("how", [HANG, TRUNCATED, NO_HTTP])
def test_a_request_whose_answer_is_lost_may_have_happened(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, how: str | bytes, method: str, expected: type
) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.1)
    vendor.misbehave(how)

    assert type(failure_of(client(vendor), method)) is expected
    assert vendor.arrived.acquire(timeout=5)  # the client may give up before the server has read all
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("method", "expected", "sent"), [("GET", RetryLater, 2), ("POST", OutcomeUnknown, 1)]
)
@pytest.mark.parametrize("how", [RESET, b""])
def test_a_connection_that_ends_without_an_answer_is_tried_once_more_for_a_get_only(
    vendor: Vendor, how: str | bytes, method: str, expected: type, sent: int
) -> None:
    vendor.misbehave(how)

    assert type(failure_of(client(vendor), method)) is expected
    assert len(vendor.requests) == sent


def test_a_get_on_a_connection_that_died_while_lambda_was_frozen_is_repeated_at_once(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor closes each connection; a frozen function does not see it and uses the connection again."""
    monkeypatch.setattr("urllib3.connectionpool.is_connection_dropped", lambda _connection: False)
    vendor.misbehave(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    limiter = Mock(spec=RateLimiter)
    frozen = client(vendor, rate_limiter=limiter)
    frozen.get("/things")

    with logged() as log:
        answer = frozen.get("/things")

    assert answer == {}
    assert log.messages == ["call failed", "call"]
    assert limiter.acquire.call_count == 3


def test_a_netrc_file_must_not_replace_our_header(
    vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    vendor.answer(200, b"{}")

    client(vendor).get("/things")
    requests.get(f"{vendor.url}/without-our-session", timeout=5)

    assert vendor.requests[0].headers["Authorization"] == "Bearer sk_secret"
    assert vendor.requests[1].headers["Authorization"].startswith("Basic ")


def test_a_cookie_of_one_connection_reaches_no_other(vendor: Vendor) -> None:
    vendor.answer(200, b"{}", Set_Cookie="whose=acme; Path=/")
    shared = session(0)

    for name in ("acme", "globex"):
        client(vendor, http=shared, headers=lambda name=name: {"X-API-KEY": name}).get("/things")

    assert [request.headers["Cookie"] for request in vendor.requests] == [None, None]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "value", ["sk_…", "sk\u200b_1", "sk_1\n", " sk_1", "sk_1\r\nX-Other: 1", "sk\x00", "sk\x7f"]
)
def test_a_header_that_cannot_be_encoded_is_never_sent_and_never_of_unknown_outcome(
    vendor: Vendor, value: str, method: str
) -> None:
    error = failure_of(client(vendor, headers=lambda: {"X-API-KEY": value}), method)

    assert isinstance(error, ConnectionBroken)
    assert "Nothing was sent to Rillet: the value of the header X-API-KEY" in str(error)
    assert value.strip() not in str(error)
    assert error.__cause__ is None
    assert vendor.requests == []


@pytest.mark.parametrize(("method", "expected"), [("GET", RetryLater), ("POST", OutcomeUnknown)])
@pytest.mark.parametrize("status", [301, 302, 304, 307, 308, 408, 425, 500, 501, 502, 503, 504, 599])
def test_a_status_that_says_nothing_about_the_request_leaves_its_outcome_open(
    vendor: Vendor, status: int, method: str, expected: type
) -> None:
    vendor.answer(status)

    error = failure_of(client(vendor), method)

    assert type(error) is expected
    assert str(error) == f"Rillet answered {status}."


UNREADABLE = [
    *(
        b"",
        b"<html>",
        b'{"id": ',
        b"\xff",
        b"NaN",
        b"[-Infinity]",
        b"1e9999999999999999999",
        b"[1e999999999]",
    ),
    *(b"1e-999999999", b"9" * 5000, b"9" * 50, b"[" * 100_000, b'{"a":' * 100_000),
    b"[" * 101 + b"]" * 101,
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:16]))
@pytest.mark.parametrize(("method", "expected"), [("GET", RetryLater), ("POST", OutcomeUnknown)])
def test_a_success_that_cannot_be_read_may_have_happened(
    vendor: Vendor, body: bytes, method: str, expected: type
) -> None:
    vendor.answer(200, body)

    error = failure_of(client(vendor), method)

    assert type(error) is expected
    assert "unreadable JSON" in str(error)


def test_only_a_put_whose_success_has_no_body_takes_an_empty_answer(vendor: Vendor) -> None:
    vendor.answer(200, b"")
    http_ = client(vendor)

    assert http_.put("/things/1/sent-status", {"sent": True}, may_be_empty=True) is None
    with pytest.raises(OutcomeUnknown, match="unreadable JSON"):
        http_.put("/things/1", {})


@pytest.mark.parametrize(
    ("stated", "after"),
    [
        (None, 61),
        ("7", 7),
        ("0", 0),
        ("100000", 900),
        ("-5", 61),
        ("1.5", 61),
        ("Wed, 21 Oct 2026 07:28:00 GMT", 61),
        ("²", 61),
        ("9" * 5000, 900),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_429_says_when_to_come_back_or_a_minute_is_waited(
    vendor: Vendor, stated: str | None, after: int, method: str
) -> None:
    headers = {} if stated is None else {"Retry_After": stated}
    vendor.answer(429, b"", **headers)

    error = failure_of(client(vendor), method)

    assert type(error) is RetryLater
    assert isinstance(error, RetryLater)
    assert error.after == after


def test_every_call_passes_the_rate_limiter_and_a_429_is_reported_to_it(vendor: Vendor) -> None:
    limiter = Mock(spec=RateLimiter, on_throttled=Mock(return_value=33))
    vendor.answer(200, b"{}")
    vendor.answer(429, Retry_After="7")
    paced = client(vendor, rate_limiter=limiter)
    paced.get("/things")

    error = failure_of(paced, "POST")

    assert (limiter.acquire.call_count, limiter.on_throttled.call_count) == (2, 1)
    assert isinstance(error, RetryLater)
    assert error.after == 33


def test_a_call_that_the_rate_limiter_refuses_is_not_sent(vendor: Vendor) -> None:
    refusing = Mock(spec=RateLimiter, acquire=Mock(side_effect=RetryLater("later", after=9)))

    with pytest.raises(RetryLater, match="later"):
        client(vendor, rate_limiter=refusing).post("/things", {}, "key-1")

    assert vendor.requests == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_is_a_broken_connection_with_the_remedy(
    vendor: Vendor, status: int, method: str
) -> None:
    vendor.answer(status)

    error = failure_of(client(vendor), method)

    assert isinstance(error, ConnectionBroken)
    assert error.after == 300
    assert f"({status})" in str(error)
    assert "the connection's secret" in str(error)
    assert "sk_secret" not in str(error)


def _renewing(vendor: Vendor, works: bool) -> tuple[Http, list[Mapping[str, str]]]:
    """A client with a new credential each time, and the credentials that were reported as rejected."""
    keys = iter(["old", "new", "newest"])
    refused: list[Mapping[str, str]] = []

    def renew(headers: Mapping[str, str]) -> bool:
        refused.append(headers)
        return works

    return client(vendor, headers=lambda: {"Authorization": next(keys)}, renew=renew), refused


def test_a_401_is_tried_once_more_with_another_credential_and_the_same_key(vendor: Vendor) -> None:
    vendor.answer(401)
    vendor.answer(200, b'{"id": 1}')
    renewing, refused = _renewing(vendor, works=True)

    assert renewing.post("/things", {"a": 1}, "key-1") == {"id": 1}

    first, second = vendor.requests
    assert (first.headers["Authorization"], second.headers["Authorization"]) == ("old", "new")
    assert first.body == second.body
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "key-1"
    assert refused == [{"Authorization": "old"}]


@pytest.mark.parametrize(("status", "works", "tries"), [(401, True, 2), (401, False, 1), (403, True, 1)])
def test_only_a_401_is_tried_again_once_and_with_another_credential(
    vendor: Vendor, status: int, works: bool, tries: int
) -> None:
    vendor.answer(status)
    renewing, _ = _renewing(vendor, works=works)

    assert isinstance(failure_of(renewing, "GET"), ConnectionBroken)

    assert len(vendor.requests) == tries


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 415, 422, 499])
def test_any_other_4xx_is_a_refusal_with_its_problem_document(
    vendor: Vendor, status: int, method: str
) -> None:
    vendor.answer(status, b'{"title": "No", "limit": 1.10}')

    error = failure_of(client(vendor), method)

    assert isinstance(error, RequestRejected)
    assert (error.status, error.vendor) == (status, "Rillet")
    assert error.problem == {"title": "No", "limit": Decimal("1.10")}


@pytest.mark.parametrize("body", [*UNREADABLE, b"[1]", b"null", b"7"], ids=lambda body: repr(body[:16]))
def test_a_refusal_without_a_problem_document_is_a_refusal_all_the_same(vendor: Vendor, body: bytes) -> None:
    vendor.answer(400, body)

    error = failure_of(client(vendor), "POST")

    assert isinstance(error, RequestRejected)
    assert error.problem == {}


def test_numbers_in_answers_are_decimals_digit_by_digit(vendor: Vendor) -> None:
    vendor.answer(200, b'{"amount": 0.10, "rate": 0.12345678901234567890, "count": 3, "big": 1e2}')

    answer = client(vendor).get("/things")

    assert answer == {
        "amount": Decimal("0.10"),
        "rate": Decimal("0.12345678901234567890"),
        "count": 3,
        "big": Decimal("1E+2"),
    }
    assert str(answer["amount"]) == "0.10"
    assert not any(isinstance(value, float) for value in answer.values())


def test_half_a_surrogate_pair_in_an_answer_can_be_written_again(vendor: Vendor) -> None:
    vendor.answer(200, b'{"name": "\\ud83d Ltd", "other": "\\ud83d\\ude00"}')

    assert client(vendor).get("/things") == {"name": "? Ltd", "other": "\U0001f600"}


def test_decimals_in_requests_are_written_digit_by_digit(vendor: Vendor) -> None:
    vendor.answer(200, b"{}")

    client(vendor).post("/things", {"percentage": Decimal("9.975"), "name": "Québec 消費税"}, "key-1")

    [request] = vendor.requests
    assert b'"percentage": 9.975' in request.body
    assert json.loads(request.body)["name"] == "Québec 消費税"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Idempotency-Key"] == "key-1"


def test_an_empty_success_is_nothing(vendor: Vendor) -> None:
    vendor.answer(204)

    assert client(vendor).get("/things") is None


def test_a_read_sends_its_parameters_and_no_key(vendor: Vendor) -> None:
    vendor.answer(200, b"[]")

    client(vendor).get("/things", {"updated.gt": "2026-11-01T00:00:00Z", "limit": 100})

    [request] = vendor.requests
    assert request.target == "/things?updated.gt=2026-11-01T00%3A00%3A00Z&limit=100"
    assert request.headers["Authorization"] == "Bearer sk_secret"
    assert request.headers.get("Idempotency-Key") is None


def test_a_redirect_never_carries_the_credential_elsewhere(vendor: Vendor) -> None:
    elsewhere = Vendor()
    elsewhere.answer(200, b"{}")
    vendor.answer(307, Location=f"{elsewhere.url}/things")

    failure_of(client(vendor, http=session(2)), "POST")
    failure_of(client(vendor, http=session(2)), "GET")

    elsewhere.close()
    assert elsewhere.requests == []
    assert len(vendor.requests) == 2


@pytest.fixture
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once."""
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)
    monkeypatch.setattr(http, "READ_SECONDS", 0.1)


@pytest.mark.usefixtures("without_waiting")
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_safe_read_is_repeated_by_itself_and_a_write_never(vendor: Vendor, status: int) -> None:
    vendor.answer(status)
    failure_of(client(vendor, http=session(2)), "GET")
    reads = len(vendor.requests)

    failure_of(client(vendor, http=session(2)), "POST")

    assert (reads, len(vendor.requests) - reads) == (3, 1)


@pytest.mark.usefixtures("without_waiting")
@pytest.mark.parametrize("how", [RESET, HANG])
def test_a_write_whose_answer_is_lost_is_never_repeated_behind_the_callers_back(
    vendor: Vendor, how: str
) -> None:
    vendor.misbehave(how)

    failure_of(client(vendor, http=session(2)), "POST")

    assert len(vendor.requests) == 1


@pytest.mark.usefixtures("without_waiting")
def test_a_read_that_succeeds_at_the_second_try_is_a_success(vendor: Vendor) -> None:
    vendor.answer(503)
    vendor.answer(200, b'{"id": 1}')

    assert client(vendor, http=session(2)).get("/things") == {"id": 1}


@pytest.mark.usefixtures("without_waiting")
@pytest.mark.parametrize("status", [429, 400, 401, 404])
def test_a_read_that_is_refused_is_not_repeated(vendor: Vendor, status: int) -> None:
    vendor.answer(status)

    failure_of(client(vendor, http=session(2)), "GET")

    assert len(vendor.requests) == 1


@pytest.mark.parametrize("retries", [0, 2])
def test_a_vendor_that_hangs_is_given_up_while_the_function_has_time_left(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, retries: int
) -> None:
    """Else the function is cut off and each hanging call uses up one of the message's five tries."""
    real_seconds = http.READ_SECONDS
    monkeypatch.setattr(Retry, "sleep", lambda *_: None)
    monkeypatch.setattr(http, "READ_SECONDS", 0.05)
    vendor.misbehave(HANG)

    failure_of(client(vendor, http=session(retries)), "GET")

    assert len(vendor.requests) * real_seconds * 1000 < NEEDED_MILLISECONDS


def test_calls_are_logged_with_their_ids_and_never_with_a_body_or_a_secret(vendor: Vendor) -> None:
    vendor.answer(200, b'{"note": "private answer"}', X_REQUEST_ID="reqr_1")
    vendor.answer(400, b'{"note": "private answer"}', X_REQUEST_ID="reqr_2")
    vendor.answer(200, b"private answer")
    vendor.misbehave(RESET)
    http_ = client(vendor, request_id="X-REQUEST-ID")

    with logged() as log:
        http_.post("/things", {"note": "private words"}, "key-1")
        for _ in range(3):
            failure_of(http_, "POST")

    assert log.messages == ["call", "call", "call", "call failed"]
    first = vars(log.records[0])
    assert (first["vendor"], first["method"], first["path"]) == ("Rillet", "POST", "/things")
    assert (first["status"], first["vendor_request_id"]) == (200, "reqr_1")
    assert first["milliseconds"] >= 0
    for word in ("private", "sk_secret", "key-1"):
        assert word not in log.text


def test_every_call_asks_for_json(vendor: Vendor) -> None:
    vendor.answer(200, b"{}")
    http_ = client(vendor)

    http_.get("/things")
    http_.post("/things", {}, "key")
    http_.put("/things", {})
    http_.patch("/things", {})

    assert [each.headers["Accept"] for each in vendor.requests] == ["application/json"] * 4


class Standstill(HTTPAdapter):
    """A network whose connections take a minute, by the given clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        self._clock.advance(61)
        return super().send(request, *args, **more)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_write_does_not_leave_after_the_deadline_of_its_run(vendor: Vendor, method: str) -> None:
    clock = Clock()
    slow = requests.Session()
    slow.mount("http://", Standstill(clock))
    vendor.answer(200, b"{}")

    with sending_until(60, clock.now), pytest.raises(RetryLater) as raised:
        write(client(vendor, http=slow), method)

    assert str(raised.value) == "Nothing was sent to Rillet: this run took too long. A new one continues."
    assert [request.body for request in vendor.requests] in ([], [b""])


@pytest.mark.parametrize("seconds", [(-1, 60), (60, -1)])
def test_the_deadline_of_an_outer_run_counts_as_well(vendor: Vendor, seconds: tuple[int, int]) -> None:
    outer, inner = seconds

    with sending_until(outer, Clock().now), sending_until(inner, Clock().now), pytest.raises(RetryLater):
        client(vendor).post("/things", None, "")

    assert vendor.requests == []


def test_reads_and_writes_before_the_deadline_are_sent(vendor: Vendor) -> None:
    vendor.answer(200, b'{"n": 1}')

    with sending_until(-1, Clock().now):
        read = client(vendor).get("/things")
    with sending_until(60, Clock().now):
        written = client(vendor).post("/things", {"n": "1"}, "key-1")

    assert read == written == {"n": 1}
    assert vendor.requests[1].body == b'{"n": "1"}'
    assert vendor.requests[1].headers["Content-Length"] == "10"


@pytest.mark.parametrize(
    ("status", "body", "over"), [(500, b"", True), (503, b"", False), (504, b"", False), (200, b"{", True)]
)
def test_only_the_vendor_itself_can_say_that_a_call_is_over(
    vendor: Vendor, status: int, body: bytes, over: bool
) -> None:
    vendor.answer(status, body)

    error = failure_of(client(vendor), "POST")

    assert isinstance(error, OutcomeUnknown)
    assert error.over is over


def write(http_: Http, method: str) -> object:
    if method == "POST":
        return http_.post("/things", {"n": 1}, "key-1")
    return (http_.put if method == "PUT" else http_.patch)("/things", {"n": 1})


def test_a_renewed_credential_is_checked_before_a_write_is_sent_with_it(vendor: Vendor) -> None:
    keys, checked = iter(["old", "new"]), list[str]()

    def check(headers: Mapping[str, str]) -> None:
        checked.append(headers["Authorization"])
        if headers["Authorization"] == "new":
            raise ConnectionBroken("It is another's.")

    vendor.answer(401)
    http = client(
        vendor, headers=lambda: {"Authorization": next(keys)}, renew=lambda _: True, before_write=check
    )

    with pytest.raises(ConnectionBroken, match="another's"):
        http.post("/x", {}, "key")

    assert checked == ["old", "new"]
    assert [request.headers["Authorization"] for request in vendor.requests] == ["old"]
