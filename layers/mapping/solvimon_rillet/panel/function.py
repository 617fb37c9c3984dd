"""The handler of ``panel``: requests of browsers, and direct invocations that ask for a link to sign in."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.entrypoints.lambda_handler import Handler
from solvimon_rillet.entrypoints.services import create_aws_client
from solvimon_rillet.entrypoints.telemetry import Telemetry
from solvimon_rillet.errors import Recoverable
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.invalid_values import problems_in_words
from solvimon_rillet.panel.activity import PANEL
from solvimon_rillet.panel.application import Panel
from solvimon_rillet.panel.functions import Functions, lambda_client
from solvimon_rillet.panel.reports import Reports
from solvimon_rillet.panel.sign_in import LINK_SECONDS, SIGN_IN_EXAMPLE, SignInRequest


class _Deployment:
    """The panel of one deployment, and its address."""

    def __init__(
        self,
        environment: Mapping[str, str],
        clock: Callable[[], float],
        unexpected: Callable[[Exception], object],
    ) -> None:
        self._environment = environment
        self._clock = clock
        self._unexpected = unexpected

    @cached_property
    def panel(self) -> Panel:
        """The panel."""
        caller, stack = self._environment.get("AWS_LAMBDA_FUNCTION_NAME"), self._environment["STACK"]
        table = Table(self._environment["PANEL_TABLE"], create_aws_client("dynamodb", caller))
        functions = Functions(stack, lambda_client(caller), self._clock)
        reports = Reports(self._environment["REPORT_BUCKET"], lambda: create_aws_client("s3", caller))
        hosts = AllowedHosts.from_environment(self._environment)
        return Panel(table, functions, reports, hosts, self._clock, self._unexpected)

    @cached_property
    def address(self) -> str:
        """The address of the HTTP API."""
        ssm = create_aws_client("ssm", self._environment.get("AWS_LAMBDA_FUNCTION_NAME"))
        found = ssm.get_parameter(Name=f"/{self._environment['STACK']}/api-url")
        return str(found["Parameter"]["Value"])


def panel_handler(environment: Mapping[str, str], clock: Callable[[], float]) -> Handler:
    """A handler of ``panel``."""
    telemetry = Telemetry(environment, "panel")
    deployment = _Deployment(environment, clock, telemetry.unexpected)

    def link(event: dict[str, Any]) -> dict[str, Any]:
        try:
            request = SignInRequest.model_validate(event)
        except ValidationError as error:
            return {"error": problems_in_words(error), "example": SIGN_IN_EXAMPLE}
        panel, person, role = deployment.panel, request.sign_in.person, request.sign_in.role
        once = panel.links.make(person, role)
        whom = f"for {person} ({role})"
        panel.activity.add(
            PANEL, request.by or "CLI", "sign-in", "Made a link to sign in", on=whom, outcome="Done"
        )
        return {
            "open": f"{deployment.address}/panel/enter?once={once}",
            "as": person,
            "role": str(role),
            "valid_for_seconds": LINK_SECONDS,
            "next": "Open it in a browser, once. Whoever opens it is signed in under this name.",
        }

    @telemetry.handler
    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401
        if "requestContext" in event:
            return deployment.panel.answer(event, context)
        try:
            return link(event)
        except Recoverable as error:
            return {"error": error.message, "remedy": "Try again in a moment."}

    return handle
