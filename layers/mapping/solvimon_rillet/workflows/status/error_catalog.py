"""The meaning and the general remedy of each error code: the rows of ``docs/errors.md``, for answers."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """Meaning and remedy of an error code."""

    meaning: str
    remedy: str


@cache
def _entries() -> dict[str, ErrorEntry]:
    text = files(__package__).joinpath("error_catalog.json").read_text(encoding="utf-8")
    return {code: ErrorEntry(row["meaning"], row["remedy"]) for code, row in json.loads(text).items()}


def entry_for(code: str) -> ErrorEntry:
    """The entry of the code in a record; a general entry for an unknown code."""
    unknown = ErrorEntry(
        "A cause that this version does not know.", "Read the message of one of its documents."
    )
    return _entries().get(code, unknown)
