"""Rillet's list is not a snapshot: it restarts, and rows appear and change while it is read."""

from datetime import UTC, datetime

import pytest

from local.system import LocalSystem
from solvimon_rillet.rillet import client
from tests.integration.imports.support import (
    Json,
    before_page,
    connect,
    counts,
    customer,
    customers,
    edit,
    forget_calls,
    in_solvimon,
    linked,
    listings,
    rillet_id,
    run,
)

pytestmark = pytest.mark.slow

TWO_HOURS = 2 * 3600 + 1
PAGE = 10


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", PAGE)


def moment(system: LocalSystem) -> str:
    return datetime.fromtimestamp(system.clock.now(), UTC).isoformat()


@pytest.mark.parametrize(
    ("expires_at", "calls", "said"), [((2,), 4, "restarted once"), ((2, 4, 6), 8, "restarted 3 times")]
)
def test_a_cursor_that_expires_restarts_the_list_and_the_run_ends_right_and_says_so(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, expires_at: tuple[int, ...], calls: int, said: str
) -> None:
    connection = connect(system, customers=customers(25))
    for page in expires_at:
        before_page(monkeypatch, page, lambda: system.advance(TWO_HOURS))

    answer = run(system)

    assert counts(answer) == {"created": 25}
    assert (answer["seen"], answer["restarts"], answer["complete"]) == (25, len(expires_at), True)
    assert listings(system) == answer["rillet_calls"] == calls
    assert len(in_solvimon(connection)) == 25
    assert any(said in note for note in answer["notes"])


def test_a_list_that_never_ends_is_given_up_and_the_answer_says_so(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(system, customers=customers(25))
    for page in range(2, 20):
        before_page(monkeypatch, page, lambda: system.advance(TWO_HOURS))

    answer = run(system)

    assert (answer["restarts"], answer["complete"]) == (6, False)
    assert "restarted 6 times" in answer["error"]
    assert len(in_solvimon(connection)) == PAGE
    assert not [item for item in system.ledger() if "#import-watermark#" in item["pk"]]


def test_a_customer_that_is_added_while_the_list_is_read_comes_with_the_next_run(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(system, customers=customers(25))
    added = customer(99)
    before_page(monkeypatch, 2, lambda: connection.organisation.customers.add(added))

    first, second = run(system), run(system, incremental=True)

    assert first["seen"] == 25
    assert second["created"] == 1
    assert linked(connection, 99)["organization"]["legal_name"] == "Customer 99"


@pytest.mark.parametrize("number", [1, 13, 25])
def test_a_customer_that_is_edited_while_the_list_is_read_is_right_after_the_next_run(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    connection = connect(system, customers=customers(25))
    before_page(monkeypatch, 2, lambda: edit(connection, number, name="Edited meanwhile"))

    run(system)
    run(system, incremental=True)

    assert linked(connection, number)["organization"]["legal_name"] == "Edited meanwhile"
    assert len(in_solvimon(connection)) == 25


def test_an_incremental_run_reads_only_what_changed_since_the_last_complete_one(system: LocalSystem) -> None:
    connection = connect(system, customers=customers(35))
    system.advance(3600)
    run(system)
    system.advance(3600)
    edit(connection, 7, name="Renamed")
    forget_calls(system)

    answer = run(system, incremental=True)

    assert counts(answer) == {"updated": 1}
    assert listings(system) == 1
    assert any("were read" in note for note in answer["notes"])


def test_the_first_incremental_run_reads_everything(system: LocalSystem) -> None:
    connect(system, customers=customers(25))

    answer = run(system, incremental=True)

    assert counts(answer) == {"created": 25}
    assert "No earlier run was complete, so all rows were read." in answer["notes"]


def test_rows_that_failed_are_tried_again_by_the_next_incremental_run(system: LocalSystem) -> None:
    connection = connect(system, customers=[*customers(3), customer(4, name="")])
    run(system)
    system.advance(24 * 3600)

    second = run(system, incremental=True)
    edit(connection, 4, name="Named now")
    system.advance(3600)
    third = run(system, incremental=True)
    system.advance(24 * 3600)
    fourth = run(system, incremental=True)

    assert counts(second) == {"unchanged": 3, "failed": 1}
    assert counts(third) == {"created": 1, "unchanged": 3}
    assert fourth["seen"] == 0


def test_updated_since_leaves_older_rows_out(system: LocalSystem) -> None:
    connection = connect(system, customers=customers(5))
    system.advance(3600)
    since = moment(system)
    system.advance(60)
    edit(connection, 2, name="Renamed")

    answer = run(system, updated_since=since)

    assert counts(answer) == {"created": 1}
    [call] = [c for c in system.rillet.state.calls if c.path == "/customers"]
    assert call.query["updated.gt"].endswith("Z")
    assert linked(connection, 2)["organization"]["legal_name"] == "Renamed"


def test_a_run_over_a_part_does_not_stand_for_a_complete_one(system: LocalSystem) -> None:
    connect(system, customers=customers(5))
    system.advance(3600)
    run(system, updated_since=moment(system))

    answer = run(system, incremental=True)

    assert counts(answer) == {"created": 5}


def test_a_run_that_reaches_back_to_a_complete_one_stands_for_one(system: LocalSystem) -> None:
    connect(system, customers=customers(5))
    system.advance(3600)
    since = moment(system)
    run(system)
    system.advance(3600)
    run(system, updated_since=since)
    system.advance(3600)

    answer = run(system, incremental=True)

    assert answer["seen"] == 0


@pytest.mark.parametrize("event", [{"incremental": True}, {"updated_since": "2026-01-01T00:00:00Z"}])
def test_products_have_no_date_of_change_and_the_answer_says_that_all_were_read(
    system: LocalSystem, event: Json
) -> None:
    connect(system, products=[{"id": rillet_id(1), "name": "P"}])

    answer = run(system, "products", **event)

    assert answer["created"] == 1
    assert any("does not say when products changed" in note for note in answer["notes"])
