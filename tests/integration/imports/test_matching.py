"""A row is looked for before it is created: nothing is doubled, and what a person keeps in Solvimon stays."""

import threading
from typing import Any

import pytest
import requests

from local import sample_data
from local.fake_solvimon.calls import Call
from local.system import Connection, LocalSystem
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.integration.imports.support import (
    Json,
    body,
    connect,
    counts,
    customer,
    customers,
    definition,
    in_solvimon,
    linked,
    rillet_id,
    run,
    value,
    writes,
)


def existing(number: int = 1, **more: Any) -> Json:
    """A customer that was in Solvimon before."""
    return {
        "id": f"cust_{number}",
        "type": "ORGANIZATION",
        "status": "ACTIVE",
        "organization": {"legal_name": f"Customer {number}"},
        **more,
    }


def world(system: LocalSystem, solvimon: list[Json], rillet: list[Json], **field: Any) -> Connection:
    seed = {"custom_fields": [definition(**field)], "customers": solvimon}
    return connect(system, solvimon=seed, customers=rillet)


def test_the_ledgers_link_comes_first(system: LocalSystem) -> None:
    connection = world(system, [], [customer()])
    run(system)
    made = linked(connection)
    made["reference"] = "renamed-by-hand"
    made["custom_fields"] = []
    record = connection.organisation.customers.get(rillet_id(1))
    connection.organisation.customers.replace(record.id, {**record.document, "name": "Renamed"})

    answer = run(system)

    assert counts(answer) == {"updated": 1}
    assert len(in_solvimon(connection)) == 1
    assert linked(connection)["reference"] == "renamed-by-hand"


def test_then_the_record_whose_reference_is_the_rillet_id(system: LocalSystem) -> None:
    connection = world(system, [existing(reference=rillet_id(1))], [customer()])

    answer = run(system)

    assert counts(answer) == {"updated": 1}
    assert linked(connection)["id"] == "cust_1"
    assert linked(connection)["email"] == "books1@customer.example"


@pytest.mark.parametrize("unique", [True, False])
def test_then_the_record_whose_custom_field_holds_it(system: LocalSystem, unique: bool) -> None:
    mine = existing(reference="mine", custom_fields=value(1))
    connection = world(system, [mine], [customer()], unique_value=unique)

    answer = run(system)

    assert counts(answer) == {"updated": 1}
    assert [record["reference"] for record in in_solvimon(connection)] == ["mine"]
    assert any("not unique" in note for note in answer["notes"]) is not unique


