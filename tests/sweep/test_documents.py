"""Which invoices and credit notes a sweep puts on the bus."""

import pytest

from local.stack import LocalStack
from tests.credit_memos.support import credit_note, load, memos
from tests.export.support import configure, export, rillet_invoices
from tests.sweep.support import (
    Json,
    change,
    day,
    finalised,
    lose_messages,
    on_the_bus,
    silent,
    state_of,
    sweep,
    swept,
)

DAY = 24 * 3600


def test_more_than_a_hundred_documents_are_found_once_each(stack: LocalStack) -> None:
    connection = silent(stack)
    ids = [f"invo_{number:03}" for number in range(205)]
    finalised(stack, connection, *ids)

    found, again = sweep(stack)["found"], sweep(stack)["found"]

    assert (found, again) == ({"invoices": 205}, {})
    assert on_the_bus(stack) == dict.fromkeys(ids, 1)


def test_the_first_sweep_looks_back_one_day_and_later_ones_no_further(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_old", back=1.5)
    finalised(stack, connection, "invo_young", back=0.5)

    first = swept(stack)
    stack.advance(3 * DAY)
    later = swept(stack)

    assert (first, later) == ({"invoices": 1}, {})
    assert (state_of(stack, "invo_young"), state_of(stack, "invo_old")) == ("exported", "")


def test_later_sweeps_look_back_as_far_as_the_settings_say(stack: LocalStack) -> None:
    connection = silent(stack)
    swept(stack)
    finalised(stack, connection, "invo_ten", "invo_five")
    stack.advance(5 * DAY)
    found = swept(stack)
    finalised(stack, connection, "invo_late", back=4)
    stack.advance(5 * DAY)  # it is nine days old now

    missed = swept(stack)
    configure(stack, connection, sweep={"lookback_days": 10})

    assert found == {"invoices": 2}
    assert missed == {}
    assert swept(stack) == {"invoices": 1}


def test_a_start_date_lets_the_first_sweep_look_back_to_it_and_never_before(stack: LocalStack) -> None:
    connection = silent(stack, start_date=day(stack, 4)[:10])
    finalised(stack, connection, "invo_since", back=3)
    finalised(stack, connection, "invo_before", back=5.5)

    found = swept(stack)

    assert found == {"invoices": 1}
    assert (state_of(stack, "invo_since"), state_of(stack, "invo_before")) == ("exported", "")


def test_a_start_date_does_not_widen_the_look_back(stack: LocalStack) -> None:
    connection = silent(stack, start_date="2020-01-01")
    finalised(stack, connection, "invo_old", back=8)

    assert swept(stack) == {}


def test_an_invoice_that_is_dated_ahead_is_found(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_ahead", back=-40)

    assert swept(stack) == {"invoices": 1}
    assert state_of(stack, "invo_ahead") == "exported"


def test_drafts_are_not_published(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    connection.platform.records["invoices"]["invo_a"]["status"] = "DRAFT"

    assert swept(stack) == {}


def test_what_was_skipped_as_a_draft_is_published_once_it_is_final(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    invoice = connection.platform.records["invoices"]["invo_a"]
    invoice["status"] = "DRAFT"
    [skipped] = export(stack, "invo_a")
    invoice["status"] = "FINAL"

    found = swept(stack)

    assert (skipped["outcome"], found) == ("skipped", {"invoices": 1})
    assert state_of(stack, "invo_a") == "exported"


def test_what_is_skipped_by_another_rule_is_skipped_once(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_self", billing_type="SELF_BILLING")

    first, second = swept(stack), swept(stack)
    stack.advance(7200)

    assert (first, second, swept(stack)) == ({"invoices": 1}, {}, {})
    assert state_of(stack, "invo_self") == "skipped"


@pytest.mark.parametrize("code", ["product_not_linked", "rillet_period_closed"])
def test_a_rejected_invoice_is_left_to_a_person(stack: LocalStack, code: str) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    change(stack, "invo_a", state="rejected", code=code)
    stack.advance(2 * 3600)

    assert swept(stack) == {}
    assert state_of(stack, "invo_a") == "rejected"


@pytest.mark.parametrize("state", ["exported", "differs", "skipped"])
def test_what_is_done_or_settled_by_hand_is_left_alone(stack: LocalStack, state: str) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    by_hand: Json = {"by_hand": True, "rule": "not_final"} if state == "skipped" else {}
    change(stack, "invo_a", state=state, rillet_id="r", **by_hand)
    stack.advance(2 * 3600)

    assert swept(stack) == {}


@pytest.mark.parametrize(
    ("off", "found"),
    [
        (["export_invoice"], {"credit_notes": 1}),
        (["export_credit_memo"], {"invoices": 1}),
        (["export_invoice", "export_credit_memo"], {}),
    ],
)
def test_documents_whose_workflow_is_off_are_not_published(
    stack: LocalStack, off: list[str], found: dict[str, int]
) -> None:
    connection = silent(stack, workflows=dict.fromkeys(off, False))
    finalised(stack, connection, "invo_original")
    load(connection, credit_note(invoice_date=day(stack)))

    assert sweep(stack)["found"] == found


def test_a_credit_note_alone_brings_its_original_along(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_original")
    load(connection, credit_note(invoice_date=day(stack)))

    assert swept(stack) == {"invoices": 1, "credit_notes": 1}

    assert len(memos(connection)) == len(rillet_invoices(connection)) == 1


def test_a_backlog_does_not_grow_by_the_sweeps_that_meet_it(stack: LocalStack) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a", "invo_b")
    first = sweep(stack)["found"]
    stack.advance(900)

    again = sweep(stack)["found"]

    assert (first, again) == ({"invoices": 2}, {})
    assert on_the_bus(stack) == {"invo_a": 1, "invo_b": 1}


def test_a_published_document_whose_message_is_lost_is_published_again_after_an_hour(
    stack: LocalStack,
) -> None:
    connection = silent(stack)
    finalised(stack, connection, "invo_a")
    sweep(stack)
    lose_messages(stack)
    stack.advance(3600)

    assert swept(stack) == {"invoices": 1}
    assert state_of(stack, "invo_a") == "exported"
