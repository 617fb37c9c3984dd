"""Connecting to Rillet, and disconnecting: forms of Overview."""

from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.page import Outcome, Route
from solvimon_rillet.panel.reading import text
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import Visit


def connect(visit: Visit) -> Outcome:
    """Lead the browser to Rillet, where an organisation is chosen."""
    answered = visit.act("connect_rillet", visit.event(action="connect"))
    address = text(answered.answer, "authorisation_url")
    parts = urlsplit(address)
    try:
        visit.hosts.check(f"{parts.scheme}://{parts.netloc}")
    except ValueError as problem:
        # Where no credential may be sent, no browser is sent either.
        return Outcome(
            "Did not connect",
            "The address at which Rillet asks for access is not one that this deployment allows",
            state="needs",
            lines=(f"It {problem}.", "Nothing was changed. Check rillet.base_url in the settings."),
        )
    return Outcome("Began to connect to Rillet", "Continue at Rillet", state="sends", go=address)


def confirm_disconnect(visit: Visit) -> Response[str]:
    """Ask for the connection's name."""
    return visit.render("disconnect.html.j2", f"Disconnect {visit.connection}")


def disconnect(visit: Visit) -> Outcome:
    """Disconnect, if the name was written."""
    if visit.form.get("name") != visit.connection:
        return Outcome(
            "Did not disconnect",
            f"The name that you wrote is not {visit.connection}",
            state="needs",
            lines=("Nothing was changed.",),
            links=(("Back to the form", "/disconnect"),),
        )
    answered = visit.act("connect_rillet", visit.event(action="disconnect"))
    return Outcome(
        "Disconnected from Rillet",
        "Disconnected",
        lines=(text(answered.answer, "next") or "Documents wait until you connect again. Nothing is lost.",),
        answer=answered.answer,
        function="connect_rillet",
        event=answered.invocation.event,
        links=(("Overview", "?check=1"),),
    )


ROUTES = [
    Route("POST", "/connect", Role.ADMIN, connect, "connect"),
    Route("GET", "/disconnect", Role.ADMIN, confirm_disconnect),
    Route("POST", "/disconnect", Role.ADMIN, disconnect, "connect"),
]
"""The routes of the connection."""
