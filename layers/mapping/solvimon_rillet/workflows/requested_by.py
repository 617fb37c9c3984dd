"""What every request of a person can name: who asks."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from solvimon_rillet.ledger.actor import UNKNOWN_ACTOR, actor_name

ActorName = Annotated[str, BeforeValidator(actor_name)]


class RequestedBy(BaseModel):
    """A request that may name who asks; histories keep it, logs never have it."""

    by: ActorName = Field(default=UNKNOWN_ACTOR, description="Who asks, at most 100 characters.")
