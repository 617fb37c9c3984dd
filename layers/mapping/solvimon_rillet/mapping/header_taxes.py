"""What a period's or the header's tax categories leave for the groups that state no tax."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.stated_taxes import (
    ATTRIBUTION_REMEDY,
    StatedTax,
    calculated,
    stated_tax,
    summed,
    tax_name,
)
from solvimon_rillet.mapping.tax_parts import Part, covering, readings
from solvimon_rillet.mapping.tax_rates import TaxedGroup, TaxShare, share_of
from solvimon_rillet.mapping.totals import does_not_tie_out
from solvimon_rillet.solvimon.invoice_groups import TaxCategory
from solvimon_rillet.solvimon.models import Invoice

_MOST_STEPS = 5_000
"""How long to look for the groups that a header's bases belong to."""
_MOST_GROUPS = 200
"""With more groups, their amounts prove nothing: too many sums are alike."""


_MOST_ADJUSTING = 6
"""With more shares without tax, the header's taxes adjust all of them or none."""


@dataclass(frozen=True, slots=True)
class _Bare:
    """A share without tax, by its place in the result."""

    group: int
    share: int
    net: Decimal


def assign_remaining(
    categories: Sequence[TaxCategory],
    prefix: str,
    members: Sequence[int],
    groups: Sequence[TaxedGroup],
    shares: list[list[TaxShare]],
    assigned: Sequence[StatedTax],
    currency: str,
) -> list[StatedTax]:
    """Give what a period's or the header's categories leave to the shares without tax; return what was given.

    Raises:
        NeedsAttention: what is left fits those shares in no way, or in several.
    """
    bare = [
        _Bare(index, place, share.net)
        for index in members
        for place, share in enumerate(shares[index])
        if share.rate is None and (share.net or len(shares[index]) == 1)
    ]
    net = sum((each.net for each in bare), Decimal())
    if not bare or not categories:
        return []
    stated = [tax for index in members for tax in groups[index].taxes]
    claims = {tax.identity: tax for tax in summed([*stated, *assigned])}
    left = _left(categories, prefix, claims, net, len(bare), currency)
    if not left:
        return []
    paths = ", ".join(dict.fromkeys(groups[each.group].path for each in bare))
    ways = readings(net, left, currency)
    # A base of which no tax is due and that covers a part of them is a difference, and no tax.
    if any(not t.amount and t.category.percentage for t in left) and [len(way) for way in ways] != [1]:
        raise _unattributable(paths, net, left, currency)
    for each, found in _spread(ways, bare, left, claims, paths, currency):
        path = groups[each.group].path
        # A group has one share without tax at most, so no place moves before its turn.
        own = shares[each.group]
        own[each.share : each.share + 1] = [
            share_of(path, part, _why_left(prefix, part, each.net), currency) for part in found
        ]
    return left


def _why_left(prefix: str, part: Part, net: Decimal) -> str:
    whose = f"the period's ({prefix[:-1]})" if prefix else "the header's"
    share = "" if part.net == net else f" on {_share_text(part.net)} of {_share_text(net)}"
    if not part.taxes:
        return f"It states no tax, and {whose} tax categories leave none for it{share}."
    text = f"It states no tax; {whose} tax categories leave this one for it{share}."
    return " ".join([text, *calculated(part.taxes)])


def _share_text(amount: Decimal) -> str:
    """An amount that may be a share of another one, for readers."""
    return money.format_number(amount.quantize(Decimal("0.000001")).normalize())


def _left(
    categories: Sequence[TaxCategory],
    prefix: str,
    claims: dict[Hashable, StatedTax],
    net: Decimal,
    members: int,
    currency: str,
) -> list[StatedTax]:
    """The taxes that the categories state beyond the claims of groups, without mere rounding."""
    left = []
    for index, category in enumerate(categories):
        tax = stated_tax(category, f"{prefix}tax_categories[{index}]")
        base, amount = tax.base or Decimal(), tax.amount or Decimal()
        roundings = 0
        if claim := claims.get(tax.identity):
            base, amount = base - (claim.base or Decimal()), amount - (claim.amount or Decimal())
            roundings = claim.roundings
            _check_left(tax, claim, base, amount, currency)
        fits = (
            abs(base - net) < abs(base)
            and money.within_rounding(base - net, members, currency)
            and not money.within_rounding(net, roundings, currency)
        )
        only_rounding = all(money.within_rounding(each, roundings, currency) for each in (base, amount))
        if (base or amount) and (fits or not only_rounding):
            left.append(replace(tax, base=base, amount=amount, roundings=max(1, roundings)))
    return left


