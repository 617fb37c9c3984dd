"""A memo is never applied to more than is open on an invoice; the rest stays open on the memo and is said."""

import pytest

from local.system import Connection, LocalSystem
from tests.support.arrange import credit, load
from tests.support.assertions import (
    application_posts,
    applied,
    assert_memo_exported,
    calls_to,
    memo_record,
    memos,
    rillet_invoice,
)
from tests.support.assertions import record as invoice_record
from tests.support.builders import NOTE, ORIGINAL, OTHER_NOTE, SECOND, Json, credit_note, one_off, original


@pytest.fixture
def billed(system: LocalSystem, default: Connection) -> Connection:
    """An invoice of 121.00 EUR in Rillet."""
    load(default, original())
    system.settle()
    return default


def invoice_reads(system: LocalSystem) -> int:
    return sum(call.path.count("/") == 2 for call in calls_to(system, "GET", "/invoices/"))


def open_stays(amount: str) -> str:
    return f"{amount} EUR stay open on the memo: no more is open on its invoices."


def of_number(connection: Connection, number: str) -> Json:
    [found] = [memo for memo in memos(connection) if memo["credit_memo_number"] == number]
    return found


def test_a_credit_that_is_larger_than_the_invoice_leaves_the_rest_on_the_memo(
    system: LocalSystem, billed: Connection
) -> None:
    load(billed, credit_note(NOTE, "-150.00", "-31.50"))

    system.settle()

    memo = assert_memo_exported(system, billed, ("121.00", "60.50"))
    assert memo["status"] == "PARTIALLY_APPLIED"
    assert rillet_invoice(billed)["amount_due"]["amount"] == "0.00"
    assert memo_record(system)["warnings"] == [open_stays("60.50")]


@pytest.mark.parametrize(("paid", "open_amount"), [("121.00", "0.00"), ("61.00", "60.00")])
def test_a_full_credit_of_a_paid_or_partly_paid_invoice_takes_what_is_open(
    system: LocalSystem, billed: Connection, paid: str, open_amount: str
) -> None:
    billed.organisation.pay(rillet_invoice(billed)["id"], paid)
    load(billed, credit_note())

    system.settle()

    rest = {"0.00": "121.00", "60.00": "61.00"}[open_amount]
    assert_memo_exported(system, billed, (open_amount, rest))
    assert rillet_invoice(billed)["amount_due"]["amount"] == "0.00"
    assert memo_record(system)["warnings"] == [open_stays(rest)]
    assert (memo_record(system)["applied"], memo_record(system)["unapplied"]) == (open_amount, rest)


def test_a_partial_credit_of_a_paid_invoice_stays_on_the_memo(
    system: LocalSystem, billed: Connection
) -> None:
    billed.organisation.pay(rillet_invoice(billed)["id"])
    load(billed, credit_note(NOTE, "-30.00", "-6.30"))

    system.settle()

    assert_memo_exported(system, billed, ("0.00", "36.30"))
    assert memo_record(system)["warnings"] == [open_stays("36.30")]


def test_rillet_is_asked_what_is_open_only_after_it_refused(system: LocalSystem, billed: Connection) -> None:
    billed.organisation.pay(rillet_invoice(billed)["id"], "100.00")
    load(billed, credit_note(NOTE, "-30.00", "-6.30"))

    system.settle()

    assert_memo_exported(system, billed, ("21.00", "15.30"))
    assert [call.status for call in application_posts(system)] == [400, 200]
    keys = [call.idempotency_key for call in application_posts(system)]
    assert len(set(keys)) == 2
    assert invoice_reads(system) == 1


def test_a_credit_that_fits_costs_no_question(system: LocalSystem, billed: Connection) -> None:
    load(billed, credit_note(NOTE, "-30.00", "-6.30"))

    system.settle()

    assert_memo_exported(system, billed, ("36.30", "0.00"))
    assert invoice_reads(system) == 0


def test_two_credit_notes_of_one_invoice_take_no_more_than_it(
    system: LocalSystem, billed: Connection
) -> None:
    load(
        billed,
        credit_note(NOTE, "-60.00", "-12.60", invoice_number="CRE-1"),
        credit_note(OTHER_NOTE, "-60.00", "-12.60", invoice_number="CRE-2"),
    )

    credit(system, NOTE)
    [second] = credit(system, OTHER_NOTE)

    assert of_number(billed, "CRE-1")["applied_amount"]["amount"] == "72.60"
    assert of_number(billed, "CRE-2")["applied_amount"]["amount"] == "48.40"
    assert (second["applied"], second["unapplied"]) == ("48.40", "24.20")
    assert second["warnings"] == [open_stays("24.20")]
    assert rillet_invoice(billed)["amount_due"]["amount"] == "0.00"
    assert invoice_record(system, "invo_original")["open_amount"] == "0"


def test_two_credit_notes_at_once_take_no_more_than_the_invoice(
    system: LocalSystem, billed: Connection
) -> None:
    load(
        billed,
        credit_note(NOTE, "-60.00", "-12.60", invoice_number="CRE-1"),
        credit_note(OTHER_NOTE, "-60.00", "-12.60", invoice_number="CRE-2"),
    )
    system.deliver_webhooks()

    system.start_workers(4)
    system.stop_workers()
    system.advance(3600)
    system.settle()

    taken = sorted(memo["applied_amount"]["amount"] for memo in memos(billed))
    assert taken == ["48.40", "72.60"]
    assert sorted(memo_record(system, note)["applied"] for note in (NOTE, OTHER_NOTE)) == taken
    assert rillet_invoice(billed)["amount_due"]["amount"] == "0.00"


