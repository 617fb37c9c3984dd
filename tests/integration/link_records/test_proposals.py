"""A record that probably exists in the other system is proposed, never doubled; a user's answer decides."""

from typing import Any

import pytest

from local import sample_data
from local.system import Connection, LocalSystem
from solvimon_rillet.formatting import parse_timestamp
from solvimon_rillet.ledger.ledger import LEASE_SECONDS
from tests.integration.imports.support import (
    Json,
    connect,
    counts,
    customer,
    customers,
    definition,
    existing,
    forget_calls,
    in_solvimon,
    linked,
    product,
    rillet_id,
    run,
    subsidiary,
    value,
    writes,
)
from tests.integration.sync_status.support import finalised, some, unlinked, work_off
from tests.support.arrange import connect_demo, finalise, sync
from tests.support.assertions import record, rillet_invoices
from tests.support.builders import DEMO_CUSTOMER, DEMO_CUSTOMER_IN_RILLET, FIRST

OF_ANOTHER_CUSTOMER = sample_data.invoice_id("one-off-order")


def both_sides(
    system: LocalSystem, *solvimon: Json, settings: Json | None = None, **rillet: Any
) -> Connection:
    rillet = rillet or {"customers": [customer(1)]}
    seed = {"custom_fields": [definition()], "customers": list(solvimon)}
    return connect(system, solvimon=seed, settings=settings, **rillet)


def ask(system: LocalSystem, **event: object) -> Json:
    """Invoke ``link_records``."""
    answer: Json = system.invoke("link_records", event)
    return answer


UNLINK = {"kind": "customer", "solvimon_id": "cust_1"}
PAIR = {**UNLINK, "rillet_id": rillet_id(1)}


def test_an_import_proposes_a_record_that_a_person_made_and_writes_nothing_to_it(system: LocalSystem) -> None:
    connection = both_sides(system, existing())

    answer = run(system)

    assert counts(answer) == {"proposed": 1}
    assert answer["proposals"] == [
        {
            "rillet_id": rillet_id(1),
            "name": "Customer 1",
            "looks_like": [{"solvimon_id": "cust_1", "name": "CUSTOMER 1 B.V.", "same": ["name"]}],
        }
    ]
    assert (len(in_solvimon(connection)), in_solvimon(connection)[0].get("custom_fields", [])) == (1, [])
    [waiting] = ask(system, list="customers", only="proposed")["rows"]
    assert (waiting["solvimon_name"], waiting["rillet_name"]) == ("CUSTOMER 1 B.V.", "Customer 1")


def test_accepting_all_links_the_pairs_and_the_next_import_updates_them(system: LocalSystem) -> None:
    connection = both_sides(system, existing(1), existing(2), customers=customers(2))
    run(system)

    answer = ask(system, accept="all", kind="customer", by="ada")
    imported = run(system)

    assert [each["outcome"] for each in answer["results"]] == ["linked", "linked"]
    assert counts(imported) == {"updated": 2}
    assert len(in_solvimon(connection)) == 2
    assert linked(connection)["email"] == "books1@customer.example"
    assert ask(system, list="customers", only="proposed")["rows"] == []
    assert len(ask(system, list="customers", only="linked")["rows"]) == 2
    [reference] = connection.organisation.customers.get(rillet_id(1)).document["external_references"]
    assert reference["id"] == "cust_1"


def test_a_pair_that_is_said_to_be_different_is_never_proposed_again(system: LocalSystem) -> None:
    connection = both_sides(system, existing())
    run(system)

    ask(system, different=PAIR)
    answer = run(system)

    assert counts(answer) == {"created": 1}
    assert len(in_solvimon(connection)) == 2
    assert ask(system, list="customers", only="different")["number"] == 1


