"""Starts of durable executions of a function, each by a name that makes a second start harmless."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from solvimon_rillet.errors import RetryLater

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_ALIAS = "live"
_ALREADY_STARTED = "DurableExecutionAlreadyStartedException"


class DurableExecutions:
    """The executions of a durable function.

    Args:
        function: its name; its alias ``live`` is invoked.
        client: the client of Lambda.
    """

    def __init__(self, function: str, client: "LambdaClient") -> None:
        self.function = function
        self._client = client

    def start(self, name: str, event: Mapping[str, Any]) -> bool:
        """Start an execution, and return whether there was none of this name with another event.

        Lambda starts no second execution of a name (Idempotency, Lambda durable functions).

        Raises:
            RetryLater: Lambda does not take it now.
        """
        try:
            self._client.invoke(
                FunctionName=f"{self.function}:{_ALIAS}",
                InvocationType="Event",
                DurableExecutionName=name,
                Payload=json.dumps(event).encode(),
            )
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == _ALREADY_STARTED:
                return False
            raise RetryLater(f"Lambda does not start {self.function} ({code}).") from error
        except BotoCoreError as error:
            raise RetryLater(f"Lambda does not answer ({type(error).__name__}).") from error
        return True
