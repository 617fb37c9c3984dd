"""The panel as an application: an event of the HTTP API becomes a page, a redirect or a refusal.

Every route below a connection passes the same gate: session, role, and for a form also origin, token and
single use. A page's module only says what it shows and what its forms do.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.names import is_connection_name
from solvimon_rillet.errors import Recoverable
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.panel.actions import Actions, is_action_id
from solvimon_rillet.panel.activity import PANEL, Activity
from solvimon_rillet.panel.answer_cache import AnswerCache, key_of
from solvimon_rillet.panel.bare_pages import BarePages
from solvimon_rillet.panel.frame import CHECK, LIST, OVERVIEW, connection_links
from solvimon_rillet.panel.functions import AnswerIsError, Functions, Invocation, InvocationFailed
from solvimon_rillet.panel.http_event import domain_of, form_of, headers_of, tail_of, texts_of
from solvimon_rillet.panel.page import MENU, Outcome, Page, Route
from solvimon_rillet.panel.pages import PAGES
from solvimon_rillet.panel.rendering import STATIC, static_file, static_names
from solvimon_rillet.panel.reports import Reports
from solvimon_rillet.panel.results import problem_of, result_page
from solvimon_rillet.panel.security import (
    FormRefused,
    check_origin,
    check_token,
    cookie,
    cookie_of,
    headers,
)
from solvimon_rillet.panel.sessions import Session, Sessions, session_key
from solvimon_rillet.panel.sign_in import SignInLinks
from solvimon_rillet.panel.visit import Visit

logger = logging.getLogger(__name__)

Json = dict[str, Any]
FOREVER = "public, max-age=31536000, immutable"
_one_at_a_time = threading.RLock()


class Panel:
    """The pages of one deployment.

    Args:
        table: the panel's own.
        functions: the other functions.
        reports: those of reconciliations.
        hosts: those of the vendors.
        clock: unix seconds.
        unexpected: logs and counts an error that no code expects.
    """

    def __init__(
        self,
        table: Table,
        functions: Functions,
        reports: Reports,
        hosts: AllowedHosts,
        clock: Callable[[], float],
        unexpected: Callable[[Exception], object],
    ) -> None:
        self._unexpected = unexpected
        self.links = SignInLinks(table, clock)
        self.sessions = Sessions(table, clock)
        self.activity = Activity(table, clock)
        self._table = table
        self._functions = functions
        self._reports = reports
        self._hosts = hosts
        self._clock = clock
        self._actions = Actions(table, clock)
        self._cache = AnswerCache(table, clock)
        self._headers = headers(hosts)
        there = {page.name for page in PAGES}
        self._menu = [(name, title) for name, title in MENU.items() if name in there]
        self._bare = BarePages(functions.stack)
        self._resolver = self._make_resolver()
        self._event: Json = {}
        self._root = "/panel"
        self._request_id = ""

    def answer(self, event: Json, context: Any) -> Json:  # noqa: ANN401 - Lambda's context
        """Answer an event of the HTTP API."""
        # Powertools keeps the current event in its class. Lambda gives an environment one event at a time,
        # but the local system runs several environments in one process.
        with _one_at_a_time:
            self._event, tail = event, tail_of(event)
            self._root = f"{str(event['rawPath']).removesuffix(tail)}/panel"
            self._request_id = str(getattr(context, "aws_request_id", ""))
            answer: Json = self._resolver.resolve({**event, "rawPath": tail}, context)
        answer["headers"] = {**self._headers, **answer.get("headers", {})}
        if (cookie_text := answer["headers"].pop("set-cookie", None)) is not None:
            answer["cookies"] = [cookie_text]
        return answer

    def _make_resolver(self) -> APIGatewayHttpResolver:
        app = APIGatewayHttpResolver()
        app.get("/panel/static/<name>", compress=True)(self._static)
        app.get("/panel")(self._home)
        app.get("/panel/enter")(self._enter)
        app.post("/panel/enter")(self._sign_in)
        app.get("/panel/connections")(self._connections)
        app.post("/panel/sign-out")(self._sign_out)
        app.get("/panel/connections/<connection>/results/<action_id>")(self._result)
        for page in PAGES:
            for route in page.routes:
                rule = f"/panel/connections/<connection>{route.path}"
                app.route(rule, method=route.method)(self._gate(page, route))
        app.not_found(self._not_found)
        app.exception_handler(Exception)(self._failed)
        return app

    def _gate(self, page: Page, route: Route) -> Callable[..., Response[Any]]:
        """A handler of a route that lets a visit in, or not."""

        def handle(**parts: str) -> Response[Any]:
            connection = parts.pop("connection")
            session, cached = self._session(connection)
            if session is None:
                return self._signed_out()
            if not is_connection_name(connection):
                return self._bare.not_found(self._root)
            if not session.role.allows(route.role):
                return self._bare.refused(
                    self._root, f"This needs the role {route.role}; yours is {session.role}."
                )
            visit = self._visit(page, connection, session, cached)
            if route.method == "GET":
                return self._show(visit, route, parts)
            return self._do(visit, route, parts)

        return handle

    def _show(self, visit: Visit, route: Route, parts: Mapping[str, str]) -> Response[Any]:
        self.sessions.note_use(visit.session)
        try:
            answer: Response[Any] = route.handle(visit, **parts)
        except (AnswerIsError, InvocationFailed) as error:
            title, view, status = problem_of(error, self._functions.stack, self._request_id)
            answer = visit.render("problem.html.j2", title, view, status)
        return answer

    def _do(self, visit: Visit, route: Route, parts: Mapping[str, str]) -> Response[Any]:
        """Do what a form asks, once, and lead to its result."""
        action_id = visit.form.get("action_id")
        try:
            check_origin(headers_of(self._event), domain_of(self._event))
            check_token(visit.session, visit.form.get("token"))
            if not is_action_id(action_id):
                raise FormRefused("This form holds no id of its own.")
        except FormRefused as error:
            return self._bare.refused(self._root, str(error))
        result = f"{visit.at}/results/{action_id}"
        if not self._actions.begin(visit.session, action_id, visit.path):
            return self._again(visit.session, action_id, result)
        self.sessions.note_use(visit.session)
        try:
            outcome: Outcome = route.handle(visit, **parts)
        except (AnswerIsError, InvocationFailed) as error:
            outcome = _outcome_of(error, visit, route)
        self._actions.finish(visit.session, action_id, outcome)
        self._cache.forget(Invocation("sync_status", OVERVIEW | {"connection": visit.connection}))
        self.activity.add(
            visit.connection,
            visit.session.by,
            route.kind,
            outcome.what,
            on=outcome.on,
            outcome=outcome.text,
            state=outcome.state,
            path=outcome.path,
        )
        logger.info(
            "panel action",
            extra={
                "connection": visit.connection,
                "role": str(visit.session.role),
                "route": route.path,
                "action_id": action_id,
                "outcome": outcome.state,
            },
        )
        return _redirect(outcome.go or result)

    def _again(self, session: Session, action_id: str, result: str) -> Response[Any]:
        """Lead a form that was sent before to what came of it."""
        known = self._actions.result(session, action_id)
        outcome = known[0] if known else None
        return _redirect(outcome.go if outcome and outcome.go else result)

    def _session(self, connection: str = "") -> tuple[Session | None, Json]:
        """The session of the request, and what is known of its connection, in one read."""
        value = cookie_of(self._event)
        if not value:
            return None, {}
        key = session_key(value)
        asked = [Invocation("connect_rillet", LIST)]
        if connection:
            asked += [
                Invocation("sync_status", OVERVIEW | {"connection": connection}),
                Invocation("connect_rillet", CHECK | {"connection": connection}),
            ]
        found = self._table.get_many([key, *map(key_of, asked)])
        return self.sessions.read(key, found.get(key)), found

    def _visit(self, page: Page, connection: str, session: Session, cached: Json) -> Visit:
        at = f"/panel/connections/{connection}"
        return Visit(
            page=page,
            menu=self._menu,
            connection=connection,
            session=session,
            root=self._root,
            path=tail_of(self._event).removeprefix(at),
            query=texts_of(self._event.get("queryStringParameters")),
            form=form_of(self._event),
            request_id=self._request_id,
            functions=self._functions,
            activity=self.activity,
            polls=headers_of(self._event).get("hx-request") == "true",
            cache=self._cache,
            cached=cached,
            hosts=self._hosts,
            table=self._table,
            reports=self._reports,
            clock=self._clock,
        )

    def _static(self, name: str) -> Response[Any]:
        file = static_names().get(name)
        if file is None:
            return self._bare.not_found(self._root)
        return Response(200, STATIC[file], static_file(file), {"cache-control": FOREVER})

    def _home(self) -> Response[Any]:
        return _redirect(f"{self._root}/connections")

    def _enter(self) -> Response[Any]:
        once = texts_of(self._event.get("queryStringParameters")).get("once", "")
        return self._bare.enter(self._root, self.links.find(once), once, self._clock())

    def _sign_in(self) -> Response[Any]:
        try:
            check_origin(headers_of(self._event), domain_of(self._event))
        except FormRefused as error:
            return self._bare.refused(self._root, str(error))
        once = form_of(self._event).get("once")
        link = self.links.find(once)
        if link is None or not self.links.use(once):
            return self._bare.enter(self._root, self.links.find(once), once, self._clock())
        value, session = self.sessions.begin(link.person, link.role)
        self.activity.add(PANEL, session.by, "sign-in", "Signed in", on="by link", outcome="Done")
        logger.info("panel sign-in", extra={"role": str(session.role)})
        return _redirect(f"{self._root}/connections", cookie(value))

    def _sign_out(self) -> Response[Any]:
        session, _ = self._session()
        if session is None:
            return self._signed_out()
        try:
            check_origin(headers_of(self._event), domain_of(self._event))
            check_token(session, form_of(self._event).get("token"))
        except FormRefused as error:
            return self._bare.refused(self._root, str(error))
        self.sessions.end(session)
        self.activity.add(PANEL, session.by, "sign-in", "Signed out", outcome="Done")
        return replace_cookie(self._bare.signed_out(self._root), "")

    def _connections(self) -> Response[Any]:
        session, _ = self._session()
        if session is None:
            return self._signed_out()
        invocation = Invocation("connect_rillet", LIST)
        try:
            answered = self._functions.invoke(invocation)
        except InvocationFailed as error:
            _title, view, status = problem_of(error, self._functions.stack, self._request_id)
            return self._bare.problem(self._root, view, status)
        if "error" not in answered.answer:
            self._cache.keep(answered)
        links = connection_links(answered.answer)
        if len(links) == 1:
            return _redirect(f"{self._root}/connections/{links[0].name}")
        return self._bare.connections(self._root, session, links, invocation.command(self._functions.stack))

    def _result(self, connection: str, action_id: str) -> Response[Any]:
        session, cached = self._session(connection)
        if session is None:
            return self._signed_out()
        known = self._actions.result(session, action_id) if is_connection_name(connection) else None
        if known is None:
            return self._bare.not_found(self._root)
        outcome, begun = known
        visit = self._visit(PAGES[0], connection, session, cached)
        return result_page(visit, outcome, self._clock() - begun)

    def _signed_out(self) -> Response[Any]:
        return self._bare.signed_out(self._root)

    def _not_found(self, _error: Exception) -> Response[Any]:
        return self._bare.not_found(self._root)

    def _failed(self, error: Exception) -> Response[Any]:
        if isinstance(error, Recoverable):
            logger.warning("panel's table does not answer", exc_info=error)
            view = {"problem": "The panel's own table does not answer", "remedy": "Try again in a moment."}
            return self._bare.problem(self._root, {**view, **_support(self._request_id)}, 503)
        self._unexpected(error)
        view = {
            "problem": "The panel failed with an internal error",
            "remedy": "If you sent a form, look at Activity before you send it again.",
        }
        return self._bare.problem(self._root, {**view, **_support(self._request_id)}, 500)


def replace_cookie(response: Response[Any], value: str) -> Response[Any]:
    """The response with the session's cookie set."""
    response.headers["set-cookie"] = cookie(value)
    return response


