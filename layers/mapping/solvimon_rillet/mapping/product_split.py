"""The parts of a group that bill different Rillet products: one group each, before taxes are found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.totals import does_not_tie_out
from solvimon_rillet.solvimon.invoice_groups import Amount, Group, Line, TaxCategory
from solvimon_rillet.solvimon.master_data import Product

MAX_PARTS = 12
"""Parts of a group for which every combination is compared with a tax's base (4,095 of them)."""

_SPLIT_REMEDY = (
    "Link all of these products to the same Rillet product, or credit the invoice in Solvimon and bill them "
    "in groups of their own, then retry; or book the invoice by hand."
)


KINDS_WITHOUT_PRODUCT = frozenset({"DISCOUNT", "COMMITMENT", "ONE_OFF"})
"""Types of groups and lines that may have no product; each has its own fallback product."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The lines of a group that bill one Rillet product, or one kind of amount without a product."""

    products: dict[str | None, None]
    lines: list[int]


def split_by_product(path: str, group: Group, links: Links, currency: str) -> Iterator[tuple[str, Group]]:
    """Yield the group itself, or its parts if it bills several Rillet products.

    A group names its products, but only its lines say what each costs (``lines[].product_items``). The lines
    of one Rillet product are a part, with their net, the group's period, and their own taxes; where no line
    states a tax, a share of the group's. Lines of a discount, a commitment or a one-off amount that name no
    product are a part of that kind. A difference of rounding between lines and group is in the largest part.
    A group is not split if its products all have the same Rillet product, or if all of it is zero.

    Args:
        path: the group's path in the document.
        group: the group.
        links: the Rillet ids of the products that the group and its lines name.
        currency: of the document.

    Yields:
        The path (``periods[0].groups[0].lines[1,2]`` for a part) and the group or part.

    Raises:
        NeedsAttention: the lines do not say which product bills what, do not sum to the group, or leave open
            which product bears a tax.
    """
    names = {product.id: product.name for product in group.products}
    for line in group.lines:
        for item in line.product_items:
            if item.product_id:
                names.setdefault(item.product_id, item.name)
    amount = group.amount_excluding_tax or group.total
    is_zero = amount is not None and not amount.quantity and not _has_amounts(group)
    if not group.products or is_zero or len({_part_key(one, links) for one in names}) == 1:
        yield path, group
        return
    parts = _lines_by_product(path, group, links, names)
    nets = [_net(path, group, part, currency) for part in parts]
    if amount is not None:
        nets = _tied_to_group(path, amount.quantity, nets, len(group.lines), currency)
    taxes = _taxes_of_parts(path, group, nets, currency)
    for part, net, own_taxes in zip(parts, nets, taxes, strict=True):
        lines = [group.lines[index] for index in part.lines]
        changes = {
            "products": [Product(id=one, name=names[one]) for one in part.products],
            "amount_excluding_tax": Amount(quantity=net, currency=currency),
            "amount_including_tax": _gross(lines, currency),
            "description": group.description if part.products else None,
            "lines": lines,
            "tax_categories": own_taxes,
        }
        yield f"{path}.lines[{','.join(map(str, part.lines))}]", group.model_copy(update=changes)


def _part_key(product_id: str | None, links: Links) -> str:
    """The key of a product's part: its Rillet product; a product without one is a part of its own."""
    return links.products.get(product_id or "") or f"not linked: {product_id}"


def _lines_by_product(
    path: str, group: Group, links: Links, names: Mapping[str | None, str | None]
) -> list[_Part]:
    """The parts of a group by Rillet product, in the order of their first lines."""
    parts: dict[str, _Part] = {}
    for index, line in enumerate(group.lines):
        ids = dict.fromkeys(item.product_id for item in line.product_items if item.product_id)
        keys = {_part_key(one, links) for one in ids}
        if not line.product_items and line.type in KINDS_WITHOUT_PRODUCT:
            keys = {f"no product: {line.type}"}
        amount = _line_amount(line)
        if not keys and amount is not None and not amount.quantity and not line.tax_categories:
            continue
        if len(keys) != 1:
            raise _not_attributable(f"{path}.lines[{index}]", path, names)
        part = parts.setdefault(keys.pop(), _Part({}, []))
        part.products.update(ids)
        part.lines.append(index)
    if not parts:
        raise _not_attributable(path, path, names)
    return list(parts.values())


def _not_attributable(what: str, path: str, names: Mapping[str | None, str | None]) -> NeedsAttention:
    products = ", ".join(f"{name or 'unnamed'} ({one})" for one, name in names.items())
    return NeedsAttention(
        Code.PRODUCT_NOT_ATTRIBUTABLE,
        f"The group {path} bills several products with different Rillet products, and {what} does not say "
        "which of them its amount is for.",
        _SPLIT_REMEDY,
        quoted=products,
    )