def test_a_set_that_rillet_refuses_for_good_leaves_the_memo_and_says_so_and_a_retry_applies_it(
    system: LocalSystem, billed: Connection
) -> None:
    problem = {"type": "x", "title": "Not today", "status": 400}
    system.rillet.state.misbehave("status", path="/credit-memos/", times=2, status=400, body=problem)
    load(billed, credit_note())

    [refused] = credit(system)
    [memo] = memos(billed)
    [retried] = credit(system)

    assert (refused["outcome"], refused["code"]) == ("rejected", "refused_by_rillet")
    assert refused["message"].startswith(f"The memo {memo['id']} is in Rillet, but it could not be applied: ")
    assert "Not today" in refused["message"]
    assert retried["outcome"] == "exported"
    assert "code" not in memo_record(system)
    assert_memo_exported(system, billed)


def test_a_retry_after_a_refusal_plans_anew(system: LocalSystem, billed: Connection) -> None:
    system.rillet.state.misbehave("status", path="/credit-memos/", times=2, status=400)
    load(billed, credit_note())
    credit(system)
    billed.organisation.pay(rillet_invoice(billed)["id"], "21.00")

    [retried] = credit(system)

    assert retried["applied"] == "100.00"
    assert_memo_exported(system, billed, ("100.00", "21.00"))


def lose_and_refuse(system: LocalSystem, connection: Connection, refusals: int) -> list[Json]:
    """Let a first set be applied and its answer be lost, and let Rillet refuse the same set later on."""
    system.rillet.state.misbehave("commit_then_drop", path="/credit-memos/")
    first = credit(system)
    system.advance(25 * 3600)
    system.rillet.state.misbehave("status", path="/credit-memos/", times=refusals, status=400)
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
        billed.organisation.pay(rillet_invoice(billed)["id"], paid)
        billed.organisation.deliver_webhooks()
        system.settle()
    load(billed, credit_note())
    lose_and_refuse(system, billed, refusals)

    credit(system)
    system.rillet.state.behave()
    credit(system)
    system.settle()

    assert_memo_exported(system, billed, amounts)
    assert rillet_invoice(billed)["amount_due"]["amount"] == "0.00"


def test_what_a_memo_has_taken_of_one_invoice_does_not_move_to_another_after_a_refusal(
    system: LocalSystem, billed: Connection
) -> None:
    load(billed, original(SECOND), one_off({"id": ORIGINAL}, {"id": SECOND}, net="-150.00", tax="-31.50"))
    [queued] = lose_and_refuse(system, billed, 1)

    [result] = credit(system)

    assert (queued["outcome"], result["outcome"]) == ("queued", "exported")
    memo = assert_memo_exported(system, billed, ("181.50", "0.00"))
    first, second = (rillet_invoice(billed, each)["id"] for each in (ORIGINAL, SECOND))
    assert applied(memo) == {first: "121.00", second: "60.50"}


def test_a_memo_is_read_only_where_an_earlier_set_is_in_doubt(
    system: LocalSystem, billed: Connection
) -> None:
    billed.organisation.pay(rillet_invoice(billed)["id"], "100.00")
    load(billed, credit_note(NOTE, "-30.00", "-6.30"))

    system.settle()

    assert [call.status for call in application_posts(system)] == [400, 200]
    assert calls_to(system, "GET", "/credit-memos/") == []


def test_a_memo_that_is_gone_when_its_application_is_in_doubt_is_noted_as_deleted(
    system: LocalSystem, billed: Connection
) -> None:
    load(billed, credit_note())
    system.rillet.state.misbehave("status", path="/credit-memos/", times=2, status=400)
    [refused] = credit(system)
    billed.organisation.credit_memos.remove(memos(billed)[0]["id"])

    [result] = credit(system)

    assert refused["outcome"] == "rejected"
    assert (result["outcome"], result["code"]) == ("differs", "deleted_in_rillet")
    assert memo_record(system)["state"] == "differs"
    assert "lease_until" not in memo_record(system)


@pytest.mark.parametrize("status", [409, 503])
def test_an_application_without_a_clear_answer_is_tried_again(
    system: LocalSystem, billed: Connection, status: int
) -> None:
    system.rillet.state.misbehave("status_after", path="/credit-memos/", status=status)
    load(billed, credit_note())

    [queued] = credit(system)
    system.advance(120)
    system.settle()

    assert queued["outcome"] == "queued"
    memo = assert_memo_exported(system, billed)
    assert applied(memo) == {rillet_invoice(billed)["id"]: "121.00"}


def test_an_application_is_dated_like_the_note_in_its_own_time_zone(
    system: LocalSystem, billed: Connection
) -> None:
    load(billed, credit_note(invoice_date="2026-02-01T23:30:00Z"))

    system.settle()

    memo = assert_memo_exported(system, billed)
    assert memo["credit_memo_date"] == "2026-02-02"
    assert memo["applications"][0]["application_date"] == "2026-02-02"
