"""The description of a line: the products' names, with the usage behind the amount."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from solvimon_rillet.mapping.texts import without_control_characters
from solvimon_rillet.solvimon.invoice_groups import Group, Line, MeterValue


@dataclass(frozen=True, slots=True)
class Description:
    """The text of a group, and the usage that it bills.

    Attributes:
        text: the products' names and the usage; one line.
        source: the field of the group that the name comes from.
        quantity: the usage, if that of one meter is all that the group bills; else ``None``.
    """

    text: str
    source: str
    quantity: Decimal | None


def describe(group: Group) -> Description:
    """The description of a group: its products' names and its usage; one line of text.

    Without a product: the group's text, its lines' texts, their items' names, the category, or its type.
    """
    name, source = _name_and_source(group)
    usage = _usage_by_unit(group)
    if not usage:
        return Description(name, source, None)
    counted = any(value.number is not None or value.count is not None for value in _meter_values(group))
    quantity = next(iter(usage.values())) if len(usage) == 1 and counted else None
    return Description(f"{name} ({'; '.join(_usage_texts(usage))})", source, quantity)


def _name_and_source(group: Group) -> tuple[str, str]:
    for text, source in _alternatives(group):
        if name := " ".join(without_control_characters(text or "").split()):
            return name, source
    return "Amount", "(no text)"


def _alternatives(group: Group) -> Iterator[tuple[str | None, str]]:
    yield _joined(product.name for product in group.products), "products.name"
    yield group.description, "description"
    yield _joined(line.description for line in group.lines), "lines.description"
    yield (
        _joined(item.name for line in group.lines for item in line.product_items),
        "lines.product_items.name",
    )
    if group.product_category:
        yield group.product_category.name, "product_category.name"
    yield (group.type or "").replace("_", " ").capitalize(), "type"


def _joined(texts: Iterable[str | None]) -> str:
    """Each text once, in order."""
    return ", ".join(dict.fromkeys(text for text in texts if text))


def _usage_texts(usage: Mapping[str, Decimal]) -> Iterator[str]:
    """Usage per meter: "12,500 api_calls"."""
    for unit, total in usage.items():
        text = f"{total:,f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        yield f"{text} {unit}".strip()


def _usage_by_unit(group: Group) -> dict[str, Decimal]:
    """Usage per meter. The tiers of a product item are summed; two items may price the same usage."""
    meters: dict[str, dict[tuple[str | None, ...], Decimal]] = {}
    for line in group.lines:
        if usage := _line_usage(line):
            unit, quantity = usage
            by_item = meters.setdefault(unit, {})
            item = tuple(item.id for item in line.product_items)
            by_item[item] = by_item.get(item, Decimal()) + quantity
    totals = dict[str, Decimal]()
    for unit, by_item in meters.items():
        quantities = list(by_item.values())
        same = len(set(quantities)) == 1
        totals[unit] = quantities[0] if same else sum(quantities, Decimal())
    return totals


def _meter_values(group: Group) -> Iterator[MeterValue]:
    for line in group.lines:
        yield from filter(None, (line.meter_value, line.details.meter_value if line.details else None))


def _line_usage(line: Line) -> tuple[str, Decimal] | None:
    values = [line.meter_value, line.details.meter_value if line.details else None]
    present: list[MeterValue] = [value for value in values if value is not None]
    unit = next((value.reference for value in present if value.reference), "")
    for value in present:
        quantity = value.number if value.number is not None else value.count
        if quantity is not None:
            return unit, quantity
        if value.amount is not None:
            return f"{value.amount.currency} {unit}".strip(), value.amount.quantity
    return None
