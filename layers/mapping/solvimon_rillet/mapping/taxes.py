"""The taxes of a document's groups: stated on the lines, the group, the period or the header.

Lines say most exactly what bears which tax, so they come first; then the group's own categories, which
`tax_parts` lays on its net amount. What bears no tax yet takes what the period's categories, then the
header's, leave when all that groups have claimed is taken off.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.tax_parts import (
    ATTRIBUTION_REMEDY,
    Part,
    StatedTax,
    find_parts,
    readings,
    stated_tax,
    tax_name,
)
from solvimon_rillet.mapping.totals import does_not_tie_out
from solvimon_rillet.solvimon.models import Group, Invoice, TaxCategory

_MOST_STEPS = 5_000
"""How long to look for the groups that a header's bases belong to."""
_PERCENTAGE_STEP = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class TaxRate:
    """A tax rate in Rillet's form: whole percent, a description, Solvimon's category."""

    percentage: Decimal
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class TaxShare:
    """A part of a group under one tax rate (or none), with the exact amounts that Solvimon states.

    Attributes:
        source: path of the tax in the document, for a dry run's explanation.
        net: net amount in the document's currency.
        tax: tax amount in the document's currency.
        rate: ``None`` for a part without any tax category.
        reason: why this part bears this tax, for a dry run.
        roundings: number of rounded amounts in ``tax``.
    """

    source: str
    net: Decimal
    tax: Decimal
    rate: TaxRate | None
    reason: str = "No tax category covers it."
    roundings: int = 0


@dataclass(frozen=True, slots=True)
class TaxedGroup:
    """A group with its net amount and the taxes that it or its lines state for it."""

    path: str
    group: Group
    net: Decimal
    taxes: tuple[StatedTax, ...]


@dataclass(frozen=True, slots=True)
class _Bare:
    """A share without tax, by its place in the result."""

    group: int
    share: int
    net: Decimal


def taxed_groups(path: str, group: Group) -> TaxedGroup:
    """A group's net amount and taxes: its own, else those of its lines.

    Raises:
        NeedsAttention: the group has no amount at all.
    """
    taxes = tuple(
        stated_tax(category, f"{path}.tax_categories[{index}]")
        for index, category in enumerate(group.tax_categories)
    ) or _summed(
        stated_tax(category, f"{path}.lines[].tax_categories")
        for line in group.lines
        for category in line.tax_categories
    )
    amount = group.amount_excluding_tax or group.total
    if amount is not None:
        return TaxedGroup(path, group, amount.quantity, taxes)
    lines = [line.amount_excluding_tax for line in group.lines if line.amount_excluding_tax]
    if not lines:
        raise NeedsAttention(
            Code.DOES_NOT_TIE_OUT,
            f"The group {path} has no amount.",
            "Report the invoice to Solvimon's support, or book it by hand.",
        )
    return TaxedGroup(path, group, sum((line.quantity for line in lines), Decimal()), taxes)


def tax_shares(invoice: Invoice, groups: Sequence[TaxedGroup], currency: str) -> list[list[TaxShare]]:
    """Split each group by tax; the result has one list per group, in their order.

    Raises:
        NeedsAttention: a group's taxes do not fit its amount, no field says which tax it bears, or Rillet
            takes no such rate.
    """
    shares = [_group_shares(group, currency) for group in groups]
    assigned: list[StatedTax] = []
    for index, period in enumerate(invoice.periods):
        if period.tax_categories:
            prefix = f"periods[{index}]."
            own = [place for place, group in enumerate(groups) if group.path.startswith(prefix)]
            assigned += _assign(period.tax_categories, prefix, own, groups, shares, [], currency)
    _assign(invoice.tax_categories, "", list(range(len(groups))), groups, shares, assigned, currency)
    if any(share.rate is None and share.net for each in shares for share in each):
        _check_untaxed(invoice, groups, shares, currency)
    return shares


def _summed(taxes: Iterable[StatedTax]) -> tuple[StatedTax, ...]:
    """Taxes added up by their identity, in the order of their first."""
    result: dict[Hashable, StatedTax] = {}
    for tax in taxes:
        before = result.get(tax.identity)
        result[tax.identity] = tax if before is None else before.plus(tax)
    return tuple(result.values())


def _group_shares(group: TaxedGroup, currency: str) -> list[TaxShare]:
    """The parts of a group with their taxes, as its lines or its own categories say."""
    if not group.taxes:
        return [TaxShare("", group.net, Decimal(), None)]
    found = _parts_by_line(group, currency)
    if found is None:
        parts = find_parts(f"group {group.path}", group.net, group.taxes, currency)
        reasons = [_reason(part, group.net) for part in parts]
    else:
        parts, reasons = found
    shares = [_share(group.path, part, why, currency) for part, why in zip(parts, reasons, strict=True)]
    _check_gross(group, shares, currency)
    return shares


