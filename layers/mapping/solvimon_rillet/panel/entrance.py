"""The way in and out: one-time links, sessions, the choice of a connection."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.activity import PANEL, Activity
from solvimon_rillet.panel.answer_cache import AnswerCache
from solvimon_rillet.panel.bare_pages import BarePages
from solvimon_rillet.panel.frame import LIST, connection_links
from solvimon_rillet.panel.functions import Functions, Invocation, InvocationFailed
from solvimon_rillet.panel.http_event import domain_of, form_of, headers_of, texts_of
from solvimon_rillet.panel.responses import redirect, with_cookie
from solvimon_rillet.panel.results import problem_of
from solvimon_rillet.panel.security import FormRefused, check_origin, check_token, cookie
from solvimon_rillet.panel.sessions import Session, Sessions
from solvimon_rillet.panel.sign_in import SignInLinks

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PanelRequest:
    """A request of a browser.

    Attributes:
        event: of the HTTP API.
        root: the panel's address, such as ``/panel``.
        request_id: Lambda's.
    """

    event: Mapping[str, Any]
    root: str
    request_id: str


class Entrance:
    """Lets people in and out.

    Args:
        links: one-time links.
        sessions: who is signed in.
        activity: who did what.
        functions: the other functions.
        cache: answers of a moment ago.
        bare: pages without a menu.
        clock: unix seconds.
    """

    def __init__(
        self,
        links: SignInLinks,
        sessions: Sessions,
        activity: Activity,
        functions: Functions,
        cache: AnswerCache,
        bare: BarePages,
        clock: Callable[[], float],
    ) -> None:
        self._links = links
        self._sessions = sessions
        self._activity = activity
        self._functions = functions
        self._cache = cache
        self._bare = bare
        self._clock = clock

    def show_link(self, request: PanelRequest) -> Response[Any]:
        """The page of a one-time link."""
        once = texts_of(request.event.get("queryStringParameters")).get("once", "")
        return self._bare.enter(request.root, self._links.find(once), once, self._clock())

    def sign_in(self, request: PanelRequest) -> Response[Any]:
        """Use a one-time link up, and begin a session."""
        try:
            check_origin(headers_of(request.event), domain_of(request.event))
        except FormRefused as error:
            return self._bare.refused(request.root, str(error))
        once = form_of(request.event).get("once")
        link = self._links.find(once)
        if link is None or not self._links.use(once):
            return self._bare.enter(request.root, self._links.find(once), once, self._clock())
        value, session = self._sessions.begin(link.person, link.role)
        self._activity.add(PANEL, session.by, "sign-in", "Signed in", on="by link", outcome="Done")
        logger.info("panel sign-in", extra={"role": str(session.role)})
        return redirect(f"{request.root}/connections", cookie(value))

    def sign_out(self, request: PanelRequest, session: Session) -> Response[Any]:
        """End a session."""
        try:
            check_origin(headers_of(request.event), domain_of(request.event))
            check_token(session, form_of(request.event).get("token"))
        except FormRefused as error:
            return self._bare.refused(request.root, str(error))
        self._sessions.end(session)
        self._activity.add(PANEL, session.by, "sign-in", "Signed out", outcome="Done")
        return with_cookie(self._bare.signed_out(request.root), "")

    def connections(self, request: PanelRequest, session: Session) -> Response[Any]:
        """The page on which a connection is chosen; it leads on where there is one only."""
        invocation = Invocation("connect_rillet", LIST)
        try:
            answered = self._functions.invoke(invocation)
        except InvocationFailed as error:
            _title, view, status = problem_of(error, self._functions.stack, request.request_id)
            return self._bare.problem(request.root, view, status)
        if "error" not in answered.answer:
            self._cache.keep(answered)
        links = connection_links(answered.answer)
        if len(links) == 1:
            return redirect(f"{request.root}/connections/{links[0].name}")
        command = invocation.command(self._functions.stack)
        return self._bare.connections(request.root, session, links, command)
