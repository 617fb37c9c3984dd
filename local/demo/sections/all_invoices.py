"""All invoices of both connections, worked off in the background."""

import time

from local.books_check.audit import audit
from local.demo import tables
from local.demo.context import Context, Numbers, Section
from local.system import Connection


def _run(context: Context) -> Numbers:
    connections = list(context.system.connections.values())
    drafts = {connection.name: _draft_ids(connection) for connection in connections}
    count = sum(map(len, drafts.values()))
    by_name = " and ".join(f"{len(ids)} of {name}" for name, ids in drafts.items())
    context.console.say(
        f"{count} more are set FINAL, {by_name}. From here on workers take the queue's messages as Lambda "
        "does."
    )
    started, calls = time.monotonic(), _calls_of_all(connections)
    context.work()
    for connection in connections:
        for invoice in drafts[connection.name]:
            context.finalise(invoice, connection)
    webhooks = context.deliver_webhooks()
    context.until(context.settled, "The export of all invoices")
    seconds, calls = time.monotonic() - started, _calls_of_all(connections) - calls
    pairs = audit(context.system).invoices
    for connection in connections:
        own = [pair for pair in pairs if pair.connection == connection.name]
        context.console.note(
            f"{connection.name}, into Rillet's {connection.organisation.document['trade_name']}"
        )
        context.console.show(tables.invoices(own, context.features, narrow=context.console.narrow))
        context.console.say("")
    context.shown |= {pair.solvimon.id for pair in pairs}
    refused = sum(connection.organisation.counts.refused for connection in connections)
    context.console.say(
        f"{count} invoices took {seconds:.1f} s, {len(webhooks)} webhooks and {calls} calls to Rillet, of "
        f"which {refused} were refused for their pace."
    )
    context.console.note(
        "Rillet gives invoices of scope FULL numbers of its own series; the ledger keeps both numbers."
    )
    return {}


def _draft_ids(connection: Connection) -> list[str]:
    with connection.platform.lock:
        invoices = connection.platform.records["invoices"].values()
        return [invoice["id"] for invoice in invoices if invoice["status"] != "FINAL"]


def _calls_of_all(connections: list[Connection]) -> int:
    return sum(connection.organisation.counts.calls for connection in connections)


SECTION = Section("All invoices, both sides next to each other", _run)
