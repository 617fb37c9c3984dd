"""What a person applies by hand in Rillet stays, and what a person pays meanwhile leads to a retry."""

from collections.abc import Callable
from typing import Any

import pytest

from local.aws.runtime import Killed
from local.system import Connection, LocalSystem
from solvimon_rillet.rillet.client import RilletClient
from tests.support.arrange import HOUR, credit, load, patched, until_finished
from tests.support.assertions import application_posts, applied, calls_to, memo_record, memos, rillet_invoice
from tests.support.builders import NOTE, ORIGINAL, SECOND, Json, credit_note, original
from tests.support.connected import Connected

APPLICATION = "/credit-memos/"
DAY = "2026-02-03"
LATE = 15 * 60 + 1


@pytest.fixture
def two(billed: Connected) -> Connected:
    """Two invoices of 121.00 EUR of one customer, and a credit note of all of the first."""
    billed.load_and_settle(original(SECOND, invoice_number="INV-2"))
    load(billed, credit_note())
    return billed


def rillet_id(connection: Connection, invoice_id: str = ORIGINAL) -> str:
    return str(rillet_invoice(connection, invoice_id)["id"])


def due(connection: Connection, invoice_id: str = ORIGINAL) -> str:
    return str(rillet_invoice(connection, invoice_id)["amount_due"]["amount"])


def apply_by_hand(connection: Connected, **amounts: str) -> None:
    """A person makes these the memo's applications; ``original`` and ``second`` name the invoices."""
    ids = {"original": ORIGINAL, "second": SECOND}
    rows = [
        {
            "invoice_id": rillet_id(connection, ids[name]),
            "amount": {"amount": amount, "currency": "EUR"},
            "application_date": DAY,
        }
        for name, amount in amounts.items()
    ]
    [memo] = memos(connection)
    connection.booked_by_hand({"applications": rows}, f"/credit-memos/{memo['id']}/applications")


def ours(system: LocalSystem) -> list[Json]:
    """The sets of applications that we sent, all answers included; a person sends no idempotency key."""
    return [call.request_body for call in application_posts(system) if call.idempotency_key]


def lose_the_request(system: LocalSystem) -> None:
    system.rillet.state.misbehave("drop", path=APPLICATION)
    system.settle()


def refuse(system: LocalSystem) -> None:
    system.rillet.state.misbehave("status", path=APPLICATION, times=2, status=400)
    system.settle()


def die_between_the_steps(system: LocalSystem) -> None:
    with patched(RilletClient, "apply_credit_memo"):
        deaths = system.settle()
    assert [type(delivery.error) for delivery in deaths] == [Killed]


def lose_the_answer_to_the_memo(system: LocalSystem) -> None:
    system.rillet.state.misbehave("commit_then_drop", path="/credit-memos")
    system.settle()


IN_DOUBT = pytest.mark.parametrize(
    "doubt", [lose_the_request, refuse, die_between_the_steps, lose_the_answer_to_the_memo]
)


def finish(system: LocalSystem) -> Json:
    """Time passes, and whoever must retries; the result of the credit note."""
    system.advance(LATE)
    if memo_record(system)["state"] == "rejected":
        credit(system)
    until_finished(system, NOTE, "credit_memo")
    return memo_record(system)


@IN_DOUBT
def test_a_memo_that_a_person_applied_while_ours_was_in_doubt_counts_as_applied_by_hand(
    two: Connected, doubt: Callable[[LocalSystem], None]
) -> None:
    doubt(two.system)
    apply_by_hand(two, second="121.00")
    sent = len(ours(two.system))

    kept = finish(two.system)

    memo = two.assert_memo_exported(("121.00", "0.00"))
    assert applied(memo) == {rillet_id(two, SECOND): "121.00"}
    assert (due(two), due(two, SECOND)) == ("121.00", "0.00")
    assert len(ours(two.system)) == sent
    assert kept["applied_by_hand"] == "121.00"
    assert any("A person applied 121.00 EUR of the memo to the invoice" in each for each in kept["warnings"])


@IN_DOUBT
def test_ours_is_added_within_what_a_person_left_open_on_the_memo(
    two: Connected, doubt: Callable[[LocalSystem], None]
) -> None:
    doubt(two.system)
    apply_by_hand(two, second="50.00")

    kept = finish(two.system)

    memo = two.assert_memo_exported(("121.00", "0.00"))
    assert applied(memo) == {rillet_id(two, SECOND): "50.00", rillet_id(two): "71.00"}
    assert (due(two), due(two, SECOND)) == ("50.00", "71.00")
    assert (kept["applied"], kept["applied_by_hand"]) == ("121.00", "50.00")


def test_a_persons_application_keeps_its_own_date(two: Connected) -> None:
    refuse(two.system)
    apply_by_hand(two, second="50.00")

    finish(two.system)

    [memo] = memos(two)
    dates = {one["invoice_id"]: one["application_date"] for one in memo["applications"]}
    assert dates == {rillet_id(two, SECOND): DAY, rillet_id(two): "2026-02-01"}


@IN_DOUBT
def test_a_part_that_a_person_applied_to_the_credited_invoice_itself_stays_as_it_is(
    two: Connected, doubt: Callable[[LocalSystem], None]
) -> None:
    doubt(two.system)
    apply_by_hand(two, original="21.00")

    kept = finish(two.system)

    memo = two.assert_memo_exported(("21.00", "100.00"))
    assert applied(memo) == {rillet_id(two): "21.00"}
    assert any("100.00 EUR stay open on the memo" in each for each in kept["warnings"])


