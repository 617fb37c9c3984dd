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
        source: the field that is read, of Solvimon for an export and of Rillet for an import.
        target: the field that is written on the other side, dots for nesting.
        value: computes the value from the document, line or record; ``None`` leaves the field out.
        scopes: the invoice scopes whose request has the field (Rillet API v4, Create an invoice).
        rule: what happens to the value on the way, for the documentation.
    """

    source: str
    target: str
    value: Callable[[T], object]
    scopes: frozenset[InvoiceScope] = ALL_SCOPES
    rule: str = ""


def fill(
    rows: Iterable[Row[T]], subject: T, scope: InvoiceScope | None = None
) -> tuple[dict[str, object], dict[str, str]]:
    """Apply a table to a document, line or record.

    Args:
        rows: the table.
        subject: what its rows read.
        scope: the invoice scope; ``None`` for what has no scope.

    Returns:
        The object to send, and for each of its fields that was filled the field it came from.
    """
    filled: dict[str, object] = {}
    origins: dict[str, str] = {}
    for row in rows:
        value = row.value(subject) if scope is None or scope in row.scopes else None
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
