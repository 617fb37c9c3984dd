"""The request of a retry: by cause, or by days."""

import re
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from solvimon_rillet.ledger.actor import RequestedBy

ALL = "all"
RETRY_EXAMPLES: list[dict[str, Any]] = [
    {"retry": {"code": "product_not_linked"}},
    {"retry": ALL},
    {"retry": {"from": "2026-10-01", "to": "2026-10-31"}, "dry_run": True},
]
_TIMESTAMP_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def _check_day(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)):
        return value
    raise ValueError("should be a day such as 2026-10-01")


def _check_timestamp(value: object) -> object:
    if isinstance(value, str) and _TIMESTAMP_FORM.fullmatch(value):
        return value
    raise ValueError("should be a time such as 2026-10-01T08:00:00Z")


Day = Annotated[date, BeforeValidator(_check_day)]
Timestamp = Annotated[str, BeforeValidator(_check_timestamp)]


class Retry(BaseModel):
    """Selects documents by the cause of their rejection, or by their day.

    Attributes:
        code: the cause of a rejection; ``all`` for every cause.
        first: with ``last``, the days of a back-fill, both included; in a request ``from`` and ``to``.
        page: page of Solvimon's list at which an earlier run stopped.
        changed_after: only rejections after this time, at which an earlier run stopped.
        changed_until: only rejections up to this time, when the first run began.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    code: str | None = Field(default=None, min_length=1, max_length=64)
    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")
    page: int = Field(default=1, ge=1)
    changed_after: Timestamp | None = None
    changed_until: Timestamp | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_shorthand(cls, value: object) -> object:
        if value == ALL:
            return {"code": ALL}
        if isinstance(value, dict):
            return value
        raise ValueError('should be "all", {"code": …} or {"from": …, "to": …}')

    @model_validator(mode="after")
    def _check_code_or_days(self) -> Self:
        days = (self.first, self.last)
        if (self.code is None) == (days == (None, None)):
            raise ValueError('should have either "code" or "from" and "to"')
        if self.code is None and None in days:
            raise ValueError(f"{'from' if self.first is None else 'to'} is missing")
        if self.first and self.last and self.first > self.last:
            raise ValueError("from should not be later than to")
        return self

    def as_event(self, **changes: object) -> Any:  # noqa: ANN401 - a text or an object
        """The selection as JSON, with another place to continue from."""
        selection = {**self.model_dump(mode="json", by_alias=True, exclude_defaults=True), **changes}
        return ALL if selection == {"code": ALL} else selection


class RetryRequest(RequestedBy):
    """A direct invocation that asks for a retry."""

    model_config = ConfigDict(extra="forbid")

    connection: str = "default"
    dry_run: bool = False
    retry: Retry
