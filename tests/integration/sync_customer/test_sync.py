"""Which edits reach Rillet, how often, and why others do not."""

import pytest

from local.system import Connection, LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.mapping.customers import solvimon_customer_hash
from solvimon_rillet.solvimon.master_data import Customer
from tests.support.arrange import edit, ledger_table, sync
from tests.support.assertions import customer_puts, ledger_without_rate_limit, rillet_customer
from tests.support.builders import DEMO_CUSTOMER, DEMO_CUSTOMER_IN_RILLET, UNLINKED, Json, named
from tests.support.connected import Connected


def named_in_rillet(connection: Connection, name: str = "Zeeland Offshore Crew B.V.") -> list[Json]:
    """The customers in Rillet with this name, which is that of the unlinked customer by default."""
    return [each for each in connection.organisation.customers.documents() if each["name"] == name]


def calls(system: LocalSystem, after: int = 0) -> list[tuple[str, str]]:
    """Method and path of the calls that reached Rillet, but for the first so many."""
    return [(call.method, call.path) for call in system.rillet.state.calls[after:]]


@pytest.fixture
def synced(default: Connected) -> Connected:
    """The customer is synchronised under the name "One"."""
    default.edit_and_settle(**named("One"))
    return default


@pytest.fixture
def deleted(synced: Connected) -> Connected:
    """The same; then the customer is deleted in Rillet and edited in Solvimon."""
    synced.organisation.customers.remove(DEMO_CUSTOMER_IN_RILLET)
    edit(synced, **named("Two"))
    return synced


def ledger(system: LocalSystem) -> Ledger:
    """The product's own ledger, on the table of the local system."""
    return Ledger(ledger_table(system), system.clock.now)


def remember_import(connection: Connected) -> None:
    """Let the ledger have the customer as an import would have written it."""
    customer = Customer.model_validate(connection.platform.records["customers"][DEMO_CUSTOMER])
    facts = {"rillet_id": DEMO_CUSTOMER_IN_RILLET, "imported_hash": solvimon_customer_hash(customer)}
    ledger(connection.system).store_link("default", "customer", DEMO_CUSTOMER, facts)


def test_an_unchanged_customer_costs_no_call(synced: Connected) -> None:
    before = len(calls(synced.system))
    synced.edit_and_settle(timezone="Europe/Berlin")
    [again] = synced.sync()

    assert again["outcome"] == "unchanged"
    assert len(calls(synced.system)) == before


def test_an_edit_costs_a_read_and_a_write_once_the_customer_is_known(synced: Connected) -> None:
    before = len(calls(synced.system))

    synced.edit_and_settle(**named("Two"))

    path = f"/customers/{DEMO_CUSTOMER_IN_RILLET}"
    assert calls(synced.system, before) == [("GET", path), ("PUT", path)]


@pytest.mark.usefixtures("synced")
def test_a_customer_that_is_the_same_in_rillet_already_is_not_written(system: LocalSystem) -> None:
    before = len(customer_puts(system))
    ledger(system).delete_link("default", "customer", DEMO_CUSTOMER)

    [result] = sync(system)

    assert (result["outcome"], result["changed"]) == ("unchanged", [])
    assert len(customer_puts(system)) == before


def test_an_imported_customer_is_not_written_back(default: Connected) -> None:
    edit(default, **named("As imported"))
    remember_import(default)

    default.settle()

    assert default.system.rillet.state.calls == []
    assert default.customer_record()["state"] == "synced"


def test_an_edit_after_an_import_is_written(default: Connected) -> None:
    remember_import(default)

    default.edit_and_settle(**named("Edited"))

    assert rillet_customer(default)["name"] == "Edited"
    methods = [method for method, _ in calls(default.system)]
    assert methods == ["GET", "GET", "PUT"]  # once of the key


