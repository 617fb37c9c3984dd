"""Who asked for the work that is being done, for the histories that this work writes."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

UNKNOWN_ACTOR = "unknown"
"""A person asked, and nothing says who."""
MAX_ACTOR_LENGTH = 100
_actor: ContextVar[str] = ContextVar("actor", default="")


def current_actor() -> str:
    """The name of who asked for the current work; empty for scheduled work and events."""
    return _actor.get()


@contextmanager
def acting_for(by: str) -> Iterator[None]:
    """Let the histories that are written meanwhile say who asked; an empty text records no name."""
    token = _actor.set(by)
    try:
        yield
    finally:
        _actor.reset(token)


def actor_name(value: object) -> str:
    """Check who asks, as an event names it, and return it without blanks around it.

    Raises:
        ValueError: it is no text, too long, or has a character that no name has.
    """
    if not isinstance(value, str):
        raise ValueError("should be a text that names who asks")
    name = value.strip()
    if len(name) > MAX_ACTOR_LENGTH:
        raise ValueError(f"should have at most {MAX_ACTOR_LENGTH} characters, not {len(name)}")
    # Control and formatting characters, surrogates, line and paragraph separators.
    if any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for sign in name):
        raise ValueError("should have no control characters")
    return name or UNKNOWN_ACTOR


ActorName = Annotated[str, BeforeValidator(actor_name)]


class RequestedBy(BaseModel):
    """A request that may name who asks; the audit trail keeps it, no log has it."""

    by: ActorName = Field(default=UNKNOWN_ACTOR, description="Who asks, at most 100 characters.")