def test_a_set_of_ours_that_was_carried_out_is_not_sent_again(two: Connected) -> None:
    two.system.rillet.state.misbehave("commit_then_drop", path=APPLICATION)
    two.settle()

    kept = finish(two.system)

    two.assert_memo_exported()
    assert len(ours(two.system)) == 1
    assert "applied_by_hand" not in kept
    assert len(calls_to(two.system, "GET", APPLICATION)) == 1


def test_a_person_who_moves_our_application_elsewhere_is_not_overruled(two: Connected) -> None:
    two.system.rillet.state.misbehave("commit_then_drop", path=APPLICATION)
    two.settle()
    apply_by_hand(two, second="121.00")

    finish(two.system)

    memo = two.assert_memo_exported()
    assert applied(memo) == {rillet_id(two, SECOND): "121.00"}
    assert len(ours(two.system)) == 1


def test_another_set_waits_while_rillet_may_still_carry_out_the_earlier_one(two: Connected) -> None:
    """It would replace what was added to the person's application."""
    lose_the_request(two.system)
    apply_by_hand(two, second="50.00")

    two.system.advance(10 * 60)
    [early] = two.credit()
    waiting = len(ours(two.system))
    two.system.advance(5 * 60 + 1)
    [late] = two.credit()

    assert (early["outcome"], waiting) == ("queued", 1)
    assert "may still be applying the memo" in early["reason"]
    assert (late["outcome"], late["applied"], late["applied_by_hand"]) == ("exported", "121.00", "50.00")


def test_a_persons_application_that_was_kept_once_is_kept_after_a_second_lost_answer(two: Connected) -> None:
    refuse(two.system)
    apply_by_hand(two, second="50.00")
    two.system.rillet.state.misbehave("commit_then_drop", path=APPLICATION)
    [queued] = two.credit()

    finish(two.system)

    memo = two.assert_memo_exported()
    assert queued["outcome"] == "queued"
    assert applied(memo) == {rillet_id(two, SECOND): "50.00", rillet_id(two): "71.00"}


def test_a_memo_whose_look_up_found_it_applied_by_hand_stays_so(two: Connected) -> None:
    """The settings changed meanwhile, so the memo is only found, not sent again."""
    lose_the_answer_to_the_memo(two.system)
    apply_by_hand(two, second="121.00")
    two.configure(start_date="2030-01-01")

    finish(two.system)

    assert applied(memos(two)[0]) == {rillet_id(two, SECOND): "121.00"}
    assert ours(two.system) == []


def pays_before_each_application(
    monkeypatch: pytest.MonkeyPatch, connection: Connection, *amounts: str
) -> None:
    """A person pays a part of the invoice just before each of the next calls that apply the memo."""
    apply, left = RilletClient.apply_credit_memo, list(amounts)

    def paid_meanwhile(self: RilletClient, *given: Any) -> None:
        if left:
            connection.organisation.pay(rillet_id(connection), left.pop(0))
        apply(self, *given)

    monkeypatch.setattr(RilletClient, "apply_credit_memo", paid_meanwhile)


@pytest.mark.parametrize(
    ("payments", "amounts"),
    [
        (("21.00", "50.00"), ("50.00", "71.00")),
        (("21.00", "100.00"), ("0.00", "121.00")),
        (("1.00", "1.00", "1.00", "1.00"), ("117.00", "4.00")),
    ],
    ids=["in part", "in whole", "again and again"],
)
def test_an_invoice_that_is_paid_between_plan_refusal_and_second_plan_is_a_retry_and_no_rejection(
    credited: Connected, monkeypatch: pytest.MonkeyPatch, payments: tuple[str, ...], amounts: tuple[str, str]
) -> None:
    pays_before_each_application(monkeypatch, credited, *payments)

    [first] = credited.credit()
    credited.settle(after=HOUR)

    assert (first["outcome"], first.get("code")) == ("queued", None)
    credited.assert_memo_exported(amounts)
    assert due(credited) == "0.00"


def test_a_set_that_rillet_refuses_although_nothing_changed_is_rejected(credited: Connected) -> None:
    body = {"type": "x", "title": "Not today", "status": 400}
    credited.system.rillet.state.misbehave("status", path=APPLICATION, times=2, status=400, body=body)

    [refused] = credited.credit()

    assert (refused["outcome"], refused["code"]) == ("rejected", "refused_by_rillet")
    assert len(ours(credited.system)) == 2


def test_a_period_that_closes_between_plan_and_refusal_is_a_retry(
    credited: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first set is refused for another reason, the second one because its day was closed."""
    apply, calls = RilletClient.apply_credit_memo, list[int]()

    def closed_meanwhile(self: RilletClient, *given: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            credited.organisation.pay(rillet_id(credited), "21.00")
        if len(calls) == 2:
            credited.organisation.close_period("2026-02-01", "2026-02-28")
        apply(self, *given)

    monkeypatch.setattr(RilletClient, "apply_credit_memo", closed_meanwhile)
    credited.configure(closed_periods="next_open_day")

    [first] = credited.credit()
    credited.settle(after=HOUR)

    assert first["outcome"] == "queued"
    credited.assert_memo_exported(("100.00", "21.00"))