def test_a_filter_that_solvimon_does_not_heed_links_nothing(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = world(system, [existing(7, reference="other", custom_fields=value(7))], [customer()])
    original = SolvimonClient.find_all
    monkeypatch.setattr(
        SolvimonClient,
        "find_all",
        lambda self, collection, **filters: original(
            self, collection, **{name: each for name, each in filters.items() if name != "custom_field"}
        ),
    )

    answer = run(system)

    assert counts(answer) == {"created": 1}
    assert linked(connection)["id"] != "cust_7"


@pytest.mark.parametrize(("refusals", "outcome"), [(1, {"updated": 1}), (9, {"failed": 1})])
def test_a_filter_that_solvimon_does_not_take_is_done_without_until_it_matters(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, refusals: int, outcome: Json
) -> None:
    connection = world(system, [existing(reference="mine", custom_fields=value(1))], [customer()])
    original, left = SolvimonClient.find_all, [refusals]

    def find_all(self: SolvimonClient, collection: str, **filters: str) -> list[Json]:
        if "custom_field" in filters and left[0]:
            left[0] -= 1
            raise NeedsAttention(Code.REFUSED_BY_SOLVIMON, "INVALID_FIELD", "Import again.")
        return original(self, collection, **filters)

    monkeypatch.setattr(SolvimonClient, "find_all", find_all)

    answer = run(system)

    assert counts(answer) == outcome
    assert len(in_solvimon(connection)) == 1


def test_then_the_record_that_rillets_customer_refers_to(system: LocalSystem) -> None:
    reference = {"type": "solvimon_customer_id", "id": "cust_1"}
    connection = world(system, [existing(reference="mine")], [customer(external_references=[reference])])

    answer = run(system)

    assert counts(answer) == {"updated": 1}
    assert linked(connection)["id"] == "cust_1"


def test_a_reference_of_another_system_links_nothing(system: LocalSystem) -> None:
    reference = {"type": "hubspot_company_id", "id": "cust_1"}
    connection = world(system, [existing(reference="mine")], [customer(external_references=[reference])])

    answer = run(system)

    assert counts(answer) == {"created": 1}
    assert len(in_solvimon(connection)) == 2


def test_a_reference_to_a_record_that_is_gone_creates_a_new_one(system: LocalSystem) -> None:
    reference = {"type": "solvimon_customer_id", "id": "cust_gone"}
    world(system, [], [customer(external_references=[reference])])

    assert counts(run(system)) == {"created": 1}


def test_customers_with_the_same_name_are_two_customers(system: LocalSystem) -> None:
    connection = world(system, [existing(reference="mine")], [customer(1), customer(2, name="Customer 1")])

    answer = run(system)

    assert counts(answer) == {"created": 2}
    assert len(in_solvimon(connection)) == 3


def test_a_record_that_belongs_to_another_rillet_customer_is_left_alone(system: LocalSystem) -> None:
    reference = {"type": "solvimon_customer_id", "id": "cust_1"}
    mine = existing(reference="mine", custom_fields=value(7))
    connection = world(system, [mine], [customer(external_references=[reference])])

    answer = run(system)

    assert counts(answer) == {"failed": 1}
    [failure] = answer["failures"]
    assert failure["code"] == "linked_elsewhere"
    assert rillet_id(7) in failure["what"]
    assert [call.path for call in writes(system)] == []
    assert in_solvimon(connection) == [{**mine, "object_type": "CUSTOMER"}]


def test_what_a_person_keeps_in_solvimon_stays(system: LocalSystem) -> None:
    own: Json = {
        "timezone": "Europe/Berlin",
        "locale": "nl-NL",
        "status": "DRAFT",
        "organization": {"legal_name": "Old", "tax_id": "NL1", "tax_exempt": True},
    }
    other = definition(id="cufi_crm", reference="crm")
    seed = {
        "custom_fields": [definition(), other],
        "customers": [
            existing(
                reference="mine",
                custom_fields=[*value(1), {"id": "cufi_crm", "reference": "crm", "value": "42"}],
                **own,
            )
        ],
    }
    connection = connect(system, solvimon=seed, customers=[customer()])

    run(system)

    found = linked(connection)
    assert found["organization"]["legal_name"] == "Customer 1"
    assert (found["organization"]["tax_id"], found["organization"]["tax_exempt"]) == ("NL1", True)
    assert (found["timezone"], found["locale"], found["status"]) == ("Europe/Berlin", "nl-NL", "DRAFT")
    assert {each["reference"]: each["value"] for each in found["custom_fields"]} == {
        "rillet_customer_id": rillet_id(1),
        "crm": "42",
    }


def test_an_archived_customer_is_kept_in_step_and_stays_archived(system: LocalSystem) -> None:
    connection = world(system, [existing(reference=rillet_id(1), status="ARCHIVED")], [customer()])

    answer = run(system)

    assert counts(answer) == {"updated": 1}
    assert linked(connection)["status"] == "ARCHIVED"
    assert any("stays so" in note for note in answer["notes"])


def test_a_person_keeps_the_name_and_address_that_solvimon_has(system: LocalSystem) -> None:
    individual = {"name": {"first_name": "Ann", "last_name": "Quay"}}
    person = existing(type="INDIVIDUAL", reference=rillet_id(1), individual=individual)
    del person["organization"]
    connection = world(system, [person], [customer()])

    answer = run(system)

    found = linked(connection)
    assert "organization" not in found
    assert (found["individual"], found["email"]) == (individual, "books1@customer.example")
    assert any("It is a person in Solvimon" in note for note in answer["notes"])


def test_two_imports_at_the_same_time_create_nothing_twice(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the lease does not keep them apart, as after a long pause of one of them."""
    connection = connect(system, customers=customers(20))
    monkeypatch.setattr("solvimon_rillet.ledger.import_state.ImportState.begin", lambda *_, **__: 1)
    answers: list[Json] = []
    threads = [threading.Thread(target=lambda: answers.append(run(system))) for _ in range(2)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(in_solvimon(connection)) == 20
    assert len(connection.platform.records["custom-fields"]) == 1
    assert [answer["failed"] for answer in answers] == [0, 0]
    assert [answer["seen"] for answer in answers] == [20, 20]


def test_a_second_import_is_refused_politely_and_possible_afterwards(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(3), products=[{"id": rillet_id(1), "name": "P"}])
    during: list[Json] = []
    original = SolvimonClient.create

    def create(self: SolvimonClient, collection: str, payload: Json, key: str) -> Json:
        if collection == "customers" and not during:
            during.append({})
            during[:] = [run(system), run(system, dry_run=True), run(system, "products")]
        return original(self, collection, payload, key)

    monkeypatch.setattr(SolvimonClient, "create", create)
    monkeypatch.setattr("solvimon_rillet.workflows.imports.page.AT_ONCE", 1)

    answer = run(system)

    refused, dry_run, other_kind = during
    assert "Another import of customers has been under way since" in refused["error"]
    assert "Wait for its end" in refused["remedy"]
    assert (refused["seen"], refused["complete"]) == (0, False)
    assert counts(dry_run) == {"created": 3}
    assert counts(other_kind) == {"created": 1}
    assert counts(answer) == {"created": 3}
    assert counts(run(system)) == {"unchanged": 3}


def test_a_run_that_lost_its_lease_to_another_one_stops(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(system, customers=customers(3))
    from solvimon_rillet.workflows.imports.setup import ImportSetup

    original = ImportSetup.target

    def target(self: ImportSetup) -> object:
        made = original(self)
        monkeypatch.setattr(ImportSetup, "target", original)
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
        return made

    monkeypatch.setattr(ImportSetup, "target", target)

    answer = run(system)

    assert "under way" in answer["error"]
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


def test_what_an_import_wrote_is_remembered_for_the_export_and_the_sync(system: LocalSystem) -> None:
    connection = connect(system, customers=[customer(send_invoices_automatically=True)])

    run(system)

    link = system.ledger_item(f"default#link-customer#{linked(connection)['id']}", "RECORD")
    assert link is not None
    assert (link["rillet_id"], link["mailed"]) == (rillet_id(1), True)
    assert len(link["synced_hash"]) == len(link["imported_hash"]) == 64
    assert "expires_at" not in link


def test_what_an_import_wrote_does_not_go_back_to_rillet(system: LocalSystem) -> None:
    """Solvimon's webhook tells of the import's own writes; a name that was cut must not replace it."""
    whole = customer(name="A very long name " * 20, name_on_invoice="Another name")
    connection = world(system, [existing(reference=rillet_id(1))], [whole, customer(2)])
    run(system)
    before = [dict(record.document) for record in connection.organisation.customers]

    system.settle()

    events = [event["detail-type"] for event in system.bus_events()]
    assert "Customer Updated" in events
    assert [call for call in system.rillet.state.calls if call.method != "GET"] == []
    assert [record.document for record in connection.organisation.customers] == before


def test_an_edit_in_solvimon_after_an_import_does_go_to_rillet(system: LocalSystem) -> None:
    connection = world(system, [], [customer()])
    run(system)
    system.settle()
    found = linked(connection)
    client = {"X-API-KEY": connection.solvimon_api_key}
    requests.patch(
        f"{system.solvimon.url}/customers/{found['id']}",
        json={"email": "new@customer.example"},
        headers=client,
        timeout=5,
    ).raise_for_status()

    system.settle()
    answer = run(system)

    [record] = connection.organisation.customers
    assert record.document["emails"][0]["email"] == "new@customer.example"
    assert counts(answer) == {"unchanged": 1}
    assert linked(connection)["email"] == "new@customer.example"


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
