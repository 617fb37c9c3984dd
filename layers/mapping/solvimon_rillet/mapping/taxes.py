"""The split of a group's net amount by tax rate."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.totals import does_not_tie_out
from solvimon_rillet.solvimon.models import Amount, Group, Invoice, TaxCategory

_ATTRIBUTION_REMEDY = (
    "Solvimon does not say which tax belongs to which group. Report the invoice to Solvimon's support, or "
    "book it by hand."
)


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
    """

    source: str
    net: Decimal
    tax: Decimal
    rate: TaxRate | None


@dataclass(frozen=True, slots=True)
class TaxedGroup:
    """A group with its net amount and the tax categories that Solvimon states for it."""

    path: str
    group: Group
    net: Decimal
    source: str
    taxes: tuple[TaxCategory, ...]


def taxed_groups(path: str, group: Group) -> TaxedGroup:
    """A group's net amount and taxes: its own, else those of its lines.

    Raises:
        NeedsAttention: the group has no amount at all.
    """
    taxes, source = tuple(group.tax_categories), f"{path}.tax_categories"
    if not taxes:
        taxes, source = _line_categories(group), f"{path}.lines[].tax_categories"
    amount = group.amount_excluding_tax or group.total
    if amount is not None:
        return TaxedGroup(path, group, amount.quantity, source, taxes)
    lines = [line.amount_excluding_tax for line in group.lines if line.amount_excluding_tax]
    if not lines:
        raise NeedsAttention(
            Code.DOES_NOT_TIE_OUT,
            f"The group {path} has no amount.",
            "Report the invoice to Solvimon's support, or book it by hand.",
        )
    return TaxedGroup(path, group, sum((line.quantity for line in lines), Decimal()), source, taxes)


def tax_shares(invoice: Invoice, groups: Sequence[TaxedGroup], currency: str) -> list[list[TaxShare]]:
    """Split each group by tax; the result has one list per group, in their order.

    Raises:
        NeedsAttention: a group's taxes do not fit its amount, or no field says which tax it bears.
    """
    untaxed = [group for group in groups if not group.taxes]
    header = _header_taxes(invoice, groups, untaxed, currency)
    return [
        _split(group, currency) if group.taxes else _from_header(group, untaxed, header) for group in groups
    ]


def _line_categories(group: Group) -> tuple[TaxCategory, ...]:
    """The categories of a group's lines, summed by what makes them the same tax."""
    summed: dict[Hashable, TaxCategory] = {}
    for line in group.lines:
        for category in line.tax_categories:
            before = summed.get(_identity(category))
            summed[_identity(category)] = category if before is None else _sum(before, category)
    return tuple(summed.values())


def _identity(category: TaxCategory) -> Hashable:
    """The identity of a tax: category, name, and percentage or stacked rates."""
    stacked = tuple((part.name, part.percentage) for part in category.rates)
    percentage = category.percentage if category.percentage is not None else stacked
    return category.category, category.name, percentage


def _sum(first: TaxCategory, second: TaxCategory) -> TaxCategory:
    """The sum of two categories; an amount that one of them does not state is unknown in the sum."""
    return first.model_copy(
        update={
            "base_amount": _plus(first.base_amount, second.base_amount),
            "tax_amount": _plus(first.tax_amount, second.tax_amount),
        }
    )


def _plus(first: Amount | None, second: Amount | None) -> Amount | None:
    if first is None or second is None:
        return None
    return Amount(quantity=first.quantity + second.quantity, currency=first.currency)


def _split(group: TaxedGroup, currency: str) -> list[TaxShare]:
    """One share per base; categories on the same base are one stacked rate."""
    bases = [category.base_amount.quantity if category.base_amount else group.net for category in group.taxes]
    stacks = _stacks(bases, group.net, currency)
    if stacks is None:
        raise does_not_tie_out(
            f"The group {group.path} is",
            group.net,
            "its tax categories have bases of",
            sum(bases, Decimal()),
            currency,
        )
    single = len(stacks) == 1
    result = [
        _share(group, members, group.net if single else bases[members[0]], currency) for members in stacks
    ]
    _check_gross(group, result, currency)
    return result


def _stacks(bases: Sequence[Decimal], net: Decimal, currency: str) -> list[list[int]] | None:
    """The groups of categories that share a base: all apart, all on the whole net, or equal bases together.

    The smallest amounts fit several of these within rounding: the best fit counts, then the fewest items.
    """
    apart = [[index] for index in range(len(bases))]
    all_stacked = [list(range(len(bases)))]
    equal: dict[Decimal, list[int]] = {}
    for index, base in enumerate(bases):
        equal.setdefault(base, []).append(index)
    candidates: list[tuple[Decimal, int, list[list[int]]]] = []
    for stacks in (apart, all_stacked, list(equal.values())):
        same = all(
            money.within_rounding(bases[index] - bases[members[0]], 1, currency)
            for members in stacks
            for index in members
        )
        difference = sum((bases[members[0]] for members in stacks), Decimal()) - net
        if same and money.within_rounding(difference, len(stacks), currency):
            candidates.append((abs(difference), len(stacks), stacks))
    return min(candidates)[-1] if candidates else None


def _share(group: TaxedGroup, members: Sequence[int], net: Decimal, currency: str) -> TaxShare:
    tax, percentage, names, categories = Decimal(), Decimal(), list[str](), list[str]()
    for index in members:
        category = group.taxes[index]
        rate = _percentage(category, group, currency)
        stated = category.tax_amount
        tax += stated.quantity if stated else money.rounded(net * rate / 100, currency)
        percentage += rate
        names += [part.name for part in category.rates if part.name] or [
            category.name or category.category or "Tax"
        ]
        categories.append(category.category or "")
    source = (
        group.source if group.source.startswith(f"{group.path}.lines") else f"{group.source}[{members[0]}]"
    )
    return TaxShare(source, net, tax, TaxRate(percentage, " + ".join(names), categories[0]))