def _check_left(tax: StatedTax, claim: StatedTax, base: Decimal, amount: Decimal, currency: str) -> None:
    """Check that what is left of a tax is its percentage of the base that is left.

    Otherwise a wrong tax of one group would be made up for by the tax of another one.
    """
    percentage = tax.category.percentage
    if percentage is None and not money.within_rounding(base, claim.roundings, currency):
        return
    if not tax.base or tax.amount is None or claim.amount is None:
        return
    due = base * (percentage or Decimal()) / 100
    # Where prices include tax, the net and the tax of a group are rounded.
    if not money.within_rounding(amount - due, 2 * claim.roundings + 1, currency):
        raise does_not_tie_out(
            f"The {tax.source} states {money.format_number(tax.amount)} {currency} {tax_name(tax)}, its "
            f"groups state {money.format_number(claim.amount)} {currency}, which leaves",
            amount,
            f"the tax on the base that it leaves, {money.format_number(base)}, is",
            due,
            currency,
        )


def _spread(
    ways: Sequence[Sequence[Part]],
    bare: Sequence[_Bare],
    left: Sequence[StatedTax],
    claims: dict[Hashable, StatedTax],
    paths: str,
    currency: str,
) -> list[tuple[_Bare, list[Part]]]:
    """Which parts each share takes: all of one, those whose amounts match, or each in proportion.

    In proportion only if other groups bear the same taxes: then some of the shares are a discount or a
    surcharge on those (a document discount over two rates), and the others stay without tax.
    """
    net = sum((each.net for each in bare), Decimal())
    nets = [each.net for each in bare]
    if len(ways) == 1 and (len(ways[0]) == 1 or len(bare) == 1):
        return [(each, [_fraction(part, each.net, net) for part in ways[0]]) for each in bare]
    # Of shares of both signs, those without tax may sum to more than all do: no reading of that sum.
    fitting = ways or _beside(net, left, currency)
    matches = [
        (way, each) for way in fitting for each in _assignments([part.net for part in way], nets, currency)
    ]
    if len(matches) == 1 and len(bare) > 1:
        parts, targets = matches[0]
        return [
            (each, [_fraction(parts[target], each.net, parts[target].net)])
            for each, target in zip(bare, targets, strict=True)
        ]
    found: Sequence[tuple[Sequence[_Bare], Sequence[Part]]] = []
    if not matches and all(t.identity in claims and claims[t.identity].base for t in left):
        found = _adjusting(bare, left, currency)
    if len(found) == 1:
        adjusting, parts = found[0]
        net = sum((each.net for each in adjusting), Decimal())
        return [(each, [_fraction(part, each.net, net) for part in parts]) for each in adjusting]
    raise _unattributable(
        paths, net, left, currency, "in more than one way" if matches or len(ways) > 1 or found else ""
    )


def _beside(net: Decimal, left: Sequence[StatedTax], currency: str) -> list[list[Part]]:
    """The bases beside each other, equal ones together, and the rest without tax, whatever its sign."""
    parts: dict[Decimal, list[StatedTax]] = {}
    for tax in left:
        base = tax.base or Decimal()
        if money.within_rounding(base, tax.roundings, currency):
            return []
        parts.setdefault(base, []).append(tax)
    rest = net - sum(parts, Decimal())
    return [[*(Part(base, tuple(taxes)) for base, taxes in parts.items()), Part(rest, ())]]


