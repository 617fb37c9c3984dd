"""The lines of a document: one per group and tax, rounded so that they sum to its totals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.dates import service_period
from solvimon_rillet.mapping.descriptions import describe
from solvimon_rillet.mapping.line_products import drop_empty_groups, required_product
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.product_split import split_by_product
from solvimon_rillet.mapping.tax_rates import TaxedGroup, TaxRate, TaxShare
from solvimon_rillet.mapping.taxes import tax_shares, taxed_groups
from solvimon_rillet.mapping.totals import Totals, document_totals, does_not_tie_out
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice

_SMALLEST_QUANTITY = Decimal("0.00001")  # Rillet API v4, Create an invoice, outside FULL


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line to book: a group, or the part of a group under one tax rate.

    Attributes:
        path: the group's path in the Solvimon document.
        tax_path: path of the tax category behind ``rate``.
        product_id: Rillet product id.
        product_from: source of the product: a field of the group, or a setting.
        description: text for readers.
        described_by: field of the group that the description comes from.
        net: net amount, rounded to the document's currency.
        tax: tax amount, rounded to the document's currency.
        rate: ``None`` where no tax category applies.
        period: first and last day of service, inclusive; ``None`` where there is none.
        reason: why the line bears its tax, for a dry run.
        quantity: the usage that it bills, if it is all of a group with one meter; else 1.
    """

    path: str
    tax_path: str
    product_id: str
    product_from: str
    description: str
    described_by: str
    net: Decimal
    tax: Decimal
    rate: TaxRate | None
    period: tuple[date, date] | None
    reason: str
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Lines:
    """A document's lines with the totals they sum to."""

    lines: tuple[DocumentLine, ...]
    totals: Totals
    warnings: tuple[str, ...]


def document_lines(
    invoice: Invoice, links: Links, settings: Settings, currency: str, time_zone: tzinfo
) -> Lines:
    """Turn a document's groups into lines that tie out to its totals.

    Raises:
        NeedsAttention: the document does not tie out, or a group has no product, period or tax that fits.
    """
    notes = _closed_period_notes(invoice)
    groups = [
        taxed_groups(part_path, part)
        for path, group in invoice.billed_groups()
        for part_path, part in split_by_product(path, group, links, currency)
    ]
    groups, warnings = drop_empty_groups(groups, links, settings)
    warnings += notes + _half_periods(groups)
    shares_by_group = tax_shares(invoice, groups, currency)
    group_shares = [
        (group, share) for group, parts in zip(groups, shares_by_group, strict=True) for share in parts
    ]
    nets, taxes = [share.net for _, share in group_shares], [share.tax for _, share in group_shares]
    nonzero, taxed = [bool(net) for net in nets], [_is_taxed(share) for _, share in group_shares]
    group_amounts = (
        ", ".join(f"{group.path} {money.format_number(group.net)}" for group in groups[:20]) or "none"
    )
    totals = document_totals(invoice, currency, nets, taxes, group_amounts)
    roundings = sum(
        max(1, share.roundings) for (_, share), is_taxed in zip(group_shares, taxed, strict=True) if is_taxed
    )
    _check_sum("net", nets, sum(nonzero), totals.net, "tax_summary.base_amount", group_amounts, currency)
    _check_sum("tax", taxes, roundings, totals.tax, "tax", group_amounts, currency)
    rounded_nets = _round_parts(totals.net, nets, nonzero, currency)
    rounded_taxes = _round_parts(totals.tax, taxes, taxed, currency)
    no_tax = settings.categories_without_tax
    lines = tuple(
        _line(group, share, net, tax, required_product(group, links, settings), time_zone, no_tax)
        for (group, share), net, tax in zip(group_shares, rounded_nets, rounded_taxes, strict=True)
    )
    warnings += _rounding_notes(group_shares, lines, currency)
    return Lines(lines, totals, tuple(warnings))


def _closed_period_notes(invoice: Invoice) -> list[str]:
    """Notes on the amounts of ``closed_periods``, whose meaning Solvimon does not document.

    Raises:
        NeedsAttention: the net of the document does not show whether they are part of it.
    """
    closed = [(path, group) for path, group in invoice.closed_groups() if group.bills_something]
    if not closed:
        return []
    where = ", ".join(f"{path} {money.format_number(group.net)}" for path, group in closed[:20])
    if invoice.counts_closed_periods:
        return [f"The invoice's net counts its closed_periods ({where}); they are booked with it."]
    if (
        invoice.tax_summary
        and invoice.tax_summary.base_amount
        and sum((group.net for _, group in closed), Decimal())
    ):
        return [f"The invoice's net does not count its closed_periods ({where}); they were left out."]
    raise NeedsAttention(
        Code.CLOSED_PERIODS_UNCLEAR,
        f"The invoice has closed_periods ({where}), and its net does not show whether they are part of it.",
        "Compare the invoice with its PDF in Solvimon; report it to Solvimon's support, or book it by hand.",
    )


