"""One-time links: a person who may invoke the function in AWS gets one, opens it, and is signed in."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, field_validator

from solvimon_rillet.aws.dynamodb import ConditionFailed, Table
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.sessions import digest

LINK_SECONDS = 300
_REMEMBERED_SECONDS = 86_400
"""How long a link that was used, or was too late, can still be told from one that never was."""
SIGN_IN_EXAMPLE = {"sign_in": {"as": "controller@example.com", "role": "operator"}}


class SignIn(BaseModel):
    """For whom a link is made."""

    model_config = ConfigDict(extra="forbid")

    person: str = Field(alias="as", min_length=1, max_length=80)
    role: Role

    @field_validator("person")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        name = value.strip()
        if not name or not name.isprintable():
            raise ValueError("should be a name or an e-mail address on one line")
        return name


class SignInRequest(BaseModel):
    """The request of a direct invocation."""

    model_config = ConfigDict(extra="forbid")

    sign_in: SignIn
    by: str = Field(default="", max_length=100)


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was found: for whom, until when, and whether it was used.

    Times are unix seconds; ``used_at`` is 0 for a link that was not used.
    """

    person: str
    role: Role
    ends: int
    used_at: int


class SignInLinks:
    """Makes one-time links and uses them up.

    Args:
        table: the panel's table; it holds a link's hash only.
        clock: unix seconds.
    """

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def make(self, person: str, role: Role) -> str:
        """The secret part of a new link."""
        once, ends = secrets.token_urlsafe(32), int(self._clock()) + LINK_SECONDS
        facts = {"person": person, "role": str(role), "ends": ends, "expires_at": ends + _REMEMBERED_SECONDS}
        self._table.put(_link_key(once), facts)
        return once

    def find(self, once: str) -> Link | None:
        """What a link was made for; ``None`` if this deployment never made it, or long ago."""
        item = self._table.get(_link_key(once)) if once else None
        if not item:
            return None
        role = Role(str(item["role"]))
        return Link(str(item["person"]), role, int(item["ends"]), int(item.get("used_at", 0)))

    def use(self, once: str) -> bool:
        """Use a link up; of several callers only one succeeds, and only within its time."""
        now = int(self._clock())
        try:
            self._table.update_attributes(
                _link_key(once),
                {"used_at": now},
                "attribute_exists(pk) AND attribute_not_exists(used_at) AND ends > :now",
                {":now": now},
            )
        except ConditionFailed:
            return False
        return True


def _link_key(once: str) -> str:
    return f"sign-in#{digest(once)}"
