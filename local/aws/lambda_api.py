"""Lambda's API for what runs here: invocations and durable executions. moto answers everything else.

Source: AWS Lambda API reference, Invoke, GetDurableExecution, ListDurableExecutionsByFunction; the words of
the refusals are AWS's own, where they are known.
"""

import json
import logging
import re
import threading
from collections.abc import Mapping
from contextvars import Context
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import unquote

import simplejson
from aws_durable_execution_sdk_python_testing.execution import ExecutionStatus
from werkzeug.wrappers import Request, Response

from local.aws.deployment import DeployedFunction
from local.aws.durable import VERSION
from local.aws.executions import DurableExecution
from local.aws.process import TimedOut
from local.aws.refusals import MAX_ASYNCHRONOUS, MAX_SYNCHRONOUS, Refusal, RequestRefusedError
from local.aws.runtime import AnswerTooLargeError, LambdaRuntime

Json = dict[str, Any]

logger = logging.getLogger(__name__)

_INVOKE = re.compile(r"/2015-03-31/functions/(.+)/invocations/?")
_LIST = re.compile(r"/2025-12-01/functions/(.+)/durable-executions/?")
_GET = re.compile(r"/2025-12-01/durable-executions/(.+)")
_FUNCTION = re.compile(
    r"(?:(?:arn:aws:lambda:[\w-]+:)?(?:\d{12}:)?function:|\d{12}:)?([\w-]+)(?::([\w$-]+))?"
)
_NAME = re.compile(r"[a-zA-Z0-9-_]{1,64}")


class LambdaApi:
    """Answers Lambda's clients, in and out of this process.

    Args:
        runtime: what calls the functions.
    """

    def __init__(self, runtime: LambdaRuntime) -> None:
        self._runtime = runtime
        self._functions = {function.name: function for function in runtime.functions.values()}
        self._asynchronous: list[threading.Thread] = []

    def answer(self, request: Request) -> Response | None:
        """Answer a request; None if it is not for Lambda, or not for a function of this system."""
        path = unquote(request.path)
        try:
            if request.method == "POST" and (found := _INVOKE.fullmatch(path)):
                named = self._named(found[1], request)
                return named and self._invoke(*named, request)
            if request.method == "GET" and (found := _LIST.fullmatch(path)):
                named = self._named(found[1], request)
                return named and self._list(*named, request)
            if request.method == "GET" and (found := _GET.fullmatch(path)):
                execution = self._runtime.durable_executions.find(found[1])
                return _json(_details(execution, request)) if execution else None
        except RequestRefusedError as error:
            return lambda_refusal(error.refusal)
        return None

    def wait(self) -> None:
        """Wait until everything has ended that was invoked asynchronously."""
        for thread in self._asynchronous:
            thread.join()
        for execution in self._runtime.durable_executions.all():
            execution.result.exception()

    def _named(self, name: str, request: Request) -> tuple[DeployedFunction, str] | None:
        """The function that a name or an ARN stands for, and the version or alias."""
        found = _FUNCTION.fullmatch(name)
        function = self._functions.get(found[1]) if found else None
        if found is None or function is None:
            return None
        qualifier = found[2] or request.args.get("Qualifier", "")
        if qualifier not in {"", "$LATEST", *function.aliases, *([VERSION] if function.aliases else [])}:
            text = f"Function not found: {function.arn}:{qualifier}"
            raise RequestRefusedError("ResourceNotFoundException", text, 404)
        return function, qualifier

    def _invoke(self, function: DeployedFunction, qualifier: str, request: Request) -> Response:
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        name = request.headers.get("X-Amz-Durable-Execution-Name", "")
        self._check(function, qualifier, kind, name)
        event = _event(request.get_data(), MAX_ASYNCHRONOUS if kind == "Event" else MAX_SYNCHRONOUS)
        if kind == "DryRun":
            return Response(status=204)
        if kind == "RequestResponse":
            return self._call(function, qualifier, event, name)
        if function.durable:
            execution = self._runtime.start(
                function.workflow, event, name, _qualified_version(function, qualifier)
            )
            return Response(status=202, headers={"X-Amz-Durable-Execution-Arn": execution.arn})
        self._call_later(function, event)
        return Response(status=202)

    def _check(self, function: DeployedFunction, qualifier: str, kind: str, name: str) -> None:
        if kind not in {"RequestResponse", "Event", "DryRun"}:
            raise RequestRefusedError("InvalidParameterValueException", f"Unknown invocation type: {kind}")
        if function.durable and not qualifier:
            text = "You cannot invoke a durable function using an unqualified ARN."
            raise RequestRefusedError("InvalidParameterValueException", text)
        if name and not function.durable:
            text = f"{function.name} is no durable function, so it has no durable execution name."
            raise RequestRefusedError("InvalidParameterValueException", text)
        if name and not _NAME.fullmatch(name):
            raise RequestRefusedError(
                "ValidationException",
                f"1 validation error detected: Value '{name}' at 'durableExecutionName' failed to satisfy "
                f"constraint: Member must satisfy regular expression pattern: {_NAME.pattern}",
            )

    def _call(self, function: DeployedFunction, qualifier: str, event: object, name: str) -> Response:
        headers = {"X-Amz-Executed-Version": _qualified_version(function, qualifier)}
        answer: object
        try:
            answer = self._runtime.invoke(function.workflow, event, name)
        except (RequestRefusedError, KeyboardInterrupt):
            raise
        # Lambda survives every way in which a function ends.
        except BaseException as error:
            logger.warning("%s failed", function.workflow, exc_info=error)
            headers["X-Amz-Function-Error"] = "Unhandled"
            answer = {"errorMessage": str(error), "errorType": _error_type(error)}
        text = simplejson.dumps(answer, use_decimal=True)
        return Response(text, 200, headers, content_type="application/json")

    def _call_later(self, function: DeployedFunction, event: object) -> None:
        """Call a function in the background."""
        work = partial(self._runtime.call_until_done, function.workflow, event)
        thread = threading.Thread(target=work, daemon=True)
        self._asynchronous.append(thread)
        Context().run(thread.start)  # it outlives a function that invokes another one

    def _list(self, function: DeployedFunction, qualifier: str, request: Request) -> Response:
        """The executions of one version: without a qualifier those of $LATEST."""
        statuses, name = request.args.getlist("Statuses"), request.args.get("DurableExecutionName")
        if len(statuses) > 1:
            text = "Cannot filter by more than one status"
            raise RequestRefusedError("InvalidParameterValueException", text)
        found = [
            _summary(execution)
            for execution in self._runtime.durable_executions.of(function)
            if execution.version == _qualified_version(function, qualifier)
            and (not statuses or execution.state.current_status().value in statuses)
            and name in {None, execution.name}
            and _is_within(execution, request.args)
        ]
        if request.args.get("ReverseOrder") != "true":
            found.reverse()  # the newest first
        begin = int(request.args.get("Marker", "0"))
        end = begin + int(request.args.get("MaxItems", "100"))
        more = {"NextMarker": str(end)} if end < len(found) else {}
        return _json({"DurableExecutions": found[begin:end], **more})


