"""Rillet's list is not a snapshot: it begins anew, and rows come and change while it is read."""

from datetime import UTC, datetime

import pytest

from local.stack import Connection, LocalStack
from solvimon_rillet.rillet import client
from tests.imports.support import (
    Json,
    before_page,
    connect,
    counts,
    customer,
    customers,
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
    monkeypatch.setattr(client, "PAGE", PAGE)


def rename(connection: Connection, number: int, name: str) -> None:
    """Edit a customer in Rillet."""
    record = connection.organisation.customers.get(rillet_id(number))
    connection.organisation.customers.replace(record.id, {**record.document, "name": name})


def moment(stack: LocalStack) -> str:
    return datetime.fromtimestamp(stack.clock.now(), UTC).isoformat()


def test_a_cursor_that_expires_restarts_the_list_and_the_run_ends_right_and_says_so(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(stack, customers=customers(25))
    before_page(monkeypatch, 2, lambda: stack.advance(TWO_HOURS))

    answer = run(stack)

    assert counts(answer) == {"created": 25}
    assert (answer["seen"], answer["restarts"], answer["complete"]) == (25, 1, True)
    assert listings(stack) == answer["rillet_calls"] == 4  # page one twice
    assert len(in_solvimon(connection)) == 25
    assert any("began anew once" in note for note in answer["notes"])


def test_the_list_may_restart_several_times(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect(stack, customers=customers(25))
    for page in (2, 4, 6):
        before_page(monkeypatch, page, lambda: stack.advance(TWO_HOURS))

    answer = run(stack)

    assert (answer["seen"], answer["restarts"]) == (25, 3)
    assert len(in_solvimon(connection)) == 25


def test_a_list_that_never_ends_is_given_up_and_the_answer_says_so(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(stack, customers=customers(25))
    for page in range(2, 20):
        before_page(monkeypatch, page, lambda: stack.advance(TWO_HOURS))

    answer = run(stack)

    assert (answer["restarts"], answer["complete"]) == (6, False)
    assert "began anew 6 times" in answer["error"]
    assert len(in_solvimon(connection)) == PAGE
    assert not [item for item in stack.ledger() if "#import-watermark#" in item["pk"]]


def test_a_customer_that_is_added_while_the_list_is_read_comes_with_the_next_run(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(stack, customers=customers(25))
    added = customer(99)
    before_page(monkeypatch, 2, lambda: connection.organisation.customers.add(added))

    first, second = run(stack), run(stack, incremental=True)

    assert first["seen"] == 25
    assert second["created"] == 1
    assert linked(connection, 99)["organization"]["legal_name"] == "Customer 99"


@pytest.mark.parametrize("number", [1, 13, 25])
def test_a_customer_that_is_edited_while_the_list_is_read_is_right_after_the_next_run(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    connection = connect(stack, customers=customers(25))
    before_page(monkeypatch, 2, lambda: rename(connection, number, "Edited meanwhile"))

    run(stack)
    run(stack, incremental=True)

    assert linked(connection, number)["organization"]["legal_name"] == "Edited meanwhile"
    assert len(in_solvimon(connection)) == 25


def test_an_incremental_run_reads_only_what_changed_since_the_last_complete_one(
    stack: LocalStack,
) -> None:
    connection = connect(stack, customers=customers(35))
    stack.advance(3600)
    run(stack)
    stack.advance(3600)
    rename(connection, 7, "Renamed")
    forget_calls(stack)

    answer = run(stack, incremental=True)

    assert counts(answer) == {"updated": 1}
    assert listings(stack) == 1
    assert any("were read" in note for note in answer["notes"])


def test_the_first_incremental_run_reads_everything(stack: LocalStack) -> None:
    connect(stack, customers=customers(25))

    answer = run(stack, incremental=True)

    assert counts(answer) == {"created": 25}
    assert "No earlier run was complete, so all rows were read." in answer["notes"]


def test_rows_that_failed_are_tried_again_by_the_next_incremental_run(stack: LocalStack) -> None:
    connection = connect(stack, customers=[*customers(3), customer(4, name="")])
    run(stack)
    stack.advance(24 * 3600)

    second = run(stack, incremental=True)
    rename(connection, 4, "Named now")
    stack.advance(3600)
    third = run(stack, incremental=True)
    stack.advance(24 * 3600)
    fourth = run(stack, incremental=True)

    assert counts(second) == {"unchanged": 3, "failed": 1}
    assert counts(third) == {"created": 1, "unchanged": 3}
    assert fourth["seen"] == 0


def test_updated_since_leaves_older_rows_out(stack: LocalStack) -> None:
    connection = connect(stack, customers=customers(5))
    stack.advance(3600)
    since = moment(stack)
    stack.advance(60)
    rename(connection, 2, "Renamed")

    answer = run(stack, updated_since=since)

    assert counts(answer) == {"created": 1}
    [call] = [c for c in stack.rillet.state.calls if c.path == "/customers"]
    assert call.query["updated.gt"].endswith("Z")
    assert linked(connection, 2)["organization"]["legal_name"] == "Renamed"


def test_a_run_over_a_part_does_not_stand_for_a_complete_one(stack: LocalStack) -> None:
    connect(stack, customers=customers(5))
    stack.advance(3600)
    run(stack, updated_since=moment(stack))

    answer = run(stack, incremental=True)

    assert counts(answer) == {"created": 5}


def test_a_run_that_reaches_back_to_a_complete_one_stands_for_one(stack: LocalStack) -> None:
    connect(stack, customers=customers(5))
    stack.advance(3600)
    run(stack)
    stack.advance(3600)
    since = datetime.fromtimestamp(stack.clock.now() - 2 * 3600, UTC).isoformat()
    run(stack, updated_since=since)
    stack.advance(3600)

    answer = run(stack, incremental=True)

    assert answer["seen"] == 0


@pytest.mark.parametrize("event", [{"incremental": True}, {"updated_since": "2026-01-01T00:00:00Z"}])
def test_products_have_no_date_of_change_and_the_answer_says_that_all_were_read(
    stack: LocalStack, event: Json
) -> None:
    connect(stack, products=[{"id": rillet_id(1), "name": "P"}])

    answer = run(stack, "products", **event)

    assert answer["created"] == 1
    assert any("does not say when products changed" in note for note in answer["notes"])
