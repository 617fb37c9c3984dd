"""Which invoices and credit notes a sweep puts on the bus."""

import pytest

from local.system import LocalSystem
from tests.integration.sweep.support import Silent, day, silent
from tests.support.arrange import export
from tests.support.assertions import memos
from tests.support.builders import Json

DAY = 24 * 3600


def test_more_than_a_hundred_documents_are_found_once_each(connection: Silent) -> None:
    ids = [f"invo_{number:03}" for number in range(205)]
    connection.finalise(*ids)

    found, again = connection.found(), connection.found()

    assert (found, again) == ({"invoices": 205}, {})
    assert connection.on_the_bus() == dict.fromkeys(ids, 1)


def test_the_first_sweep_looks_back_one_day_and_later_ones_no_further(connection: Silent) -> None:
    connection.finalise("invo_old", back=1.5)
    connection.finalise("invo_young", back=0.5)

    first = connection.swept()
    connection.system.advance(3 * DAY)
    later = connection.swept()

    assert (first, later) == ({"invoices": 1}, {})
    assert (connection.state_of("invo_young"), connection.state_of("invo_old")) == ("exported", "")


def test_later_sweeps_look_back_as_far_as_the_settings_say(connection: Silent) -> None:
    connection.swept()
    connection.finalise("invo_ten", "invo_five")
    connection.system.advance(5 * DAY)
    found = connection.swept()
    connection.finalise("invo_late", back=4)
    connection.system.advance(5 * DAY)  # it is nine days old now

    missed = connection.swept()
    connection.configure(sweep={"lookback_days": 10})

    assert found == {"invoices": 2}
    assert missed == {}
    assert connection.swept() == {"invoices": 1}


def test_a_start_date_lets_the_first_sweep_look_back_to_it_and_never_before(system: LocalSystem) -> None:
    connection = silent(system, start_date=day(system, 4)[:10])
    connection.finalise("invo_since", back=3)
    connection.finalise("invo_before", back=5.5)

    found = connection.swept()

    assert found == {"invoices": 1}
    assert (connection.state_of("invo_since"), connection.state_of("invo_before")) == ("exported", "")


def test_a_start_date_does_not_widen_the_look_back(system: LocalSystem) -> None:
    connection = silent(system, start_date="2020-01-01")
    connection.finalise("invo_old", back=8)

    assert connection.swept() == {}


def test_an_invoice_that_is_dated_ahead_is_found(connection: Silent) -> None:
    connection.finalise("invo_ahead", back=-40)

    assert connection.swept() == {"invoices": 1}
    assert connection.state_of("invo_ahead") == "exported"


def test_drafts_are_not_published(connection: Silent) -> None:
    connection.finalise("invo_a")
    connection.platform.records["invoices"]["invo_a"]["status"] = "DRAFT"

    assert connection.swept() == {}


def test_what_was_skipped_as_a_draft_is_published_once_it_is_final(connection: Silent) -> None:
    connection.finalise("invo_a")
    invoice = connection.platform.records["invoices"]["invo_a"]
    invoice["status"] = "DRAFT"
    [skipped] = export(connection.system, "invo_a")
    invoice["status"] = "FINAL"

    found = connection.swept()

    assert (skipped["outcome"], found) == ("skipped", {"invoices": 1})
    assert connection.state_of() == "exported"


def test_what_is_skipped_by_another_rule_is_skipped_once(connection: Silent) -> None:
    connection.finalise("invo_self", billing_type="SELF_BILLING")

    first, second = connection.swept(), connection.swept()
    connection.system.advance(7200)

    assert (first, second, connection.swept()) == ({"invoices": 1}, {}, {})
    assert connection.state_of("invo_self") == "skipped"


LEFT_ALONE: dict[str, Json] = {
    "rejected for its product": {"state": "rejected", "code": "product_not_linked"},
    "rejected for its period": {"state": "rejected", "code": "rillet_period_closed"},
    "exported": {"state": "exported", "rillet_id": "r"},
    "different in Rillet": {"state": "differs", "rillet_id": "r"},
    "resolved by hand": {"state": "skipped", "rillet_id": "r", "by_hand": True, "rule": "not_final"},
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_a_document_that_is_done_or_needs_a_person_is_left_alone(connection: Silent, name: str) -> None:
    connection.finalise("invo_a")
    connection.change("invo_a", **LEFT_ALONE[name])
    connection.system.advance(2 * 3600)

    assert connection.swept() == {}
    assert connection.state_of() == LEFT_ALONE[name]["state"]


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
    connection.finalise("invo_original")
    connection.credit()

    assert connection.found() == found


def test_a_credit_note_alone_brings_its_original_along(connection: Silent) -> None:
    connection.finalise("invo_original")
    connection.credit()

    assert connection.swept() == {"invoices": 1, "credit_notes": 1}

    assert len(memos(connection)) == len(connection.rillet_invoices()) == 1


def test_a_backlog_does_not_grow_by_further_sweeps(connection: Silent) -> None:
    connection.finalise("invo_a", "invo_b")
    first = connection.found()
    connection.system.advance(900)

    again = connection.found()

    assert (first, again) == ({"invoices": 2}, {})
    assert connection.on_the_bus() == {"invo_a": 1, "invo_b": 1}


def test_a_document_whose_message_is_lost_is_published_again_after_an_hour(connection: Silent) -> None:
    connection.finalise("invo_a")
    connection.sweep()
    connection.lose_messages()
    connection.system.advance(3600)

    assert connection.swept() == {"invoices": 1}
    assert connection.state_of() == "exported"