def lambda_refusal(refusal: Refusal) -> Response:
    """A refusal, as Lambda's REST API writes it."""
    text = json.dumps({"Type": "User", "message": refusal.message})
    headers = {"x-amzn-errortype": refusal.code}
    return Response(text, refusal.status, headers, content_type="application/json")


def _qualified_version(function: DeployedFunction, qualifier: str) -> str:
    """The version that a qualifier stands for."""
    return VERSION if qualifier in {*function.aliases, VERSION} else "$LATEST"


def _event(payload: bytes, most: int) -> Any:  # noqa: ANN401 - JSON of any shape
    if len(payload) > most:
        text = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
        raise RequestRefusedError("RequestEntityTooLargeException", text, 413)
    try:
        return json.loads(payload or b"{}")
    except ValueError as error:
        text = f"Could not parse request body into json: {error}"
        raise RequestRefusedError("InvalidRequestContentException", text) from None


def _error_type(error: BaseException) -> str:
    match error:
        case TimedOut():
            return "Sandbox.Timedout"
        case AnswerTooLargeError():
            return "Function.ResponseSizeTooLarge"
        case _:
            return type(error).__name__


def _summary(execution: DurableExecution) -> Json:
    begun = execution.state.get_operation_execution_started()
    return {
        "DurableExecutionArn": execution.arn,
        "DurableExecutionName": execution.name,
        "FunctionArn": f"{execution.function.arn}:{execution.version}",
        "Status": execution.state.current_status().value,
        **_moment("StartTimestamp", begun.start_timestamp),
        **_moment("EndTimestamp", begun.end_timestamp),
    }


def _details(execution: DurableExecution, request: Request) -> Json:
    details = {
        **_summary(execution),
        "Version": execution.version,
        "DurableConfig": {"ExecutionTimeout": execution.function.execution_timeout},
    }
    if request.args.get("IncludeExecutionData") == "false":
        return {**details, "ExecutionDataIncluded": False}
    details |= {"InputPayload": execution.payload, "ExecutionDataIncluded": True}
    result = execution.state.result
    if execution.state.current_status() is ExecutionStatus.SUCCEEDED and result:
        details["Result"] = result.result or "null"
    elif result and result.error:
        details["Error"] = {"ErrorType": result.error.type, "ErrorMessage": result.error.message}
    return details


def _moment(name: str, moment: datetime | None) -> Json:
    return {name: moment.timestamp()} if moment else {}


def _is_within(execution: DurableExecution, asked: Mapping[str, str]) -> bool:
    begun = execution.state.get_operation_execution_started().start_timestamp
    after, before = (asked.get(name) for name in ("StartedAfter", "StartedBefore"))
    return begun is None or not (
        (after and begun <= datetime.fromisoformat(after))
        or (before and begun >= datetime.fromisoformat(before))
    )


def _json(value: Json) -> Response:
    return Response(json.dumps(value), 200, content_type="application/json")
