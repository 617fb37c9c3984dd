"""Export invoice: a finalised Solvimon invoice as Rillet takes it (Rillet API v4, Create an invoice)."""

from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.links import Links
from solvimon_rillet.mapping.dates import day, zone
from solvimon_rillet.mapping.exchange_rates import exchange_rate
from solvimon_rillet.mapping.lines import DocumentLine, document_lines
from solvimon_rillet.mapping.proof import prove
from solvimon_rillet.mapping.rows import ALL_SCOPES, FULL, RECORDED, Row, fill
from solvimon_rillet.mapping.totals import Totals, currency_of
from solvimon_rillet.settings import InvoiceScope, Settings
from solvimon_rillet.solvimon.models import Invoice, Moment

SALES_TAX_COUNTRIES = frozenset({"US", "CA"})
_LAYOUT_OF_2024 = {"amount_excluding_tax": "total", "start_at": "start_date", "end_at": "end_date"}
_RATED = frozenset({InvoiceScope.FULL, InvoiceScope.REVENUE_RECOGNITION_ONLY})


@dataclass(frozen=True, slots=True)
class Header:
    """A document with everything that its header needs, answered without I/O."""

    invoice: Invoice
    links: Links
    settings: Settings
    totals: Totals
    where: tzinfo
    booked_on: date | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A line with everything that its item needs."""

    header: Header
    line: DocumentLine
    number: int


@dataclass(frozen=True, slots=True)
class MappedInvoice:
    """What would be sent, what it ties out to, and why.

    Attributes:
        payload: the request body, money as text.
        totals: net, tax and gross in the document's currency.
        warnings: what a person should know, in plain words.
        origins: for each Rillet field, the Solvimon field it came from.
    """

    payload: dict[str, object]
    totals: Totals
    warnings: tuple[str, ...]
    origins: dict[str, str]


def _number(header: Header) -> str | None:
    scope, settings = header.settings.invoice_scope, header.settings
    number = header.invoice.invoice_number or None
    if scope is InvoiceScope.FULL:
        return number if settings.send_invoice_number_in_full_scope else None
    if number:
        return number
    raise NeedsAttention(
        Code.INVOICE_NUMBER_MISSING,
        f"The invoice has no number, which Rillet demands in the scope {scope}.",
        "Finalise the invoice in Solvimon so that it gets its number, then retry.",
    )


def _references(header: Header) -> list[dict[str, str]]:
    reference = {"type": header.settings.reference_types.invoice, "id": header.invoice.id}
    link = header.settings.solvimon.invoice_link(header.invoice.id)
    return [reference | {"url": link} if link else reference]


def _day(moment: Moment | None, header: Header) -> str | None:
    return None if moment is None else day(moment, header.where).isoformat()


def _booking_day(header: Header) -> str | None:
    return header.booked_on.isoformat() if header.booked_on else _day(header.invoice.invoice_date, header)


def _due_day(header: Header) -> str | None:
    """The due date; never before the day of booking, which may be later than the invoice's own."""
    due = _day(header.invoice.due_date, header)
    return max(due, str(_booking_day(header))) if due and header.booked_on else due


def _true_date_note(header: Header) -> str:
    """Says the true date of an invoice that is booked on another day, because its period is closed."""
    if header.booked_on is None:
        return ""
    dated = _day(header.invoice.invoice_date, header)
    return f"Dated {dated}; booked on {header.booked_on}, the first open day."


def _memo(header: Header) -> str | None:
    return "\n".join(filter(None, (*header.invoice.notes, _true_date_note(header)))) or None


def _description(item: Item) -> str:
    """A line's text; where Rillet takes no memo, the first line says an invoice's true date."""
    note = _true_date_note(item.header) if item.number == 1 else ""
    full = item.header.settings.invoice_scope is InvoiceScope.FULL
    return item.line.description if full or not note else f"{item.line.description} ({note})"


