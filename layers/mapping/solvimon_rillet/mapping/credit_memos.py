"""Export credit memo: Rillet's request for a finalised credit note (Rillet API v4, Create a credit memo).

The guide's row ``original_invoice_id`` → ``invoice_id`` is no field of the memo in version 4: the memo is
applied to the invoice by a second call (``to_applications``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.document_fields import (
    HeaderContext,
    LineContext,
    MappedDocument,
    assemble,
    booking_date,
    check_dated,
    document_time_zone,
    line_tax,
    line_tax_country,
    line_tax_type,
    money_field,
    noted_description,
    period_day,
    posted_exchange_rate,
    references,
)
from solvimon_rillet.mapping.field_table import Row
from solvimon_rillet.mapping.lines import document_lines, with_positive_amounts
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.totals import document_currency
from solvimon_rillet.settings import InvoiceScope, Settings
from solvimon_rillet.solvimon.models import Invoice


def _memo_number(header: HeaderContext) -> str | None:
    """Solvimon's number; Rillet takes no white space in it."""
    return "-".join((header.invoice.invoice_number or "").split()) or None


# The guide's table "Export Credit Memos to Rillet", row by row.
HEADER_ROWS: tuple[Row[HeaderContext], ...] = (
    Row("invoice_number", "credit_memo_number", _memo_number),
    Row("invoice_date", "credit_memo_date", booking_date),
    Row("id", "external_references", references),
    Row("customer", "customer_id", lambda h: h.links.customer_id),
    Row("billing_entity", "subsidiary_id", lambda h: h.links.subsidiary_id),
    # Beyond the guide: other fields that Rillet needs.
    Row("used_exchange_rates", "exchange_rate", posted_exchange_rate),
)

# The line mapping is the same as for invoices, whatever their scope.
LINE_ROWS: tuple[Row[LineContext], ...] = (
    Row("group.amount_excluding_tax", "price.amount_per_unit", lambda i: money_field(i.line.net, i)),
    Row("group.products (Rillet Product ID)", "price.product_id", lambda i: i.line.product_id),
    Row("group.start_at", "revenue.period.start", lambda i: period_day(i, 0)),
    Row("group.end_at", "revenue.period.end", lambda i: period_day(i, 1)),
    Row("tax.category", "tax_rate.type", line_tax_type),
    Row("tax.percentage", "tax_rate.percentage", lambda i: i.line.rate and i.line.rate.percentage),
    Row("tax.name", "tax_rate.description", lambda i: i.line.rate and i.line.rate.name),
    Row("group.products.name", "description", noted_description),
    # Beyond the guide: other fields that Rillet needs.
    Row("tax.tax_amount", "tax_rate.tax_amount", line_tax),
    Row("tax_summary.country_code", "tax_rate.country", line_tax_country),
    Row("(always 1)", "price.quantity", lambda _: 1),
)


def to_rillet_credit_memo(
    credit_note: Invoice, links: Links, settings: Settings, booked_on: date | None = None
) -> MappedDocument:
    """Map a finalised credit note to Rillet's request. Its amounts are positive, whatever Solvimon's sign.

    Args:
        credit_note: the credit note as Solvimon has it now.
        links: the Rillet ids of its customer, billing entity and products.
        settings: the connection's settings.
        booked_on: the booking date, if its own lies in a closed period.

    Raises:
        NeedsAttention: it cannot be booked as it is; the error names the field and the remedy.
    """
    currency, time_zone = document_currency(credit_note), document_time_zone(credit_note, settings)
    check_dated(credit_note)
    lines = document_lines(credit_note, links, settings, currency, time_zone)
    if not lines.totals.gross and not lines.totals.net:
        raise NeedsAttention(
            Code.CREDIT_SUMS_TO_ZERO,
            f"The lines of the credit note sum to 0 {currency}; nothing says which of them credits and which "
            "charges.",
            "Book the shift between the products by hand in Rillet, then resolve the credit note as handled "
            "by hand.",
        )
    lines = with_positive_amounts(lines)
    header = HeaderContext(credit_note, links, settings, lines.totals, time_zone, booked_on)
    return assemble(header, lines, HEADER_ROWS, LINE_ROWS, InvoiceScope.FULL)


@dataclass(frozen=True, slots=True)
class CreditedInvoice:
    """An invoice that a credit note credits.

    Attributes:
        rillet_id: the invoice in Rillet.
        open_amount: its open amount in Rillet, in the memo's currency.
        credited: the part of the credit note that is for it; ``None`` if Solvimon does not state it.
    """

    rillet_id: str
    open_amount: Decimal
    credited: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AppliedByHand:
    """An application of a memo that a person made in Rillet.

    Attributes:
        invoice_id: the invoice in Rillet.
        invoice_number: its number, or its id if Rillet does not say.
        amount: in the memo's currency.
        applied_on: day of the application (YYYY-MM-DD).
    """

    invoice_id: str
    invoice_number: str
    amount: Decimal
    applied_on: str


@dataclass(frozen=True, slots=True)
class Applications:
    """The applications of a memo: the complete set, as Rillet requires it, and the amount left open.

    Attributes:
        payload: the request body.
        amounts: the amounts that we apply, by Rillet invoice id.
        applied: the sum of all amounts, those that were applied by hand included.
        unapplied: the amount that stays open on the memo.
    """

    payload: dict[str, object]
    amounts: dict[str, Decimal]
    applied: Decimal
    unapplied: Decimal


def to_applications(
    total: Decimal,
    currency: str,
    applied_on: str,
    invoices: Iterable[CreditedInvoice],
    by_hand: Sequence[AppliedByHand] = (),
) -> Applications:
    """Apply a memo to the invoices that it credits, at most up to the open amount of each.

    What a person has applied by hand stays as it is, and we apply no more than that leaves of the memo.

    Args:
        total: gross amount of the memo.
        currency: of the memo and the invoices.
        applied_on: day of the application (YYYY-MM-DD).
        invoices: the credited invoices, in the order of application.
        by_hand: the applications of the memo that are not ours; to none of ``invoices``.
    """
    entries = [_entry(one.invoice_id, one.amount, currency, one.applied_on) for one in by_hand]
    unapplied, amounts = total - sum((one.amount for one in by_hand), Decimal()), dict[str, Decimal]()
    for invoice in invoices:
        requested = unapplied if invoice.credited is None else min(unapplied, abs(invoice.credited))
        amount = money.rounded(max(Decimal(), min(requested, invoice.open_amount)), currency)
        if amount:
            entries.append(_entry(invoice.rillet_id, amount, currency, applied_on))
            amounts[invoice.rillet_id] = amount
            unapplied -= amount
    return Applications({"applications": entries}, amounts, total - unapplied, unapplied)


def _entry(invoice_id: str, amount: Decimal, currency: str, applied_on: str) -> dict[str, object]:
    return {
        "invoice_id": invoice_id,
        "amount": {"amount": money.format_amount(amount, currency), "currency": currency},
        "application_date": applied_on,
    }
