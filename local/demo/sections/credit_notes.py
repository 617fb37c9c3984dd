"""Credit notes become credit memos in Rillet, each applied to the invoices that it credits."""

from collections.abc import Mapping
from decimal import Decimal

from local import sample_data
from local.books_check.audit import audit
from local.books_check.books import Pair
from local.books_check.records import solvimon_ids
from local.demo import tables
from local.demo.context import Context, Json, Numbers, Section

GOODWILL: Json = {
    "description": "Goodwill for two days without positions",
    "amount": "650.00",
    "tax": {"percentage": "21", "name": "BTW"},
}
"""A credit that copies no invoice (ONE_OFF_CREDIT): more than is open on the first one it names."""
GOODWILL_FOR = ("split-group", "discount")

Open = Mapping[str, Decimal]
"""What is open on invoices, by Rillet's id."""


def _run(context: Context) -> Numbers:
    notes = [
        _credit_demo_invoice(context, name, credit)
        for name, credit in sample_data.credits_to_expect().items()
    ]
    notes.append(_goodwill(context))
    context.console.say(
        f"{len(notes)} credit notes are set FINAL in Solvimon, for invoices that are in Rillet. Each becomes "
        "a credit memo, which a second call applies to what it credits."
    )
    ids = {note["id"] for note in notes}
    before = _open(context)
    context.deliver_webhooks()
    context.until(context.settled, "The export of the credit notes")
    after = _open(context)
    checked = audit(context.system)
    pairs = [pair for pair in checked.credit_notes if pair.solvimon.id in ids]
    context.shown |= ids
    context.console.show(tables.invoices(pairs, context.features, narrow=context.console.narrow))
    context.console.note(
        "Solvimon's credit notes have negative amounts, Rillet's memos positive ones; both are shown as what "
        "the customer gets."
    )
    context.console.say("")
    columns = ("Credit memo", "Applied to", "Amount", "Open before", "Open after")
    rows = [row for pair in pairs for row in _applications(context, pair, before, after)]
    context.console.show(tables.listed(columns, rows, numbers=3))
    webhooks = len(context.deliver_rillet_webhooks())
    context.console.say(
        f"Rillet sent {webhooks} webhooks about it. A credit is no payment: Solvimon's invoices stay as "
        "unpaid as they were."
    )
    return {"credit_memos": len(ids - {finding.solvimon_id for finding in checked.findings})}


def _credit_demo_invoice(context: Context, name: str, credit: Mapping[str, str | None]) -> Json:
    """Credit one of the demo's invoices, whole or in part."""
    note = context.connection.platform.credit(sample_data.invoice_id(name), credit["amount"])
    number = note["credit"]["original_invoice_info"]["invoice_number"]
    context.features[note["id"]] = f"credits {number}: {credit['feature']}"
    return note


def _goodwill(context: Context) -> Json:
    """Give a customer a credit that is for two invoices together."""
    platform = context.connection.platform
    first, *others = (sample_data.invoice_id(name) for name in GOODWILL_FOR)
    customer = platform.invoice(first)["customer_id"]
    note = platform.one_off_credit(customer, [GOODWILL], [first, *others])
    context.features[note["id"]] = f"a one-off for {len(GOODWILL_FOR)} invoices, without product"
    return note


def _open(context: Context) -> Open:
    invoices = context.connection.organisation.invoices.documents()
    return {invoice["id"]: Decimal(invoice["amount_due"]["amount"]) for invoice in invoices}


def _applications(context: Context, pair: Pair, before: Open, after: Open) -> list[tuple[str, ...]]:
    return [
        (
            memo.number,
            _numbers(context, invoice),
            f"{amount:,} {memo.amounts.currency}",
            f"{before[invoice]:,}" if invoice in before else "–",
            f"{after[invoice]:,}",
        )
        for memo in pair.rillet
        for invoice, amount in memo.applied.items()
    ]


def _numbers(context: Context, rillet_id: str) -> str:
    """Rillet's number of an invoice, and Solvimon's."""
    invoice = context.connection.organisation.invoices.get(rillet_id).document
    known = context.connection.platform.records["invoices"]
    ours = [known[id_]["invoice_number"] for id_ in sorted(solvimon_ids(invoice)) if id_ in known]
    return ("\n" if context.console.narrow else ", ").join((invoice["invoice_number"], *ours))


SECTION = Section("Credit notes become credit memos", _run)
