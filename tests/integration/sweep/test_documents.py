"""Which invoices and credit notes a sweep puts on the bus."""

import pytest

from local.system import LocalSystem
from tests.integration.sweep.support import (
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
from tests.support.arrange import configure, export, load
from tests.support.assertions import memos, rillet_invoices
from tests.support.builders import credit_note

DAY = 24 * 3600


def test_more_than_a_hundred_documents_are_found_once_each(system: LocalSystem) -> None:
    connection = silent(system)
    ids = [f"invo_{number:03}" for number in range(205)]
    finalised(system, connection, *ids)

    found, again = sweep(system)["found"], sweep(system)["found"]

    assert (found, again) == ({"invoices": 205}, {})
    assert on_the_bus(system) == dict.fromkeys(ids, 1)


def test_the_first_sweep_looks_back_one_day_and_later_ones_no_further(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_old", back=1.5)
    finalised(system, connection, "invo_young", back=0.5)

    first = swept(system)
    system.advance(3 * DAY)
    later = swept(system)

    assert (first, later) == ({"invoices": 1}, {})
    assert (state_of(system, "invo_young"), state_of(system, "invo_old")) == ("exported", "")


def test_later_sweeps_look_back_as_far_as_the_settings_say(system: LocalSystem) -> None:
    connection = silent(system)
    swept(system)
    finalised(system, connection, "invo_ten", "invo_five")
    system.advance(5 * DAY)
    found = swept(system)
    finalised(system, connection, "invo_late", back=4)
    system.advance(5 * DAY)  # it is nine days old now

    missed = swept(system)
    configure(system, connection, sweep={"lookback_days": 10})

    assert found == {"invoices": 2}
    assert missed == {}
    assert swept(system) == {"invoices": 1}


def test_a_start_date_lets_the_first_sweep_look_back_to_it_and_never_before(system: LocalSystem) -> None:
    connection = silent(system, start_date=day(system, 4)[:10])
    finalised(system, connection, "invo_since", back=3)
    finalised(system, connection, "invo_before", back=5.5)

    found = swept(system)

    assert found == {"invoices": 1}
    assert (state_of(system, "invo_since"), state_of(system, "invo_before")) == ("exported", "")


def test_a_start_date_does_not_widen_the_look_back(system: LocalSystem) -> None:
    connection = silent(system, start_date="2020-01-01")
    finalised(system, connection, "invo_old", back=8)

    assert swept(system) == {}


def test_an_invoice_that_is_dated_ahead_is_found(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_ahead", back=-40)

    assert swept(system) == {"invoices": 1}
    assert state_of(system, "invo_ahead") == "exported"


def test_drafts_are_not_published(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    connection.platform.records["invoices"]["invo_a"]["status"] = "DRAFT"

    assert swept(system) == {}


def test_what_was_skipped_as_a_draft_is_published_once_it_is_final(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    invoice = connection.platform.records["invoices"]["invo_a"]
    invoice["status"] = "DRAFT"
    [skipped] = export(system, "invo_a")
    invoice["status"] = "FINAL"

    found = swept(system)

    assert (skipped["outcome"], found) == ("skipped", {"invoices": 1})
    assert state_of(system, "invo_a") == "exported"


def test_what_is_skipped_by_another_rule_is_skipped_once(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_self", billing_type="SELF_BILLING")

    first, second = swept(system), swept(system)
    system.advance(7200)

    assert (first, second, swept(system)) == ({"invoices": 1}, {}, {})
    assert state_of(system, "invo_self") == "skipped"


@pytest.mark.parametrize("code", ["product_not_linked", "rillet_period_closed"])
def test_a_rejected_invoice_is_left_to_a_person(system: LocalSystem, code: str) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    change(system, "invo_a", state="rejected", code=code)
    system.advance(2 * 3600)

    assert swept(system) == {}
    assert state_of(system, "invo_a") == "rejected"


@pytest.mark.parametrize("state", ["exported", "differs", "skipped"])
def test_what_is_done_or_settled_by_hand_is_left_alone(system: LocalSystem, state: str) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    by_hand: Json = {"by_hand": True, "rule": "not_final"} if state == "skipped" else {}
    change(system, "invo_a", state=state, rillet_id="r", **by_hand)
    system.advance(2 * 3600)

    assert swept(system) == {}


@pytest.mark.parametrize(
    ("off", "found"),
    [
        (["export_invoice"], {"credit_notes": 1}),
        (["export_credit_memo"], {"invoices": 1}),
        (["export_invoice", "export_credit_memo"], {}),
    ],
)
def test_documents_whose_workflow_is_off_are_not_published(
    system: LocalSystem, off: list[str], found: dict[str, int]
) -> None:
    connection = silent(system, workflows=dict.fromkeys(off, False))
    finalised(system, connection, "invo_original")
    load(connection, credit_note(invoice_date=day(system)))

    assert sweep(system)["found"] == found


def test_a_credit_note_alone_brings_its_original_along(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_original")
    load(connection, credit_note(invoice_date=day(system)))

    assert swept(system) == {"invoices": 1, "credit_notes": 1}

    assert len(memos(connection)) == len(rillet_invoices(connection)) == 1


def test_a_backlog_does_not_grow_by_the_sweeps_that_meet_it(system: LocalSystem) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a", "invo_b")
    first = sweep(system)["found"]
    system.advance(900)

    again = sweep(system)["found"]

    assert (first, again) == ({"invoices": 2}, {})
    assert on_the_bus(system) == {"invo_a": 1, "invo_b": 1}


def test_a_published_document_whose_message_is_lost_is_published_again_after_an_hour(
    system: LocalSystem,
) -> None:
    connection = silent(system)
    finalised(system, connection, "invo_a")
    sweep(system)
    lose_messages(system)
    system.advance(3600)

    assert swept(system) == {"invoices": 1}
    assert state_of(system, "invo_a") == "exported"