def _exchange_rate(header: Header) -> dict[str, str] | None:
    """Document currency to subsidiary currency, where they differ and Solvimon says the rate."""
    base, target = header.totals.currency, header.links.subsidiary_currency
    rate = exchange_rate(header.invoice, base, target) if target else None
    if rate is None or target is None:
        return None
    return {"base": base, "target": target, "rate": money.plain(rate), "date": str(_booking_day(header))}


def _money(amount: Decimal, item: Item) -> dict[str, str]:
    currency = item.header.totals.currency
    return {"amount": money.text(amount, currency), "currency": currency}


def _item_tax(item: Item) -> dict[str, str] | None:
    on_items = item.header.settings.tax_amount_on in {"items", "both"}
    return _money(item.line.tax, item) if on_items else None


def _header_tax(header: Header) -> dict[str, str] | None:
    if header.settings.tax_amount_on == "items":
        return None
    return {
        "amount": money.text(header.totals.tax, header.totals.currency),
        "currency": header.totals.currency,
    }


def _tax_country(header: Header) -> str:
    summary, entity = header.invoice.tax_summary, header.invoice.billing_entity
    address = entity.registered_address if entity else None
    country = (
        (summary.country_code if summary else None)
        or (address.country if address else None)
        or header.settings.tax_country
    )
    if country:
        return country.upper()
    raise NeedsAttention(
        Code.TAX_COUNTRY_MISSING,
        "Neither the invoice's tax summary nor its billing entity names the country of the tax.",
        "Give the billing entity an address in Solvimon, or set tax_country in the settings, then retry.",
    )


def _tax_type(item: Item) -> str | None:
    """VAT or SALES_TAX: Rillet knows these two; the settings' table decides, else the country."""
    rate = item.line.rate
    if rate is None:
        return None
    country, table = _tax_country(item.header), item.header.settings.tax_types
    for key in (f"{country}:{rate.category}", rate.category, country):
        if key in table:
            return table[key]
    return "SALES_TAX" if country in SALES_TAX_COUNTRIES else "VAT"


def _line_references(item: Item) -> list[dict[str, str]]:
    kind = item.header.settings.reference_types.invoice_line
    return [{"type": kind, "id": f"{item.header.invoice.id}/{item.number}"}] if kind else []


def _period_day(item: Item, which: int) -> str | None:
    return item.line.period[which].isoformat() if item.line.period else None


# The guide's table "Export Invoices to Rillet", row by row.
HEADER_ROWS: tuple[Row[Header], ...] = (
    Row("invoice_number", "invoice_number", _number),
    Row("id", "external_references", _references),
    Row("invoice_date", "invoice_date", _booking_day),
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
    # Beyond the guide: what Rillet needs besides.
    Row("used_exchange_rates", "exchange_rate", _exchange_rate, _RATED),
    Row("tax_summary.tax_amount", "tax_amount", _header_tax, RECORDED),
    Row("(setting invoice_scope)", "scope", lambda h: h.settings.invoice_scope.value, ALL_SCOPES),
)

# The guide's table "For invoice_lines", row by row.
LINE_ROWS: tuple[Row[Item], ...] = (
    Row("group.amount_excluding_tax", "price.amount_per_unit", lambda i: _money(i.line.net, i), FULL),
    Row("group.products (Rillet Product ID)", "price.product_id", lambda i: i.line.product_id, FULL),
    Row("group.start_at", "revenue.period.start", lambda i: _period_day(i, 0)),
    Row("group.end_at", "revenue.period.end", lambda i: _period_day(i, 1)),
    Row("tax.category", "tax_rate.type", _tax_type, FULL),
    Row("tax.percentage", "tax_rate.percentage", lambda i: i.line.rate and i.line.rate.percentage, FULL),
    Row("tax.name", "tax_rate.description", lambda i: i.line.rate and i.line.rate.name, FULL),
    Row("group.products.name", "description", _description),
    # Beyond the guide: what Rillet needs besides.
    Row(
        "tax.tax_amount",
        "tax_rate.tax_amount",
        lambda i: _money(i.line.tax, i) if i.line.rate else None,
        FULL,
    ),
    Row(
        "tax_summary.country_code",
        "tax_rate.country",
        lambda i: _tax_country(i.header) if i.line.rate else None,
        FULL,
    ),
    Row("(always 1)", "price.quantity", lambda _: 1, FULL),
    # The other two scopes carry totals instead of a price and a tax rate.
    Row("group.amount_excluding_tax", "total_amount", lambda i: _money(i.line.net, i), RECORDED),
    Row("tax.tax_amount", "tax_amount", _item_tax, RECORDED),
    Row("group.products (Rillet Product ID)", "product_id", lambda i: i.line.product_id, RECORDED),
    Row("(always 1)", "quantity", lambda _: 1, RECORDED),
    Row("id", "external_references", _line_references, RECORDED),
)


