"""The taxes of a document's groups: stated on the lines, the group, the period or the header.

Lines say most exactly what bears which tax, so they come first; then the group's own categories, which
`tax_parts` lays on its net amount. What bears no tax yet takes what the period's categories, then the
header's, leave when all that groups have claimed is taken off.
"""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.header_taxes import assign_remaining, check_untaxed
from solvimon_rillet.mapping.stated_taxes import StatedTax, calculated, stated_tax, summed
from solvimon_rillet.mapping.tax_parts import Part, find_parts
from solvimon_rillet.mapping.tax_rates import TaxedGroup, TaxShare, share_of
from solvimon_rillet.mapping.totals import does_not_tie_out
from solvimon_rillet.solvimon.invoice_groups import Group
from solvimon_rillet.solvimon.models import Invoice


def taxed_groups(path: str, group: Group) -> TaxedGroup:
    """A group's net amount and taxes: its own, else those of its lines.

    Raises:
        NeedsAttention: the group has no amount at all.
    """
    taxes = tuple(
        stated_tax(category, f"{path}.tax_categories[{index}]")
        for index, category in enumerate(group.tax_categories)
    ) or summed(
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
            assigned += assign_remaining(period.tax_categories, prefix, own, groups, shares, [], currency)
    assign_remaining(invoice.tax_categories, "", list(range(len(groups))), groups, shares, assigned, currency)
    if any(share.rate is None and share.net for each in shares for share in each):
        check_untaxed(invoice, groups, shares, currency)
    return shares


def _group_shares(group: TaxedGroup, currency: str) -> list[TaxShare]:
    """The parts of a group with their taxes, as its lines or its own categories say."""
    if not group.taxes:
        return [TaxShare("", group.net, Decimal(), None)]
    found = _parts_by_line(group, currency)
    if found is None:
        parts = find_parts(f"group {group.path}", group.net, group.taxes, currency)
        reasons = [_coverage(part, group.net) for part in parts]
    else:
        parts, reasons = found
    shares = [share_of(group.path, part, why, currency) for part, why in zip(parts, reasons, strict=True)]
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
        try:
            on_line = find_parts(f"line {group.path}.lines[{index}]", net, taxes, currency)
        except NeedsAttention:
            if own:
                return None
            raise
        for part in on_line:
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
        f"{_line_numbers(group.path, members)} {'states' if len(members) == 1 else 'state'} "
        + ("this tax." if on_it else "no tax.")
        for _, on_it, members in merged.values()
    ]
    return parts, reasons


def _agree(taxes: Sequence[StatedTax], parts: Sequence[Part], currency: str) -> bool:
    """Whether the group's own categories state the same taxes as its lines."""
    of_lines = {tax.identity: tax for tax in summed([tax for part in parts for tax in part.taxes])}
    of_group = {tax.identity: tax for tax in summed(taxes)}
    return of_lines.keys() == of_group.keys() and all(
        tax.amount is None
        or of_lines[identity].amount is None
        or money.within_rounding(
            tax.amount - (of_lines[identity].amount or Decimal()), of_lines[identity].roundings, currency
        )
        for identity, tax in of_group.items()
    )


def _line_numbers(path: str, members: Sequence[int]) -> str:
    """Lines by their number in the document's group, the first is 1; a part of a group has some of them."""
    _, _, listed = path.partition(".lines[")
    places = [int(place) for place in listed.rstrip("]").split(",")] if listed else None
    numbers = [str((places[index] if places else index) + 1) for index in dict.fromkeys(members)]
    if len(numbers) == 1:
        return f"Line {numbers[0]}"
    return f"Lines {', '.join(numbers[:20])}" + (
        f" and {len(numbers) - 20} more" if len(numbers) > 20 else ""
    )


def _coverage(part: Part, net: Decimal) -> str:
    covered, whole = money.format_number(part.net), money.format_number(net)
    if not part.taxes:
        return f"No tax category covers these {covered} of {whole}."
    text = "The tax categories cover " + ("all of it." if part.net == net else f"{covered} of {whole}.")
    return " ".join([text, *calculated(part.taxes)])


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
