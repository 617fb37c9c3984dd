"""What people have decided, within the event; and what a record may be linked to."""

from itertools import cycle
from unittest.mock import Mock

import pytest

from local.system import LocalSystem
from solvimon_rillet.workflows.linking.link_records import LinkRecords
from tests.integration.imports.support import (
    Json,
    connect,
    existing,
    forget_calls,
    product,
    rillet_id,
    value,
    writes,
)
from tests.integration.link_records.test_files import links_in_solvimon, pair, tenant
from tests.integration.link_records.test_proposals import ask


def ids(rows: list[Json]) -> list[str]:
    """Rillet's ids of rows."""
    return [row["rillet_id"] for row in rows]


def test_rows_in_the_event_are_done_like_those_of_a_file_and_the_refused_are_named(
    system: LocalSystem,
) -> None:
    connection = tenant(system, existing(1), existing(2))
    numbered, unknown = {**pair("link", 1), "row": 7}, {**pair("link", 2), "rillet_id": "x"}
    rows = [numbered, pair("", 2), pair("unite", 2), unknown]

    answer = ask(system, rows=rows, by="ada")

    assert (answer["rows"], answer["linked"], answer["refused"], answer["complete"]) == (4, 1, 2, True)
    assert [(row["row"], row["solvimon_id"]) for row in answer["results"]] == [(4, "cust_2"), (5, "cust_2")]
    assert "The act 'unite' is unknown." in answer["results"][0]["error"]
    assert all(row["remedy"] for row in answer["results"])
    assert set(links_in_solvimon(connection)) == {"cust_1"}


def test_a_dry_run_of_rows_writes_nothing_and_refuses_the_same(system: LocalSystem) -> None:
    tenant(system, existing(1), existing(2))
    forget_calls(system)

    answer = ask(system, rows=[pair("link", 1), pair("link", 2, other=9)], dry_run=True)

    assert (answer["linked"], answer["refused"], answer["dry_run"]) == (1, 1, True)
    assert "Rillet has no customer" in answer["results"][0]["error"]
    assert writes(system) == []


def test_rows_that_no_time_is_left_for_are_the_next_event(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = tenant(system, existing(1), existing(2), existing(3))
    one_row_at_a_time = Mock(side_effect=cycle([True, False]))
    monkeypatch.setattr(LinkRecords, "_has_time", one_row_at_a_time)
    event: Json = {"rows": [pair("link", number) for number in (1, 2, 3)], "within_seconds": 12}
    left = list[int]()
    while event:
        answer = ask(system, **event)
        event = answer.get("next", {})
        left.append(answer.get("left", 0))

    assert left == [2, 1, 0]
    assert set(links_in_solvimon(connection)) == {"cust_1", "cust_2", "cust_3"}


def test_more_rows_than_an_event_takes_are_refused_with_the_remedy(system: LocalSystem) -> None:
    tenant(system, existing(1))

    answer = ask(system, rows=[pair("link", 1)] * 201)

    assert "there are 201, and an event takes 200 at most" in answer["error"]
    assert "csv_in" in answer["error"]


def test_accepted_proposals_stop_within_the_time_that_is_given(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant(system, existing(1), existing(2))
    ask(system, csv="customers")
    system.invoke("import_customers", {"connection": "default"})
    monkeypatch.setattr(LinkRecords, "_has_time", lambda *_: False)

    answer = ask(system, accept="all", kind="customer", within_seconds=12)

    assert (len(answer["results"]), answer["remaining"]) == (1, 1)
    assert answer["what_now"] == "Invoke it again with the same event to link the rest."


def test_candidates_are_those_that_nothing_is_linked_to_the_alike_first_and_the_others_by_name(
    system: LocalSystem,
) -> None:
    rows = ["Zinc", "mooring-sensors", "Mooring Sensor Plus", "Anchor"]
    connect(
        system,
        solvimon={"products": [{"id": "prod_1", "name": "Mooring Sensors"}]},
        products=[product(number, name=name) for number, name in enumerate(rows, start=1)],
    )

    found = ask(system, candidates={"kind": "product", "solvimon_id": "prod_1"})
    some = ask(system, candidates={"kind": "product", "solvimon_id": "prod_1"}, find="  ANCH")

    assert found["solvimon_name"] == "Mooring Sensors"
    assert ids(found["suggested"]) == [rillet_id(2), rillet_id(3)]
    assert [each["alike"] for each in found["suggested"]] == [["name"], []]
    assert ids(found["rows"]) == [rillet_id(4), rillet_id(3), rillet_id(2), rillet_id(1)]
    assert (found["number"], found["may_be_created"]) == (4, False)
    assert ids(some["rows"]) == [rillet_id(4)]


def test_a_record_that_is_alike_and_linked_to_another_is_named_and_no_candidate(system: LocalSystem) -> None:
    tenant(
        system, existing(1), existing(2, organization={"legal_name": "Customer 1"}, custom_fields=value(1))
    )

    found = ask(system, candidates={"kind": "customer", "solvimon_id": "cust_1"})

    assert rillet_id(1) not in ids([*found["suggested"], *found["rows"]])
    assert ids(found["alike_but_linked"]) == [rillet_id(1)]
    assert found["may_be_created"]


def test_candidates_of_a_record_that_solvimon_does_not_have_are_refused(system: LocalSystem) -> None:
    tenant(system, existing(1))

    answer = ask(system, candidates={"kind": "customer", "solvimon_id": "cust_9"})

    assert "Solvimon has no customer cust_9." in answer["error"]


def test_a_customer_that_is_like_none_of_rillets_is_created_with_the_next_document(
    system: LocalSystem,
) -> None:
    tenant(system, existing(1))
    before = ask(system, candidates={"kind": "customer", "solvimon_id": "cust_1"})

    answer = ask(system, different={"kind": "customer", "solvimon_id": "cust_1"})

    assert before["may_be_created"]
    assert [row["rillet_id"] for row in answer["results"]] == [rillet_id(1)]
    assert "the next document creates a customer in Rillet" in answer["note"]
    assert ids(ask(system, list="customers", only="different")["rows"]) == [rillet_id(1)]


@pytest.mark.parametrize("find", ["customer 2", rillet_id(2)])
def test_a_list_is_searched_by_name_or_id(system: LocalSystem, find: str) -> None:
    tenant(system, existing(1), count=3)

    rows = ask(system, list="customers", only="unlinked", find=find)["rows"]

    assert [row["rillet_name"] for row in rows] == ["Customer 2"]
