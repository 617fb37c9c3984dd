"""All invoices of the demo's world, worked off in the background."""

import time

from local import demo_data
from local.demo import tables
from local.demo.audit import audit
from local.demo.stage import Numbers, Section, Stage


def _tell(stage: Stage) -> Numbers:
    drafts = [
        invoice
        for invoice in demo_data.expected()
        if stage.connection.platform.invoice(invoice)["status"] != "FINAL"
    ]
    stage.screen.say(
        f"{len(drafts)} more are set FINAL. From here on workers take the queue's messages as Lambda does."
    )
    started, calls = time.monotonic(), stage.connection.organisation.counts.calls
    stage.work()
    for invoice in drafts:
        stage.finalise(invoice)
    webhooks = stage.deliver_webhooks()
    stage.until(stage.settled, "The export of all invoices")
    seconds = time.monotonic() - started
    pairs = audit(stage.stack).pairs
    stage.screen.show(tables.invoices(pairs, stage.features, narrow=stage.screen.narrow))
    stage.shown |= {pair.id for pair in pairs}
    counts = stage.connection.organisation.counts
    stage.screen.say(
        f"{len(drafts)} invoices took {seconds:.1f} s, {len(webhooks)} webhooks and {counts.calls - calls} "
        f"calls to Rillet, of which {counts.refused} were refused for their pace."
    )
    stage.screen.note(
        "Rillet gives invoices of scope FULL numbers of its own series; the ledger keeps both numbers."
    )
    return {}


SECTION = Section("All invoices, both sides next to each other", _tell)
