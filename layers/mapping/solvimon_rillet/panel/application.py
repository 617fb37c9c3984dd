"""The panel as an application: an event of the HTTP API becomes a page, a redirect or a refusal.

Every route below a connection passes the same gate: session, role, and for a form also origin, token and
single use. A page's module only says what it shows and what its forms do.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.connections.names import is_connection_name
from solvimon_rillet.errors import Recoverable
from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.panel.actions import Actions, is_action_id
from solvimon_rillet.panel.activity import Activity
from solvimon_rillet.panel.answer_cache import AnswerCache, key_of
from solvimon_rillet.panel.bare_pages import BarePages
from solvimon_rillet.panel.entrance import Entrance, PanelRequest
from solvimon_rillet.panel.frame import CHECK, LIST, OVERVIEW
from solvimon_rillet.panel.functions import AnswerIsError, Functions, Invocation, InvocationFailed
from solvimon_rillet.panel.http_event import domain_of, form_of, headers_of, tail_of, texts_of
from solvimon_rillet.panel.page import MENU, MenuPage, Outcome, Route
from solvimon_rillet.panel.pages import PAGES
from solvimon_rillet.panel.rendering import STATIC, static_file, static_names
from solvimon_rillet.panel.reports import Reports
from solvimon_rillet.panel.responses import redirect
from solvimon_rillet.panel.results import failed_outcome, problem_of, result_page
from solvimon_rillet.panel.security import (
    FormRefused,
    check_origin,
    check_token,
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
        self._entrance = Entrance(
            self.links, self.sessions, self.activity, functions, self._cache, self._bare, clock
        )
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
        app.get("/panel")(lambda: redirect(f"{self._root}/connections"))
        app.get("/panel/enter")(lambda: self._entrance.show_link(self._request))
        app.post("/panel/enter")(lambda: self._entrance.sign_in(self._request))
        app.get("/panel/connections")(self._for_session(self._entrance.connections))
        app.post("/panel/sign-out")(self._for_session(self._entrance.sign_out))
        app.get("/panel/connections/<connection>/results/<action_id>")(self._result)
        for page in PAGES:
            for route in page.routes:
                rule = f"/panel/connections/<connection>{route.path}"
                app.route(rule, method=route.method)(self._gate(page, route))
        app.not_found(self._not_found)
        app.exception_handler(Exception)(self._failed)
        return app

    def _for_session(
        self, answer: Callable[[PanelRequest, Session], Response[Any]]
    ) -> Callable[[], Response[Any]]:
        """A handler of a route that needs a session, and no connection."""

        def handle() -> Response[Any]:
            session, _ = self._session()
            return answer(self._request, session) if session else self._signed_out()

        return handle

    @property
    def _request(self) -> PanelRequest:
        return PanelRequest(self._event, self._root, self._request_id)

    def _gate(self, page: MenuPage, route: Route) -> Callable[..., Response[Any]]:
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
            outcome = failed_outcome(error, visit, route)
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
        return redirect(outcome.go or result)

    def _again(self, session: Session, action_id: str, result: str) -> Response[Any]:
        """Lead a form that was sent before to what came of it."""
        known = self._actions.result(session, action_id)
        outcome = known[0] if known else None
        return redirect(outcome.go if outcome and outcome.go else result)

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

    def _visit(self, page: MenuPage, connection: str, session: Session, cached: Json) -> Visit:
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


def _support(request_id: str) -> dict[str, str]:
    return {"function": "", "command": "", "request_id": request_id}
