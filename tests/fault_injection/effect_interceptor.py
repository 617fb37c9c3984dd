"""The border of the functions' process: what crosses it is written down, or meets a fault.

It knows nothing of our code: it sees the requests that leave through ``requests`` and through botocore.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import botocore.endpoint
import requests
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from requests.adapters import HTTPAdapter

from local.aws.clients import send_in_process
from local.aws.process import current_process
from local.aws.runtime import Killed, LambdaRuntime
from local.http_in_process import http_in_process, hung_up, no_answer
from local.system import LocalSystem
from tests.fault_injection import aws_protocol
from tests.fault_injection.effects import EVENT_SOURCE, LATE_SECONDS, Effect, Fault, PlannedFault, lasting
from tests.fault_injection.stepped_worker import SteppedWorker
from tests.support.vendor_answers import answer_to

_LEASE_SECONDS = 15 * 60 + 1
"""Longer than any function may run, so longer than any lease."""
_TIME_OUT = 20
"""Seconds for which the product waits for an answer."""
_SQS_DELETE = "DeleteMessageBatch"


@dataclass(eq=False)
class _Invocation:
    workflow: str
    dead: bool = False
    worker: SteppedWorker | None = None
    interleaved: SteppedWorker | None = None


@dataclass
class EffectInterceptor:
    """What crosses the border of the functions of a stack.

    Attributes:
        system: the local system.
        workers: those that are stepped.
        effects: everything that crossed since ``watch``, in order.
        plan: the fault that is to happen.
    """

    system: LocalSystem
    effects: list[Effect] = field(default_factory=list)
    plan: PlannedFault | None = None

    def __post_init__(self) -> None:
        self._seen: Counter[tuple[str, str, str]] = Counter()
        self._inside: list[_Invocation] = []
        self.workers: list[SteppedWorker] = []
        self._by_process: WeakKeyDictionary[object, _Invocation] = WeakKeyDictionary()
        self._lock = threading.RLock()
        self._watching = False
        self._broken_call = ""

    @contextmanager
    def installed(self) -> Iterator["EffectInterceptor"]:
        """See everything that leaves the process, until the end."""
        interceptor = self
        call, aws = vars(LambdaRuntime)["_call"], self.system.aws

        def called(runtime: LambdaRuntime, function: Any, event: Any) -> Any:  # noqa: ANN401
            invocation = _Invocation(function.workflow, worker=interceptor._stepped())
            interceptor._inside.append(invocation)
            try:
                return call(runtime, function, event)
            finally:
                if invocation.interleaved:
                    invocation.interleaved.go_on()
                interceptor._inside.remove(invocation)

        def sent(
            adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **more: Any
        ) -> requests.Response:
            return interceptor._http(request, lambda: send(adapter, request, *args, **more))

        def sent_aws(session: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
            return interceptor._aws(request, lambda: send_in_process(request, aws.serve))

        with ExitStack() as patches:
            patches.enter_context(http_in_process(self.system))
            patches.enter_context(_waits_advance(self.system))
            send = HTTPAdapter.send
            patches.enter_context(patch.object(LambdaRuntime, "_call", called))
            patches.enter_context(patch.object(HTTPAdapter, "send", sent))
            patches.enter_context(patch.object(URLLib3Session, "send", sent_aws))
            # The AWS client repeats a request at once.
            waiting = SimpleNamespace(sleep=lambda _seconds: None)
            patches.enter_context(patch.object(botocore.endpoint, "time", waiting))
            yield self

    @contextmanager
    def watch(self, plan: PlannedFault | None = None) -> Iterator[None]:
        """Write down what crosses from here on, and let the planned fault happen once."""
        self.effects, self.plan, self._broken_call = [], plan, ""
        self.workers.clear()
        self._seen.clear()
        self._watching = True
        try:
            yield
        finally:
            self._watching, self.plan = False, None

    def _fault_at(self, me: _Invocation, service: str, what: str) -> Fault | None:
        with self._lock:
            if not self._watching:
                return None
            self._seen[me.workflow, service, what] += 1
            effect = Effect(me.workflow, service, what, self._seen[me.workflow, service, what])
            self.effects.append(effect)
            if me.worker and me.worker.fault and effect.is_vendor_write:
                fault, me.worker.fault = me.worker.fault, None
                return fault
            plan = self.plan
            if plan is None or plan.happened or plan.effect != effect:
                return None
            plan.happened = True
            return plan.fault

    def _http(self, request: Any, send: Callable[[], requests.Response]) -> requests.Response:  # noqa: ANN401
        vendor = self._vendor(str(request.url))
        if not self._is_inside() or not vendor:
            return send()
        me = self._alive()
        if me.worker:
            me.worker.cross()
        path = urlsplit(request.url).path.removeprefix("/v1")
        fault = self._fault_at(me, vendor, f"{request.method} {lasting(path)}")
        if fault in LATE_SECONDS:
            return self._late(request, send, LATE_SECONDS[fault])
        match fault:
            case Fault.LOST | Fault.LOST_FOR_A_DAY:
                send()
                raise hung_up(request)
            case Fault.TIMED_OUT:
                raise no_answer(request)
            case Fault.FAILED:
                return answer_to(request, 500, b'{"status":500,"title":"Internal Server Error"}')
            case Fault.SLOW_DOWN:
                return answer_to(request, 429, b"")
            case Fault.MALFORMED:
                body = send().content
                return answer_to(request, 200, body[: len(body) // 2] or b"{")
        self._before(me, fault)
        response = send()
        self._after(me, fault)
        return response

    def _aws(self, request: AWSPreparedRequest, send: Callable[[], AWSResponse]) -> AWSResponse:
        service, operation = aws_protocol.operation_of(request)
        if not self._is_inside():
            return self._deleted(request, send) if operation == _SQS_DELETE else send()
        me = self._alive()
        invocation = aws_protocol.invocation_of(request)
        if invocation and invocation == self._broken_call:
            return self._repeated(request, send)
        if not aws_protocol.is_write(operation):
            return send()
        if me.worker:
            me.worker.cross()
        fault = self._fault_at(me, service, aws_protocol.described(request))
        match fault:
            case Fault.THROTTLED:
                self._broken_call = invocation
                return aws_protocol.throttled(request)
            case Fault.LOST | Fault.REPEATED:
                self._broken_call, self._repeats = invocation, fault is Fault.REPEATED
                send()
                raise ReadTimeoutError(endpoint_url=request.url, error="no answer")
        self._before(me, fault)
        response = send()
        self._after(me, fault)
        return response

    _repeats = False

    def _repeated(self, request: AWSPreparedRequest, send: Callable[[], AWSResponse]) -> AWSResponse:
        """The AWS client sends a request once more that met a fault."""
        plan = self.plan
        if plan and plan.fault is Fault.THROTTLED:
            return aws_protocol.throttled(request)
        if self._repeats:
            return send()
        raise ConnectTimeoutError(endpoint_url=request.url, error="no way")

    def _deleted(self, request: AWSPreparedRequest, send: Callable[[], AWSResponse]) -> AWSResponse:
        """Lambda deletes messages that a function is done with."""
        what = aws_protocol.described(request)
        workflow = self._workflow_of(what)
        if self._fault_at(_Invocation(workflow), EVENT_SOURCE, what) is Fault.NOT_DELETED:
            return aws_protocol.answer(
                request, 200, b'{"Successful":[],"Failed":[]}', "application/x-amz-json-1.0"
            )
        return send()

    def _late(
        self,
        request: Any,  # noqa: ANN401
        send: Callable[[], requests.Response],
        seconds: float,
    ) -> requests.Response:
        """Let the vendor carry a call out so long after the product has given its answer up."""
        is_rillet = self._vendor(str(request.url)) == "Rillet"
        state = self.system.rillet.state if is_rillet else self.system.solvimon.state
        state.misbehave("late", request.method, urlsplit(request.url).path, 1, seconds=_TIME_OUT + seconds)
        try:
            send()
        except requests.ConnectionError:
            self.system.advance(_TIME_OUT)
        raise no_answer(request)

    def _before(self, me: _Invocation, fault: Fault | None) -> None:
        plan = self.plan
        if plan and plan.fault is Fault.BY_PERSON and plan.happened and not plan.acted:
            plan.acted = True  # what the person starts has effects too, at which nobody acts
            plan.acted = plan.act()
        if plan and fault is Fault.INTERLEAVED:
            me.interleaved = self.step(plan.again)
            me.interleaved.go_on(plan.stop - 1)
        if fault is Fault.KILLED_BEFORE:
            me.dead = True
            raise Killed
        if fault in (Fault.OVERTAKEN, Fault.PAUSED):
            self.system.advance(_LEASE_SECONDS)
        if fault in (Fault.AGAIN, Fault.OVERTAKEN, Fault.PAUSED) and plan:
            plan.again()

    def _after(self, me: _Invocation, fault: Fault | None) -> None:
        if fault is Fault.KILLED_AFTER:
            me.dead = True
            raise Killed

    def _is_inside(self) -> bool:
        """Whether a function makes this call; a person acts outside, also while a worker stands still."""
        return bool(self._inside) and current_process() is not None

    def _alive(self) -> _Invocation:
        """The invocation under way; nothing leaves a process that has ended."""
        process = current_process()
        with self._lock:
            me = self._by_process.setdefault(process, self._inside[-1]) if process else self._inside[-1]
        if me.dead:
            raise Killed
        return me

    def step(self, work: Callable[[], object]) -> SteppedWorker:
        """A worker that stands still before each of its effects."""
        self.workers.append(worker := SteppedWorker(work))
        return worker

    def _stepped(self) -> SteppedWorker | None:
        """The worker that invokes a function now, if it is one that is stepped."""
        current = threading.current_thread()
        return next((worker for worker in self.workers if worker.thread is current), None)

    def _vendor(self, url: str) -> str:
        if url.startswith(f"{self.system.rillet.url}/"):
            return "Rillet"
        return "Solvimon" if url.startswith(f"{self.system.solvimon.url}/") else ""

    def _workflow_of(self, what: str) -> str:
        name = what.split()[-1]
        queues = self.system.deployment.queues
        found = [workflow for workflow, queue in queues.items() if queue.url.rpartition("/")[2] == name]
        return found[0] if found else name


@contextmanager
def _waits_advance(system: LocalSystem) -> Iterator[None]:
    """Let the wait for another worker's tokens pass on the clock."""
    from solvimon_rillet.connections.rillet_tokens import RilletTokens

    with patch.object(RilletTokens.__init__, "__defaults__", (system.clock.now, system.advance)):
        yield