def _percentage(category: TaxCategory, group: TaxedGroup, currency: str) -> Decimal:
    """A category's percentage: the sum of its stacked rates, else its own; none is zero if the tax is."""
    parts = [part.percentage for part in category.rates if part.percentage is not None]
    if parts:
        return sum(parts, Decimal())
    if category.percentage is not None:
        return category.percentage
    if category.tax_amount is None or not category.tax_amount.quantity:
        return Decimal()
    raise NeedsAttention(
        Code.TAX_NOT_ATTRIBUTABLE,
        f"The group {group.path} has a tax of {money.format_number(category.tax_amount.quantity)} {currency} "
        "without a percentage.",
        _ATTRIBUTION_REMEDY,
    )


def _check_gross(group: TaxedGroup, parts: Sequence[TaxShare], currency: str) -> None:
    """Check that net, tax and gross of a group agree; each may be rounded separately."""
    gross = group.group.amount_including_tax
    if gross is None:
        return
    total = group.net + sum((part.tax for part in parts), Decimal())
    if not money.within_rounding(total - gross.quantity, len(parts) + 1, currency):
        raise does_not_tie_out(
            f"The group {group.path} with its tax is",
            total,
            "its amount_including_tax is",
            gross.quantity,
            currency,
        )


def _header_taxes(
    invoice: Invoice, groups: Sequence[TaxedGroup], untaxed: Sequence[TaxedGroup], currency: str
) -> list[tuple[int, TaxRate, Decimal]]:
    """The header's categories that remain for the groups that state none: index, rate and tax."""
    if not untaxed:
        return []
    net = sum((group.net for group in untaxed), Decimal())
    remaining: list[tuple[int, TaxRate, Decimal]] = []
    bases: list[Decimal] = []
    for index, category in enumerate(invoice.tax_categories):
        base, tax, claims = _unclaimed(category, groups)
        fits = bool(net) and money.within_rounding(base - net, len(untaxed), currency)
        rest = all(money.within_rounding(amount, claims, currency) for amount in (base, tax))
        if (base or tax) and (fits or not rest):
            header_group = TaxedGroup(
                "(header)", Group(), net, "tax_categories", tuple(invoice.tax_categories)
            )
            rate = _share(header_group, [index], net, currency).rate
            if rate is not None:
                remaining.append((index, rate, tax))
                bases.append(base)
    stacked = all(money.within_rounding(base - net, len(untaxed), currency) for base in bases)
    if not remaining:
        _check_untaxed(invoice, groups, currency)
    elif not stacked:
        paths = ", ".join(group.path for group in untaxed)
        raise NeedsAttention(
            Code.TAX_NOT_ATTRIBUTABLE,
            f"The groups {paths} sum to {money.format_number(net)} {currency} and "
            f"state no tax; the invoice's tax categories leave bases of "
            f"{', '.join(money.format_number(base) for base in bases)} {currency} for them.",
            _ATTRIBUTION_REMEDY,
        )
    return remaining


def _unclaimed(category: TaxCategory, groups: Sequence[TaxedGroup]) -> tuple[Decimal, Decimal, int]:
    """Base and tax of a header's category that no group has claimed, and the number of claims."""
    base = category.base_amount.quantity if category.base_amount else Decimal()
    tax = category.tax_amount.quantity if category.tax_amount else Decimal()
    claims = 0
    for group in groups:
        for own in group.taxes:
            if _identity(own) == _identity(category):
                claims += 1
                base -= own.base_amount.quantity if own.base_amount else Decimal()
                tax -= own.tax_amount.quantity if own.tax_amount else Decimal()
    return base, tax, claims


def _check_untaxed(invoice: Invoice, groups: Sequence[TaxedGroup], currency: str) -> None:
    """Check that groups without a tax bear none: the other groups state all of the invoice's tax."""
    summary = invoice.tax_summary
    stated = summary.tax_amount.quantity if summary and summary.tax_amount else Decimal()
    claims = [tax.tax_amount.quantity for group in groups for tax in group.taxes if tax.tax_amount]
    claimed = sum(claims, Decimal())
    if not money.within_rounding(stated - claimed, len(claims), currency):
        raise NeedsAttention(
            Code.TAX_NOT_ATTRIBUTABLE,
            f"The invoice has a tax of {money.format_number(stated)} {currency}, but its groups "
            f"({', '.join(group.path for group in groups[:20])}) state {money.format_number(claimed)} "
            f"{currency}.",
            _ATTRIBUTION_REMEDY,
        )


def _from_header(
    group: TaxedGroup, untaxed: Sequence[TaxedGroup], header: Sequence[tuple[int, TaxRate, Decimal]]
) -> list[TaxShare]:
    if not header:
        return [TaxShare("", group.net, Decimal(), None)]
    untaxed_net = sum((other.net for other in untaxed), Decimal())
    part = group.net / untaxed_net if untaxed_net else Decimal()
    tax = sum((amount for _, _, amount in header), Decimal()) * part
    rate = TaxRate(
        sum((rate.percentage for _, rate, _ in header), Decimal()),
        " + ".join(rate.name for _, rate, _ in header),
        header[0][1].category,
    )
    return [TaxShare(f"tax_categories[{header[0][0]}]", group.net, tax, rate)]
