"""A document's totals, and the check that a payload sums to them before it is sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.solvimon.invoice_groups import Amount
from solvimon_rillet.solvimon.models import Invoice

_TIE_OUT_REMEDY = (
    "Nothing was sent. Compare the invoice with its PDF in Solvimon; if Solvimon shows these amounts, "
    "report them to Solvimon's support, or book the invoice by hand."
)


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's net, tax and gross, rounded to its currency."""

    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal

    def as_text(self) -> dict[str, str]:
        """The totals as texts, for answers and records."""
        return {
            "currency": self.currency,
            "net": money.format_amount(self.net, self.currency),
            "tax": money.format_amount(self.tax, self.currency),
            "gross": money.format_amount(self.gross, self.currency),
        }


def does_not_tie_out(
    what: str, amount: Decimal, other: str, other_amount: Decimal, currency: str
) -> NeedsAttention:
    """The error for two amounts that should be equal; it names both."""
    return NeedsAttention(
        Code.DOES_NOT_TIE_OUT,
        f"{what} {money.format_number(amount)} {currency}, "
        f"but {other} {money.format_number(other_amount)} {currency}.",
        _TIE_OUT_REMEDY,
    )


def document_totals(
    invoice: Invoice, currency: str, nets: Sequence[Decimal], taxes: Sequence[Decimal], group_amounts: str
) -> Totals:
    """The totals that the customer sees on the invoice, rounded, and consistent with each other.

    Solvimon has no net total in the header: net is ``tax_summary.base_amount``, gross is
    ``invoice_amount_including_tax`` (dossier 2.6). A missing total is summed from the groups.

    Args:
        invoice: the document.
        currency: its currency.
        nets: net amounts of its parts, as stated.
        taxes: tax amounts of its parts, as stated.
        group_amounts: its groups with their amounts, for the error.

    Raises:
        NeedsAttention: the header's own figures do not add up.
    """
    summary = invoice.tax_summary
    base = _quantity_of(summary.base_amount) if summary else None
    tax = _quantity_of(summary.tax_amount) if summary else None
    total = _quantity_of(invoice.invoice_amount_including_tax)
    if total is None and summary:
        total = _quantity_of(summary.total_amount)
    exact_net = base if base is not None else sum(nets, Decimal())
    exact_tax = tax if tax is not None else sum(taxes, Decimal())
    exact_gross = total if total is not None else exact_net + exact_tax

    net, gross = money.rounded(exact_net, currency), money.rounded(exact_gross, currency)
    parts = (exact_net, exact_tax, exact_gross)
    as_rounded = all(part == money.rounded(part, currency) for part in parts)
    difference = exact_net + exact_tax - exact_gross
    both_stated = base is not None and tax is not None
    slack = 2 if not as_rounded else len(nets) + len(taxes)
    if difference and not (
        money.within_rounding(difference, slack, currency) and not (as_rounded and both_stated)
    ):
        raise does_not_tie_out(
            f"The invoice (groups: {group_amounts}) has a net and tax of",
            exact_net + exact_tax,
            "its invoice_amount_including_tax is",
            exact_gross,
            currency,
        )
    return Totals(currency, net, gross - net, gross)


def document_currency(invoice: Invoice) -> str:
    """The one currency of a document.

    Raises:
        NeedsAttention: Solvimon names none, or amounts of another one.
    """
    remedy = "Credit the invoice in Solvimon and bill it in one currency; Rillet takes one per document."
    currency = invoice.currency
    if not currency:
        raise NeedsAttention(Code.CURRENCY_MIXED, "The invoice names no currency.", remedy)
    for path, amount in _amounts_by_path(invoice):
        if amount.currency != currency:
            raise NeedsAttention(
                Code.CURRENCY_MIXED,
                f"{path} is in another currency than the invoice.",
                remedy,
                quoted=f"{amount.currency}, not {currency}",
            )
    return currency


def _amounts_by_path(invoice: Invoice) -> list[tuple[str, Amount]]:
    """Every amount that the mapping reads, with its path."""
    found: list[tuple[str, Amount | None]] = [
        ("invoice_amount_including_tax", invoice.invoice_amount_including_tax)
    ]
    if summary := invoice.tax_summary:
        found.append(("tax_summary.base_amount", summary.base_amount))
        found.append(("tax_summary.tax_amount", summary.tax_amount))
        found.append(("tax_summary.total_amount", summary.total_amount))
    for index, category in enumerate(invoice.tax_categories):
        found += [(f"tax_categories[{index}]", each) for each in (category.base_amount, category.tax_amount)]
    for path, group in invoice.billed_groups():
        own = group.amount_excluding_tax or group.total
        nets = [own] if own else [line.amount_excluding_tax for line in group.lines]
        taxes = group.tax_categories or [tax for line in group.lines for tax in line.tax_categories]
        found += [(f"The group {path}", each) for each in (*nets, group.amount_including_tax)]
        found += [
            (f"A tax of the group {path}", each)
            for tax in taxes
            for each in (tax.base_amount, tax.tax_amount)
        ]
    return [(path, amount) for path, amount in found if amount is not None]


def _quantity_of(amount: Amount | None) -> Decimal | None:
    return None if amount is None else amount.quantity


def verify_payload_totals(payload: Mapping[str, object], totals: Totals) -> None:
    """Check that the amounts of a payload, as texts, sum to the document's net and tax.

    Raises:
        NeedsAttention: they differ, or there is nothing to book.
    """
    items = payload.get("items")
    if not isinstance(items, list) or not items:
        raise NeedsAttention(
            Code.DOES_NOT_TIE_OUT,
            f"The invoice has no groups to book, but a total of {totals.gross} {totals.currency}.",
            "Report the invoice to Solvimon's support, or book it by hand.",
        )
    net = sum((_amount_at(item, "price.amount_per_unit", "total_amount") for item in items), Decimal())
    tax = sum(_payload_taxes(payload, items), Decimal())
    for what, sent, total in (("net", net, totals.net), ("tax", tax, totals.tax)):
        if sent != total:
            raise does_not_tie_out(
                f"The items to send have a {what} of", sent, "the invoice's is", total, totals.currency
            )


def _payload_taxes(payload: Mapping[str, object], items: list[Mapping[str, object]]) -> Iterator[Decimal]:
    on_items = [_amount_at(item, "tax_rate.tax_amount", "tax_amount") for item in items]
    yield from (
        on_items if any(on_items) or "tax_amount" not in payload else [_amount_at(payload, "tax_amount")]
    )


def _amount_at(holder: Mapping[str, object], *paths: str) -> Decimal:
    for path in paths:
        value: object = holder
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, dict):
            return Decimal(str(value["amount"]))
    return Decimal()
