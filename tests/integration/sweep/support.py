"""What the tests of the sweep share: a world in which no webhook arrives, and a look at both sides."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from local import sample_data
from local.fake_rillet.calls import Call
from local.system import Connection, LocalSystem
from tests.support.arrange import load
from tests.support.assertions import rillet_invoice
from tests.support.builders import document

Json = dict[str, Any]


def day(system: LocalSystem, back: float = 0) -> str:
    """A moment so many days ago, as Solvimon writes it."""
    moment = datetime.fromtimestamp(system.clock.now(), UTC) - timedelta(days=back)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def silent(system: LocalSystem, name: str = "default", **settings: object) -> Connection:
    """A connection in the demo's world whose webhooks all get lost, on both sides."""
    seed = sample_data.rillet_seed()
    if name != "default":
        seed["organization"] |= {"id": f"org-{name}"}
    made = system.connect(
        name,
        {"fallback_products": sample_data.fallback_products(), **settings},
        solvimon=sample_data.solvimon_seed(),
        rillet=seed,
    )
    system.solvimon.state.webhooks_on = False
    system.rillet.state.webhooks_on = False
    return made


def finalised(
    system: LocalSystem, connection: Connection, *ids: str, back: float = 0, **more: object
) -> None:
    """Finalise small invoices in Solvimon, dated so many days ago."""
    days = {"invoice_date": day(system, back), "due_date": day(system, back)}
    load(connection, *(document(each, "100.00", "21.00", **days, **more) for each in ids))


def sweep(system: LocalSystem, **event: object) -> Json:
    """Invoke the sweep and return what it found in the one connection it swept."""
    answer: Json = system.invoke("sweep", dict(event))
    [swept] = answer["connections"]
    found: Json = swept
    return found


def swept(system: LocalSystem) -> Json:
    """Sweep without trouble, let the workers do what it found, and return what it was."""
    findings = sweep(system)
    assert (findings["stopped"], findings["errors"]) == ([], []), findings
    system.settle()
    found: Json = findings["found"]
    return found


def on_the_bus(system: LocalSystem) -> Counter[str]:
    """How often which document was put on the bus."""
    return Counter(event["detail"]["id"] for event in system.bus_events())


def lose_messages(system: LocalSystem) -> None:
    """Let every message that is on a queue get lost."""
    for queue in system.pollers.queues.values():
        queue.clear()


def rillet_calls(system: LocalSystem) -> list[Call]:
    """The calls that reached Rillet."""
    return list(system.rillet.state.calls)


def state_of(
    system: LocalSystem, document_id: str, kind: str = "invoice", connection: str = "default"
) -> str:
    """The state of a document in the ledger, or an empty text."""
    item = system.ledger_item(f"{connection}#{kind}#{document_id}", "RECORD")
    return str(item["state"]) if item else ""


def same_totals(connection: Connection, *ids: str) -> bool:
    """Whether Rillet has each of these invoices once, with Solvimon's total."""
    return all(
        rillet_invoice(connection, each)["total"]["amount"]
        == connection.platform.invoice(each)["invoice_amount_including_tax"]["quantity"]
        for each in ids
    )


def change(system: LocalSystem, document_id: str, kind: str = "invoice", **facts: object) -> None:
    """Change a record of the ledger past all rules, as a crash would have left it."""
    item = system.ledger_item(f"default#{kind}#{document_id}", "RECORD") or {
        "pk": f"default#{kind}#{document_id}",
        "sk": "RECORD",
        "updated_at": int(system.clock.now()),
        "created_at": int(system.clock.now()),
    }
    item = {name: value for name, value in (item | facts).items() if value is not None}
    item["listed"] = f"default#{kind}#{item['state']}"
    put(system, item)


def put(system: LocalSystem, item: Json) -> None:
    """Write an item of the table."""
    typed = {name: TypeSerializer().serialize(value) for name, value in item.items()}
    system.aws.dynamodb.put_item(TableName=system.deployment.outputs["LedgerTableName"], Item=typed)
