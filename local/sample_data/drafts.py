"""What an invoice is made of before the builder works out its amounts; all amounts are decimal texts."""

from dataclasses import dataclass, field

from local.sample_data.identity import Json


@dataclass(frozen=True)
class Tax:
    """A tax as Solvimon names it; `rates` are the parts of a category that stacks several."""

    name: str
    percentage: str
    category: str = "STANDARD"
    rates: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Usage:
    """Metered volume at a unit price, in a tier when it has bounds."""

    meter: str
    number: str
    unit_price: str
    tier_from: str | None = None
    tier_to: str | None = None


@dataclass(frozen=True)
class Line:
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

    lines: tuple[Line, ...]
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
