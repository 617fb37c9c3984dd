"""The fields that invoices and credit memos share in Rillet: header, lines, taxes, days."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal

from solvimon_rillet import money
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.dates import local_date, parse_time_zone
from solvimon_rillet.mapping.exchange_rates import exchange_rate
from solvimon_rillet.mapping.field_table import Row, fill
from solvimon_rillet.mapping.lines import DocumentLine, Lines
from solvimon_rillet.mapping.links import Links
from solvimon_rillet.mapping.texts import iso_country
from solvimon_rillet.mapping.totals import Totals, verify_payload_totals
from solvimon_rillet.settings import InvoiceScope, Settings
from solvimon_rillet.solvimon.fields import Moment
from solvimon_rillet.solvimon.models import Invoice

SALES_TAX_COUNTRIES = frozenset({"US", "CA"})
_LAYOUT_OF_2024 = {"amount_excluding_tax": "total", "start_at": "start_date", "end_at": "end_date"}
# A part of a group is the lines of one product; its other fields are the group's.
_FIELDS_OF_LINES = {
    "amount_excluding_tax": "amount_excluding_tax",
    "products (Rillet Product ID)": "product_items (Rillet Product ID)",
}


@dataclass(frozen=True, slots=True)
class HeaderContext:
    """The input of a header's rows: the document, its links and the settings. No I/O."""

    invoice: Invoice
    links: Links
    settings: Settings
    totals: Totals
    time_zone: tzinfo
    booked_on: date | None = None


@dataclass(frozen=True, slots=True)
class LineContext:
    """The input of a line's rows."""

    header: HeaderContext
    line: DocumentLine
    number: int


@dataclass(frozen=True, slots=True)
class MappedDocument:
    """A request for Rillet, its totals, and the source of each field.

    Attributes:
        payload: the request body, money as text.
        totals: net, tax and gross in the document's currency.
        warnings: notes for the user, in plain words.
        origins: the Solvimon field behind each Rillet field.
        explanation: for each item, the group behind it and why it bears its tax.
    """

    payload: dict[str, object]
    totals: Totals
    warnings: tuple[str, ...]
    origins: dict[str, str]
    explanation: tuple[str, ...]


def assemble(
    header: HeaderContext,
    lines: Lines,
    header_rows: Sequence[Row[HeaderContext]],
    line_rows: Sequence[Row[LineContext]],
    scope: InvoiceScope,
) -> MappedDocument:
    """Fill both tables of a document, and check that the payload ties out.

    Raises:
        NeedsAttention: a field cannot be filled, or the payload does not tie out.
    """
    payload, origins = fill(header_rows, header, scope)
    items: list[dict[str, object]] = []
    for number, line in enumerate(lines.lines):
        item, sources = fill(line_rows, LineContext(header, line, number + 1), scope)
        items.append(item)
        paths = _source_paths(set(sources.values()), line)
        origins |= {f"items[{number}].{target}": paths[source] for target, source in sources.items()}
    payload["items"] = items
    verify_payload_totals(payload, lines.totals)
    return MappedDocument(
        payload,
        lines.totals,
        (*lines.warnings, *_currency_warnings(header)),
        origins,
        tuple(map(_explanation, lines.lines)),
    )


def document_time_zone(invoice: Invoice, settings: Settings) -> tzinfo:
    """The time zone of a document's days: its own, else its billing entity's.

    Raises:
        NeedsAttention: the time zone is not known.
    """
    entity = invoice.billing_entity
    return parse_time_zone(invoice.timezone or (entity.timezone if entity else None), settings.time_zones)


def document_day(invoice: Invoice, settings: Settings) -> date | None:
    """The date of a document, in its own time zone."""
    if invoice.invoice_date is None:
        return None
    return local_date(invoice.invoice_date, document_time_zone(invoice, settings))


def check_dated(invoice: Invoice) -> None:
    """Raise ``NeedsAttention`` for a document without a date."""
    if invoice.invoice_date is None:
        raise NeedsAttention(
            Code.DATE_MISSING, "The invoice has no invoice_date.", "Set its date in Solvimon, then retry."
        )


def references(header: HeaderContext) -> list[dict[str, str]]:
    """The document's own references: Solvimon's id under each type, with a link to it in Solvimon Desk."""
    return [
        reference(kind, header.invoice.id, header) for kind in header.settings.reference_types.invoice_types
    ]


def reference(kind: str, identifier: str, header: HeaderContext) -> dict[str, str]:
    """One reference with the link to the document in Solvimon Desk; CUSTOMER_CUSTOM requires a link."""
    link = header.settings.solvimon.invoice_link(header.invoice.id)
    return {"type": kind, "id": identifier, **({"url": link} if link else {})}


def iso_day(moment: Moment | None, header: HeaderContext) -> str | None:
    """The day of a timestamp in the document's time zone, in Rillet's form (YYYY-MM-DD)."""
    return None if moment is None else local_date(moment, header.time_zone).isoformat()


def booking_date(header: HeaderContext) -> str | None:
    """The day to book on: the document's own, unless its period is closed."""
    return header.booked_on.isoformat() if header.booked_on else iso_day(header.invoice.invoice_date, header)


