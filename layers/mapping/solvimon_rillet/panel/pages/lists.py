"""Lists in the bucket: a person saves them at an address of S3."""

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.errors import RetryLater
from solvimon_rillet.panel.list_files import is_list_name
from solvimon_rillet.panel.page import Route
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import Visit


def save(visit: Visit, file: str) -> Response[str]:
    """Lead to a list of this connection, at an address of the bucket that is valid for a minute."""
    problem, remedy, status = (
        "There is no such list",
        "If it is still being written, reload this page in a minute. Lists are kept for 30 days.",
        404,
    )
    try:
        address = visit.reports.list_address(f"{visit.connection}/{file}") if is_list_name(file) else ""
        if address:
            return Response(303, "text/plain; charset=utf-8", "", {"location": address})
    except RetryLater as error:
        problem, remedy, status = error.message, "Try again in a moment.", 503
    support = {"function": "", "command": "", "request_id": visit.request_id}
    return visit.render(
        "problem.html.j2", "No list", {"problem": problem, "remedy": remedy, **support}, status
    )


ROUTES = [Route("GET", "/lists/<file>", Role.VIEWER, save)]
"""The route of all lists."""