def test_only_linked_customers_are_synced_where_missing_ones_are_not_to_be_created(
    default: Connected,
) -> None:
    default.configure(create_missing_customers=False)
    edit(default, UNLINKED, email="new@zeeland.example")

    [result] = default.sync(UNLINKED)
    [would] = default.sync(UNLINKED, dry_run=True)

    assert result["outcome"] == "skipped"
    assert "not linked to a Rillet customer" in result["reason"]
    assert would["outcome"] == "would_skip"
    assert {call.method for call in default.system.rillet.state.calls} == {"GET"}


def test_a_missing_customer_is_created_after_it_is_looked_for_by_reference_and_by_likeness(
    default: Connected,
) -> None:
    edit(default, UNLINKED, email="new@zeeland.example")
    [would] = default.sync(UNLINKED, dry_run=True)
    of_the_dry_run = calls(default.system)
    [result] = default.sync(UNLINKED)
    created = calls(default.system, len(of_the_dry_run))

    [again] = default.sync(UNLINKED)
    default.settle()
    default.settle()

    [made] = named_in_rillet(default)
    assert would["outcome"] == "would_sync"
    assert "POST" not in {method for method, _ in of_the_dry_run}
    of_the_key = ("GET", "/organizations/self")
    looked_for = [("GET", "/customers"), ("GET", "/customers")]
    assert created == [*looked_for, of_the_key, ("POST", "/customers")]
    assert (result["outcome"], result["created"], result["rillet_id"]) == ("synced", True, made["id"])
    assert {"name", "emails", "external_references"} <= set(result["changed"])
    assert made["external_references"] == [{"type": "solvimon_customer_id", "id": UNLINKED}]
    assert made["send_invoices_automatically"] is False
    kept = default.customer_record(UNLINKED)
    assert (kept["rillet_id"], kept["created"]) == (made["id"], True)
    assert again["outcome"] == "unchanged"
    assert calls(default.system, len(of_the_dry_run)) == created


@pytest.mark.parametrize("change", [{"email": "new@zeeland.example"}, {"status": "ARCHIVED"}])
def test_an_edit_or_archiving_of_a_customer_that_was_never_billed_creates_nothing(
    default: Connected, change: Json
) -> None:
    default.edit_and_settle(UNLINKED, **change)

    assert named_in_rillet(default) == []
    kept = default.customer_record(UNLINKED)
    assert (kept["state"], "first billed" in kept["reason"]) == ("skipped", True)


def test_an_erasure_leaves_rillets_customer_and_says_so(synced: Connected) -> None:
    before = rillet_customer(synced)
    synced.platform.forget_customer(DEMO_CUSTOMER)

    synced.settle()

    assert rillet_customer(synced) == before
    kept = synced.customer_record()
    assert (kept["state"], kept["rule"]) == ("skipped", "erased")
    assert "erase it in Rillet by hand" in kept["reason"]


def test_an_edit_after_the_creation_is_written(default: Connected) -> None:
    default.sync(UNLINKED)
    edit(default, UNLINKED, email="new@zeeland.example")

    [result] = default.sync(UNLINKED)

    assert result["outcome"] == "synced"
    assert "created" not in result
    assert named_in_rillet(default)[0]["emails"][0]["email"] == "new@zeeland.example"


def test_a_creation_whose_answer_was_lost_makes_one_customer(default: Connected) -> None:
    default.system.rillet.state.misbehave("commit_then_drop", path="/customers")
    [queued] = default.sync(UNLINKED)

    default.settle(after=LEASE_SECONDS + 1)

    assert queued["outcome"] == "queued"
    [made] = named_in_rillet(default)
    assert default.customer_record(UNLINKED)["rillet_id"] == made["id"]


def test_a_customer_that_refers_to_ours_is_found_without_a_link(default: Connected) -> None:
    default.configure(create_missing_customers=False)
    ours = [{"type": "solvimon_customer_id", "id": UNLINKED}]
    default.organisation.edit_customer(DEMO_CUSTOMER_IN_RILLET, external_references=ours)

    default.edit_and_settle(UNLINKED, email="new@zeeland.example")

    assert rillet_customer(default)["name"] == "Zeeland Offshore Crew B.V."