def _support(request_id: str) -> dict[str, str]:
    return {"function": "", "command": "", "request_id": request_id}


def _outcome_of(error: AnswerIsError | InvocationFailed, visit: Visit, route: Route) -> Outcome:
    """The result of an action that failed."""
    page = visit.path.rpartition("/")[0]
    refused = isinstance(error, AnswerIsError)
    outcome = Outcome(
        what=f"{route.kind.capitalize()}: {'refused' if refused else 'failed'}",
        text="",
        on=visit.form.get("number"),
        state="needs",
        links=(("Back", page),),
        path=page,
    )
    if isinstance(error, AnswerIsError):
        asked = error.answered.invocation
        return replace(
            outcome,
            text=error.error,
            lines=(error.remedy,) if error.remedy else (),
            answer=error.answered.answer,
            function=asked.function,
            event=asked.event,
        )
    name = error.invocation.function
    lines = (
        ("It is not known whether it did its work. Look at the document or the run before you repeat it.",)
        if error.unknown
        else ("Nothing was changed.",)
    )
    return replace(
        outcome,
        text=f"The function {name} {error}",
        lines=lines,
        function=name,
        event=error.invocation.event,
    )


def _redirect(address: str, set_cookie: str = "") -> Response[str]:
    """Lead the browser on; it asks by GET, so that a reload sends no form again."""
    extra = {"set-cookie": set_cookie} if set_cookie else {}
    return Response(303, "text/plain; charset=utf-8", "", {"location": address, **extra})
