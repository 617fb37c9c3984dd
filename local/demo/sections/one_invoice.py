"""One invoice, step by step: nothing moves on before it has been looked at."""

from decimal import Decimal

from local import sample_data
from local.demo import tables
from local.demo.audit import audit
from local.demo.stage import Json, Numbers, Section, Stage


def _tell(stage: Stage) -> Numbers:
    stage.screen.say("An invoice is set FINAL in Solvimon; its webhook sets everything in motion.")
    invoice_id = sample_data.invoice_id("first")
    number = stage.finalise(invoice_id)
    gross = _gross(stage.connection.platform.invoice(invoice_id))
    [webhook] = stage.deliver_webhooks()
    seen = [
        ("Solvimon", f"{number} is FINAL, for {gross}"),
        ("webhook", f"{webhook.event.action} to {_path(webhook.url)}, signed; answer {webhook.status}"),
        (
            "bus",
            "; ".join(f"event “{event['detail-type']}”" for event in stage.events(invoice_id)),
        ),
        ("queue", f"{stage.waiting()} message waits for export_invoice"),
    ]
    stage.system.deliver("export_invoice")
    record = stage.record(invoice_id)
    seen.append(
        (
            "export_invoice",
            f"the ledger says {record.get('state', 'nothing')}, {stage.waiting()} messages left",
        )
    )
    [pair] = (pair for pair in audit(stage.system).pairs if pair.id == invoice_id)
    for booked in pair.booked:
        amounts = booked.amounts
        told = f"{amounts.net:,} + {amounts.tax:,} tax = {amounts.gross:,} {amounts.currency}"
        seen.append(("Rillet", f"{booked.number}: {told}"))
    stage.screen.show(tables.steps(seen))
    stage.expect(pair.exported, f"{number} did not arrive step by step.")
    return {}


def _gross(invoice: Json) -> str:
    amount = invoice["invoice_amount_including_tax"]
    return f"{Decimal(amount['quantity']):,} {amount['currency']}"


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


SECTION = Section("One invoice, step by step", _tell)
