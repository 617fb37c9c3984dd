"""Payment webhooks shuffled, doubled and delayed: in the end Solvimon shows what Rillet shows."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.fake_rillet.webhook_events import Event
from local.system import LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS
from solvimon_rillet.workflows.late_writes import SETTLE_SECONDS
from tests.integration.mark_invoice_paid.support import (
    FUNCTION,
    OPEN,
    PAID,
    PARTLY,
    Invoice,
    connected,
    exported,
    post,
)
from tests.support.builders import Json

pytestmark = pytest.mark.slow

ACTS = st.one_of(
    st.tuples(st.just("pay"), st.sampled_from(["0.01", "40.00", "60.50", "80.99", "121.00"])),
    st.tuples(st.sampled_from(["delete", "fail", "clear"]), st.integers(0, 3)),
)
PLAN = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def act(invoice: Invoice, what: str, which: str | int) -> None:
    """Pay what is possible, or delete, fail or clear one of the payments."""
    if what == "pay":
        if (amount := min(Decimal(which), Decimal(invoice.document["amount_due"]["amount"]))) > 0:
            invoice.organisation.pay(invoice.rillet_id, amount, cleared=amount > 50)
        return
    if counting := [payment for payment in rillet_payments(invoice) if payment["status"] != "FAILED"]:
        chosen = counting[int(which) % len(counting)]["id"]
        invoice.change_payment(chosen, f"{what}_payment", deliver=False)


def rillet_payments(invoice: Invoice) -> list[Json]:
    """The payments of the invoice in Rillet."""
    payments = invoice.organisation.payments.documents()
    return [payment for payment in payments if payment["invoice_id"] == invoice.rillet_id]


def expected_state(invoice: Invoice) -> tuple[bool, str]:
    """The payment state according to Rillet's books, calculated from the payments alone."""
    amounts = [p["amount"]["amount"] for p in rillet_payments(invoice) if p["status"] != "FAILED"]
    paid = sum(Decimal(amount) for amount in amounts)
    return OPEN if not paid else PAID if paid >= Decimal("121.00") else PARTLY


def deliver(invoice: Invoice, order: list[Event], batches: list[bool]) -> None:
    """Deliver events; where a batch is to end, the queue is processed."""
    for event, ends in zip(order, batches, strict=True):
        assert (
            post(invoice.system, invoice.connection, event.body, event.entity, event.event, event.id) == 200
        )
        if ends:
            invoice.system.deliver(FUNCTION)
    invoice.system.deliver(FUNCTION)


def after_acts(system: LocalSystem, acts: list[tuple[str, str | int]], **settings: str) -> Invoice:
    """An exported invoice on a system as new, with payments whose webhooks are not delivered."""
    system.reset()
    invoice = exported(system, connected(system, **settings))
    invoice.hold_back()
    for what, which in acts:
        act(invoice, what, which)
    return invoice


@PLAN
@given(acts=st.lists(ACTS, min_size=1, max_size=6), data=st.data())
def test_the_end_state_is_rillets_in_any_order_and_number(
    running_system: LocalSystem, acts: list[tuple[str, str | int]], data: st.DataObject
) -> None:
    invoice = after_acts(running_system, acts)
    happened = invoice.events()
    doubled = happened + data.draw(st.lists(st.sampled_from(happened), max_size=4)) if happened else []

    order = data.draw(st.permutations(doubled))
    ends = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    deliver(invoice, list(order), ends)

    assert invoice.state == expected_state(invoice)
    invoice.no_trouble()


@PLAN
@given(
    acts=st.lists(ACTS, min_size=1, max_size=5),
    faults=st.lists(st.sampled_from(["drop", "commit_then_drop", "status"]), min_size=1, max_size=3),
    data=st.data(),
)
def test_the_end_state_is_rillets_also_where_solvimon_loses_answers(
    running_system: LocalSystem, acts: list[tuple[str, str | int]], faults: list[str], data: st.DataObject
) -> None:
    invoice = after_acts(running_system, acts, payments="record_each")
    order, fake = list(data.draw(st.permutations(invoice.events()))), invoice.system.solvimon.state
    for fault in faults:
        more = {"status": 503} if fault == "status" else {}
        method = data.draw(st.sampled_from(["PATCH", "POST"]))
        fake.misbehave(fault, method=method, times=1, **more)  # type: ignore[arg-type]

    for event in order:
        deliver(invoice, [event], [True])
    fake.behave()
    for _ in range(4):
        invoice.system.advance(SETTLE_SECONDS)
        invoice.system.deliver(FUNCTION)

    assert invoice.state == expected_state(invoice)
    references = [payment["external_reference"] for payment in invoice.recorded]
    assert len(references) == len(set(references))
    invoice.no_trouble()


def test_the_next_event_repairs_a_lost_answer_even_if_it_repeats_the_state_before(invoice: Invoice) -> None:
    paid, deleted = invoice.pay_and_undo()
    invoice.system.solvimon.state.misbehave("commit_then_drop", method="PATCH", times=1)

    deliver(invoice, [paid], [True])
    in_between = (invoice.state, invoice.record()["payment_status"])
    deliver(invoice, [deleted], [True])
    for seconds in (LEASE_SECONDS + 1, SETTLE_SECONDS):
        invoice.system.advance(seconds)
        invoice.system.deliver(FUNCTION)

    assert in_between == (PAID, "UNKNOWN")
    assert invoice.state == OPEN
    invoice.no_trouble()
