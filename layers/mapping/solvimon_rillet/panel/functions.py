"""Invocations of the other functions, and the same invocations as commands."""

import json
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import simplejson
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

DURABLE = {"import_customers", "import_products", "import_subsidiaries", "reconcile"}
"""Functions that run for long: their version is named, and nobody waits for their answer."""
ANSWER_SECONDS = 20
"""How long a page waits for a function. API Gateway waits 30 seconds for the page."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event for one function.

    Attributes:
        function: its module, such as ``sync_status``.
        event: the event.
    """

    function: str
    event: Mapping[str, Any]

    def function_name(self, stack: str) -> str:
        """The name in AWS, with the version that a durable function needs."""
        name = f"{stack}-{self.function.replace('_', '-')}"
        return f"{name}:live" if self.function in DURABLE else name

    @property
    def payload(self) -> str:
        """The event as JSON."""
        return json.dumps(self.event, ensure_ascii=False)

    def command(self, stack: str) -> str:
        """The invocation as a command for a terminal."""
        waits = "--invocation-type Event " if self.function in DURABLE else ""
        return (
            f"aws lambda invoke --function-name {self.function_name(stack)} {waits}"
            "--cli-binary-format raw-in-base64-out \\\n"
            f"  --payload {shlex.quote(self.payload)} answer.json"
        )


@dataclass(frozen=True, slots=True)
class Answered:
    """An invocation and its answer; that of a durable function is empty, because it has only begun."""

    invocation: Invocation
    answer: Mapping[str, Any]
    at: float


class InvocationFailed(Exception):
    """A function gave no answer.

    Attributes:
        invocation: what was asked.
        unknown: whether the function may have done its work nevertheless.
    """

    def __init__(self, invocation: Invocation, text: str, *, unknown: bool) -> None:
        super().__init__(text)
        self.invocation = invocation
        self.unknown = unknown


class AnswerIsError(Exception):
    """A function answered that it cannot do what was asked; it changed nothing."""

    def __init__(self, answered: Answered) -> None:
        super().__init__("the function answered with an error")
        self.answered = answered
        self.error = str(answered.answer.get("error", ""))
        self.remedy = str(answered.answer.get("remedy") or "")


class Functions:
    """Invokes the functions of this deployment.

    Args:
        stack: its name.
        client: of Lambda; see ``lambda_client``.
        clock: unix seconds.
    """

    def __init__(self, stack: str, client: "LambdaClient", clock: Callable[[], float] = time.time) -> None:
        self.stack = stack
        self._client = client
        self._clock = clock

    def invoke(self, invocation: Invocation, execution: str = "") -> Answered:
        """Invoke a function once and return its answer.

        Args:
            invocation: the function and its event.
            execution: a name for the execution of a durable function, which the same name starts only once.

        Raises:
            InvocationFailed: it gave none.
        """
        durable = invocation.function in DURABLE
        named: Any = {"DurableExecutionName": execution} if durable and execution else {}
        try:
            response = self._client.invoke(
                FunctionName=invocation.function_name(self.stack),
                InvocationType="Event" if durable else "RequestResponse",
                Payload=invocation.payload.encode(),
                **named,
            )
            body = response["Payload"].read()
        except ReadTimeoutError:
            text = f"gave no answer within {ANSWER_SECONDS} seconds"
            raise InvocationFailed(invocation, text, unknown=True) from None
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            raise InvocationFailed(invocation, f"was not started ({code})", unknown=False) from error
        except BotoCoreError as error:
            text = f"could not be reached ({type(error).__name__})"
            raise InvocationFailed(invocation, text, unknown=True) from error
        if response.get("FunctionError"):
            raise InvocationFailed(invocation, "failed; its log says why", unknown=True)
        answer = simplejson.loads(body) if body and not durable else {}
        if not isinstance(answer, dict):
            raise InvocationFailed(invocation, "gave an answer of another form", unknown=True)
        return Answered(invocation, answer, self._clock())


def lambda_client(caller: str | None) -> "LambdaClient":
    """A client that waits as long as a page may, and never sends an event twice."""
    # The stubs are older than the user agent's application id.
    config = Config(  # type: ignore[call-arg]
        connect_timeout=2,
        read_timeout=ANSWER_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        user_agent_appid=caller[:50] if caller else None,
    )
    return boto3.client("lambda", config=config)
