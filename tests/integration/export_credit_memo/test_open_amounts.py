"""A memo is never applied to more than is open on an invoice; the rest stays open on it, with a warning."""

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import credit, load
from tests.support.assertions import (
    application_posts,
    applied,
    assert_memo_exported,
    calls_to,
    invoice_reads,
    memo_record,
    memos,
    record,
    rillet_invoice,
)
from tests.support.builders import NOTE, ORIGINAL, OTHER_NOTE, SECOND, Json, credit_note, one_off, original


def stays_open(amount: str) -> str:
    return f"{amount} EUR stay open on the memo: no more is open on its invoices."


def pay(connection: Connection, *amount: str) -> None:
    """Pay the invoice in Rillet, in whole or in part."""
    connection.organisation.pay(rillet_invoice(connection)["id"], *amount)


def amount_due(connection: Connection) -> str:
    return str(rillet_invoice(connection)["amount_due"]["amount"])


@pytest.mark.parametrize(
    ("paid", "net", "tax", "amounts", "status"),
    [
        ("", "-150.00", "-31.50", ("121.00", "60.50"), "PARTIALLY_APPLIED"),
        ("121.00", "-100.00", "-21.00", ("0.00", "121.00"), "UNAPPLIED"),
        ("61.00", "-100.00", "-21.00", ("60.00", "61.00"), "PARTIALLY_APPLIED"),
        ("121.00", "-30.00", "-6.30", ("0.00", "36.30"), "UNAPPLIED"),
    ],
    ids=["more than the invoice", "all of a paid one", "all of a partly paid one", "a part of a paid one"],
)
def test_a_credit_takes_no_more_than_is_open_and_leaves_the_rest_on_the_memo(
    system: LocalSystem,
    billed: Connection,
    paid: str,
    net: str,
    tax: str,
    amounts: tuple[str, str],
    status: str,
) -> None:
    if paid:
        pay(billed, paid)
    load(billed, credit_note(NOTE, net, tax))

    system.settle()

    memo = assert_memo_exported(system, billed, amounts)
    assert memo["status"] == status
    assert amount_due(billed) == "0.00"
    assert memo_record(system)["warnings"] == [stays_open(amounts[1])]


def test_rillet_is_asked_for_the_open_amount_only_after_it_refused_and_for_the_memo_only_in_doubt(
    system: LocalSystem, billed: Connection
) -> None:
    pay(billed, "100.00")
    load(billed, credit_note(NOTE, "-30.00", "-6.30"))

    system.settle()

    assert_memo_exported(system, billed, ("21.00", "15.30"))
    assert [call.status for call in application_posts(system)] == [400, 200]
    keys = [call.idempotency_key for call in application_posts(system)]
    assert len(set(keys)) == 2
    assert invoice_reads(system) == 1
    assert calls_to(system, "GET", "/credit-memos/") == []


@pytest.fixture
def two_notes(billed: Connection) -> Connection:
    """Two credit notes of the invoice, together more than it."""
    for number, note_id in enumerate((NOTE, OTHER_NOTE), start=1):
        load(billed, credit_note(note_id, "-60.00", "-12.60", invoice_number=f"CRE-{number}"))
    return billed


def test_two_credit_notes_of_one_invoice_take_no_more_than_it(
    system: LocalSystem, two_notes: Connection
) -> None:
    credit(system, NOTE)
    [second] = credit(system, OTHER_NOTE)

    taken = {memo["credit_memo_number"]: memo["applied_amount"]["amount"] for memo in memos(two_notes)}
    assert taken == {"CRE-1": "72.60", "CRE-2": "48.40"}
    assert (second["applied"], second["unapplied"]) == ("48.40", "24.20")
    assert second["warnings"] == [stays_open("24.20")]
    assert amount_due(two_notes) == "0.00"
    assert record(system, ORIGINAL)["open_amount"] == "0"


def test_two_credit_notes_at_once_take_no_more_than_the_invoice(
    system: LocalSystem, two_notes: Connection
) -> None:
    system.deliver_webhooks()

    system.start_workers(4)
    system.stop_workers()
    system.advance(3600)
    system.settle()

    taken = sorted(memo["applied_amount"]["amount"] for memo in memos(two_notes))
    assert taken == ["48.40", "72.60"]
    assert sorted(memo_record(system, note)["applied"] for note in (NOTE, OTHER_NOTE)) == taken
    assert amount_due(two_notes) == "0.00"


def refuse_applications(system: LocalSystem, times: int = 2, **more: object) -> None:
    system.rillet.state.misbehave("status", path="/credit-memos/", times=times, status=400, **more)  # type: ignore[arg-type]


