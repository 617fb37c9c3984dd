"""A field table as data: what is mapped, documented and explained in a dry run is one and the same row."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from solvimon_rillet.settings import InvoiceScope

T = TypeVar("T")

ALL_SCOPES = frozenset(InvoiceScope)
FULL = frozenset({InvoiceScope.FULL})
RECORDED = frozenset({InvoiceScope.REVENUE_RECOGNITION_ONLY, InvoiceScope.AR_ONLY})


@dataclass(frozen=True, slots=True)
class Row(Generic[T]):
    """One row of a field table.

    Attributes:
        source: the Solvimon field.
        target: the Rillet field, dots for nesting.
        value: computes the Rillet value from the document or line; ``None`` leaves the field out.
        scopes: the invoice scopes whose request has the field (Rillet API v4, Create an invoice).
    """

    source: str
    target: str
    value: Callable[[T], object]
    scopes: frozenset[InvoiceScope] = ALL_SCOPES


def fill(rows: Iterable[Row[T]], subject: T, scope: InvoiceScope) -> tuple[dict[str, object], dict[str, str]]:
    """Apply a table to a document or line.

    Returns:
        The Rillet object, and for each Rillet field that was filled the Solvimon field it came from.
    """
    filled: dict[str, object] = {}
    origins: dict[str, str] = {}
    for row in rows:
        value = row.value(subject) if scope in row.scopes else None
        if value is not None:
            _put(filled, row.target, value)
            origins[row.target] = row.source
    return filled, origins


def _put(target: dict[str, object], path: str, value: object) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        inner = target.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise TypeError(f"{path}: {parent} is a value already")
        target = inner
    target[name] = value
