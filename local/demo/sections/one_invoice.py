"""One invoice, step by step: nothing moves on before it has been looked at."""

from decimal import Decimal

from local import sample_data
from local.books_check.audit import audit
from local.demo import tables
from local.demo.context import Context, Json, Numbers, Section


def _run(context: Context) -> Numbers:
    context.console.say("An invoice is set FINAL in Solvimon; its webhook sets everything in motion.")
    invoice_id = sample_data.invoice_id("first")
    number = context.finalise(invoice_id)
    gross = _gross(context.connection.platform.invoice(invoice_id))
    [webhook] = context.deliver_webhooks()
    seen = [
        ("Solvimon", f"{number} is FINAL, for {gross}"),
        ("webhook", f"{webhook.event.action} to {_path(webhook.url)}, signed; answer {webhook.status}"),
        ("bus", "; ".join(f"event “{event['detail-type']}”" for event in context.events(invoice_id))),
        ("queue", f"{context.waiting()} message waits for export_invoice"),
    ]
    context.system.deliver("export_invoice")
    record = context.record(invoice_id)
    seen.append(
        (
            "export_invoice",
            f"the ledger says {record.get('state', 'nothing')}, {context.waiting()} messages left",
        )
    )
    [pair] = (pair for pair in audit(context.system).pairs if pair.solvimon.id == invoice_id)
    for booked in pair.rillet:
        amounts = booked.amounts
        amounts_text = f"{amounts.net:,} + {amounts.tax:,} tax = {amounts.gross:,} {amounts.currency}"
        seen.append(("Rillet", f"{booked.number}: {amounts_text}"))
    seen.append(("Solvimon", f"shows Rillet's number: {_shown_number(context, invoice_id)}"))
    context.deliver_webhooks()  # about our own write in Solvimon; nothing follows from it
    context.console.show(tables.steps(seen))
    context.expect(pair.exported, f"{number} did not arrive step by step.")
    return {}


def _shown_number(context: Context, invoice_id: str) -> str:
    fields = context.connection.platform.invoice(invoice_id).get("custom_fields", ())
    return next((each["value"] for each in fields if each["reference"] == "rillet_invoice_number"), "none")


def _gross(invoice: Json) -> str:
    amount = invoice["invoice_amount_including_tax"]
    return f"{Decimal(amount['quantity']):,} {amount['currency']}"


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


SECTION = Section("One invoice, step by step", _run)
