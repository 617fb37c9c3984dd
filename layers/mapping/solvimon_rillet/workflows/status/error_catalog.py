"""What each code means and what to do about it, in general: the rows of ``docs/errors.md``, for answers."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """A row of the tables."""

    meaning: str
    remedy: str


@cache
def _entries() -> dict[str, ErrorEntry]:
    text = files(__package__).joinpath("error_catalog.json").read_text(encoding="utf-8")
    return {code: ErrorEntry(row["meaning"], row["remedy"]) for code, row in json.loads(text).items()}


def entry_for(code: str) -> ErrorEntry:
    """The cause behind a code as a record has it; of a code that is not ours there is little to say."""
    unknown = ErrorEntry(
        "A cause that this version does not know.", "See the message of one of its documents."
    )
    return _entries().get(code, unknown)
