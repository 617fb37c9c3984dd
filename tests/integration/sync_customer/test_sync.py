"""Which edits reach Rillet, how often, and why others do not."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.ledger.ledger import Ledger
from solvimon_rillet.mapping.customers import solvimon_customer_hash
from solvimon_rillet.solvimon.master_data import Customer
from tests.integration.export_invoice.support import configure
from tests.integration.sync_customer.support import (
    CUSTOMER,
    IN_RILLET,
    UNLINKED,
    Json,
    edit,
    in_rillet,
    named,
    puts,
    record,
    settled,
    sync,
)


def zeeland(connection: Connection) -> list[Json]:
    """The customers in Rillet that are the unlinked one."""
    found = connection.organisation.customers.documents()
    return [customer for customer in found if customer["name"] == "Zeeland Offshore Crew B.V."]


def ledger(system: LocalSystem) -> Ledger:
    """The product's own ledger, on the table of the local system."""
    table = Table(system.deployment.outputs["LedgerTableName"], system.aws.dynamodb)
    return Ledger(table, system.clock.now)


def test_an_unchanged_customer_costs_no_call(system: LocalSystem, default: Connection) -> None:
    edit(default, **named("One"))
    system.settle()
    calls = len(system.rillet.state.calls)
    edit(default, timezone="Europe/Berlin")

    system.settle()
    [again] = sync(system)

    assert again["outcome"] == "unchanged"
    assert len(system.rillet.state.calls) == calls


def test_an_edit_costs_a_read_and_a_write_once_the_customer_is_known(
    system: LocalSystem, default: Connection
) -> None:
    edit(default, **named("One"))
    system.settle()
    calls = len(system.rillet.state.calls)
    edit(default, **named("Two"))

    system.settle()

    found = [(call.method, call.path) for call in system.rillet.state.calls[calls:]]
    assert found == [("GET", f"/customers/{IN_RILLET}"), ("PUT", f"/customers/{IN_RILLET}")]


def test_a_customer_that_is_the_same_in_rillet_already_is_not_written(
    system: LocalSystem, default: Connection
) -> None:
    edit(default, **named("One"))
    system.settle()
    before = len(puts(system))
    ledger(system).delete_link("default", "customer", CUSTOMER)

    [result] = sync(system)

    assert result["outcome"] == "unchanged"
    assert result["changed"] == []
    assert len(puts(system)) == before


def test_what_an_import_wrote_does_not_go_back(system: LocalSystem, default: Connection) -> None:
    edit(default, **named("As imported"))
    customer = Customer.model_validate(default.platform.records["customers"][CUSTOMER])
    facts = {"rillet_id": IN_RILLET, "imported_hash": solvimon_customer_hash(customer)}
    ledger(system).store_link("default", "customer", CUSTOMER, facts)

    system.settle()

    assert system.rillet.state.calls == []
    assert record(system)["state"] == "synced"


def test_an_edit_after_an_import_does(system: LocalSystem, default: Connection) -> None:
    customer = Customer.model_validate(default.platform.records["customers"][CUSTOMER])
    facts = {"rillet_id": IN_RILLET, "imported_hash": solvimon_customer_hash(customer)}
    ledger(system).store_link("default", "customer", CUSTOMER, facts)
    edit(default, **named("Edited"))

    system.settle()

    assert in_rillet(default)["name"] == "Edited"
    assert len(system.rillet.state.calls) == 2


def test_only_linked_customers_are_synced_where_missing_ones_are_not_to_be_created(
    system: LocalSystem, default: Connection
) -> None:
    configure(system, default, create_missing_customers=False)
    edit(default, UNLINKED, email="new@zeeland.example")

    [result] = sync(system, UNLINKED)
    [would] = sync(system, UNLINKED, dry_run=True)

    assert result["outcome"] == "skipped"
    assert "not linked to a Rillet customer" in result["reason"]
    assert would["outcome"] == "would_skip"
    assert {call.method for call in system.rillet.state.calls} == {"GET"}


def test_a_missing_customer_is_created_where_the_settings_say_so(
    system: LocalSystem, default: Connection
) -> None:
    edit(default, UNLINKED, email="new@zeeland.example")
    [would] = sync(system, UNLINKED, dry_run=True)
    dry = [call.method for call in system.rillet.state.calls]

    system.settle()
    system.settle()

    made = [
        c for c in default.organisation.customers.documents() if c["name"] == "Zeeland Offshore Crew B.V."
    ]
    assert would["outcome"] == "would_sync"
    assert "POST" not in dry
    assert len(made) == 1
    assert made[0]["external_references"] == [{"type": "solvimon_customer_id", "id": UNLINKED}]
    assert made[0]["send_invoices_automatically"] is False
    assert record(system, UNLINKED)["rillet_id"] == made[0]["id"]


def test_a_customer_that_the_sync_creates_is_told_of_and_costs_one_look_up_and_one_write(
    system: LocalSystem, default: Connection
) -> None:
    [result] = sync(system, UNLINKED)
    calls = [(call.method, call.path) for call in system.rillet.state.calls]
    [again] = sync(system, UNLINKED)

    [made] = zeeland(default)
    assert (result["outcome"], result["created"], result["rillet_id"]) == ("synced", True, made["id"])
    assert {"name", "emails", "external_references"} <= set(result["changed"])
    assert calls == [("GET", "/customers"), ("POST", "/customers")]
    assert record(system, UNLINKED)["created"] is True
    assert (again["outcome"], len(system.rillet.state.calls)) == ("unchanged", 2)


