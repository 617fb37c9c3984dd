"""The parts of a net amount, and the taxes that each part bears.

Solvimon states taxes as categories with a base and an amount. It does not say how the bases lie on the
net amount. `find_parts` finds out from the figures, in this order:

1. The bases are one each (they sum to the net), or all on the whole net, or equal bases together. The best
   fit counts, then the fewest parts.
2. Otherwise the bases are nested: each lies on the net beside the others or inside a larger one (GST on all,
   PST on a part), and what no base covers is a part without tax (80 % taxed). Readings that leave nothing
   untaxed come first; then those that do not put two rates of one tax on one part; then the fewest parts.
3. Otherwise a base contains earlier taxes (tax on tax): they are taken off, and 1 and 2 are tried again.

If two readings are equally good, the document is refused, with both in the message. Nothing is guessed.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations, product

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.stated_taxes import ATTRIBUTION_REMEDY, StatedTax, tax_name
from solvimon_rillet.mapping.totals import does_not_tie_out

_MAX_NESTED = 6
"""With more categories, nested bases are not tried: the readings are too many."""

_Layout = list[tuple[tuple[int, ...], Decimal]]
"""Parts of a net: the positions of the taxes on each, and its net amount."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a net amount with the taxes on it; each tax has the part's share of its amount."""

    net: Decimal
    taxes: tuple[StatedTax, ...]


def find_parts(where: str, net: Decimal, taxes: Sequence[StatedTax], currency: str) -> list[Part]:
    """Find the parts of a net amount and the taxes on each.

    Args:
        where: what has the net amount, for the error.
        net: in the document's currency.
        taxes: all taxes on it.
        currency: ISO 4217 code.

    Raises:
        NeedsAttention: the bases do not fit the net, or fit it in two ways that are equally good.
    """
    found = readings(net, taxes, currency)
    if not found:
        bases = sum((_base(tax, net) for tax in taxes), Decimal())
        raise does_not_tie_out(f"The {where} is", net, "its tax categories have bases of", bases, currency)
    if len(found) > 1:
        raise NeedsAttention(
            Code.TAX_NOT_ATTRIBUTABLE,
            f"The taxes of the {where} can be read in two ways: "
            f"{_reading_text(found[0])} or {_reading_text(found[1])} ({currency}).",
            ATTRIBUTION_REMEDY,
        )
    return found[0]


def readings(net: Decimal, taxes: Sequence[StatedTax], currency: str) -> list[list[Part]]:
    """The best ways to lay taxes on a net amount: none, one, or several that are equally good."""
    if not taxes:
        return [[Part(net, ())]]
    bases = [_base(tax, net) for tax in taxes]
    if len(bases) == 1 and money.within_rounding(bases[0] - net, taxes[0].roundings, currency):
        return [[Part(net, tuple(taxes))]]
    if layouts := _layouts(bases, taxes, net, currency):
        return [_laid_out(layout, taxes) for layout in layouts]
    for reduced in _without_earlier_taxes(bases, taxes, net, currency):
        inner = [tax.base or Decimal() for tax in reduced]
        if layouts := _layouts(inner, reduced, net, currency):
            return [_laid_out(layout, reduced) for layout in layouts]
    return []


def covering(net: Decimal, taxes: Sequence[StatedTax], currency: str) -> list[Part]:
    """The parts if the taxes lie beside each other or on each other and leave nothing untaxed; else none."""
    layout = _beside_or_stacked([_base(tax, net) for tax in taxes], taxes, net, currency)
    return _laid_out(layout, taxes) if layout else []


def _layouts(
    bases: Sequence[Decimal], taxes: Sequence[StatedTax], net: Decimal, currency: str
) -> list[_Layout]:
    simple = _beside_or_stacked(bases, taxes, net, currency)
    return [simple] if simple else _nested(bases, taxes, net, currency)


def _laid_out(layout: _Layout, taxes: Sequence[StatedTax]) -> list[Part]:
    """The parts of a layout, each with its share of every tax on it."""
    covered = [Decimal()] * len(taxes)
    for positions, net in layout:
        for position in positions:
            covered[position] += net
    result = []
    for positions, net in layout:
        shares = []
        for position in positions:
            tax = taxes[position]
            if tax.amount is not None and net != covered[position]:
                share = tax.amount * net / covered[position] if covered[position] else Decimal()
                tax = replace(tax, base=net, amount=share)
            shares.append(tax)
        result.append(Part(net, tuple(shares)))
    return result


def _base(tax: StatedTax, net: Decimal) -> Decimal:
    """The stated base. A fixed fee (an amount without base and percentage) is on the whole net."""
    fixed_fee = not tax.base and bool(tax.amount) and tax.category.percentage is None
    return net if tax.base is None or fixed_fee else tax.base


def _beside_or_stacked(
    bases: Sequence[Decimal], taxes: Sequence[StatedTax], net: Decimal, currency: str
) -> _Layout | None:
    """All bases beside each other, all on the whole net, or equal bases together, without an untaxed rest.

    The smallest amounts fit several of these within rounding: the best fit counts, then the fewest parts.
    """
    equal: dict[Decimal, list[int]] = {}
    for index, base in enumerate(bases):
        equal.setdefault(base, []).append(index)
    candidates: list[tuple[Decimal, int, list[list[int]]]] = []
    for stacks in ([[index] for index in range(len(bases))], [list(range(len(bases)))], list(equal.values())):
        same = all(
            money.within_rounding(bases[index] - bases[members[0]], 1, currency)
            for members in stacks
            for index in members
        )
        difference = sum((bases[members[0]] for members in stacks), Decimal()) - net
        roundings = sum(taxes[members[0]].roundings for members in stacks)
        if same and _is_rounding(difference, roundings, bases, currency):
            candidates.append((abs(difference), len(stacks), stacks))
    if not candidates:
        return None
    stacks = min(candidates)[-1]
    if len(stacks) == 1:
        return [(tuple(stacks[0]), net)]
    return [(tuple(members), bases[members[0]]) for members in stacks]