def to_rillet_invoice(
    invoice: Invoice, links: Links, settings: Settings, booked_on: date | None = None
) -> MappedInvoice:
    """Map a finalised invoice to Rillet's request, in the scope that the settings name.

    Args:
        invoice: the invoice as Solvimon has it now.
        links: the Rillet ids of its customer, billing entity and products.
        settings: the connection's settings.
        booked_on: the day to book it on, where its own lies in a closed period.

    Raises:
        NeedsAttention: it cannot be booked as it is; the error names the field and the remedy.
    """
    currency = currency_of(invoice)
    where = zone(_zone_name(invoice), settings.time_zones)
    if invoice.invoice_date is None:
        raise NeedsAttention(
            Code.DATE_MISSING, "The invoice has no invoice_date.", "Set its date in Solvimon, then retry."
        )
    lines = document_lines(invoice, links, settings, currency, where)
    header = Header(invoice, links, settings, lines.totals, where, booked_on)
    payload, origins = fill(HEADER_ROWS, header, settings.invoice_scope)
    items: list[dict[str, object]] = []
    for number, line in enumerate(lines.lines):
        item, sources = fill(LINE_ROWS, Item(header, line, number + 1), settings.invoice_scope)
        items.append(item)
        origins |= {f"items[{number}].{target}": _spell(source, line) for target, source in sources.items()}
    payload["items"] = items
    prove(payload, lines.totals)
    warnings = (*lines.warnings, *_warnings(header))
    return MappedInvoice(payload, lines.totals, warnings, origins)


def document_day(invoice: Invoice, settings: Settings) -> date | None:
    """The day that an invoice is dated, in its own time zone."""
    if invoice.invoice_date is None:
        return None
    return day(invoice.invoice_date, zone(_zone_name(invoice), settings.time_zones))


def _zone_name(invoice: Invoice) -> str | None:
    entity = invoice.billing_entity
    return invoice.timezone or (entity.timezone if entity else None)


def _spell(source: str, line: DocumentLine) -> str:
    """A row's Solvimon field as a path in this very document."""
    kind, _, rest = source.partition(".")
    if kind == "group":
        return f"{line.path}.{_LAYOUT_OF_2024.get(rest, rest) if line.path.startswith('groups') else rest}"
    if kind == "tax":
        return f"{line.tax_path}.{rest}" if line.tax_path else "(no tax)"
    return source


def _warnings(header: Header) -> list[str]:
    links, full = header.links, header.settings.invoice_scope is InvoiceScope.FULL
    found = []
    if full and links.customer_is_mailed:
        found.append(
            "Rillet mails this customer's invoices by itself (send_invoices_automatically). Solvimon has "
            "sent this invoice already; switch it off in Rillet to avoid a second one."
        )
    currency, books = header.totals.currency, links.subsidiary_currency
    if books and books != currency and not _exchange_rate(header):
        found.append(
            f"The invoice is in {currency}, the subsidiary's books are in {books}, and Solvimon names no "
            "exchange rate; Rillet uses its own."
        )
    return found
