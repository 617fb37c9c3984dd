"""A memo is never applied to more than is open on an invoice; the rest stays open on it, with a warning."""

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import credit, load
from tests.support.assertions import (
    application_posts,
    applied,
    calls_to,
    invoice_reads,
    memos,
    rillet_invoice,
)
from tests.support.builders import NOTE, ORIGINAL, OTHER_NOTE, SECOND, Json, credit_note, one_off, original
from tests.support.connected import Connected


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
    billed: Connected, paid: str, net: str, tax: str, amounts: tuple[str, str], status: str
) -> None:
    if paid:
        pay(billed, paid)

    billed.load_and_settle(credit_note(NOTE, net, tax))

    memo = billed.assert_memo_exported(amounts)
    assert memo["status"] == status
    assert amount_due(billed) == "0.00"
    assert billed.memo_record()["warnings"] == [stays_open(amounts[1])]


def test_rillet_is_asked_for_the_open_amount_only_after_it_refused_and_for_the_memo_only_in_doubt(
    billed: Connected,
) -> None:
    pay(billed, "100.00")

    billed.load_and_settle(credit_note(NOTE, "-30.00", "-6.30"))

    billed.assert_memo_exported(("21.00", "15.30"))
    assert [call.status for call in application_posts(billed.system)] == [400, 200]
    keys = [call.idempotency_key for call in application_posts(billed.system)]
    assert len(set(keys)) == 2
    assert invoice_reads(billed.system) == 1
    assert calls_to(billed.system, "GET", "/credit-memos/") == []


@pytest.fixture
def two_notes(billed: Connected) -> Connected:
    """Two credit notes of the invoice, together more than it."""
    for number, note_id in enumerate((NOTE, OTHER_NOTE), start=1):
        load(billed, credit_note(note_id, "-60.00", "-12.60", invoice_number=f"CRE-{number}"))
    return billed


def test_two_credit_notes_of_one_invoice_take_no_more_than_it(two_notes: Connected) -> None:
    two_notes.credit(NOTE)
    [second] = two_notes.credit(OTHER_NOTE)

    taken = {memo["credit_memo_number"]: memo["applied_amount"]["amount"] for memo in memos(two_notes)}
    assert taken == {"CRE-1": "72.60", "CRE-2": "48.40"}
    assert (second["applied"], second["unapplied"]) == ("48.40", "24.20")
    assert second["warnings"] == [stays_open("24.20")]
    assert amount_due(two_notes) == "0.00"
    assert two_notes.record(ORIGINAL)["open_amount"] == "0"


def test_two_credit_notes_at_once_take_no_more_than_the_invoice(two_notes: Connected) -> None:
    two_notes.system.deliver_webhooks()

    two_notes.system.start_workers(4)
    two_notes.system.stop_workers()
    two_notes.settle(after=3600)

    taken = sorted(memo["applied_amount"]["amount"] for memo in memos(two_notes))
    assert taken == ["48.40", "72.60"]
    assert sorted(two_notes.memo_record(note)["applied"] for note in (NOTE, OTHER_NOTE)) == taken
    assert amount_due(two_notes) == "0.00"


def refuse_applications(system: LocalSystem, times: int = 2, **more: object) -> None:
    system.rillet.state.misbehave("status", path="/credit-memos/", times=times, status=400, **more)  # type: ignore[arg-type]


def test_a_set_that_rillet_refuses_for_good_leaves_the_memo_and_a_retry_applies_it(
    credited: Connected,
) -> None:
    refuse_applications(credited.system, body={"type": "x", "title": "Not today", "status": 400})

    [refused] = credited.credit()
    [memo] = memos(credited)
    [retried] = credited.credit()

    assert (refused["outcome"], refused["code"]) == ("rejected", "refused_by_rillet")
    assert refused["message"].startswith(f"The memo {memo['id']} is in Rillet, but it could not be applied: ")
    assert "Not today" in refused["message"]
    assert retried["outcome"] == "exported"
    assert "code" not in credited.memo_record()
    credited.assert_memo_exported()


def test_a_retry_after_a_refusal_plans_again(credited: Connected) -> None:
    refuse_applications(credited.system)
    credited.credit()
    pay(credited, "21.00")

    [retried] = credited.credit()

    assert retried["applied"] == "100.00"
    credited.assert_memo_exported(("100.00", "21.00"))


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
    billed: Connected, paid: str, amounts: tuple[str, str], refusals: int
) -> None:
    if paid != "0":
        pay(billed, paid)
        billed.organisation.deliver_webhooks()
        billed.settle()
    load(billed, credit_note())
    lose_and_refuse(billed.system, refusals)

    billed.credit()
    billed.system.rillet.state.behave()
    billed.credit()
    billed.settle()

    billed.assert_memo_exported(amounts)
    assert amount_due(billed) == "0.00"


def test_what_a_memo_has_taken_of_one_invoice_does_not_move_to_another_after_a_refusal(
    billed: Connected,
) -> None:
    load(billed, original(SECOND), one_off({"id": ORIGINAL}, {"id": SECOND}, net="-150.00", tax="-31.50"))
    [queued] = lose_and_refuse(billed.system, 1)

    [result] = billed.credit()

    assert (queued["outcome"], result["outcome"]) == ("queued", "exported")
    memo = billed.assert_memo_exported(("181.50", "0.00"))
    first, second = (rillet_invoice(billed, each)["id"] for each in (ORIGINAL, SECOND))
    assert applied(memo) == {first: "121.00", second: "60.50"}


def test_a_memo_that_is_gone_when_its_application_is_in_doubt_is_recorded_as_deleted(
    credited: Connected,
) -> None:
    refuse_applications(credited.system)
    [refused] = credited.credit()
    credited.organisation.credit_memos.remove(memos(credited)[0]["id"])

    [result] = credited.credit()

    assert refused["outcome"] == "rejected"
    assert (result["outcome"], result["code"]) == ("differs", "deleted_in_rillet")
    assert credited.memo_record()["state"] == "differs"
    assert "lease_until" not in credited.memo_record()


@pytest.mark.parametrize("status", [409, 503])
def test_an_application_without_a_clear_answer_is_tried_again(credited: Connected, status: int) -> None:
    credited.system.rillet.state.misbehave("status_after", path="/credit-memos/", status=status)

    [queued] = credited.credit()
    credited.settle(after=120)

    assert queued["outcome"] == "queued"
    memo = credited.assert_memo_exported()
    assert applied(memo) == {rillet_invoice(credited)["id"]: "121.00"}


def test_an_application_is_dated_like_the_note_in_its_own_time_zone(billed: Connected) -> None:
    billed.load_and_settle(credit_note(invoice_date="2026-02-01T23:30:00Z"))

    memo = billed.assert_memo_exported()
    assert memo["credit_memo_date"] == "2026-02-02"
    assert memo["applications"][0]["application_date"] == "2026-02-02"
