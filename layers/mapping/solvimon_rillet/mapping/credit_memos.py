"""Export credit memo: a finalised credit note as Rillet takes it (Rillet API v4, Create a credit memo).

The guide's row ``original_invoice_id`` → ``invoice_id`` is no field of the memo in version 4: the memo is
applied to the invoice by a second call (``to_applications``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.mapping.document_fields import (
    Header,
    Item,
    MappedDocument,
    assemble,
    booking_date,
    check_dated,
    document_zone,
    line_tax,
    line_tax_country,
    line_tax_type,
    money_of,
    noted_description,
    period_day,
    posted_exchange_rate,
    references,
)
from solvimon_rillet.mapping.field_table import Row
from solvimon_rillet.mapping.lines import credited, document_lines
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.totals import currency_of
from solvimon_rillet.settings import InvoiceScope, Settings
from solvimon_rillet.solvimon.models import Invoice


def _number(header: Header) -> str | None:
    """Solvimon's number; Rillet takes no white space in it."""
    return "-".join((header.invoice.invoice_number or "").split()) or None


# The guide's table "Export Credit Memos to Rillet", row by row.
HEADER_ROWS: tuple[Row[Header], ...] = (
    Row("invoice_number", "credit_memo_number", _number),
    Row("invoice_date", "credit_memo_date", booking_date),
    Row("id", "external_references", references),
    Row("customer", "customer_id", lambda h: h.links.customer_id),
    Row("billing_entity", "subsidiary_id", lambda h: h.links.subsidiary_id),
    # Beyond the guide: what Rillet needs besides.
    Row("used_exchange_rates", "exchange_rate", posted_exchange_rate),
)

# The line mapping is the same as for invoices, whatever their scope.
LINE_ROWS: tuple[Row[Item], ...] = (
    Row("group.amount_excluding_tax", "price.amount_per_unit", lambda i: money_of(i.line.net, i)),
    Row("group.products (Rillet Product ID)", "price.product_id", lambda i: i.line.product_id),
    Row("group.start_at", "revenue.period.start", lambda i: period_day(i, 0)),
    Row("group.end_at", "revenue.period.end", lambda i: period_day(i, 1)),
    Row("tax.category", "tax_rate.type", line_tax_type),
    Row("tax.percentage", "tax_rate.percentage", lambda i: i.line.rate and i.line.rate.percentage),
    Row("tax.name", "tax_rate.description", lambda i: i.line.rate and i.line.rate.name),
    Row("group.products.name", "description", noted_description),
    # Beyond the guide: what Rillet needs besides.
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
        booked_on: the day to book it on, where its own lies in a closed period.

    Raises:
        NeedsAttention: it cannot be booked as it is; the error names the field and the remedy.
    """
    currency, where = currency_of(credit_note), document_zone(credit_note, settings)
    check_dated(credit_note)
    lines = credited(document_lines(credit_note, links, settings, currency, where))
    header = Header(credit_note, links, settings, lines.totals, where, booked_on)
    return assemble(header, lines, HEADER_ROWS, LINE_ROWS, InvoiceScope.FULL)


@dataclass(frozen=True, slots=True)
class Original:
    """An invoice that a credit note credits.

    Attributes:
        rillet_id: the invoice in Rillet.
        open_amount: what is open on it there, in the memo's currency.
        credited: how much of the note is for it; ``None`` where Solvimon does not say.
    """

    rillet_id: str
    open_amount: Decimal
    credited: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Applications:
    """How a memo is applied: the whole set, as Rillet wants it, and what stays open on the memo.

    Attributes:
        payload: the request body.
        amounts: how much goes to which Rillet invoice.
        applied: their sum.
        rest: what stays open on the memo.
    """

    payload: dict[str, object]
    amounts: dict[str, Decimal]
    applied: Decimal
    rest: Decimal


def to_applications(
    total: Decimal, currency: str, applied_on: str, originals: Iterable[Original]
) -> Applications:
    """Spread a memo over its originals, never above what is open on each.

    Args:
        total: gross amount of the memo.
        currency: of the memo and the invoices.
        applied_on: day of the application (YYYY-MM-DD).
        originals: the invoices, in the order in which they are served.
    """
    rest, entries, amounts = total, list[dict[str, object]](), dict[str, Decimal]()
    for original in originals:
        wanted = rest if original.credited is None else min(rest, abs(original.credited))
        amount = money.rounded(max(Decimal(), min(wanted, original.open_amount)), currency)
        if amount:
            entries.append(
                {
                    "invoice_id": original.rillet_id,
                    "amount": {"amount": money.text(amount, currency), "currency": currency},
                    "application_date": applied_on,
                }
            )
            amounts[original.rillet_id] = amount
            rest -= amount
    return Applications({"applications": entries}, amounts, total - rest, rest)
