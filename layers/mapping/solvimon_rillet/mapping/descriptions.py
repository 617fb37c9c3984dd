"""What a line says to people: the products' names, with the usage behind the amount."""

from collections.abc import Iterator
from decimal import Decimal

from solvimon_rillet.solvimon.models import Group, Line, MeterValue


def of_group(group: Group) -> str:
    """The description of a group: its products' names and its usage; one line of text.

    Without a product: the group's text, its lines' texts, their items' names, the category, or its type.
    """
    names = ", ".join(dict.fromkeys(product.name for product in group.products if product.name))
    texts = (" ".join((text or "").split()) for text in (names, *_alternatives(group)))
    name = next(filter(None, texts), "Amount")
    usage = "; ".join(_usage(group))
    return f"{name} ({usage})" if usage else name


def _alternatives(group: Group) -> Iterator[str | None]:
    yield group.description
    yield ", ".join(dict.fromkeys(line.description for line in group.lines if line.description))
    for line in group.lines:
        yield from (item.name for item in line.product_items)
    if group.product_category:
        yield group.product_category.name
    yield from (kind.replace("_", " ").capitalize() for kind in (group.type,) if kind)


def _usage(group: Group) -> Iterator[str]:
    """Usage per meter: "12,500 api_calls". Tiers of one meter are summed, unless each states the whole."""
    meters: dict[str, list[Decimal]] = {}
    for line in group.lines:
        if measured := _measured(line):
            unit, quantity = measured
            meters.setdefault(unit, []).append(quantity)
    for unit, quantities in meters.items():
        whole = quantities[0] if len(set(quantities)) == 1 else sum(quantities, Decimal())
        shown = f"{whole:,f}"
        shown = shown.rstrip("0").rstrip(".") if "." in shown else shown
        yield f"{shown} {unit}".strip()


def _measured(line: Line) -> tuple[str, Decimal] | None:
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
