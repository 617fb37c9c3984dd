"""What happens to a call before and after a vendor's API: the call log, and the faults in force."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from werkzeug.wrappers import Request, Response

from local.fake_vendor.faults import Fault, Faults, LateCalls, hang_up

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

INSTEAD_OF_EXECUTING = ("down", "drop", "status")
LATE = ("late",)
BEFORE_EXECUTING = ("delay", "act")
AFTER_EXECUTING = ("commit_then_drop", "status_after", "malformed")


class LoggedCall(Protocol):
    """A call in a fake's log.

    Attributes:
        status: the code that was sent; None while the call runs and when the connection was closed instead.
        fault: the kind of the fault that changed the answer.
    """

    status: int | None
    fault: str | None

    def note(self, response: Response) -> None:
        """Keep what was answered."""


class FaultyState(Protocol):
    """What the middleware takes of a fake's state."""

    faults: Faults
    late_calls: LateCalls


CallT = TypeVar("CallT", bound=LoggedCall)
StateT = TypeVar("StateT", bound=FaultyState)


class FaultMiddleware(Generic[CallT, StateT]):
    """WSGI middleware around an API.

    A call is logged; may meet a fault instead of being executed; is executed, at once or late; and may meet a
    fault on its answer, if it succeeded.
    """

    def __init__(self, application: "WSGIApplication", state: StateT) -> None:
        self._application = application
        self._state = state

    @abstractmethod
    def _begin(self, request: Request) -> CallT:
        """Log a request that has just arrived."""

    @abstractmethod
    def _error(self, fault: Fault, status: int) -> Response:
        """Build the answer of a fault with an error's status."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one call."""
        request = Request(environ)
        self._state.late_calls.carry_out_due()
        call = self._begin(request)
        response = self._fail(request, call)
        if response is None:
            response = self._spoil(request, self._answer(request, call), call)
        call.note(response)
        return response(environ, start_response)

    def _answer(self, request: Request, call: CallT) -> Response:
        """Execute a call, unless it is put off."""
        self._put_off(request, call, lambda: self._pass_on(request))
        self._delay(request, call)
        return self._pass_on(request)

    def _take(self, request: Request, call: CallT, kinds: tuple[str, ...]) -> Fault | None:
        fault = self._state.faults.take(request.method, request.path, kinds)
        if fault is not None:
            call.fault = fault.kind
        return fault

    def _fail(self, request: Request, call: CallT) -> Response | None:
        """Return the answer of a fault that comes instead of executing the call."""
        fault = self._take(request, call, INSTEAD_OF_EXECUTING)
        if fault is None:
            return None
        if fault.kind == "drop":
            hang_up(request.environ, fault)
        return self._error(fault, 503 if fault.kind == "down" else fault.options.get("status", 500))

    def _put_off(self, request: Request, call: CallT, execute: Callable[[], Response]) -> None:
        """Close the connection now, and execute the call later, if a fault says so."""
        fault = self._take(request, call, LATE)
        if fault is None:
            return

        def execute_late() -> None:
            call.note(execute())
            call.status = None  # nobody got the answer

        self._state.late_calls.put(fault.seconds(), execute_late)
        hang_up(request.environ, fault)

    def _delay(self, request: Request, call: CallT) -> None:
        fault = self._take(request, call, BEFORE_EXECUTING)
        if fault is not None and fault.kind == "act":
            fault.options["do"]()
        elif fault is not None:
            fault.delay()

    def _pass_on(self, request: Request, **more: Any) -> Response:
        """Let the API execute a call; `more` are keys of its environment."""
        environ = request.environ | {"wsgi.input": BytesIO(request.get_data()), **more}
        return Response.from_app(self._application, environ, buffered=True)

    def _spoil(self, request: Request, response: Response, call: CallT) -> Response:
        """Return the answer of an executed call, changed if a fault is due and the call succeeded."""
        fault = self._take(request, call, AFTER_EXECUTING) if response.status_code < 300 else None
        if fault is None:
            return response
        if fault.kind == "status_after":
            return self._error(fault, fault.options.get("status", 500))
        if fault.kind == "malformed":
            body, given = response.get_data(), fault.options.get("body")
            response.set_data((body[: len(body) // 2] or b"{") if given is None else str(given).encode())
            return response
        call.note(response)
        call.status = None
        hang_up(request.environ, fault)
