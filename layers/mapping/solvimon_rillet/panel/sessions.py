"""Sessions: who is signed in, kept in the panel's table, and found by a random cookie."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from solvimon_rillet.aws.dynamodb import ConditionFailed, Item, Table
from solvimon_rillet.panel.roles import Role

LIFETIME_SECONDS = 12 * 3600
IDLE_SECONDS = 3600
_NOTED_EVERY = 60
"""Seconds after which a session's last use is written again."""


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in.

    Attributes:
        key: of its record.
        person: the name that the sign-in link was made for.
        role: what the person may do.
        token: hidden in each form, so that no other site can send one.
        begun: unix seconds of the sign-in.
        seen: unix seconds of the last use, to the minute.
    """

    key: str
    person: str
    role: Role
    token: str
    begun: int
    seen: int

    @property
    def by(self) -> str:
        """The person and the role, as events carry them."""
        return f"{self.person} ({self.role})"

    def has_ended(self, now: float) -> bool:
        """Whether it is too old, or was not used for too long."""
        return now >= self.begun + LIFETIME_SECONDS or now >= self.seen + IDLE_SECONDS


def session_key(cookie: str) -> str:
    """The key of a session's record; the table does not hold what the cookie holds."""
    return f"session#{digest(cookie)}"


def digest(secret: str) -> str:
    """The SHA-256 of a random text."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Sessions:
    """The sessions of all people.

    Args:
        table: the panel's table.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def begin(self, person: str, role: Role) -> tuple[str, Session]:
        """Sign a person in.

        Returns:
            The value of the cookie, and the session.
        """
        cookie, now = secrets.token_urlsafe(32), int(self._clock())
        session = Session(session_key(cookie), person, role, secrets.token_urlsafe(32), now, now)
        facts = {"person": person, "role": str(role), "token": session.token, "begun": now, "seen": now}
        self._table.put(session.key, {**facts, "expires_at": now + LIFETIME_SECONDS})
        return cookie, session

    def read(self, key: str, item: Item | None) -> Session | None:
        """The session of a record that was read; ``None`` if there is none or it has ended."""
        if not item:
            return None
        role, begun, seen = Role(str(item["role"])), int(item["begun"]), int(item["seen"])
        session = Session(key, str(item["person"]), role, str(item["token"]), begun, seen)
        return None if session.has_ended(self._clock()) else session

    def note_use(self, session: Session) -> None:
        """Remember that a session was used; a session that was ended meanwhile stays so."""
        now = int(self._clock())
        if now >= session.seen + _NOTED_EVERY:
            try:
                self._table.update_attributes(session.key, {"seen": now}, "attribute_exists(pk)", {})
            except ConditionFailed:
                return

    def end(self, session: Session) -> None:
        """Sign out."""
        self._table.pop(session.key)
