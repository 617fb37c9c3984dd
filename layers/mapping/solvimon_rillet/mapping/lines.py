"""The lines of a document: one per group and tax, rounded so that they sum to its totals."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping import descriptions
from solvimon_rillet.mapping.dates import service_period
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.taxes import Rate, Share, TaxedGroup, shares, taxed_groups
from solvimon_rillet.mapping.totals import Totals, document_totals, does_not_tie_out
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Group, Invoice


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line to book: a group, or the part of a group under one tax.

    Attributes:
        path: the group's path in the Solvimon document.
        tax_path: path of the tax category behind ``rate``.
        product_id: Rillet product id.
        product_from: field of the group, or the setting, that it comes from.
        description: text for people.
        described_by: field of the group that it comes from.
        net: net amount, rounded to the document's currency.
        tax: tax amount, rounded to the document's currency.
        rate: ``None`` where no tax category applies.
        period: first and last day of service, inclusive; ``None`` where there is none.
    """

    path: str
    tax_path: str
    product_id: str
    product_from: str
    description: str
    described_by: str
    net: Decimal
    tax: Decimal
    rate: Rate | None
    period: tuple[date, date] | None


@dataclass(frozen=True, slots=True)
class Lines:
    """A document's lines with the totals they sum to."""

    lines: tuple[DocumentLine, ...]
    totals: Totals
    warnings: tuple[str, ...]


def document_lines(invoice: Invoice, links: Links, settings: Settings, currency: str, where: tzinfo) -> Lines:
    """Turn a document's groups into lines that tie out to its totals.

    Raises:
        NeedsAttention: the document does not tie out, or a group has no product, period or tax that fits.
    """
    groups = [taxed_groups(path, group) for path, group in invoice.billed_groups()]
    groups, warnings = _worth_booking(groups, links, settings)
    split = shares(invoice, groups, currency)
    flat = [(group, share) for group, parts in zip(groups, split, strict=True) for share in parts]
    nets, taxes = [share.net for _, share in flat], [share.tax for _, share in flat]
    booked, taxed = [bool(net) for net in nets], [_is_taxed(share) for _, share in flat]
    listed = ", ".join(f"{group.path} {money.plain(group.net)}" for group in groups[:20]) or "none"
    totals = document_totals(invoice, currency, nets, taxes, listed)
    _check_sum("net", nets, booked, totals.net, "tax_summary.base_amount", listed, currency)
    _check_sum("tax", taxes, taxed, totals.tax, "tax", listed, currency)
    rounded_nets = _round_parts(totals.net, nets, booked, currency)
    rounded_taxes = _round_parts(totals.tax, taxes, taxed, currency)
    lines = tuple(
        _line(group, share, net, tax, _product(group, links, settings), where)
        for (group, share), net, tax in zip(flat, rounded_nets, rounded_taxes, strict=True)
    )
    warnings += _rounding_notes(flat, lines, currency)
    return Lines(lines, totals, tuple(warnings))


def _line(
    group: TaxedGroup, share: Share, net: Decimal, tax: Decimal, product: tuple[str, str], where: tzinfo
) -> DocumentLine:
    product_id, product_from = product
    return DocumentLine(
        path=group.path,
        tax_path=share.source,
        product_id=product_id,
        product_from=product_from,
        description=descriptions.group_description(group.group),
        described_by=descriptions.description_source(group.group),
        net=net,
        tax=tax,
        rate=share.rate,
        period=service_period(group.group, group.path, where),
    )


def credited(lines: Lines) -> Lines:
    """A credit note's lines with the sign that Rillet wants: positive, whatever Solvimon's is."""
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


def _worth_booking(
    groups: Sequence[TaxedGroup], links: Links, settings: Settings
) -> tuple[list[TaxedGroup], list[str]]:
    """All groups, but for those of zero that have no product: they need no line and stop nothing."""
    kept, warnings = list[TaxedGroup](), list[str]()
    for group in groups:
        taxed = any(tax.tax_amount and tax.tax_amount.quantity for tax in group.taxes)
        if group.net or taxed or _find_product(group.group, links, settings)[0]:
            kept.append(group)
        else:
            warnings.append(f"The group {group.path} is zero and has no Rillet product; it was left out.")
    return kept, warnings