def _nested(
    bases: Sequence[Decimal], taxes: Sequence[StatedTax], net: Decimal, currency: str
) -> list[_Layout]:
    """The best layouts in which bases lie inside others, or leave a part without tax."""
    if not net or len(bases) > _MAX_NESTED or not all(bases):
        return []
    best: tuple[bool, int, int] | None = None
    found: dict[Hashable, _Layout] = {}
    for layout in _nested_layouts(bases, taxes, net, currency):
        key = (not layout[-1][0], _clashes(layout, taxes), len(layout))
        if best is None or key < best:
            best, found = key, {}
        if key == best:
            found[frozenset((positions, money.rounded(part, currency)) for positions, part in layout)] = (
                layout
            )
    return list(found.values())


def _nested_layouts(
    bases: Sequence[Decimal], taxes: Sequence[StatedTax], net: Decimal, currency: str
) -> Iterator[_Layout]:
    """Every layout in which each base lies on the net or inside a larger base. The untaxed part is last."""
    order = sorted(range(len(bases)), key=lambda index: -abs(bases[index]))
    for parents in product(*(range(-1, place) for place in range(len(order)))):
        rest = {-1: net} | {place: bases[index] for place, index in enumerate(order)}
        above: list[tuple[int, ...]] = []
        roundings = dict.fromkeys(rest, 0)
        for place, parent in enumerate(parents):
            rest[parent] -= bases[order[place]]
            roundings[parent] += taxes[order[place]].roundings
            above.append((*(above[parent] if parent >= 0 else ()), order[place]))
        layout: _Layout = []
        for place, left in sorted(rest.items(), key=lambda each: (each[0] < 0, each[0])):
            whole = net if place < 0 else bases[order[place]]
            if roundings[place] and _is_rounding(left, roundings[place], bases, currency):
                continue
            if left * whole < 0 or (place >= 0 and whole * net < 0):
                break
            layout.append((tuple(sorted(above[place])) if place >= 0 else (), left))
        else:
            yield sorted(layout, key=lambda part: (not part[0], part[0]))


def _clashes(layout: _Layout, taxes: Sequence[StatedTax]) -> int:
    """The number of parts that bear two rates of one tax: rates of one name usually exclude each other."""
    clashes = 0
    for positions, _ in layout:
        names = [taxes[position].category.name for position in positions if taxes[position].category.name]
        clashes += len(names) != len(set(names))
    return clashes


def _reading_text(parts: Sequence[Part]) -> str:
    """A reading, for the error."""
    return ", ".join(
        f"{money.format_number(part.net)} " + (" + ".join(map(tax_name, part.taxes)) or "without tax")
        for part in parts
    )


def _without_earlier_taxes(
    bases: Sequence[Decimal], taxes: Sequence[StatedTax], net: Decimal, currency: str
) -> Iterator[list[StatedTax]]:
    """The taxes with earlier taxes taken off the bases that contain some: tax on tax.

    A base contains the taxes of others if what is left is the whole net, or the base of one of them.
    """
    if len(taxes) > _MAX_NESTED:
        return
    options: list[list[StatedTax]] = []
    for index, tax in enumerate(taxes):
        others = [other for other in range(len(taxes)) if other != index and taxes[other].amount]
        chosen = (each for size in range(1, len(others) + 1) for each in combinations(others, size))
        reduced = (_reduced(index, each, bases, taxes, net, currency) for each in chosen)
        # The fewest earlier taxes count, so that there are two options for each tax at most.
        first = next((each for each in reduced if each), None)
        options.append([replace(tax, base=bases[index]), *([first] if first else [])])
    readings = sorted(
        product(*options), key=lambda reading: sum(tax.surcharge is not None for tax in reading)
    )
    yield from (list(reading) for reading in readings[1:])


def _reduced(
    index: int,
    earlier: Sequence[int],
    bases: Sequence[Decimal],
    taxes: Sequence[StatedTax],
    net: Decimal,
    currency: str,
) -> StatedTax | None:
    """A tax with some earlier taxes taken off its base; nothing if its base does not contain them."""
    left = bases[index] - sum((taxes[other].amount or Decimal() for other in earlier), Decimal())
    targets = [target for target in (net, *(bases[other] for other in earlier)) if target]
    fitting = [each for each in targets if left and _is_rounding(left - each, len(earlier), [each], currency)]
    if not fitting:
        return None
    base = min(fitting, key=lambda each: abs(left - each))
    return replace(taxes[index], base=base, surcharge=bases[index] / base)


def _is_rounding(difference: Decimal, roundings: int, amounts: Sequence[Decimal], currency: str) -> bool:
    """Whether a difference is rounding, and smaller than each amount that is not zero."""
    return money.within_rounding(difference, roundings, currency) and (
        money.within_rounding(difference, roundings, currency, money.smallest_amount(amounts, currency))
    )
