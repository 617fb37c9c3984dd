"""A tenant whose customers exist in both systems: nothing is doubled, and a search costs one list."""

from collections.abc import Callable, Sequence

import pytest

from local.system import Connection, LocalSystem
from tests.integration.imports.support import (
    Json,
    customer,
    customers,
    existing,
    forget_calls,
    in_solvimon,
    product,
    rillet_id,
    run,
    value,
)
from tests.integration.link_records.test_proposals import ask, both_sides, demo_with_unlinked_customer
from tests.integration.sync_status.support import finalised, some, unlinked, work_off
from tests.support.arrange import at_once, connect_demo, finalise, sync
from tests.support.assertions import record

SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    lambda name: f"{name} GmbH & Co. KG",
    lambda name: name.replace("e", "é"),
    lambda name: f"  {name},  Inc. ",
)


def tenant(system: LocalSystem, third: int) -> Connection:
    """Rillet's customers: a third linked in Solvimon, a third there under another spelling, a third new."""
    solvimon: list[Json] = []
    for number in range(1, 2 * third + 1):
        name = f"Customer {number}"
        is_linked = number <= third
        organization = {"legal_name": name if is_linked else SPELLINGS[number % 4](name)}
        links = value(number) if is_linked else []
        solvimon.append(existing(number, organization=organization, custom_fields=links))
    return both_sides(system, *solvimon, customers=customers(3 * third))


ORDERS = ("import first", "sync first", "at once")


@pytest.mark.parametrize(
    ("third", "order"),
    [
        *((4, order) for order in ORDERS),
        *(pytest.param(100, order, marks=pytest.mark.slow) for order in ORDERS),
    ],
)
def test_no_customer_is_doubled_and_every_pair_that_is_alike_is_proposed_once(
    system: LocalSystem, third: int, order: str
) -> None:
    connection = tenant(system, third)
    alike = [f"cust_{number}" for number in range(third + 1, 2 * third + 1)]
    acts: list[Callable[[], object]] = [lambda: run(system), lambda: sync(system, *alike)]

    if order == "at once":
        at_once(2, lambda: acts.pop()())
    else:
        for act in acts if order == "import first" else reversed(acts):
            act()
    proposed = ask(system, list="customers", only="proposed")

    assert len(connection.organisation.customers.documents()) == 3 * third
    assert len(in_solvimon(connection)) == 3 * third
    assert proposed["number"] == third
    pairs = {(row["solvimon_id"], row["rillet_id"]) for row in proposed["rows"]}
    assert pairs <= {(f"cust_{n}", rillet_id(n)) for n in range(third + 1, 2 * third + 1)}


def test_accepting_leaves_one_record_of_each_on_both_sides(system: LocalSystem) -> None:
    connection = tenant(system, 4)
    run(system)

    ask(system, accept="all", kind="customer")
    again = run(system)

    assert (again["updated"], again["created"], again["proposed"]) == (4, 0, 0)
    linked = [each["custom_fields"][0]["value"] for each in in_solvimon(connection)]
    assert sorted(linked) == [rillet_id(number) for number in range(1, 13)]


def read_of_rillet(system: LocalSystem, path: str) -> list[dict[str, str]]:
    """The queries with which a list of Rillet was read, by pages."""
    calls = system.rillet.state.calls
    return [one.query for one in calls if (one.method, one.path) == ("GET", path) and "limit" in one.query]


def codes(system: LocalSystem, ids: Sequence[str]) -> set[object]:
    return {record(system, each)["code"] for each in ids}


def test_documents_that_wait_for_a_customers_link_cost_a_list_once_and_no_call_each(
    system: LocalSystem,
) -> None:
    connection = demo_with_unlinked_customer(system)
    system.rillet.state.rate_limit = 100_000
    for number in range(1, 251):
        connection.organisation.customers.add(customer(number))
    system.advance(3600)
    forget_calls(system)
    finalise(system, connection)
    work_off(system)
    first = read_of_rillet(system, "/customers")

    for _ in range(3):
        system.invoke("export_invoice", {"retry": "all"})
        work_off(system)
    at_once = read_of_rillet(system, "/customers")[len(first) :]
    system.advance(61)
    system.invoke("export_invoice", {"retry": "all"})
    work_off(system)

    assert record(system)["code"] == "customer_not_linked"
    assert len(first) == -(-len(connection.organisation.customers.documents()) // 100)
    assert at_once == []
    [later] = read_of_rillet(system, "/customers")[len(first) :]
    assert "updated.gt" in later


def test_a_customer_is_never_created_from_what_was_read_a_minute_ago(system: LocalSystem) -> None:
    connection = both_sides(system, existing(1), existing(2), customers=[customer(3)])
    sync(system, "cust_2")
    connection.organisation.customers.add(customer(1))

    [result] = sync(system, "cust_1")

    assert (result["outcome"], record(system, "cust_1", kind="customer")["code"]) == (
        "rejected",
        "customer_not_linked",
    )
    assert len(connection.organisation.customers.documents()) == 3


def test_documents_that_wait_for_a_products_link_cost_a_list_once_in_ten_minutes(system: LocalSystem) -> None:
    connection = connect_demo(system)
    unlinked(connection)
    for number in range(1, 151):
        connection.organisation.products.add(product(number, status="ACTIVE"))
    forget_calls(system)

    ids = finalised(system, connection, *some(3))

    whole = -(-len(connection.organisation.products.documents()) // 100)
    assert len(ids) > 1
    assert codes(system, ids) == {"product_not_linked"}
    assert len(read_of_rillet(system, "/products")) == whole


def test_an_import_reads_solvimons_list_once_for_all_of_its_pages(system: LocalSystem) -> None:
    solvimon: list[Json] = [existing(number) for number in range(1, 151)]
    both_sides(system, *solvimon, customers=[customer(number) for number in range(101, 351)])
    forget_calls(system)

    answer = run(system)

    pages = [call for call in system.solvimon.state.calls if "page=" in call.query]
    assert (answer["created"], answer["proposed"]) == (200, 50)
    assert len(pages) == 2