def _find_product(group: Group, links: Links, settings: Settings) -> tuple[str | None, str]:
    """The Rillet product of a group, and where it comes from."""
    if group.products:
        linked = (links.products[p.id] for p in group.products if p.id and p.id in links.products)
        return next(linked, None), "products (Rillet Product ID)"
    products, kind = settings.fallback_products, kind_of(group)
    by_kind = {"discount": products.discount, "commitment": products.commitment, "one_off": products.one_off}
    name = kind if by_kind.get(kind) else "default"
    return by_kind.get(kind) or products.default, f"(setting fallback_products.{name})"


def kind_of(group: Group) -> str:
    """What a group without product is: ``discount``, ``commitment``, ``one_off`` or ``other``.

    Solvimon's line types are REVENUE, COMMITMENT, DISCOUNT and ONE_OFF (dossier 2.6).
    """
    of_lines = {line.type for line in group.lines}
    for kind in (group.type, of_lines.pop() if len(of_lines) == 1 else None):
        if kind in {"DISCOUNT", "COMMITMENT", "ONE_OFF"}:
            return kind.lower()
    amount = group.amount_excluding_tax or group.total
    return "discount" if amount and amount.quantity < 0 else "other"


def _product(group: TaxedGroup, links: Links, settings: Settings) -> tuple[str, str]:
    product, source = _find_product(group.group, links, settings)
    if product:
        return product, source
    if group.group.products:
        names = ", ".join(f"{p.name or 'unnamed'} ({p.id})" for p in group.group.products)
        raise NeedsAttention(
            Code.PRODUCT_NOT_LINKED,
            f"The group {group.path} bills the product {names}, which has no Rillet product.",
            f'Import the products from Rillet, or set the custom field "Rillet Product ID" '
            f"({settings.custom_fields.product}) on it in Solvimon, then retry.",
        )
    kind = kind_of(group.group)
    name = kind if kind != "other" else "default"
    raise NeedsAttention(
        Code.FALLBACK_PRODUCT_MISSING,
        f"The group {group.path} ({descriptions.group_description(group.group)}) has no product; "
        "no fallback is set.",
        f"Set fallback_products.{name} (or fallback_products.default) to a Rillet product id in the "
        "settings, then retry.",
    )


def _is_taxed(share: Share) -> bool:
    return bool(share.tax or (share.net and share.rate and share.rate.percentage))


def _check_sum(
    what: str,
    parts: Sequence[Decimal],
    eligible: Sequence[bool],
    total: Decimal,
    header: str,
    listed: str,
    currency: str,
) -> None:
    """Only eligible parts can have been rounded: a line of nothing, or without tax, is exact."""
    stated = sum(parts, Decimal())
    if not money.within_rounding(stated - total, sum(eligible), currency):
        raise does_not_tie_out(
            f"The groups ({listed}) have a {what} of", stated, f"the invoice's {header} is", total, currency
        )


def _round_parts(
    total: Decimal, exact: Sequence[Decimal], eligible: Sequence[bool], currency: str
) -> list[Decimal]:
    """Round parts to a total; what rounding leaves goes to eligible parts only."""
    chosen = [index for index, may in enumerate(eligible) if may] or list(range(len(exact)))
    result = [money.rounded(part, currency) for part in exact]
    rest = total - sum((result[i] for i in range(len(exact)) if i not in set(chosen)), Decimal())
    for index, part in zip(chosen, money.allocate(rest, [exact[i] for i in chosen], currency), strict=True):
        result[index] = part
    return result


def _rounding_notes(
    flat: Sequence[tuple[TaxedGroup, Share]], lines: Sequence[DocumentLine], currency: str
) -> list[str]:
    notes = []
    for (_, share), line in zip(flat, lines, strict=True):
        moved = line.net - money.rounded(share.net, currency), line.tax - money.rounded(share.tax, currency)
        for name, amount in zip(("net", "tax"), moved, strict=True):
            if amount:
                notes.append(
                    f"{money.text(amount, currency)} {currency} of rounding is in the {name} of {line.path}, "
                    "so that the items sum to the invoice's total."
                )
    return notes
