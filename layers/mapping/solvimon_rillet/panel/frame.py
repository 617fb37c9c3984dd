"""What is around every page: the connections, the state of this one, the menu and the person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.panel.reading import count, rows, section, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.sessions import Session

OVERVIEW: dict[str, Any] = {}
LIST: dict[str, Any] = {"list": True}
CHECK: dict[str, Any] = {"action": "status"}
_PILL_MARKS = {"booked": "booked", "waiting": "waits", "needs_you": "needs", "stopped": "stopped"}
_PILLS = {"booked": "All booked", "waiting": "Waiting", "stopped": "Stopped", "new": "Not set up"}
NOT_SET_UP = "new"


@dataclass(frozen=True, slots=True)
class ConnectionLink:
    """A connection in the menu of connections."""

    name: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Headline:
    """Whether all is right with a connection's documents.

    Attributes:
        state: ``booked``, ``waiting``, ``needs_you``, ``stopped``, or ``new`` before the first document.
        mark: the class of its mark.
        text: in one sentence.
        count: documents that need a person.
    """

    state: str
    mark: str
    text: str
    count: int

    @property
    def pill(self) -> str:
        """In two or three words."""
        return _PILLS.get(self.state) or (plural(self.count, "needs you", "need you"))


@dataclass(frozen=True, slots=True)
class Frame:
    """What the base template shows around a page.

    Attributes:
        connection: its name.
        connections: those that there are, as far as the panel knows.
        headline: the state of this connection; ``None`` if no function answered.
        person: who is signed in.
        role: what the person may do.
        menu: name and title of each page.
    """

    connection: str
    connections: list[ConnectionLink]
    headline: Headline | None
    person: str
    role: Role
    menu: Sequence[tuple[str, str]]


def headline_of(answer: Mapping[str, Any]) -> Headline | None:
    """The headline of an answer of ``sync_status``, also of one that has no such field."""
    if not answer or "error" in answer:
        return None
    failing = sum(count(row, "documents") for row in rows(answer, "failures"))
    waiting = [row for row in rows(answer, "waiting") if row.get("needs_person")]
    needing = failing + sum(count(row, "documents") for row in waiting)
    stated = section(answer, "headline")
    state = text(stated, "state") or ("needs_you" if needing else "booked")
    if state not in _PILL_MARKS:
        state = "needs_you"
    words = text(stated, "text") or text(answer, "summary")
    return Headline(state, _PILL_MARKS[state], words, needing or len(rows(answer, "stuck")))


def frame_of(
    connection: str,
    session: Session,
    menu: Sequence[tuple[str, str]],
    status: Mapping[str, Any],
    check: Mapping[str, Any],
    connections: Mapping[str, Any],
) -> Frame:
    """The frame of a page, from the answers about the connection and about all of them."""
    links = connection_links(connections)
    if connection not in {link.name for link in links}:
        links.append(ConnectionLink(connection, ""))
    headline = headline_of(status)
    if headline and check and not check.get("ready") and not section(status, "counts"):
        headline = Headline(NOT_SET_UP, "todo", "Not set up", 0)
    return Frame(
        connection=connection,
        connections=links,
        headline=headline,
        person=session.person,
        role=session.role,
        menu=menu,
    )


def connection_links(answer: Mapping[str, Any]) -> list[ConnectionLink]:
    """The connections of an answer to the question for all of them."""
    return [
        ConnectionLink(text(row, "connection"), text(row, "organisation"))
        for row in rows(answer, "connections")
    ]
