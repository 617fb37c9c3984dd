"""Which documents of a list a person wants to see: by cause, currency and date."""

import re
from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from solvimon_rillet.workflows.status.entries import DocumentEntry

_DAY_PATTERN = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class DocumentFilter(BaseModel):
    """A filter; what it leaves out is not looked at.

    A document whose date or currency is not known matches no filter by it: it was refused before it was read.

    Attributes:
        kind: of the documents.
        state: of their records.
        code: the cause of a rejection or a difference.
        currency: of the documents.
        first: the first day; in a request ``from``.
        last: the last day; in a request ``to``.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    kind: str | None = None
    state: str | None = None
    code: str | None = Field(default=None, min_length=1, max_length=64)
    currency: str | None = None
    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")

    @field_validator("first", "last", mode="before")
    @classmethod
    def _is_day(cls, value: object) -> object:
        if (
            value is None
            or isinstance(value, date)
            or (isinstance(value, str) and _DAY_PATTERN.fullmatch(value))
        ):
            return value
        raise ValueError("should be a day such as 2026-10-01")

    @field_validator("currency")
    @classmethod
    def _is_currency(cls, value: str | None) -> str | None:
        if value is None or (len(value) == 3 and value.isascii() and value.isalpha()):
            return value and value.upper()
        raise ValueError("should be the code of a currency, such as EUR")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first and self.last and self.first > self.last:
            raise ValueError("from should not be later than to")
        return self

    @property
    def is_empty(self) -> bool:
        """Whether every document of a list in one state matches."""
        return not (self.code or self.currency or self.first or self.last)

    def matches(self, entry: DocumentEntry) -> bool:
        """Whether a document is wanted."""
        record, facts = entry.record, entry.facts
        return (
            self.kind in {None, entry.kind.name}
            and self.state in {None, entry.state}
            and self.code in {None, record.get("code")}
            and self.currency in {None, facts.get("currency")}
            and self._has_day(facts.get("dated"))
        )

    def _has_day(self, dated: Any) -> bool:  # noqa: ANN401
        if not (self.first or self.last):
            return True
        try:
            day = date.fromisoformat(str(dated)[:10])
        except ValueError:
            return False
        return (self.first or day) <= day <= (self.last or day)

    def in_words(self) -> str:
        """The filter, as it follows the noun of a sentence."""
        parts = [
            f" in the state {self.state}" if self.state else "",
            f" with the cause {self.code}" if self.code else "",
            f" in {self.currency}" if self.currency else "",
            f" dated from {self.first}" if self.first else "",
            f"{'' if self.first else ' dated'} to {self.last}" if self.last else "",
        ]
        return "".join(parts)