def true_date_note(header: HeaderContext) -> str:
    """A note with the true date of a document that is booked on another day; else empty."""
    if header.booked_on is None:
        return ""
    dated = iso_day(header.invoice.invoice_date, header)
    return f"Dated {dated}; booked on {header.booked_on}, the first open day."


def noted_description(item: LineContext) -> str:
    """A line's text. The first line adds the document's true date, for documents without a memo field."""
    note = true_date_note(item.header) if item.number == 1 else ""
    return f"{item.line.description} ({note})" if note else item.line.description


def posted_exchange_rate(header: HeaderContext) -> dict[str, str] | None:
    """The rate from document to subsidiary currency, if they differ and Solvimon states one."""
    base, target = header.totals.currency, header.links.subsidiary_currency
    if target is None or target == base:
        return None
    rate = exchange_rate(header.invoice, base, target).rate
    if rate is None:
        return None
    return {
        "base": base,
        "target": target,
        "rate": money.exact_number(rate),
        "date": str(booking_date(header)),
    }


def money_field(amount: Decimal, item: LineContext) -> dict[str, str]:
    """An amount in Rillet's form, in the document's currency."""
    currency = item.header.totals.currency
    return {"amount": money.format_amount(amount, currency), "currency": currency}


def line_tax(item: LineContext) -> dict[str, str] | None:
    """The line's tax amount, if it has a tax rate."""
    return money_field(item.line.tax, item) if item.line.rate else None


def tax_country(header: HeaderContext) -> str:
    """The country of the taxes (ISO 3166): the tax summary's, else the billing entity's, else the setting's.

    VAT's own spelling is turned into ISO's.

    Raises:
        NeedsAttention: none of them names it.
    """
    summary, entity = header.invoice.tax_summary, header.invoice.billing_entity
    address = entity.registered_address if entity else None
    country = (
        iso_country(summary.country_code if summary else None)
        or iso_country(address.country if address else None)
        or iso_country(header.settings.tax_country)
    )
    if country:
        return country
    raise NeedsAttention(
        Code.TAX_COUNTRY_MISSING,
        "Neither the invoice's tax summary nor its billing entity names the country of the tax.",
        "Give the billing entity an address in Solvimon, or set tax_country in the settings, then retry.",
    )


def line_tax_country(item: LineContext) -> str | None:
    """The country of the line's tax, if it has a tax rate."""
    return tax_country(item.header) if item.line.rate else None


def line_tax_type(item: LineContext) -> str | None:
    """The tax type, VAT or SALES_TAX (Rillet has these two): by the settings' table, else by country."""
    rate = item.line.rate
    if rate is None:
        return None
    country = tax_country(item.header)
    table = {_iso_key(key): value for key, value in item.header.settings.tax_types.items()}
    for key in (f"{country}:{rate.category}", rate.category, country):
        if table.get(key, "none") != "none":
            return table[key]
    return "SALES_TAX" if country in SALES_TAX_COUNTRIES else "VAT"


def _iso_key(key: str) -> str:
    """A key of the setting ``tax_types`` with its country in ISO's spelling."""
    country, colon, category = key.partition(":")
    return f"{iso_country(country) or country}{colon}{category}"


def period_day(item: LineContext, which: int) -> str | None:
    """The first (0) or last (1) day of the line's service."""
    return item.line.period[which].isoformat() if item.line.period else None


def _source_paths(sources: Collection[str], line: DocumentLine) -> dict[str, str]:
    """The paths of rows' Solvimon fields in this document."""
    path, _, lines = line.path.partition(".lines[")
    is_old = path.startswith("groups")
    special = {"products (Rillet Product ID)": line.product_from, "products.name": line.described_by}
    paths = {}
    for source in sources:
        record_part, _, field = source.partition(".")
        paths[source] = source
        if record_part == "tax":
            paths[source] = f"{line.tax_path}.{field}" if line.tax_path else "(no tax)"
        elif record_part == "group":
            field = special.get(field, field)
            if lines and field in _FIELDS_OF_LINES:
                paths[source] = f"{line.path}.{_FIELDS_OF_LINES[field]}"
            elif field.startswith("("):
                paths[source] = field
            else:
                paths[source] = f"{path}.{_LAYOUT_OF_2024.get(field, field) if is_old else field}"
    return paths


def _explanation(line: DocumentLine) -> str:
    rate = f"{money.format_number(line.rate.percentage)} % {line.rate.name}" if line.rate else "no tax rate"
    return f"{line.path}: {money.format_number(line.net)} with {rate}. {line.reason}"


def _currency_warnings(header: HeaderContext) -> list[str]:
    currency, subsidiary_currency = header.totals.currency, header.links.subsidiary_currency
    if not subsidiary_currency or subsidiary_currency == currency:
        return []
    found = exchange_rate(header.invoice, currency, subsidiary_currency)
    if found.rate is not None:
        return []
    return [
        f"The invoice is in {currency}, the subsidiary's books are in {subsidiary_currency}, and "
        f"{found.problem}; Rillet uses its own."
    ]
