"""A field table as data: the same row maps a field, documents it and explains it in a dry run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from solvimon_rillet.mapping.texts import without_control_characters
from solvimon_rillet.settings import InvoiceScope

T = TypeVar("T")

ALL_SCOPES = frozenset(InvoiceScope)
FULL = frozenset({InvoiceScope.FULL})
TOTALS_ONLY = frozenset({InvoiceScope.REVENUE_RECOGNITION_ONLY, InvoiceScope.AR_ONLY})


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One row of a field table.

    Attributes:
        source: the field that is read, of Solvimon for an export and of Rillet for an import.
        target: the field that is written on the other side, dots for nesting.
        value: computes the value from the document, line or record; ``None`` leaves the field out.
        scopes: the invoice scopes whose request has the field (Rillet API v4, Create an invoice).
        rule: how the value is changed, for the documentation.
    """

    source: str
    target: str
    value: Callable[[T], object]
    scopes: frozenset[InvoiceScope] = ALL_SCOPES
    rule: str = ""


def fill(
    rows: Iterable[Row[T]], subject: T, scope: InvoiceScope | None = None
) -> tuple[dict[str, object], dict[str, str]]:
    """Apply a table to a document, line or record. Control characters of texts are left out.

    Args:
        rows: the table.
        subject: what its rows read.
        scope: the invoice scope; ``None`` for records without one.

    Returns:
        The object to send, and the source field of each of its filled fields.
    """
    filled: dict[str, object] = {}
    origins: dict[str, str] = {}
    for row in rows:
        if scope is not None and scope not in row.scopes:
            continue
        value = row.value(subject)
        if type(value) is str:
            value = without_control_characters(value)
        if value is not None:
            _put_value(filled, row.target, value)
            origins[row.target] = row.source
    return filled, origins


def _put_value(target: dict[str, object], path: str, value: object) -> None:
    parents, name = _path_steps(path)
    for parent in parents:
        inner = target.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise TypeError(f"{path}: {parent} is a value already")
        target = inner
    target[name] = value


@lru_cache(maxsize=256)
def _path_steps(path: str) -> tuple[tuple[str, ...], str]:
    *parents, name = path.split(".")
    return tuple(parents), name
