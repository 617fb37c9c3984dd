"""Imports at the same time as each other, as live edits, and as imports of other connections."""

import pytest

from local import sample_data
from local.fake_solvimon.calls import Call
from local.system import LocalSystem
from solvimon_rillet.workflows.imports.setup import ImportSetup
from tests.integration.imports.support import (
    Json,
    before_create,
    body,
    connect,
    counts,
    customers,
    in_solvimon,
    rillet_id,
    run,
    writes,
)
from tests.support.arrange import at_once
from tests.support.interposed import after_call


def test_two_imports_at_the_same_time_create_nothing_twice(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the lease does not keep them apart, as after a long pause of one of them."""
    connection = connect(system, customers=customers(20))
    monkeypatch.setattr("solvimon_rillet.ledger.import_state.ImportState.acquire_lease", lambda *_, **__: 1)
    answers: list[Json] = []

    at_once(2, lambda: answers.append(run(system)))

    assert len(in_solvimon(connection)) == 20
    assert len(connection.platform.records["custom-fields"]) == 1
    assert [answer["failed"] for answer in answers] == [0, 0]
    assert [answer["seen"] for answer in answers] == [20, 20]


def test_a_second_import_is_refused_politely_and_possible_afterwards(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(3), products=[{"id": rillet_id(1), "name": "P"}])
    during: list[Json] = []

    def import_again(collection: str, _payload: Json) -> None:
        if collection == "customers" and not during:
            during.append({})
            during[:] = [run(system), run(system, dry_run=True), run(system, "products")]

    before_create(monkeypatch, import_again)
    monkeypatch.setattr("solvimon_rillet.workflows.imports.page.CONCURRENT_ROWS", 1)

    answer = run(system)

    refused, dry_run, other_kind = during
    assert "Another import of customers has been running since" in refused["error"]
    assert "Wait until it ends" in refused["remedy"]
    assert (refused["seen"], refused["complete"]) == (0, False)
    assert counts(dry_run) == {"created": 3}
    assert counts(other_kind) == {"created": 1}
    assert counts(answer) == {"created": 3}
    assert counts(run(system)) == {"unchanged": 3}


def test_a_run_that_lost_its_lease_to_another_one_stops(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(3))

    def another_takes_it(_: ImportSetup) -> None:
        system.advance(3600)
        held = system.ledger_item("default#import-run#customer", "RECORD") or {}
        system.aws.dynamodb.update_item(
            TableName=system.deployment.outputs["LedgerTableName"],
            Key={"pk": {"S": "default#import-run#customer"}, "sk": {"S": "RECORD"}},
            UpdateExpression="SET run = :other, lease_until = :until",
            ExpressionAttributeValues={
                ":other": {"S": "another"},
                ":until": {"N": str(int(held["lease_until"]) + 7200)},
            },
        )

    after_call(monkeypatch, ImportSetup, "target", another_takes_it, call=1)

    answer = run(system)

    assert "has been running" in answer["error"]
    assert answer["seen"] == 0


def test_an_import_during_live_edits_creates_nothing_twice(system: LocalSystem) -> None:
    """A Solvimon customer that the export has just created in Rillet is linked, not created again."""
    connection = system.connect(
        settings={"fallback_products": sample_data.fallback_products()},
        solvimon=sample_data.solvimon_seed(),
        rillet=sample_data.rillet_seed(),
    )
    invoice = sample_data.invoice_id("new-customer")
    connection.platform.finalise(invoice)
    before = len(in_solvimon(connection))
    [exported] = system.invoke("export_invoice", {"invoice_ids": [invoice]})["results"]

    answer = run(system)

    assert exported["outcome"] == "exported"
    assert len(in_solvimon(connection)) == before
    assert (answer["created"], answer["failed"]) == (0, 0)
    new = connection.platform.records["customers"][connection.platform.invoice(invoice)["customer_id"]]
    assert any(each["reference"] == "rillet_customer_id" for each in new["custom_fields"])


def test_the_key_of_a_create_is_the_same_for_the_same_row_and_no_other(system: LocalSystem) -> None:
    made: list[Call] = []
    for name in ("default", "acme"):
        connect(system, name, customers=customers(2))
        run(system, connection=name)
        made += [call for call in writes(system) if call.path == "/v1/customers"][len(made) :]

    keys = {(call.api_key, body(call)["reference"]): call.idempotency_key for call in made}

    assert len(set(keys.values())) == len(keys) == 4
    assert all(keys.values())


def test_connections_do_not_know_of_each_other(system: LocalSystem) -> None:
    first = connect(system, customers=customers(3))
    second = connect(system, "acme", customers=customers(2))

    run(system, connection="acme")

    assert (len(in_solvimon(first)), len(in_solvimon(second))) == (0, 2)