def _adjusting(
    bare: Sequence[_Bare], left: Sequence[StatedTax], currency: str
) -> Sequence[tuple[Sequence[_Bare], Sequence[Part]]]:
    """The ways to choose shares that bear all that is left, with the parts that it makes of their sum.

    Best are shares that it covers wholly; else a part of them is without tax.
    """
    sizes = range(1, len(bare) + 1) if len(bare) <= _MOST_ADJUSTING else [len(bare)]
    chosen = [each for size in sizes for each in combinations(bare, size)]
    sums = [sum((each.net for each in some), Decimal()) for some in chosen]
    covered = [
        (some, parts)
        for some, net in zip(chosen, sums, strict=True)
        if (parts := covering(net, left, currency))
    ]
    return covered or [
        (some, way) for some, net in zip(chosen, sums, strict=True) for way in readings(net, left, currency)
    ]


def _fraction(part: Part, net: Decimal, whole: Decimal) -> Part:
    """A part's fraction ``net / whole`` with the same fraction of its taxes."""
    if net == whole:
        return part
    factor = net / whole if whole else Decimal()
    taxes = tuple(
        replace(
            tax,
            base=None if tax.base is None else tax.base * factor,
            amount=None if tax.amount is None else tax.amount * factor,
        )
        for tax in part.taxes
    )
    return Part(part.net * factor, taxes)


def _assignments(targets: Sequence[Decimal], nets: Sequence[Decimal], currency: str) -> list[list[int]]:
    """The ways (two at most) to put every net to one target so that each target is the sum of its nets.

    A search that is too long counts as two ways: it has not proven that one is the only one.
    """
    if len(nets) > _MOST_GROUPS:
        return [[], []]
    order = sorted(range(len(nets)), key=lambda index: -abs(nets[index]))
    one_sign = all(net >= 0 for net in nets) or all(net <= 0 for net in nets)
    found: list[list[int]] = []
    steps = 0

    def place(position: int, left: list[Decimal], chosen: dict[int, int]) -> None:
        nonlocal steps
        steps += 1
        if len(found) > 1 or steps > _MOST_STEPS:
            return
        if position == len(order):
            if all(money.within_rounding(each, len(nets), currency) for each in left):
                found.append([chosen[index] for index in range(len(nets))])
            return
        index = order[position]
        for target, each in enumerate(left):
            rest = each - nets[index]
            if one_sign and rest * nets[index] < 0 and not money.within_rounding(rest, len(nets), currency):
                continue
            place(position + 1, [*left[:target], rest, *left[target + 1 :]], {**chosen, index: target})

    place(0, list(targets), {})
    return found if steps <= _MOST_STEPS else [[], []]


def _unattributable(
    paths: str, net: Decimal, left: Sequence[StatedTax], currency: str, how: str = ""
) -> NeedsAttention:
    bases = ", ".join(money.format_number(tax.base or Decimal()) for tax in left)
    return NeedsAttention(
        Code.TAX_NOT_ATTRIBUTABLE,
        f"The groups {paths} sum to {money.format_number(net)} {currency} and "
        f"state no tax; the invoice's tax categories leave bases of {bases} {currency} for them"
        + (f", which fit them {how}." if how else "."),
        ATTRIBUTION_REMEDY,
    )


def check_untaxed(
    invoice: Invoice, groups: Sequence[TaxedGroup], shares: Sequence[Sequence[TaxShare]], currency: str
) -> None:
    """Check that groups without a tax bear none: the others bear all of the invoice's tax."""
    summary = invoice.tax_summary
    stated = summary.tax_amount.quantity if summary and summary.tax_amount else Decimal()
    taxed = [share for each in shares for share in each if share.rate]
    claimed = sum((share.tax for share in taxed), Decimal())
    if not money.within_rounding(stated - claimed, sum(share.roundings for share in taxed), currency):
        raise NeedsAttention(
            Code.TAX_NOT_ATTRIBUTABLE,
            f"The invoice has a tax of {money.format_number(stated)} {currency}, but its groups "
            f"({', '.join(group.path for group in groups[:20])}) state {money.format_number(claimed)} "
            f"{currency}.",
            ATTRIBUTION_REMEDY,
        )
