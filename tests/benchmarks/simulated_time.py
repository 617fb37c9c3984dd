"""Simulated time: threads that run one at a time, each until it sleeps; then the clock jumps to the next one.

The product's own code runs in them, with AWS (moto) and the vendors taking simulated time to answer.
"""

import heapq
import itertools
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, Self
from unittest.mock import patch

import requests
from botocore.httpsession import URLLib3Session
from requests.adapters import HTTPAdapter

from local.aws.pollers import sqs_record
from local.aws.queues import queues_follow
from local.system import LocalSystem
from solvimon_rillet.rate_limit.limiter import SlidingWindowRateLimiter

AWS_SECONDS = 0.01
"""How long a service of AWS in the same region takes to answer."""
VENDOR_SECONDS = (0.25, 0.30)
"""How long a vendor takes to answer."""
_POLL_SECONDS = 0.5


class SimulatedTime:
    """The clock, and the threads that wait for it."""

    def __init__(self, start: float) -> None:
        self.start = start
        self._now = start
        self._random = random.Random(1)  # noqa: S311 - a simulation
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()
        self._running = 0
        self._over = threading.Event()
        self._threads = threading.local()

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._now - self.start

    def sleep(self, seconds: float) -> None:
        """Let the others run until so many seconds have passed; outside of the simulation, do nothing."""
        if getattr(self._threads, "inside", False):
            turn = self._queue_at(self._now + max(0.0, seconds))
            self._go_on()
            turn.wait()

    def answer_time(self) -> float:
        """How long a vendor takes this time."""
        return self._random.uniform(*VENDOR_SECONDS)

    def spawn(self, work: Callable[[], object]) -> "Future[object]":
        """Begin a thread of the simulation; it has its first turn at this moment."""
        done: Future[object] = Future()
        turn = self._queue_at(self._now)
        self._running += 1

        def run() -> None:
            turn.wait()
            self._threads.inside = True
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - for the one who waits
                done.set_exception(error)
            self._running -= 1
            self._go_on()

        threading.Thread(target=run, daemon=True).start()
        return done

    def wait_for(self, done: "Future[object]") -> object:
        """Let the others run until a thread has ended."""
        while not done.done():
            self.sleep(_POLL_SECONDS / 50)
        return done.result()

    def run(self) -> None:
        """Run until all threads have ended."""
        self._over.clear()
        self._go_on()
        self._over.wait()

    def _queue_at(self, moment: float) -> threading.Event:
        turn = threading.Event()
        heapq.heappush(self._waiting, (moment, next(self._numbers), turn))
        return turn

    def _go_on(self) -> None:
        if self._waiting:
            self._now, _, turn = heapq.heappop(self._waiting)
            turn.set()
        elif not self._running:
            self._over.set()


class SideBySide:
    """Stands in for a ``ThreadPoolExecutor``: its threads are those of the simulation."""

    def __init__(self, time: SimulatedTime, max_workers: int) -> None:
        self._time = time
        self._limit = max_workers

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: Callable[..., object], *args: object) -> SimpleNamespace:
        """Begin the work; ``result`` of what is returned waits for its end."""
        done = self._time.spawn(partial(work, *args))
        return SimpleNamespace(result=partial(self._time.wait_for, done))


@dataclass
class Context:
    """Lambda's context of an invocation that began at a moment."""

    time: SimulatedTime
    function_name: str
    seconds: int
    began: float
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time-out."""
        return max(0, int((self.seconds - (self.time.now() - self.began)) * 1000))


def worker(
    system: LocalSystem,
    time: SimulatedTime,
    workflow: str,
    until: float,
    own_seconds: float = 0.0,
    done: Callable[[list[dict[str, Any]]], None] = lambda _messages: None,
) -> None:
    """Work off a function's queue as one of Lambda's workers does, with one process for all of its batches.

    Args:
        system: where the function is deployed.
        time: of the simulation.
        workflow: module of the handler.
        until: moment at which it stops.
        own_seconds: seconds of the function's own work for each message.
        done: is given the messages of a batch when it has ended.
    """
    function, queue = system.runtime.functions[workflow], system.deployment.queues[workflow]
    # The function's own calls take their simulated time, the poller's take none.
    environment = {**function.environment, "AWS_LAMBDA_FUNCTION_NAME": function.name}
    handler = system.runtime._module(function).create_handler(environment, clock=time.now)
    while time.now() < until:
        messages = system.aws.sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=queue.source.batch_size,
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        ).get("Messages", [])
        if not messages:
            time.sleep(_POLL_SECONDS)
            continue
        time.sleep(own_seconds * len(messages))
        records = [sqs_record(each, queue.arn) for each in messages]
        answer = handler({"Records": records}, Context(time, function.name, function.timeout, time.now()))
        failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
        entries: Any = [
            {"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]}
            for number, each in enumerate(messages)
            if each["MessageId"] not in failed
        ]
        if entries:
            system.aws.sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)
        done([dict(each) for each in messages])


@contextmanager
def simulated(
    system: LocalSystem,
    time: SimulatedTime,
    vendor: Callable[[requests.PreparedRequest], requests.Response | None],
) -> Iterator[None]:
    """Let the product's code run in simulated time.

    Args:
        system: where it runs.
        time: of the simulation.
        vendor: answers a request to a vendor after its time has passed; ``None`` lets it go to the fakes.
    """
    send_aws, send = URLLib3Session.send, HTTPAdapter.send

    def slow_aws(session: URLLib3Session, request: Any) -> Any:  # noqa: ANN401 - botocore's
        if b"app/" in request.headers.get("User-Agent", b""):
            time.sleep(AWS_SECONDS)
        return send_aws(session, request)

    def slow_vendor(
        adapter: HTTPAdapter, request: requests.PreparedRequest, **more: Any
    ) -> requests.Response:
        answer = vendor(request)
        return send(adapter, request, **more) if answer is None else answer

    class Limiter(SlidingWindowRateLimiter):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **{**more, "sleep": time.sleep})

    package = "solvimon_rillet"
    with ExitStack() as patches:
        patches.enter_context(queues_follow(time.now))
        for target in (
            patch.object(URLLib3Session, "send", slow_aws),
            patch.object(HTTPAdapter, "send", slow_vendor),
            patch(f"{package}.connections.connection.SlidingWindowRateLimiter", Limiter),
            patch(f"{package}.workflows.sweep.payments.sleep", time.sleep),
            patch(f"{package}.entrypoints.sweep_queue.ThreadPoolExecutor", partial(SideBySide, time)),
        ):
            patches.enter_context(target)
        yield