def _half_periods(groups: Sequence[TaxedGroup]) -> list[str]:
    """A note on each group with a start or an end alone: Rillet recognises its revenue on one day."""
    notes = []
    for each in groups:
        group = each.group
        start, end = group.start_at or group.start_date, group.end_at or group.end_date
        if (start is None) != (end is None):
            known, missing = ("start", "end") if start else ("end", "start")
            notes.append(
                f"The group {each.path} has a {known} but no {missing}: it is booked without a service "
                "period, and Rillet recognises its revenue on the booking date."
            )
    return notes


def _line(
    group: TaxedGroup,
    share: TaxShare,
    net: Decimal,
    tax: Decimal,
    product: tuple[str, str],
    time_zone: tzinfo,
    no_tax: Collection[str],
) -> DocumentLine:
    product_id, product_from = product
    described = describe(group.group)
    # A part of a group has no share of the usage behind it.
    quantity = described.quantity if share.net == group.net else None
    return DocumentLine(
        path=group.path,
        tax_path=share.source,
        product_id=product_id,
        product_from=product_from,
        description=described.text,
        described_by=described.source,
        net=net,
        tax=tax,
        rate=None if _is_no_tax(share, no_tax) else share.rate,
        period=service_period(group.group, group.path, time_zone),
        reason=share.reason,
        quantity=quantity if quantity is not None and quantity >= _SMALLEST_QUANTITY else Decimal(1),
    )


def with_positive_amounts(lines: Lines) -> Lines:
    """A credit note's lines with positive amounts, as Rillet requires, whatever Solvimon's sign is."""
    totals = lines.totals
    if (totals.gross, totals.net) >= (Decimal(), Decimal()):
        return lines
    return replace(
        lines,
        lines=tuple(replace(line, net=_negated(line.net), tax=_negated(line.tax)) for line in lines.lines),
        totals=Totals(totals.currency, _negated(totals.net), _negated(totals.tax), _negated(totals.gross)),
    )


def _negated(amount: Decimal) -> Decimal:
    """The amount with the other sign, and never a negative zero."""
    return -amount if amount else amount


def _is_no_tax(share: TaxShare, no_tax: Collection[str]) -> bool:
    """Whether a share bears only categories that are no tax, such as EXEMPT, and indeed no tax."""
    return share.rate is not None and share.rate.category in no_tax and not share.tax


def _is_taxed(share: TaxShare) -> bool:
    return bool(share.tax or (share.net and share.rate and share.rate.percentage))


def _check_sum(
    measure: str,
    parts: Sequence[Decimal],
    roundings: int,
    total: Decimal,
    header: str,
    group_amounts: str,
    currency: str,
) -> None:
    """Check a sum of parts, of which some were rounded; a difference as large as a group may be one, lost."""
    parts_sum = sum(parts, Decimal())
    smallest = money.smallest_amount(parts, currency) if measure == "net" else None
    if not money.within_rounding(parts_sum - total, roundings, currency, smallest):
        raise does_not_tie_out(
            f"The groups ({group_amounts}) have a {measure} of",
            parts_sum,
            f"the invoice's {header} is",
            total,
            currency,
        )


def _round_parts(
    total: Decimal, exact: Sequence[Decimal], may_be_rounded: Sequence[bool], currency: str
) -> list[Decimal]:
    """Round parts to a total; the rounding difference goes only to parts that may be rounded."""
    every = range(len(exact))
    chosen = [index for index in every if may_be_rounded[index]] or list(every)
    result = [money.rounded(part, currency) for part in exact]
    rest = total - sum(result, Decimal()) + sum((result[index] for index in chosen), Decimal())
    for index, part in zip(chosen, money.allocate(rest, [exact[i] for i in chosen], currency), strict=True):
        result[index] = part
    return result


def _rounding_notes(
    group_shares: Sequence[tuple[TaxedGroup, TaxShare]], lines: Sequence[DocumentLine], currency: str
) -> list[str]:
    notes = []
    for (_, share), line in zip(group_shares, lines, strict=True):
        shifts = line.net - money.rounded(share.net, currency), line.tax - money.rounded(share.tax, currency)
        for name, amount in zip(("net", "tax"), shifts, strict=True):
            if amount:
                notes.append(
                    f"{money.format_amount(amount, currency)} {currency} of rounding is in the {name} of "
                    f"{line.path}, so that the items sum to the invoice's total."
                )
    return notes
