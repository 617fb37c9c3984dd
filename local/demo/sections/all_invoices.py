"""All invoices of both connections, worked off in the background."""

import time

from local.demo import tables
from local.demo.audit import audit
from local.demo.stage import Numbers, Section, Stage
from local.system import Connection


def _tell(stage: Stage) -> Numbers:
    connections = list(stage.system.connections.values())
    drafts = {connection.name: _drafts(connection) for connection in connections}
    count = sum(map(len, drafts.values()))
    by_name = " and ".join(f"{len(ids)} of {name}" for name, ids in drafts.items())
    stage.screen.say(
        f"{count} more are set FINAL, {by_name}. From here on workers take the queue's messages as Lambda "
        "does."
    )
    started, calls = time.monotonic(), _calls(connections)
    stage.work()
    for connection in connections:
        for invoice in drafts[connection.name]:
            stage.finalise(invoice, connection)
    webhooks = stage.deliver_webhooks()
    stage.until(stage.settled, "The export of all invoices")
    seconds, calls = time.monotonic() - started, _calls(connections) - calls
    pairs = audit(stage.system).pairs
    for connection in connections:
        own = [pair for pair in pairs if pair.connection == connection.name]
        stage.screen.note(
            f"{connection.name}, into Rillet's {connection.organisation.document['trade_name']}"
        )
        stage.screen.show(tables.invoices(own, stage.features, narrow=stage.screen.narrow))
        stage.screen.say("")
    stage.shown |= {pair.id for pair in pairs}
    refused = sum(connection.organisation.counts.refused for connection in connections)
    stage.screen.say(
        f"{count} invoices took {seconds:.1f} s, {len(webhooks)} webhooks and {calls} calls to Rillet, of "
        f"which {refused} were refused for their pace."
    )
    stage.screen.note(
        "Rillet gives invoices of scope FULL numbers of its own series; the ledger keeps both numbers."
    )
    return {}


def _drafts(connection: Connection) -> list[str]:
    with connection.platform.lock:
        invoices = connection.platform.records["invoices"].values()
        return [invoice["id"] for invoice in invoices if invoice["status"] != "FINAL"]


def _calls(connections: list[Connection]) -> int:
    return sum(connection.organisation.counts.calls for connection in connections)


SECTION = Section("All invoices, both sides next to each other", _tell)
