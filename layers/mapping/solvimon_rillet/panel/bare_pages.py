"""Pages without a menu: signing in, choosing a connection, refusals."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.panel.frame import ConnectionLink
from solvimon_rillet.panel.functions import Invocation
from solvimon_rillet.panel.rendering import templates
from solvimon_rillet.panel.sessions import Session
from solvimon_rillet.panel.sign_in import SIGN_IN_EXAMPLE, Link

_HTML = "text/html; charset=utf-8"


class BarePages:
    """Pages without a menu.

    Args:
        stack: the deployment's name, for the command that makes a new link.
    """

    def __init__(self, stack: str) -> None:
        self._command = Invocation("panel", SIGN_IN_EXAMPLE).command(stack)

    def enter(self, root: str, link: Link | None, once: str, now: float) -> Response[str]:
        """The page of a one-time link: a button that signs in, or why it does not."""
        if link is None:
            return self._page(
                "sign_in.html.j2", root, "This link is unknown", 404, problem="unknown", when=""
            )
        if link.used_at:
            when = format_timestamp(link.used_at)
            return self._page(
                "sign_in.html.j2", root, "This link was used already", 410, problem="used", when=when
            )
        if link.ends <= now:
            when = format_timestamp(link.ends)
            return self._page(
                "sign_in.html.j2", root, "This link has expired", 410, problem="expired", when=when
            )
        return self._page("enter.html.j2", root, "Sign in", 200, link=link, once=once)

    def signed_out(self, root: str) -> Response[str]:
        """The page of a person who is not signed in, or not any more."""
        return self._page("sign_in.html.j2", root, "You are not signed in", 401, problem="", when="")

    def connections(
        self, root: str, session: Session, links: list[ConnectionLink], command: str
    ) -> Response[str]:
        """The page on which a connection is chosen."""
        return self._page(
            "connections.html.j2", root, "Connections", 200, links=links, command=command, session=session
        )

    def refused(self, root: str, why: str) -> Response[str]:
        """The page of a person who may not do what was asked."""
        return self._page("refused.html.j2", root, "This was not done", 403, why=why)

    def not_found(self, root: str) -> Response[str]:
        """The page of an address that leads nowhere."""
        return self._page("not_found.html.j2", root, "There is no such page", 404)

    def problem(self, root: str, view: Mapping[str, Any], status: int) -> Response[str]:
        """The page of a function that did not answer."""
        return self._page("bare_problem.html.j2", root, "This page could not be read", status, **view)

    def _page(self, template: str, root: str, title: str, status: int, **view: Any) -> Response[str]:
        new_link = {"new_link": self._command}
        html = templates().get_template(template).render(root=root, title=title, **new_link, **view)
        return Response(status, _HTML, html)
