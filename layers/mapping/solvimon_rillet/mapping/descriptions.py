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


def _usage(group: Group) -> Iterator[str]:
    """Usage per meter: "12,500 api_calls". Tiers of one meter are summed, unless each states the total."""
    meters: dict[str, list[Decimal]] = {}
    for line in group.lines:
        if usage := _line_usage(line):
            unit, quantity = usage
            meters.setdefault(unit, []).append(quantity)
    for unit, quantities in meters.items():
        total = quantities[0] if len(set(quantities)) == 1 else sum(quantities, Decimal())
        text = f"{total:,f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        yield f"{text} {unit}".strip()


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
