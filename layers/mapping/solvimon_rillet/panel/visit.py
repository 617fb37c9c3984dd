"""A visit: one request of a person who is signed in, with what pages need to answer it."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import simplejson
from aws_lambda_powertools.event_handler import Response
from markupsafe import Markup

from solvimon_rillet.aws.dynamodb import Item, Table
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.panel.activity import Activity
from solvimon_rillet.panel.answer_cache import AnswerCache
from solvimon_rillet.panel.frame import CHECK, LIST, OVERVIEW, Frame, frame_of
from solvimon_rillet.panel.functions import (
    Answered,
    AnswerIsError,
    Functions,
    Invocation,
    InvocationFailed,
)
from solvimon_rillet.panel.page import MenuPage
from solvimon_rillet.panel.rendering import templates
from solvimon_rillet.panel.reports import Reports
from solvimon_rillet.panel.sessions import Session

HEADLINE_SECONDS = 60
"""How old the number beside "Needs attention" may be."""
HTML = "text/html; charset=utf-8"
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that was sent."""

    values: Mapping[str, list[str]] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """A field without blanks around it; the first one of several."""
        return (self.values.get(name) or [default])[0].strip()

    def all(self, name: str) -> list[str]:
        """All values of a field, such as of tick-boxes."""
        return [value.strip() for value in self.values.get(name, [])]


