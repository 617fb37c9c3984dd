"""A row is looked for before it is created: nothing is doubled, and what a person keeps in Solvimon stays."""

from copy import deepcopy
from typing import Any

import pytest
import requests

from local.system import Connection, LocalSystem
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.solvimon.client import SolvimonClient
from tests.integration.imports.support import (
    Json,
    connect,
    counts,
    customer,
    definition,
    edit,
    in_solvimon,
    linked,
    rillet_id,
    run,
    value,
    writes,
)
from tests.support.arrange import configure
from tests.support.interposed import before_call


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
    edit(connection, name="Renamed")

    answer = run(system)

    assert counts(answer) == {"updated": 1}
    assert len(in_solvimon(connection)) == 1
    assert linked(connection)["reference"] == "renamed-by-hand"


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
    left = iter(range(refusals))

    def refuse(*_: object, **filters: str) -> None:
        if "custom_field" in filters and next(left, None) is not None:
            raise NeedsAttention(Code.REFUSED_BY_SOLVIMON, "INVALID_FIELD", "Import again.")

    before_call(monkeypatch, SolvimonClient, "find_all", refuse)

    answer = run(system)

    assert counts(answer) == outcome
    assert len(in_solvimon(connection)) == 1


def referring(system: str, identifier: str) -> Json:
    """A Rillet customer that refers to a record of another system."""
    return customer(external_references=[{"type": system, "id": identifier}])


MINE = existing(reference="mine")
LINKS: dict[str, tuple[list[Json], list[Json], Json, int]] = {
    "the Rillet id as reference": ([existing(reference=rillet_id(1))], [customer()], {"updated": 1}, 1),
    "what Rillet's customer refers to": (
        [MINE],
        [referring("solvimon_customer_id", "cust_1")],
        {"updated": 1},
        1,
    ),
    "no reference of another system": (
        [MINE],
        [referring("hubspot_company_id", "cust_1")],
        {"created": 1},
        2,
    ),
    "no record that is gone": ([], [referring("solvimon_customer_id", "cust_gone")], {"created": 1}, 1),
    "no name": ([MINE], [customer(1), customer(2, name="Customer 1")], {"created": 2}, 3),
}


@pytest.mark.parametrize("by", LINKS)
def test_then_a_row_is_linked_by_ids_only(system: LocalSystem, by: str) -> None:
    solvimon, rillet, outcome, records = deepcopy(LINKS[by])
    connection = world(system, solvimon, rillet)
    configure(system, connection, matching="create")

    answer = run(system)

    assert counts(answer) == outcome
    assert len(in_solvimon(connection)) == records
    assert (linked(connection)["id"] == "cust_1") is ("updated" in outcome)
    assert linked(connection)["email"] == "books1@customer.example"


def test_a_record_that_belongs_to_another_rillet_customer_is_left_alone(system: LocalSystem) -> None:
    mine = existing(reference="mine", custom_fields=value(7))
    connection = world(system, [mine], [referring("solvimon_customer_id", "cust_1")])

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


def test_a_customer_into_which_a_linked_one_was_merged_is_proposed_and_not_created_a_second_time(
    system: LocalSystem,
) -> None:
    connection = world(system, [existing(reference=rillet_id(1))], [customer()])
    run(system)
    survivor = {**customer(), "id": rillet_id(2), "name": "CUSTOMER 1"}
    connection.organisation.customers.add(survivor)
    connection.organisation.merge_customer(rillet_id(1), rillet_id(2))

    answers = [run(system), run(system)]
    listed = system.invoke("link_records", {"list": "customers", "only": "proposed"})
    accepted = system.invoke("link_records", {"accept": "all", "kind": "customer"})
    after = run(system)

    assert [counts(answer) for answer in answers] == [{"proposed": 1}] * 2
    assert [(row["solvimon_id"], row["rillet_id"]) for row in listed["rows"]] == [("cust_1", rillet_id(2))]
    assert [row["outcome"] for row in accepted["results"]] == ["linked"]
    assert linked(connection, 2)["id"] == "cust_1"
    assert counts(after) in ({"updated": 1}, {"unchanged": 1})
    assert len(in_solvimon(connection)) == 1


def test_a_customer_that_is_like_a_linked_one_which_rillet_still_has_is_created(system: LocalSystem) -> None:
    """Two companies may share an e-mail address."""
    connection = world(system, [existing(reference=rillet_id(1))], [customer()])
    run(system)
    connection.organisation.customers.add({**customer(), "id": rillet_id(2)})

    assert counts(run(system)) == {"unchanged": 1, "created": 1}


@pytest.mark.parametrize("kept", ["archived", "erased", "erased with its links"])
def test_an_import_leaves_an_erased_or_archived_customer_alone(system: LocalSystem, kept: str) -> None:
    connection = world(system, [existing(reference=rillet_id(1))], [customer()])
    run(system)
    before = linked(connection)
    if kept == "archived":
        connection.platform.records["customers"][before["id"]]["status"] = "ARCHIVED"
    else:
        connection.platform.forget_customer(before["id"], keep_links=kept == "erased")
        system.settle()
    left = deepcopy(connection.platform.records["customers"][before["id"]])
    connection.organisation.edit_customer(rillet_id(1), name="Another name")

    answers = [run(system), run(system, recheck=True)]

    assert [counts(answer) for answer in answers] == [{"skipped": 1}] * 2
    assert connection.platform.records["customers"] == {before["id"]: left}
    for answer in answers:
        [note] = answer["notes"]
        assert f"{kept.split()[0]} in Solvimon and is left as it is" in note
        assert rillet_id(1) in str(answer["notes"])


def test_an_erased_customer_is_not_created_again_after_solvimon_deleted_it(system: LocalSystem) -> None:
    connection = world(system, [existing(reference=rillet_id(1))], [customer()])
    run(system)
    erased = linked(connection)["id"]
    connection.platform.forget_customer(erased)
    run(system, recheck=True)
    del connection.platform.records["customers"][erased]

    answer = run(system, recheck=True)

    assert counts(answer) == {"skipped": 1}
    assert connection.platform.records["customers"] == {}
    remembered = [item for item in system.ledger() if "#link-erased#" in item["pk"]]
    assert remembered
    assert erased not in str(remembered)


def test_a_person_keeps_the_name_and_address_that_solvimon_has(system: LocalSystem) -> None:
    individual = {"name": {"first_name": "Ann", "last_name": "Quay"}}
    person = existing(type="INDIVIDUAL", reference=rillet_id(1), individual=individual)
    del person["organization"]
    connection = world(system, [person], [customer()])

    answer = run(system)

    found = linked(connection)
    assert "organization" not in found
    assert (found["individual"], found["email"]) == (individual, "books1@customer.example")
    assert any("In Solvimon this is an individual" in note for note in answer["notes"])


def test_what_an_import_wrote_is_remembered_for_the_export_and_the_sync(system: LocalSystem) -> None:
    connection = connect(system, customers=[customer(send_invoices_automatically=True)])

    run(system)

    link = system.ledger_item(f"default#link-customer#{linked(connection)['id']}", "RECORD")
    assert link is not None
    assert (link["rillet_id"], link["mailed"]) == (rillet_id(1), True)
    assert len(link["synced_hash"]) == len(link["imported_hash"]) == 64
    assert "expires_at" not in link


def test_what_an_import_wrote_does_not_go_back_to_rillet(system: LocalSystem) -> None:
    """Solvimon's webhook reports the import's own writes; a name that was cut must not replace Rillet's."""
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
