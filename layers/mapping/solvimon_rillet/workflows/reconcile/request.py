"""What a reconciliation can be asked for."""

from datetime import date
from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from solvimon_rillet.ledger.actor import RequestedBy

MAX_PERIOD_DAYS = 400
RECONCILE_EXAMPLE = {"connection": "default", "from": "2026-10-01", "to": "2026-10-31"}


class ReconcileRequest(RequestedBy):
    """The event of the function; without days, last month and this month until today."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, defer_build=True)

    connection: str | None = None
    first: Annotated[date | None, Field(alias="from", description="First day, inclusive.")] = None
    last: Annotated[date | None, Field(alias="to", description="Last day, inclusive.")] = None
    redrive: bool | None = Field(
        default=None, description="Export what is missing; without it, the connection's setting decides."
    )

    adopt: bool = Field(
        default=False,
        description="Take over what Rillet has and the ledger does not know, after the ledger was restored; "
        "needs from, and takes to as today if it is left out.",
    )

    @model_validator(mode="after")
    def _valid_period(self) -> "ReconcileRequest":
        if self.adopt and self.first is None:
            raise ValueError(
                "give from with adopt: a day before every document that was booked since the restore"
            )
        if (self.first is None) != (self.last is None) and not self.adopt:
            raise ValueError("give both from and to, or neither")
        if self.first and self.last and not 0 <= (self.last - self.first).days < MAX_PERIOD_DAYS:
            raise ValueError(f"to should be at or after from, and within {MAX_PERIOD_DAYS} days")
        return self