def _parts_by_line(group: TaxedGroup, currency: str) -> tuple[list[Part], list[str]] | None:
    """The parts that the lines state, or nothing if they do not state all of them or the group disagrees."""
    own = group.group.tax_categories
    lines = [line for line in group.group.lines if line.tax_categories]
    if not lines or (len(own) == 1 and own[0].base_amount and own[0].base_amount.quantity == group.net):
        return None
    path = f"{group.path}.lines[].tax_categories"
    merged: dict[Hashable, tuple[Decimal, dict[Hashable, StatedTax], list[int]]] = {}
    total, count = Decimal(), 0
    for index, line in enumerate(group.group.lines):
        if line.amount_excluding_tax is None:
            if line.tax_categories:
                return None
            continue
        net = line.amount_excluding_tax.quantity
        if not net and not any(c.tax_amount and c.tax_amount.quantity for c in line.tax_categories):
            continue
        total, count = total + net, count + 1
        taxes = [stated_tax(category, path) for category in line.tax_categories]
        for part in find_parts(f"line {group.path}.lines[{index}]", net, taxes, currency):
            key = frozenset(tax.identity for tax in part.taxes)
            so_far, on_it, members = merged.get(key, (Decimal(), {}, []))
            for tax in part.taxes:
                on_it[tax.identity] = on_it[tax.identity].plus(tax) if tax.identity in on_it else tax
            merged[key] = (so_far + part.net, on_it, [*members, index])
    smallest = money.smallest_amount((net for net, _, _ in merged.values()), currency)
    if not merged or not money.within_rounding(total - group.net, count, currency, smallest):
        return None
    parts = [Part(net, tuple(on_it.values())) for net, on_it, _ in merged.values()]
    if own and not _agree(group.taxes, parts, currency):
        return None
    if len(parts) == 1:
        parts = [replace(parts[0], net=group.net)]
    reasons = [
        f"{_listed(members)} {'states' if len(members) == 1 else 'state'} "
        + ("this tax." if on_it else "no tax.")
        for _, on_it, members in merged.values()
    ]
    return parts, reasons


def _agree(taxes: Sequence[StatedTax], parts: Sequence[Part], currency: str) -> bool:
    """Whether the group's own categories state the same taxes as its lines."""
    of_lines = {tax.identity: tax for tax in _summed([tax for part in parts for tax in part.taxes])}
    of_group = {tax.identity: tax for tax in _summed(taxes)}
    return of_lines.keys() == of_group.keys() and all(
        tax.amount is None
        or of_lines[identity].amount is None
        or money.within_rounding(
            tax.amount - (of_lines[identity].amount or Decimal()), of_lines[identity].roundings, currency
        )
        for identity, tax in of_group.items()
    )


def _listed(members: Sequence[int]) -> str:
    """Lines by their number, the first is 1."""
    numbers = [str(index + 1) for index in dict.fromkeys(members)]
    if len(numbers) == 1:
        return f"Line {numbers[0]}"
    return f"Lines {', '.join(numbers[:20])}" + (
        f" and {len(numbers) - 20} more" if len(numbers) > 20 else ""
    )


def _reason(part: Part, net: Decimal) -> str:
    if not part.taxes:
        return f"No tax category covers these {money.format_number(part.net)} of {money.format_number(net)}."
    if part.net == net:
        return "The tax categories cover the whole group."
    return f"The tax categories cover {money.format_number(part.net)} of {money.format_number(net)}."


def _share(path: str, part: Part, reason: str, currency: str) -> TaxShare:
    """A part as one rate: the percentages summed, all names, and the stated amounts.

    Raises:
        NeedsAttention: Rillet takes no such rate.
    """
    if not part.taxes:
        return TaxShare("", part.net, Decimal(), None, reason)
    total, percentage, names = Decimal(), Decimal(), list[str]()
    for tax in part.taxes:
        rate = _percentage(tax, part.net, path, currency)
        total += tax.amount if tax.amount is not None else money.rounded(part.net * rate / 100, currency)
        percentage += rate
        names.append(tax_name(tax))
    if percentage > 100:
        raise _rate_refused(path, percentage, " + ".join(names))
    first = part.taxes[0]
    return TaxShare(
        first.source,
        part.net,
        total,
        TaxRate(percentage, " + ".join(names), first.category.category or ""),
        reason,
        sum(tax.roundings for tax in part.taxes),
    )


def _percentage(tax: StatedTax, net: Decimal, path: str, currency: str) -> Decimal:
    """A tax's percentage of a part: stated, else the effective one of its amount (a fixed fee)."""
    category = tax.category
    stacked = [part.percentage for part in category.rates if part.percentage is not None]
    stated = sum(stacked, Decimal()) if stacked else category.percentage
    if stated is not None:
        percentage = stated if tax.surcharge is None else (stated * tax.surcharge).quantize(_PERCENTAGE_STEP)
    elif not tax.amount:
        return Decimal()
    elif not net:
        raise NeedsAttention(
            Code.TAX_NOT_ATTRIBUTABLE,
            f"The group {path} has a tax of {money.format_number(tax.amount)} {currency} without a "
            "percentage, on an amount of 0.",
            ATTRIBUTION_REMEDY,
        )
    else:
        percentage = (tax.amount / net * 100).quantize(_PERCENTAGE_STEP)
    if percentage < 0:
        raise _rate_refused(path, percentage, tax_name(tax))
    return percentage.normalize() if tax.surcharge is not None or stated is None else percentage


