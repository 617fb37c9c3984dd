"""Export invoice: Rillet's request for a finalised Solvimon invoice (Rillet API v4, Create an invoice)."""

from dataclasses import replace
from datetime import date

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.document_fields import (
    HeaderContext,
    LineContext,
    MappedDocument,
    assemble,
    booking_date,
    check_dated,
    document_day,
    document_time_zone,
    iso_day,
    line_tax,
    line_tax_country,
    line_tax_type,
    money_field,
    noted_description,
    period_day,
    posted_exchange_rate,
    reference,
    references,
    true_date_note,
)
from solvimon_rillet.mapping.field_table import ALL_SCOPES, FULL, TOTALS_ONLY, Row
from solvimon_rillet.mapping.lines import Lines, document_lines
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.totals import document_currency
from solvimon_rillet.settings import InvoiceScope, Settings
from solvimon_rillet.solvimon.models import Invoice

__all__ = ["HEADER_ROWS", "LINE_ROWS", "MappedDocument", "document_day", "to_rillet_invoice"]

_WITH_EXCHANGE_RATE = frozenset({InvoiceScope.FULL, InvoiceScope.REVENUE_RECOGNITION_ONLY})


def _invoice_number(header: HeaderContext) -> str | None:
    scope, settings = header.settings.invoice_scope, header.settings
    number = header.invoice.invoice_number or None
    if scope is InvoiceScope.FULL:
        return number if settings.send_invoice_number_in_full_scope else None
    if number:
        return number
    raise NeedsAttention(
        Code.INVOICE_NUMBER_MISSING,
        f"The invoice has no number, which Rillet requires in the scope {scope}.",
        "Finalise the invoice in Solvimon so that it gets its number, then retry.",
    )


def _due_day(header: HeaderContext) -> str | None:
    """The due date; never before the booking date, which may be later than the invoice's own."""
    due = iso_day(header.invoice.due_date, header)
    return max(due, str(booking_date(header))) if due and header.booked_on else due


def _memo(header: HeaderContext) -> str | None:
    return "\n".join(filter(None, (*header.invoice.notes, true_date_note(header)))) or None


def _description(item: LineContext) -> str:
    full = item.header.settings.invoice_scope is InvoiceScope.FULL
    return item.line.description if full else noted_description(item)


def _item_tax(item: LineContext) -> dict[str, str] | None:
    on_items = item.header.settings.tax_amount_on in {"items", "both"}
    return money_field(item.line.tax, item) if on_items else None


def _header_tax(header: HeaderContext) -> dict[str, str] | None:
    if header.settings.tax_amount_on == "items":
        return None
    currency = header.totals.currency
    return {"amount": money.format_amount(header.totals.tax, currency), "currency": currency}


def _line_references(item: LineContext) -> list[dict[str, str]]:
    kind = item.header.settings.reference_types.invoice_line
    header = item.header
    return [reference(kind, f"{header.invoice.id}/{item.number}", header)] if kind else []


# The guide's table "Export Invoices to Rillet", row by row.
HEADER_ROWS: tuple[Row[HeaderContext], ...] = (
    Row("invoice_number", "invoice_number", _invoice_number),
    Row("id", "external_references", references),
    Row("invoice_date", "invoice_date", booking_date),
    Row("due_date", "due_date", _due_day),
    Row(
        "purchase_order_number",
        "purchase_order_number",
        lambda h: h.invoice.purchase_order_number or None,
        FULL,
    ),
    Row("notes", "memo", _memo, FULL),
    Row("customer", "customer_id", lambda h: h.links.customer_id),
    Row("billing_entity", "subsidiary_id", lambda h: h.links.subsidiary_id),
    # Beyond the guide: other fields that Rillet needs.
    Row("used_exchange_rates", "exchange_rate", posted_exchange_rate, _WITH_EXCHANGE_RATE),
    Row("tax_summary.tax_amount", "tax_amount", _header_tax, TOTALS_ONLY),
    Row("(setting invoice_scope)", "scope", lambda h: h.settings.invoice_scope.value, ALL_SCOPES),
)