def test_an_edit_after_the_creation_is_written(system: LocalSystem, default: Connection) -> None:
    sync(system, UNLINKED)
    edit(default, UNLINKED, email="new@zeeland.example")

    [result] = sync(system, UNLINKED)

    assert result["outcome"] == "synced"
    assert "created" not in result
    assert zeeland(default)[0]["emails"][0]["email"] == "new@zeeland.example"


def test_a_creation_whose_answer_was_lost_makes_one_customer(
    system: LocalSystem, default: Connection
) -> None:
    system.rillet.state.misbehave("commit_then_drop", path="/customers")
    [queued] = sync(system, UNLINKED)

    system.advance(60)
    system.settle()

    assert queued["outcome"] == "queued"
    assert len(zeeland(default)) == 1
    assert record(system, UNLINKED)["rillet_id"] == zeeland(default)[0]["id"]


def test_a_customer_that_refers_to_ours_is_found_without_a_link(
    system: LocalSystem, default: Connection
) -> None:
    configure(system, default, create_missing_customers=False)
    ours = [{"type": "solvimon_customer_id", "id": UNLINKED}]
    default.organisation.edit_customer(IN_RILLET, external_references=ours)
    edit(default, UNLINKED, email="new@zeeland.example")

    system.settle()

    assert in_rillet(default)["name"] == "Zeeland Offshore Crew B.V."


def test_a_customer_that_was_deleted_in_rillet_is_reported(system: LocalSystem, default: Connection) -> None:
    edit(default, **named("One"))
    system.settle()
    default.organisation.customers.remove(IN_RILLET)
    edit(default, **named("Two"))

    [result] = sync(system)
    [would] = sync(system, dry_run=True)

    assert (result["outcome"], result["code"]) == ("rejected", "rillet_record_missing")
    assert IN_RILLET in result["message"]
    assert "custom field" in result["remedy"]
    assert would["outcome"] == "would_reject"


def test_a_corrected_link_is_followed(system: LocalSystem, default: Connection) -> None:
    edit(default, **named("One"))
    system.settle()
    default.organisation.customers.remove(IN_RILLET)
    edit(default, **named("Two"))
    system.settle()
    other = default.organisation.customers.add({"name": "Quay, new"}).id
    field = default.platform.records["customers"][CUSTOMER]["custom_fields"][0]
    edit(default, custom_fields=[field | {"value": other}])

    system.settle()

    assert in_rillet(default, other)["name"] == "Two"


def test_a_link_that_is_taken_away_after_the_deletion_makes_a_new_customer(
    system: LocalSystem, default: Connection
) -> None:
    edit(default, **named("One"))
    system.settle()
    default.organisation.customers.remove(IN_RILLET)
    edit(default, **named("Two"))
    system.settle()
    edit(default, custom_fields=[])

    system.settle()

    made = [c for c in default.organisation.customers.documents() if c["name"] == "Two"]
    assert [c["external_references"][0]["id"] for c in made] == [CUSTOMER]


@pytest.mark.parametrize("link", ["00000000-0000-4000-8000-000000000000", "no-uuid"])
def test_a_link_to_nowhere_is_reported(system: LocalSystem, default: Connection, link: str) -> None:
    default.platform.records["customers"][CUSTOMER]["custom_fields"][0]["value"] = link

    [result] = sync(system)

    assert (result["outcome"], result["code"]) == ("rejected", "rillet_record_missing")


@pytest.mark.parametrize("customer_id", ["cust_unknown", "../invoices/x", "a#b"])
def test_an_unknown_customer_is_rejected(system: LocalSystem, default: Connection, customer_id: str) -> None:
    [result] = sync(system, customer_id)
    [would] = sync(system, customer_id, dry_run=True)

    assert (result["outcome"], result["code"]) == ("rejected", "solvimon_record_missing")
    assert "customer" in result["message"]
    assert "customer" in result["remedy"] or "cust_" in result["remedy"]
    assert "invo" not in result["remedy"]
    assert (would["outcome"], would["code"]) == ("would_reject", "solvimon_record_missing")
    assert system.rillet.state.calls == []


def test_the_workflow_can_be_switched_off(system: LocalSystem, default: Connection) -> None:
    configure(system, default, workflows={"sync_customer": False})
    edit(default, **named("One"))

    system.settle()

    assert record(system)["state"] == "skipped"
    assert "sync_customer is switched off" in record(system)["reason"]
    assert system.rillet.state.calls == []


def test_a_dry_run_shows_the_changes_and_writes_nothing(system: LocalSystem, default: Connection) -> None:
    edit(default, **named("One"))
    before = default.organisation.customers.documents(), system.ledger()

    [would] = sync(system, dry_run=True)

    ledger_now = [item for item in system.ledger() if "#pacer#" not in item["pk"]]
    assert (default.organisation.customers.documents(), ledger_now) == before
    assert {call.method for call in system.rillet.state.calls} == {"GET"}
    assert would["outcome"] == "would_sync"
    assert would["changes"]["name"] == ["Maasvlakte Quay Services B.V.", "One"]
    assert would["changes"].keys() == {"name", "name_on_invoice", "external_references"}
    sync(system)
    assert sync(system, dry_run=True)[0]["outcome"] == "unchanged"


def test_a_refusal_by_rillet_is_reported_and_a_later_edit_goes_on(
    system: LocalSystem, default: Connection
) -> None:
    problem = {"type": "x", "title": "Not this name", "status": 400}
    system.rillet.state.misbehave("status", "PUT", "/customers", status=400, body=problem)
    edit(default, **named("One"))

    [result] = sync(system)
    edit(default, **named("Two"))
    system.settle()

    assert (result["outcome"], result["code"]) == ("rejected", "refused_by_rillet")
    assert "Not this name" in result["message"]
    settled(system, default, "Two")
