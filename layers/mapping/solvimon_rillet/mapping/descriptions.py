"""The description of a line: the products' names, with the usage behind the amount."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from solvimon_rillet.mapping.texts import without_control_characters
from solvimon_rillet.solvimon.models import Group, Line, MeterValue


def group_description(group: Group) -> str:
    """The description of a group: its products' names and its usage; one line of text.

    Without a product: the group's text, its lines' texts, their items' names, the category, or its type.
    """
    name, usage = _name_and_source(group)[0], "; ".join(_usage(group))
    return f"{name} ({usage})" if usage else name


def description_source(group: Group) -> str:
    """The field of a group that its description comes from."""
    return _name_and_source(group)[1]


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


def usage_quantity(group: Group) -> Decimal | None:
    """The quantity behind a group's amount, if one meter's usage is all that it bills; else ``None``."""
    counted = any(value.number is not None or value.count is not None for value in _meter_values(group))
    usage = _usage_by_unit(group)
    return usage.popitem()[1] if len(usage) == 1 and counted else None


def _usage(group: Group) -> Iterator[str]:
    """Usage per meter: "12,500 api_calls"."""
    for unit, total in _usage_by_unit(group).items():
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