@pytest.mark.parametrize(
    ("solvimon", "rillet"),
    [
        ([existing(1), existing(2, organization={"legal_name": "Customer 1 Ltd"})], [customer(1)]),
        ([existing(1)], [customer(1), customer(2, name="Customer 1 GmbH")]),
    ],
    ids=["two in Solvimon", "two in Rillet"],
)
def test_several_that_are_alike_are_ambiguous_and_accept_all_leaves_them(
    system: LocalSystem, solvimon: list[Json], rillet: list[Json]
) -> None:
    both_sides(system, *solvimon, customers=rillet)
    run(system)

    answer = ask(system, accept="all", kind="customer")

    assert answer["results"] == []
    assert ask(system, list="customers", only="ambiguous")["number"] == 2
    assert ask(system, list="customers", only="proposed")["number"] == 0


@pytest.mark.parametrize(
    ("matching", "outcome", "records"),
    [
        ("link", {"updated": 1}, 1),
        ("create", {"created": 1}, 2),
        ({"customers": "create"}, {"created": 1}, 2),
        ({"products": "create"}, {"proposed": 1}, 1),
    ],
)
def test_the_setting_matching_decides_for_each_kind(
    system: LocalSystem, matching: object, outcome: Json, records: int
) -> None:
    connection = both_sides(system, existing(), settings={"matching": matching})

    assert counts(run(system)) == outcome
    assert len(in_solvimon(connection)) == records


def test_linking_without_asking_stops_where_several_are_alike(system: LocalSystem) -> None:
    alike = [customer(1), customer(2, name="Customer 1 GmbH")]
    connection = both_sides(system, existing(), settings={"matching": "link"}, customers=alike)

    assert counts(run(system)) == {"proposed": 2}
    assert [each.get("custom_fields") or [] for each in in_solvimon(connection)] == [[]]


def test_products_and_subsidiaries_are_proposed_by_name(system: LocalSystem) -> None:
    products = [{"id": "prod_1", "name": "PRODUCT 1", "status": "ACTIVE", "reference": "mine"}]
    entities = [{"id": "bile_1", "legal_name": "tideway 1", "reference": "mine"}]
    solvimon = {"products": products, "billing-entities": entities}
    connection = connect(
        system, solvimon=solvimon, products=[product(1), product(2)], subsidiaries=[subsidiary(1)]
    )

    imported = [counts(run(system, kind)) for kind in ("products", "subsidiaries")]
    accepted = [
        ask(system, accept="all", kind=kind)["results"][0]["outcome"] for kind in ("product", "subsidiary")
    ]
    again = [counts(run(system, kind)) for kind in ("products", "subsidiaries")]

    assert imported == [{"created": 1, "proposed": 1}, {"proposed": 1}]
    assert accepted == ["linked", "linked"]
    assert again == [{"updated": 1, "unchanged": 1}, {"updated": 1}]
    assert len(in_solvimon(connection, "products")) == 2
    assert len(in_solvimon(connection, "subsidiaries")) == 1


def test_only_the_rows_that_are_named_are_imported(system: LocalSystem) -> None:
    connection = both_sides(system, customers=customers(3))

    answer = run(system, only=[rillet_id(2)])

    assert counts(answer) == {"created": 1}
    assert [each["organization"]["legal_name"] for each in in_solvimon(connection)] == ["Customer 2"]
    assert "only" in run(system, only=["cust_1"])["error"]


def demo_with_unlinked_customer(system: LocalSystem) -> Connection:
    connection = connect_demo(system)
    connection.platform.records["customers"][DEMO_CUSTOMER]["custom_fields"] = []
    connection.organisation.customers.get(DEMO_CUSTOMER_IN_RILLET).document["external_references"] = []
    return connection


@pytest.mark.parametrize("act", ["link", "different"])
def test_an_invoice_waits_for_the_answer_about_its_customer_and_continues_with_it(
    system: LocalSystem, act: str
) -> None:
    connection = demo_with_unlinked_customer(system)
    customers = len(connection.organisation.customers.documents())
    finalise(system, connection)
    work_off(system)
    waiting = record(system)

    pair = {"kind": "customer", "solvimon_id": DEMO_CUSTOMER, "rillet_id": DEMO_CUSTOMER_IN_RILLET}
    answer = ask(system, **{act: pair})
    work_off(system)

    assert (waiting["state"], waiting["code"]) == ("rejected", "customer_not_linked")
    assert f'"{act}"' in waiting["remedy"]
    assert answer["documents_continued"] == 1
    [invoice] = rillet_invoices(connection)
    assert (invoice["customer_id"] == DEMO_CUSTOMER_IN_RILLET) is (act == "link")
    assert len(connection.organisation.customers.documents()) == customers + (act == "different")