@pytest.mark.usefixtures("deleted")
def test_a_customer_that_was_deleted_in_rillet_is_reported(system: LocalSystem) -> None:
    [result] = sync(system)
    [would] = sync(system, dry_run=True)

    assert (result["outcome"], result["code"]) == ("rejected", "rillet_record_missing")
    assert DEMO_CUSTOMER_IN_RILLET in result["message"]
    assert "custom field" in result["remedy"]
    assert would["outcome"] == "would_reject"


def test_a_corrected_link_is_followed(deleted: Connected) -> None:
    deleted.settle()
    other = deleted.organisation.customers.add({"name": "Quay, new"}).id
    field = deleted.platform.records["customers"][DEMO_CUSTOMER]["custom_fields"][0]

    deleted.edit_and_settle(custom_fields=[field | {"value": other}])

    assert rillet_customer(deleted, other)["name"] == "Two"


def test_a_link_that_is_taken_away_after_the_deletion_makes_no_new_customer_without_a_word(
    deleted: Connected,
) -> None:
    deleted.settle()
    deleted.edit_and_settle(custom_fields=[])
    [result] = deleted.sync()

    assert (result["outcome"], result["code"]) == ("rejected", "customer_merged")
    assert named_in_rillet(deleted, "Two") == []


@pytest.mark.parametrize("link", ["00000000-0000-4000-8000-000000000000", "no-uuid"])
def test_a_link_to_nowhere_is_reported(default: Connected, link: str) -> None:
    default.platform.records["customers"][DEMO_CUSTOMER]["custom_fields"][0]["value"] = link

    [result] = default.sync()

    assert (result["outcome"], result["code"]) == ("rejected", "rillet_record_missing")


@pytest.mark.parametrize(
    ("customer_id", "outcome"),
    [("cust_unknown", "not_found"), ("../invoices/x", "rejected"), ("a#b", "rejected")],
)
def test_an_unknown_customer_is_answered(default: Connected, customer_id: str, outcome: str) -> None:
    [result] = default.sync(customer_id)
    [would] = default.sync(customer_id, dry_run=True)

    assert (result["outcome"], result["code"]) == (outcome, "solvimon_record_missing")
    assert "customer" in result["message"] or "not a Solvimon id" in result["message"]
    assert "customer" in result["remedy"] or "cust_" in result["remedy"]
    assert "invo" not in result["remedy"]
    assert (would["outcome"], would["code"]) == ("would_reject", "solvimon_record_missing")
    assert default.system.rillet.state.calls == []


def test_the_workflow_can_be_switched_off(default: Connected) -> None:
    default.configure(workflows={"sync_customer": False})

    default.edit_and_settle(**named("One"))

    assert default.customer_record()["state"] == "skipped"
    assert "sync_customer is switched off" in default.customer_record()["reason"]
    assert default.system.rillet.state.calls == []


def test_a_dry_run_shows_the_changes_and_writes_nothing(default: Connected) -> None:
    edit(default, **named("One"))
    before = default.organisation.customers.documents(), default.system.ledger()

    [would] = default.sync(dry_run=True)

    assert (default.organisation.customers.documents(), ledger_without_rate_limit(default.system)) == before
    assert {call.method for call in default.system.rillet.state.calls} == {"GET"}
    assert would["outcome"] == "would_sync"
    assert would["changes"]["name"] == ["Maasvlakte Quay Services B.V.", "One"]
    assert would["changes"].keys() == {"name", "name_on_invoice", "external_references"}
    default.sync()
    assert default.sync(dry_run=True)[0]["outcome"] == "unchanged"


def test_a_refusal_by_rillet_is_reported_and_a_later_edit_goes_on(default: Connected) -> None:
    problem = {"type": "x", "title": "Not this name", "status": 400}
    default.system.rillet.state.misbehave("status", "PUT", "/customers", status=400, body=problem)
    edit(default, **named("One"))

    [result] = default.sync()
    default.edit_and_settle(**named("Two"))

    assert (result["outcome"], result["code"]) == ("rejected", "refused_by_rillet")
    assert "Not this name" in result["message"]
    default.assert_customer_synced("Two")
