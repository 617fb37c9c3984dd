"""What the tests of the imports share."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from local.fake_solvimon.calls import Call
from local.system import Connection, LocalSystem
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.support.arrange import die
from tests.support.interposed import after_call, before_call

Json = dict[str, Any]

FIELDS = {
    "customers": ("rillet_customer_id", "CUSTOMER"),
    "products": ("rillet_product_id", "PRODUCT"),
    "subsidiaries": ("rillet_subsidiary_id", "BILLING_ENTITY"),
}
COLLECTIONS = {"customers": "customers", "products": "products", "subsidiaries": "billing-entities"}
OUTCOMES = ("created", "updated", "archived", "unchanged", "skipped", "proposed", "failed")


def rillet_id(number: int) -> str:
    """The Rillet id of the row with this number."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def customer(number: int = 1, **more: Any) -> Json:
    """A Rillet customer."""
    return {
        "id": rillet_id(number),
        "name": f"Customer {number}",
        "emails": [{"email": f"books{number}@customer.example", "type": "MAIN_SENDER"}],
        "address": {
            "line1": f"Kade {number}",
            "line2": "Unit 4",
            "city": "Rotterdam",
            "state": "ZH",
            "zip_code": "3011 XD",
            "country": "NL",
        },
        "external_references": [],
        **more,
    }


def customers(count: int) -> list[Json]:
    """The first so many Rillet customers."""
    return [customer(number) for number in range(1, count + 1)]


def product(number: int = 1, **more: Any) -> Json:
    """A Rillet product."""
    return {
        "id": rillet_id(number),
        "name": f"Product {number}",
        "description": f"What product {number} is",
        **more,
    }


def subsidiary(number: int = 1, **more: Any) -> Json:
    """A Rillet subsidiary."""
    return {
        "id": rillet_id(number),
        "trade_name": f"Tideway {number} B.V.",
        "currency": "EUR",
        "timezone": "Europe/Amsterdam",
        **more,
    }


def connect(
    system: LocalSystem,
    name: str = "default",
    *,
    solvimon: dict[str, list[Json]] | None = None,
    settings: Json | None = None,
    **rillet: list[Json],
) -> Connection:
    """A connection whose requests to Rillet need not wait for a turn."""
    system.rillet.state.rate_limit = 100_000
    loose = {"rillet": {"pacing": {"requests": 1000, "window_seconds": 1, "margin_seconds": 0}}}
    return system.connect(name, {**loose, **(settings or {})}, solvimon=solvimon, rillet=dict(rillet))


def run(system: LocalSystem, kind: str = "customers", **event: object) -> Json:
    """Invoke an import and return its answer."""
    answer: Json = system.invoke(f"import_{kind}", event)
    return answer


def counts(answer: Json) -> Json:
    """What became of the rows, as far as there were any."""
    return {name: answer[name] for name in OUTCOMES if answer[name]}


def in_solvimon(connection: Connection, kind: str = "customers") -> list[Json]:
    """The records that Solvimon has."""
    return list(connection.platform.records[COLLECTIONS[kind]].values())


def linked(connection: Connection, number: int = 1, kind: str = "customers") -> Json:
    """The only record in Solvimon that is linked to a row."""
    field, _ = FIELDS[kind]
    [found] = [
        record
        for record in in_solvimon(connection, kind)
        for value in record.get("custom_fields", [])
        if (value["reference"], value["value"]) == (field, rillet_id(number))
    ]
    return found


def writes(system: LocalSystem) -> list[Call]:
    """The calls that were to change something in Solvimon."""
    calls = system.solvimon.state.calls
    return [call for call in calls if call.method != "GET" and not call.path.endswith("/search")]


def listings(system: LocalSystem) -> int:
    """How many pages Rillet was asked for."""
    return len([call for call in system.rillet.state.calls if call.method == "GET"])


def body(call: Call) -> Json:
    """The body of a call to Solvimon."""
    sent: Json = json.loads(call.body)
    return sent


def forget_calls(system: LocalSystem) -> None:
    """Start to count calls again."""
    system.solvimon.state.calls.clear()
    system.rillet.state.calls.clear()


def definition(kind: str = "customers", **more: Any) -> Json:
    """The custom field definition that holds the Rillet ids."""
    reference, resource_type = FIELDS[kind]
    return {
        "id": f"cufi_{kind}",
        "object_type": "CUSTOM_FIELD",
        "reference": reference,
        "name": "Rillet ID",
        "resource_type": resource_type,
        "type": "STRING",
        "multiple_values": False,
        "unique_value": True,
        **more,
    }


def value(number: int, kind: str = "customers") -> list[Json]:
    """A record's custom field with the Rillet id of a row."""
    reference, _ = FIELDS[kind]
    return [{"id": f"cufi_{kind}", "reference": reference, "value": rillet_id(number)}]


def edit(connection: Connection, number: int = 1, kind: str = "customers", **more: Any) -> None:
    """Edit a row in Rillet."""
    rows = getattr(connection.organisation, kind)
    record = rows.get(rillet_id(number))
    rows.replace(record.id, {**record.document, **more})


def before_create(monkeypatch: pytest.MonkeyPatch, act: Callable[[str, Json], object]) -> None:
    """Do something just before Solvimon is asked to create a record: with its collection and its body."""
    before_call(
        monkeypatch, SolvimonClient, "create", lambda _, collection, payload, __: act(collection, payload)
    )


def answer_with_drafts(monkeypatch: pytest.MonkeyPatch, connection: Connection) -> None:
    """Let Solvimon create products as drafts, although it is asked for active ones."""
    original = SolvimonClient.create

    def create(client: SolvimonClient, collection: str, payload: Json, key: str) -> Json:
        made = original(client, collection, payload, key)
        if collection == "products":
            made["status"] = connection.platform.records["products"][made["id"]]["status"] = "DRAFT"
        return made

    monkeypatch.setattr(SolvimonClient, "create", create)


def before_page(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], object]) -> None:
    """Do something just before Rillet is asked for a page."""
    before_call(monkeypatch, RilletClient, "customer_rows", lambda *_: act(), number)


def die_at(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, call: int, *, after: bool) -> None:
    """End the function's process at a call of a method, once: before it, or when it is done."""
    (after_call if after else before_call)(monkeypatch, owner, method, die, call)


def csv_rows(system: LocalSystem, key: str) -> list[Json]:
    """The rows of a file in the bucket, as a spreadsheet reads them."""
    bucket = system.deployment.outputs["ReportBucketName"]
    content = system.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def existing(number: int = 1, **more: object) -> Json:
    """A customer that a person made in Solvimon, without link, like the Rillet customer of this number."""
    return {
        "id": f"cust_{number}",
        "type": "ORGANIZATION",
        "status": "ACTIVE",
        "reference": f"crm-{number}",
        "organization": {"legal_name": f"CUSTOMER {number} B.V."},
        **more,
    }