def test_an_invoice_waits_for_the_answer_about_its_product(system: LocalSystem) -> None:
    connection = connect_demo(system)
    unlinked(connection)
    [invoice_id] = finalised(system, connection, *some(1))
    waiting = record(system, invoice_id)

    ask(system, accept="all", kind="product")
    work_off(system)

    assert waiting["code"] == "product_not_linked"
    assert "same name" in waiting["message"]
    assert len(rillet_invoices(connection, invoice_id)) == 1


def test_a_proposal_stops_only_its_own_document(system: LocalSystem) -> None:
    connection = demo_with_unlinked_customer(system)
    finalise(system, connection, FIRST, OF_ANOTHER_CUSTOMER)

    work_off(system)

    states = [record(system, each)["state"] for each in (FIRST, OF_ANOTHER_CUSTOMER)]
    assert states == ["rejected", "exported"]


def test_a_customer_that_an_export_created_in_rillet_is_not_proposed_for_another_one(
    system: LocalSystem,
) -> None:
    connection = both_sides(system, existing(), customers=[customer(2)])
    sync(system, "cust_1")
    connection.organisation.customers.add(customer(1))

    answer = run(system)

    assert (answer["proposed"], answer["created"]) == (0, 2)
    assert "is linked to" in ask(system, link=PAIR)["error"]


