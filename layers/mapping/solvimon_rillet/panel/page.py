"""A page of the panel: its place in the menu, its routes, and what a form's action comes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from solvimon_rillet.panel.roles import Role

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response


View = Callable[..., "Response[str]"]
Action = Callable[..., "Outcome"]

MENU = {
    "overview": "Overview",
    "configurations": "Configurations",
    "synchronise": "Synchronise",
    "documents": "Documents",
    "needs-attention": "Needs attention",
    "reconciliation": "Reconciliation",
    "activity": "Activity",
}
"""The menu in its order: the name of a page, and its title."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action came to. It is kept, so that a form that is sent twice shows the same result.

    Attributes:
        what: what was done, in the past tense, for Activity: ``Tried again``.
        on: on what: ``INV-2026-11-000016``.
        state: class of the mark: ``booked``, ``sends``, ``waits``, ``needs``, ``differs``, ``skipped``.
        text: the result in one sentence.
        lines: more sentences.
        answer: the function's answer, shown as JSON.
        function: the function that gave it.
        event: the event that it got.
        template: a template of the page's own for the result, instead of the general one.
        view: what that template shows, in JSON's types.
        links: where to go next: text, and path below the connection's.
        path: of the page about what it was done on; Activity leads there.
        go: an address to go to at once, instead of the result.
    """

    what: str
    text: str
    on: str = ""
    state: str = "booked"
    lines: tuple[str, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)
    function: str = ""
    event: Mapping[str, Any] = field(default_factory=dict)
    template: str = ""
    view: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()
    path: str = ""
    go: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A route below a connection's address.

    Attributes:
        method: ``GET`` or ``POST``.
        path: such as ``/documents/<kind>/<document>``; empty for the connection's own address.
        role: what a person needs at least.
        handle: answers it; it gets the visit, and the parts of the path by name.
        kind: for the filter of Activity; empty where nothing is done.
    """

    method: str
    path: str
    role: Role
    handle: Callable[..., Any]
    kind: str = ""


class MenuPage:
    """The routes of one page of the menu.

    Args:
        name: its name in ``MENU``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = MENU[name]
        self.routes: list[Route] = []

    def get(self, path: str, role: Role = Role.VIEWER) -> Callable[[View], View]:
        """Show something under a path. It changes nothing."""

        def add(view: View) -> View:
            self.routes.append(Route("GET", path, role, view))
            return view

        return add

    def post(self, path: str, role: Role, kind: str) -> Callable[[Action], Action]:
        """Do something when a form is sent to a path; role, token, origin and single use are checked before.

        Args:
            path: below the connection's address.
            role: what a person needs at least.
            kind: for the filter of Activity.
        """

        def add(action: Action) -> Action:
            self.routes.append(Route("POST", path, role, action, kind))
            return action

        return add