@dataclass(slots=True)
class Visit:
    """One request of a person who is signed in, at one connection.

    Attributes:
        page: whose route it is.
        menu: name and title of each page.
        connection: its name.
        session: who it is.
        root: the panel's address, such as ``/panel``.
        path: of the request, below the connection's.
        query: its query.
        form: the fields of a form that was sent.
        request_id: Lambda's.
        functions: the other functions.
        activity: who did what.
        polls: whether the page itself asks again, by htmx.
        cache: answers of a moment ago.
        cached: the records of the cache that were read with the session.
        hosts: those of the vendors.
        table: the panel's own.
        reports: those of reconciliations.
        clock: unix seconds.
        asked: what was asked for this page, with the answers.
        known: the status, once it was asked for around the page.
    """

    page: MenuPage
    menu: Sequence[tuple[str, str]]
    connection: str
    session: Session
    root: str
    path: str
    query: Mapping[str, str]
    form: Form
    request_id: str
    functions: Functions
    activity: Activity
    polls: bool
    cache: AnswerCache
    cached: Mapping[str, Item]
    hosts: AllowedHosts
    table: Table
    reports: Reports
    clock: Callable[[], float]
    asked: list[Answered] = field(default_factory=list)
    known: Answered | None = None

    @property
    def at(self) -> str:
        """The connection's address, such as ``/panel/connections/default``."""
        return f"{self.root}/connections/{self.connection}"

    @property
    def now(self) -> str:
        """The time, as answers write it."""
        return format_timestamp(self.clock())

    def event(self, **fields: Any) -> dict[str, Any]:
        """An event for this connection, with the name of the person."""
        return {"connection": self.connection, **fields, "by": self.session.by}

    def ask(
        self, function: str, event: Mapping[str, Any] | None = None, *, at_most_old: float = 0
    ) -> Mapping[str, Any]:
        """Ask a function; its answer is shown as JSON, and the question as a command.

        Args:
            function: its module, such as ``sync_status``.
            event: without the connection.
            at_most_old: seconds that an earlier answer to the same question may be old.

        Raises:
            AnswerIsError: the function answered with an error.
            InvocationFailed: it gave no answer.
        """
        invocation = Invocation(function, {"connection": self.connection, **(event or {})})
        if known := self._asked(invocation):
            return known.answer
        answered = self._cached(invocation, at_most_old) or self.functions.invoke(invocation)
        self.asked.append(answered)
        if "error" in answered.answer:
            raise AnswerIsError(answered)
        self.cache.keep(answered)
        return answered.answer

    def act(self, function: str, event: Mapping[str, Any], execution: str = "") -> Answered:
        """Send the event of a form; a durable function only begins.

        Args:
            function: its module.
            event: see ``event``.
            execution: a name for the execution of a durable function.

        Raises:
            AnswerIsError: the function answered with an error.
            InvocationFailed: it gave no answer.
        """
        answered = self.functions.invoke(Invocation(function, event), execution)
        self.asked.append(answered)
        if "error" in answered.answer:
            raise AnswerIsError(answered)
        return answered

    def status(self) -> Mapping[str, Any]:
        """What is known of the connection's documents, at most a minute old; empty if no function answers.

        The frame of every page needs it. A page may use it, too, without another invocation.
        """
        overview = Invocation("sync_status", {"connection": self.connection} | OVERVIEW)
        known = self._asked(overview) or self.known or self._cached(overview, HEADLINE_SECONDS)
        if known is None:
            # A page that shows something else needs the number, too; it is no reason to show no page.
            try:
                known = self.functions.invoke(overview)
                self.cache.keep(known)
            except InvocationFailed:
                known = Answered(overview, {}, self.clock())
        self.known = known
        return known.answer

    def check(self) -> Mapping[str, Any]:
        """The last check of the connection, of any age; empty if none is known."""
        asked = Invocation("connect_rillet", {"connection": self.connection} | CHECK)
        found = self._asked(asked) or self.cache.read(asked, self.cached)
        return found.answer if found else {}

    def frame(self) -> Frame:
        """What is around the page: the connections, and how many documents need a person."""
        listed = self.cache.read(Invocation("connect_rillet", LIST), self.cached)
        connections = listed.answer if listed else {}
        return frame_of(self.connection, self.session, self.menu, self.status(), self.check(), connections)

    def render(
        self, template: str, title: str, view: Mapping[str, Any] | None = None, status: int = 200
    ) -> Response[str]:
        """Answer with a page; with ``?as=json`` with the answers that it would show.

        Args:
            template: its template, which extends ``base.html.j2``.
            title: of the page.
            view: the template's variables.
            status: HTTP's.
        """
        if self.query.get("as") == "json":
            return Response(status, JSON, self._as_json())
        html = (
            templates()
            .get_template(template)
            .render(
                frame=self.frame(),
                root=self.root,
                at=self.at,
                page=self.page,
                title=title,
                now=self.now,
                hidden=self.hidden_fields,
                may=self.session.role,
                commands=[answered.invocation.command(self.functions.stack) for answered in self.asked],
                json_path=self.as_json_path,
                **(view or {}),
            )
        )
        return Response(status, HTML, html)

    def redirect(self, path: str) -> Response[str]:
        """Lead to another page of the connection."""
        return Response(303, "text/plain; charset=utf-8", "", {"location": f"{self.at}{path}"})

    def hidden_fields(self) -> Markup:
        """The hidden fields of one form: the session's token, and an id for its single use."""
        return Markup(
            '<input type="hidden" name="token" value="{}"><input type="hidden" name="action_id" value="{}">'
        ).format(self.session.token, secrets.token_urlsafe(16))

    @property
    def as_json_path(self) -> str:
        """The address of this page's answers as JSON."""
        return f"{self.at}{self.path}?{urlencode({**self.query, 'as': 'json'})}"

    def _asked(self, invocation: Invocation) -> Answered | None:
        return next((each for each in self.asked if each.invocation == invocation), None)

    def _cached(self, invocation: Invocation, at_most_old: float) -> Answered | None:
        found = self.cache.read(invocation, self.cached) if at_most_old else None
        return found if found and self.clock() - found.at <= at_most_old else None

    def _as_json(self) -> str:
        found = [
            {"function": each.invocation.function, "event": each.invocation.event, "answer": each.answer}
            for each in self.asked
        ]
        return simplejson.dumps(found[0] if len(found) == 1 else found, use_decimal=True, indent=2)


def pretty(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """A value as indented JSON, for people."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