REFUSALS = {
    "a record that Solvimon does not have": ({"solvimon_id": "cust_9"}, "Solvimon has no customer cust_9"),
    "a record that Rillet does not have": ({"rillet_id": rillet_id(9)}, "Rillet has no customer"),
    "a Solvimon record that is linked": ({"solvimon_id": "cust_2"}, "is linked to"),
    "a Rillet record that is linked": ({"rillet_id": rillet_id(2)}, "is linked to"),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_a_link_that_contradicts_another_is_refused(system: LocalSystem, why: str) -> None:
    changes, words = REFUSALS[why]
    connection = both_sides(system, existing(1), existing(2, custom_fields=value(2)), customers=customers(2))
    before = len(writes(system))

    answer = ask(system, link={**PAIR, **changes})

    assert words in answer["error"]
    assert answer["remedy"]
    assert len(writes(system)) == before
    assert in_solvimon(connection)[0].get("custom_fields", []) == []


def test_the_same_link_twice_changes_nothing(system: LocalSystem) -> None:
    both_sides(system, existing())
    ask(system, link=PAIR)
    forget_calls(system)

    answer = ask(system, link=PAIR)

    assert answer["results"][0]["outcome"] == "linked"
    assert writes(system) == []
    assert not [call for call in system.rillet.state.calls if call.method != "GET"]


def test_unlinking_removes_the_link_on_both_sides(system: LocalSystem) -> None:
    connection = both_sides(system, existing())
    ask(system, link=PAIR)

    answer = ask(system, unlink=UNLINK)

    assert (answer["outcome"], answer["warnings"]) == ("unlinked", [])
    assert in_solvimon(connection)[0]["custom_fields"] == []
    assert connection.organisation.customers.get(rillet_id(1)).document["external_references"] == []
    assert {row["solvimon_id"] for row in ask(system, list="customers")["rows"] if "solvimon_id" in row} == {
        "cust_1"
    }


def test_a_removed_link_says_who_removed_it_and_when(system: LocalSystem) -> None:
    both_sides(system, existing())
    ask(system, link=PAIR, by="Ada")
    system.advance(60)

    answer = ask(system, unlink=UNLINK, by="Grace")

    [row] = ask(system, list="customers", only="removed")["rows"]
    made, removed = row["history"]
    assert answer["by"] == removed["by"] == "Grace"
    assert (row["rillet_id"], made["what"], made["by"]) == (rillet_id(1), "linked", "Ada")
    assert removed["what"] == "unlinked"
    assert parse_timestamp(made["at"]) + 60 <= parse_timestamp(removed["at"])
    assert parse_timestamp(removed["at"]) <= parse_timestamp(answer["at"])


def test_a_removed_link_is_proposed_again_and_keeps_its_history(system: LocalSystem) -> None:
    both_sides(system, existing())
    ask(system, link=PAIR, by="Ada")
    ask(system, unlink=UNLINK, by="Grace")

    run(system)

    assert len(ask(system, list="customers", only="proposed")["rows"]) == 1
    assert ask(system, list="customers", only="removed")["rows"] == []
    ask(system, different=PAIR, by="Edsger")
    [row] = ask(system, list="customers", only="different")["rows"]
    assert [(each["what"], each["by"]) for each in row["history"]] == [
        ("linked", "Ada"),
        ("unlinked", "Grace"),
        ("different", "Edsger"),
    ]


@pytest.mark.parametrize("act", ["link", "unlink"])
def test_a_reference_that_rillet_refuses_is_a_warning_and_the_rest_is_done(
    system: LocalSystem, act: str
) -> None:
    connection = both_sides(system, existing())
    if act == "unlink":
        ask(system, link=PAIR)
    system.rillet.state.misbehave("status", "PUT", "/customers", times=1, status=400)

    answer = ask(system, **{act: PAIR if act == "link" else UNLINK})

    [warning] = answer["results"][0]["warnings"] if act == "link" else answer["warnings"]
    assert "did not take" in warning
    assert [each["value"] for each in in_solvimon(connection)[0]["custom_fields"]] == (
        [rillet_id(1)] if act == "link" else []
    )


def test_a_link_keeps_its_lease_while_its_write_to_rillet_may_still_arrive(system: LocalSystem) -> None:
    both_sides(system, existing())
    system.rillet.state.misbehave("drop", "PUT", "/customers", times=1)

    lost = ask(system, link=PAIR)
    at_once = sync(system, "cust_1")
    system.advance(LEASE_SECONDS + 1)
    completed = ask(system, link=PAIR)

    assert "error" in lost
    assert at_once[0]["outcome"] == "queued"
    assert completed["results"][0]["outcome"] == "linked"


def test_a_dry_run_of_a_link_checks_it_and_writes_nothing(system: LocalSystem) -> None:
    both_sides(system, existing())
    forget_calls(system)

    answers = [
        ask(system, link=PAIR, dry_run=True)["results"][0]["outcome"],
        ask(system, unlink=UNLINK, dry_run=True)["outcome"],
        ask(system, different=PAIR, dry_run=True)["results"][0]["outcome"],
    ]

    assert answers == ["would_link", "would_unlink", "would_be_different"]
    assert writes(system) == []


def test_doubles_of_an_earlier_import_are_listed_and_nothing_is_merged(system: LocalSystem) -> None:
    second = existing(2, organization={"legal_name": "Customer 1"}, custom_fields=value(1))
    both_sides(system, existing(1), second)
    forget_calls(system)

    answer = ask(system, doubles="customers")

    [group] = answer["doubles"]["solvimon"]
    assert [each["id"] for each in group["records"]] == ["cust_1", "cust_2"]
    assert answer["doubles"]["rillet"] == []
    assert writes(system) == []


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"list": "customers", "doubles": "customers"},
        {"accept": "all"},
        {"link": {"kind": "invoice"}},
        {"csv": "customers", "only": "removed"},
    ],
)
def test_a_request_that_is_not_one_act_is_answered_with_examples(system: LocalSystem, event: Json) -> None:
    both_sides(system, existing())

    answer = ask(system, **event)

    assert answer["error"]
    assert answer["examples"]
