"""A tenant whose customers exist in both systems: in whatever order the workflows run, nothing is doubled."""

from collections.abc import Callable

import pytest

from local.system import Connection, LocalSystem
from tests.integration.imports.support import Json, customers, existing, in_solvimon, rillet_id, run, value
from tests.integration.link_records.test_proposals import ask, both_sides
from tests.support.arrange import at_once, sync

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