def _line_amount(line: Line) -> Amount | None:
    """A line's net amount; the layout of 2024 has it in its details."""
    return line.amount_excluding_tax or (line.details.amount if line.details else None)


def _net(path: str, group: Group, part: _Part, currency: str) -> Decimal:
    """The net of a part's lines."""
    total = Decimal()
    for index in part.lines:
        amount = _line_amount(group.lines[index])
        if amount is None:
            raise NeedsAttention(
                Code.PRODUCT_NOT_ATTRIBUTABLE,
                f"The group {path} bills several products, and {path}.lines[{index}] has no amount.",
                _SPLIT_REMEDY,
            )
        if amount.currency != currency:
            raise NeedsAttention(
                Code.CURRENCY_MIXED,
                f"{path}.lines[{index}] is in another currency than the invoice.",
                "Credit the invoice in Solvimon and bill it in one currency; Rillet takes one per document.",
                quoted=f"{amount.currency}, not {currency}",
            )
        total += amount.quantity
    return total


def _tied_to_group(
    path: str, group_net: Decimal, nets: Sequence[Decimal], lines: int, currency: str
) -> list[Decimal]:
    """The nets of the parts, which sum to the group's: the largest takes what rounding leaves."""
    total = sum(nets, Decimal())
    if not money.within_rounding(total - group_net, lines, currency):
        raise does_not_tie_out(
            f"The group {path} is", group_net, "the lines of its products sum to", total, currency
        )
    largest = max(range(len(nets)), key=lambda index: abs(nets[index]))
    return [net + (group_net - total if index == largest else 0) for index, net in enumerate(nets)]


def _gross(lines: Sequence[Line], currency: str) -> Amount | None:
    """The gross of lines, where each states it."""
    stated = [line.amount_including_tax for line in lines if line.amount_including_tax]
    if len(stated) < len(lines):
        return None
    return Amount(quantity=sum((each.quantity for each in stated), Decimal()), currency=currency)


def _has_amounts(group: Group) -> bool:
    """Whether a tax or a line of a group is not zero."""
    amounts = [tax.tax_amount for tax in group.tax_categories] + [_line_amount(line) for line in group.lines]
    return any(amount and amount.quantity for amount in amounts)


def _taxes_of_parts(
    path: str, group: Group, nets: Sequence[Decimal], currency: str
) -> list[list[TaxCategory]]:
    """The group's taxes by part. Lines that state their own say it themselves; then there are none here."""
    taxes = list[list[TaxCategory]]([] for _ in nets)
    if any(line.tax_categories for line in group.lines):
        return taxes
    for index, tax in enumerate(group.tax_categories):
        bearers = _bearers(f"{path}.tax_categories[{index}]", tax, nets, currency)
        for part, share in zip(bearers, _shares(tax, [nets[part] for part in bearers]), strict=True):
            taxes[part].append(share)
    return taxes


def _bearers(path: str, tax: TaxCategory, nets: Sequence[Decimal], currency: str) -> Sequence[int]:
    """The parts that bear a tax: all, or the only ones that sum to its base."""
    every = range(len(nets))
    base = tax.base_amount.quantity if tax.base_amount else sum(nets, Decimal())
    if money.within_rounding(base - sum(nets, Decimal()), len(nets), currency):
        return every
    found = (
        [
            chosen
            for count in range(1, len(nets))
            for chosen in combinations(every, count)
            if sum((nets[part] for part in chosen), Decimal()) == base
        ]
        if len(nets) <= MAX_PARTS
        else []
    )
    if len(found) == 1:
        return found[0]
    amounts = ", ".join(money.format_number(net) for net in nets)
    readings = "several of them fit" if found else "none of them fit"
    raise NeedsAttention(
        Code.TAX_NOT_ATTRIBUTABLE,
        f"{path} is on {money.format_number(base)} {currency}; its group bills products of {amounts} "
        f"{currency}, and {readings}.",
        "Solvimon does not say which product bears this tax. Report the invoice to Solvimon's support, or "
        "book it by hand.",
    )


def _shares(tax: TaxCategory, nets: Sequence[Decimal]) -> list[TaxCategory]:
    """A tax in proportion to nets; the last share takes the rest, so that their sum is exact."""
    total, amount = sum(nets, Decimal()), tax.tax_amount
    shares, rest = list[TaxCategory](), amount.quantity if amount else Decimal()
    for position, net in enumerate(nets):
        is_last = position == len(nets) - 1
        own = rest if is_last else (amount.quantity * net / total if amount and total else Decimal())
        rest -= own
        changes: dict[str, object] = {
            "base_amount": tax.base_amount and tax.base_amount.model_copy(update={"quantity": net}),
            "tax_amount": amount and amount.model_copy(update={"quantity": own}),
            "total_amount": None,
        }
        shares.append(tax.model_copy(update=changes))
    return shares
