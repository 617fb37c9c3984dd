"""What an invoice is made of before the builder calculates its amounts; all amounts are decimal texts."""

from dataclasses import dataclass, field
from functools import cache

from local.sample_data.identity import Json
from local.sample_data.rows import rows


@dataclass(frozen=True)
class Tax:
    """A tax as Solvimon names it; `rates` are the parts of a category that stacks several."""

    name: str
    percentage: str
    category: str = "STANDARD"
    rates: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def read_tax(row: Json) -> Tax:
    """Read a row of a YAML file."""
    rates = tuple((name, percentage) for name, percentage in row.get("rates", ()))
    return Tax(**row | {"rates": rates, "notes": tuple(row.get("notes", ()))})


@dataclass(frozen=True)
class Usage:
    """Metered volume at a unit price, in a tier when it has bounds."""

    meter: str
    number: str
    unit_price: str
    tier_from: str | None = None
    tier_to: str | None = None


@dataclass(frozen=True)
class DraftLine:
    """A line; its type is REVENUE, or DISCOUNT, COMMITMENT or ONE_OFF for what has no product."""

    text: str
    net: str
    taxes: tuple[Tax, ...] = ()
    model: str = "RECURRING"
    pricing: str = "FIXED"
    type: str = "REVENUE"
    usage: Usage | None = None


@dataclass(frozen=True)
class Group:
    """A group of lines for one product, or for none; `linked` embeds the product with its custom fields."""

    lines: tuple[DraftLine, ...]
    product: str | None = None
    description: str | None = None
    linked: bool = True
    own_taxes: bool = True


@dataclass(frozen=True)
class Period:
    """Groups over the same time; both ends are timestamps, or absent."""

    groups: tuple[Group, ...]
    start: str | None = None
    end: str | None = None

    @property
    def lines(self) -> tuple[DraftLine, ...]:
        """The lines of all its groups."""
        return tuple(line for group in self.groups for line in group.lines)


@dataclass(frozen=True)
class Invoice:
    """An invoice to build; `embedded_links` embeds customer and billing entity with their custom fields."""

    name: str
    customer: str
    entity: str
    currency: str
    date: str
    due: str
    timezone: str
    periods: tuple[Period, ...]
    notes: tuple[str, ...] = ()
    type: str = "STANDARD"
    country: str | None = None
    embedded_links: bool = True
    extra: Json = field(default_factory=dict)

    @property
    def lines(self) -> tuple[DraftLine, ...]:
        """The lines of all its periods."""
        return tuple(line for period in self.periods for line in period.lines)


class _DraftReader:
    """Reads `invoices.yaml`: an invoice has its entity's defaults, a line its kind's terms and taxes."""

    def __init__(self, file: Json) -> None:
        self._file = file
        self._taxes = {name: read_tax(row) for name, row in file["taxes"].items()}

    def invoices(self) -> tuple[Invoice, ...]:
        return tuple(self._invoice(name, row) for name, row in self._file["invoices"].items())

    def _invoice(self, name: str, own: Json) -> Invoice:
        row = self._file["defaults"][own["entity"]] | own
        months, taxes = row.pop("months"), row.pop("taxes")
        periods = tuple(self._period(period, months, taxes) for period in row.pop("periods"))
        return Invoice(name, periods=periods, notes=tuple(row.pop("notes", ())), **row)

    def _period(self, row: Json, months: Json, taxes: list[str]) -> Period:
        start, end = months[row["month"]] if "month" in row else (row.get("start"), row.get("end"))
        groups = (
            Group(**group | {"lines": tuple(self._line(line, taxes) for line in group["lines"])})
            for group in row["groups"]
        )
        return Period(tuple(groups), start, end)

    def _line(self, own: Json, taxes: list[str]) -> DraftLine:
        row: Json = {"kind": "subscription", "taxes": taxes} | own
        row |= self._file["kinds"][row.pop("kind")]
        usage = Usage(**row["usage"]) if "usage" in row else None
        return DraftLine(**row | {"taxes": tuple(self._taxes[tax] for tax in row["taxes"]), "usage": usage})


@cache
def drafts() -> tuple[Invoice, ...]:
    """Return the demo's invoices, in the order of their file."""
    return _DraftReader(rows("invoices")).invoices()