def _rate_refused(path: str, percentage: Decimal, name: str) -> NeedsAttention:
    return NeedsAttention(
        Code.TAX_RATE_NOT_ACCEPTED,
        f"The group {path} bears {name} at {money.format_number(percentage)} %; Rillet takes rates from 0 to "
        "100 %.",
        "Nothing was sent. A deduction such as a withholding tax is no tax rate in Rillet: book the invoice "
        "by hand, with the deduction as the customer pays it.",
    )


def _check_gross(group: TaxedGroup, shares: Sequence[TaxShare], currency: str) -> None:
    """Check that net, tax and gross of a group agree; each may be rounded separately."""
    gross = group.group.amount_including_tax
    if gross is None:
        return
    total = group.net + sum((share.tax for share in shares), Decimal())
    roundings = max(sum(share.roundings for share in shares), len(shares))
    if not money.within_rounding(total - gross.quantity, roundings + 1, currency):
        raise does_not_tie_out(
            f"The group {group.path} with its tax is",
            total,
            "its amount_including_tax is",
            gross.quantity,
            currency,
        )


def _assign(
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
    claims = {tax.identity: tax for tax in _summed([*stated, *assigned])}
    left = _left(categories, prefix, claims, net, len(bare), currency)
    if not left:
        return []
    paths = ", ".join(dict.fromkeys(groups[each.group].path for each in bare))
    ways = readings(net, left, currency)
    # A base of which no tax is due and that covers a part of them is a difference, and no tax.
    if any(len(way) > 1 for way in ways) and any(not t.amount and t.category.percentage for t in left):
        ways = []
    for each, found in _spread(ways, bare, left, claims, paths, currency):
        path = groups[each.group].path
        place = next(
            i for i, share in enumerate(shares[each.group]) if share.rate is None and share.net == each.net
        )
        reason = f"{'The period' if prefix else 'The header'} leaves this tax for it."
        shares[each.group][place : place + 1] = [_share(path, part, reason, currency) for part in found]
    return left


def _left(
    categories: Sequence[TaxCategory],
    prefix: str,
    claims: dict[Hashable, StatedTax],
    net: Decimal,
    members: int,
    currency: str,
) -> list[StatedTax]:
    """What the categories state beyond the claims of groups; not what is only rounding."""
    left = []
    for index, category in enumerate(categories):
        tax = stated_tax(category, f"{prefix}tax_categories[{index}]")
        base, amount = tax.base or Decimal(), tax.amount or Decimal()
        roundings = 0
        if claim := claims.get(tax.identity):
            base, amount = base - (claim.base or Decimal()), amount - (claim.amount or Decimal())
            roundings = claim.roundings
        fits = bool(net) and money.within_rounding(base - net, members, currency)
        only_rounding = all(money.within_rounding(each, roundings, currency) for each in (base, amount))
        if (base or amount) and (fits or not only_rounding):
            left.append(replace(tax, base=base, amount=amount, roundings=max(1, roundings)))
    return left


def _spread(
    ways: Sequence[Sequence[Part]],
    bare: Sequence[_Bare],
    left: Sequence[StatedTax],
    claims: dict[Hashable, StatedTax],
    paths: str,
    currency: str,
) -> list[tuple[_Bare, list[Part]]]:
    """Which parts each share takes: all of one, those whose amounts match, or each in proportion.

    In proportion only if other groups bear the same taxes: then the shares are a discount or a surcharge on
    those (a document discount over two rates).
    """
    net = sum((each.net for each in bare), Decimal())
    nets = [each.net for each in bare]
    if len(ways) == 1 and (len(ways[0]) == 1 or len(bare) == 1):
        return [(each, [_fraction(part, each.net, net) for part in ways[0]]) for each in bare]
    matches = [(way, each) for way in ways for each in _matches([part.net for part in way], nets, currency)]
    if len(matches) == 1 and len(bare) > 1:
        parts, targets = matches[0]
        return [
            (each, [_fraction(parts[target], each.net, parts[target].net)])
            for each, target in zip(bare, targets, strict=True)
        ]
    if len(ways) == 1 and not matches and all(t.identity in claims and claims[t.identity].base for t in left):
        return [(each, [_fraction(part, each.net, net) for part in ways[0]]) for each in bare]
    raise _unattributable(
        paths, net, left, currency, "in more than one way" if matches or len(ways) > 1 else ""
    )


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


def _matches(targets: Sequence[Decimal], nets: Sequence[Decimal], currency: str) -> list[list[int]]:
    """The ways (two at most) to put every net to one target so that each target is the sum of its nets."""
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
    # A search that was cut short has not proven that the first way is the only one.
    return found if steps <= _MOST_STEPS else [*found, *found]


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


def _check_untaxed(
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