# The guide's table "For invoice_lines", row by row.
LINE_ROWS: tuple[Row[LineContext], ...] = (
    Row("group.amount_excluding_tax", "price.amount_per_unit", lambda i: money_field(i.line.net, i), FULL),
    Row("group.products (Rillet Product ID)", "price.product_id", lambda i: i.line.product_id, FULL),
    Row("group.start_at", "revenue.period.start", lambda i: period_day(i, 0)),
    Row("group.end_at", "revenue.period.end", lambda i: period_day(i, 1)),
    Row("tax.category", "tax_rate.type", line_tax_type, FULL),
    Row("tax.percentage", "tax_rate.percentage", lambda i: i.line.rate and i.line.rate.percentage, FULL),
    Row("tax.name", "tax_rate.description", lambda i: i.line.rate and i.line.rate.name, FULL),
    Row("group.products.name", "description", _description),
    # Beyond the guide: other fields that Rillet needs.
    Row("tax.tax_amount", "tax_rate.tax_amount", line_tax, FULL),
    Row("tax_summary.country_code", "tax_rate.country", line_tax_country, FULL),
    Row("(always 1)", "price.quantity", lambda _: 1, FULL),
    # The other two scopes carry totals instead of a price and a tax rate.
    Row("group.amount_excluding_tax", "total_amount", lambda i: money_field(i.line.net, i), TOTALS_ONLY),
    Row("tax.tax_amount", "tax_amount", _item_tax, TOTALS_ONLY),
    Row("group.products (Rillet Product ID)", "product_id", lambda i: i.line.product_id, TOTALS_ONLY),
    Row(
        "group.lines.meter_value",
        "quantity",
        lambda i: i.line.quantity,
        TOTALS_ONLY,
        rule="the usage of a group with one meter, else 1",
    ),
    Row("id", "external_references", _line_references, TOTALS_ONLY),
)


def to_rillet_invoice(
    invoice: Invoice, links: Links, settings: Settings, booked_on: date | None = None
) -> MappedDocument:
    """Map a finalised invoice to Rillet's request, in the scope that the settings name.

    Args:
        invoice: the invoice as Solvimon has it now.
        links: the Rillet ids of its customer, billing entity and products.
        settings: the connection's settings.
        booked_on: the booking date, if its own lies in a closed period.

    Raises:
        NeedsAttention: it cannot be booked as it is; the error names the field and the remedy.
    """
    currency, time_zone = document_currency(invoice), document_time_zone(invoice, settings)
    check_dated(invoice)
    lines = document_lines(invoice, links, settings, currency, time_zone)
    if lines.totals.gross < 0 and settings.negative_invoices == "refuse":
        raise NeedsAttention(
            Code.NEGATIVE_INVOICE,
            f"The invoice has a negative total of {money.format_amount(lines.totals.gross, currency)} "
            f"{currency}, and it is no credit note.",
            "Credit it in Solvimon and issue the amount as a credit note, or set negative_invoices to send "
            "in the settings, then retry.",
        )
    header = HeaderContext(invoice, links, settings, lines.totals, time_zone, booked_on)
    mapped = assemble(header, lines, HEADER_ROWS, LINE_ROWS, settings.invoice_scope)
    return replace(
        mapped, warnings=(*mapped.warnings, *_mailing_warnings(header), *_left_out_fields(header, lines))
    )


def _left_out_fields(header: HeaderContext, lines: Lines) -> list[str]:
    """A note on what the document says and its scope has no field for."""
    invoice, scope = header.invoice, header.settings.invoice_scope
    if scope is InvoiceScope.FULL:
        return []
    rates = {
        f"{money.format_number(r.percentage)} % {r.name}" for r in (each.rate for each in lines.lines) if r
    }
    found = {
        f"the notes ({' '.join(invoice.notes)[:100]})": any(invoice.notes),
        f"the purchase order number ({invoice.purchase_order_number})": bool(invoice.purchase_order_number),
        f"the tax rates ({', '.join(sorted(rates))})": bool(rates),
        "the exchange rate": scope is InvoiceScope.AR_ONLY and posted_exchange_rate(header) is not None,
    }
    names = [name for name, present in found.items() if present]
    if not names:
        return []
    return [f"The scope {scope} has no field for {', '.join(names)}: Rillet does not have what it says."]


def _mailing_warnings(header: HeaderContext) -> list[str]:
    if header.settings.invoice_scope is not InvoiceScope.FULL or not header.links.customer_is_mailed:
        return []
    return [
        "Rillet mails this customer's invoices automatically; Solvimon has sent this one already. Switch "
        "send_invoices_automatically off in Rillet, so that no second one is sent."
    ]