def test_a_set_that_rillet_refuses_for_good_leaves_the_memo_and_a_retry_applies_it(
    system: LocalSystem, credited: Connection
) -> None:
    refuse_applications(system, body={"type": "x", "title": "Not today", "status": 400})

    [refused] = credit(system)
    [memo] = memos(credited)
    [retried] = credit(system)

    assert (refused["outcome"], refused["code"]) == ("rejected", "refused_by_rillet")
    assert refused["message"].startswith(f"The memo {memo['id']} is in Rillet, but it could not be applied: ")
    assert "Not today" in refused["message"]
    assert retried["outcome"] == "exported"
    assert "code" not in memo_record(system)
    assert_memo_exported(system, credited)


def test_a_retry_after_a_refusal_plans_again(system: LocalSystem, credited: Connection) -> None:
    refuse_applications(system)
    credit(system)
    pay(credited, "21.00")

    [retried] = credit(system)

    assert retried["applied"] == "100.00"
    assert_memo_exported(system, credited, ("100.00", "21.00"))


def lose_and_refuse(system: LocalSystem, refusals: int) -> list[Json]:
    """Let a first set be applied and its answer be lost, and let Rillet refuse the same set later on."""
    system.rillet.state.misbehave("commit_then_drop", path="/credit-memos/")
    first = credit(system)
    system.advance(25 * 3600)
    refuse_applications(system, refusals)
    return first


@pytest.mark.parametrize(
    ("paid", "amounts"),
    [("0", ("121.00", "0.00")), ("61.00", ("60.00", "61.00")), ("121.00", ("0.00", "121.00"))],
)
@pytest.mark.parametrize("refusals", [1, 2])
def test_a_set_that_was_applied_though_it_is_refused_later_counts_as_open_for_its_memo(
    system: LocalSystem, billed: Connection, paid: str, amounts: tuple[str, str], refusals: int
) -> None:
    if paid != "0":
        pay(billed, paid)
        billed.organisation.deliver_webhooks()
        system.settle()
    load(billed, credit_note())
    lose_and_refuse(system, refusals)

    credit(system)
    system.rillet.state.behave()
    credit(system)
    system.settle()

    assert_memo_exported(system, billed, amounts)
    assert amount_due(billed) == "0.00"


def test_what_a_memo_has_taken_of_one_invoice_does_not_move_to_another_after_a_refusal(
    system: LocalSystem, billed: Connection
) -> None:
    load(billed, original(SECOND), one_off({"id": ORIGINAL}, {"id": SECOND}, net="-150.00", tax="-31.50"))
    [queued] = lose_and_refuse(system, 1)

    [result] = credit(system)

    assert (queued["outcome"], result["outcome"]) == ("queued", "exported")
    memo = assert_memo_exported(system, billed, ("181.50", "0.00"))
    first, second = (rillet_invoice(billed, each)["id"] for each in (ORIGINAL, SECOND))
    assert applied(memo) == {first: "121.00", second: "60.50"}


def test_a_memo_that_is_gone_when_its_application_is_in_doubt_is_recorded_as_deleted(
    system: LocalSystem, credited: Connection
) -> None:
    refuse_applications(system)
    [refused] = credit(system)
    credited.organisation.credit_memos.remove(memos(credited)[0]["id"])

    [result] = credit(system)

    assert refused["outcome"] == "rejected"
    assert (result["outcome"], result["code"]) == ("differs", "deleted_in_rillet")
    assert memo_record(system)["state"] == "differs"
    assert "lease_until" not in memo_record(system)


@pytest.mark.parametrize("status", [409, 503])
def test_an_application_without_a_clear_answer_is_tried_again(
    system: LocalSystem, credited: Connection, status: int
) -> None:
    system.rillet.state.misbehave("status_after", path="/credit-memos/", status=status)

    [queued] = credit(system)
    system.advance(120)
    system.settle()

    assert queued["outcome"] == "queued"
    memo = assert_memo_exported(system, credited)
    assert applied(memo) == {rillet_invoice(credited)["id"]: "121.00"}


def test_an_application_is_dated_like_the_note_in_its_own_time_zone(
    system: LocalSystem, billed: Connection
) -> None:
    load(billed, credit_note(invoice_date="2026-02-01T23:30:00Z"))

    system.settle()

    memo = assert_memo_exported(system, billed)
    assert memo["credit_memo_date"] == "2026-02-02"
    assert memo["applications"][0]["application_date"] == "2026-02-02"
