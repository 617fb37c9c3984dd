"""Payment webhooks shuffled, doubled and delayed: in the end Solvimon says what Rillet says."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.fake_rillet.organisation import Organisation
from local.fake_rillet.webhook_events import Event
from local.system import Connection, LocalSystem
from tests.integration.mark_invoice_paid.support import (
    FUNCTION,
    OPEN,
    PAID,
    PARTLY,
    connected,
    events,
    exported,
    hold_back,
    item,
    no_trouble,
    post,
    recorded,
    state,
)

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


def act(organisation: Organisation, rillet_id: str, what: str, which: str | int) -> None:
    """Pay what is possible, or undo one of the payments that there are."""
    payments = [p for p in organisation.payments.documents() if p["invoice_id"] == rillet_id]
    due = Decimal(organisation.invoices.get(rillet_id).document["amount_due"]["amount"])
    if what == "pay":
        if (amount := min(Decimal(which), due)) > 0:
            organisation.pay(rillet_id, amount, cleared=amount > 50)
        return
    counting = [p for p in payments if p["status"] != "FAILED"]
    if not counting:
        return
    chosen = counting[int(which) % len(counting)]["id"]
    {
        "delete": organisation.delete_payment,
        "fail": organisation.fail_payment,
        "clear": organisation.clear_payment,
    }[what](chosen)


def truth(connection: Connection, rillet_id: str) -> tuple[bool, str]:
    """What Rillet's books say, reckoned from the payments alone."""
    payments = connection.organisation.payments.documents()
    paid = sum(
        Decimal(p["amount"]["amount"])
        for p in payments
        if p["invoice_id"] == rillet_id and p["status"] != "FAILED"
    )
    return OPEN if not paid else PAID if paid >= Decimal("121.00") else PARTLY


def deliver(system: LocalSystem, connection: Connection, order: list[Event], batches: list[bool]) -> None:
    """Deliver events; where a batch is to end, the queue is worked off."""
    for event, ends in zip(order, batches, strict=True):
        assert post(system, connection, event.body, event.entity, event.event, event.id) == 200
        if ends:
            system.deliver(FUNCTION)
    system.deliver(FUNCTION)


@PLAN
@given(acts=st.lists(ACTS, min_size=1, max_size=6), data=st.data())
def test_the_end_state_is_rillets_in_any_order_and_number(
    running_system: LocalSystem, acts: list[tuple[str, str | int]], data: st.DataObject
) -> None:
    system = running_system
    system.reset()
    connection = connected(system)
    rillet_id = exported(system, connection)
    hold_back(connection)
    for what, which in acts:
        act(connection.organisation, rillet_id, what, which)
    happened = events(connection)
    doubled = happened + data.draw(st.lists(st.sampled_from(happened), max_size=4)) if happened else []

    order = data.draw(st.permutations(doubled))
    ends = data.draw(st.lists(st.booleans(), min_size=len(order), max_size=len(order)))
    deliver(system, connection, list(order), ends)

    assert state(connection) == truth(connection, rillet_id)
    no_trouble(system)


@PLAN
@given(
    acts=st.lists(ACTS, min_size=1, max_size=5),
    faults=st.lists(st.sampled_from(["drop", "commit_then_drop", "status"]), min_size=1, max_size=3),
    data=st.data(),
)
def test_the_end_state_is_rillets_also_where_solvimon_loses_answers(
    running_system: LocalSystem,
    acts: list[tuple[str, str | int]],
    faults: list[str],
    data: st.DataObject,
) -> None:
    system = running_system
    system.reset()
    connection = connected(system, payments="record_each")
    rillet_id = exported(system, connection)
    hold_back(connection)
    for what, which in acts:
        act(connection.organisation, rillet_id, what, which)
    order = list(data.draw(st.permutations(events(connection))))
    for fault in faults:
        more = {"status": 503} if fault == "status" else {}
        method = data.draw(st.sampled_from(["PATCH", "POST"]))
        system.solvimon.state.misbehave(fault, method=method, times=1, **more)  # type: ignore[arg-type]

    for event in order:
        deliver(system, connection, [event], [True])
    system.solvimon.state.behave()
    for _ in range(4):
        system.advance(120)
        system.deliver(FUNCTION)

    assert state(connection) == truth(connection, rillet_id)
    references = [payment["external_reference"] for payment in recorded(connection)]
    assert len(references) == len(set(references))
    no_trouble(system)


def test_a_lost_answer_is_mended_by_the_next_event_even_if_it_says_what_we_knew_before(
    system: LocalSystem, connection: Connection
) -> None:
    rillet_id = exported(system, connection)
    hold_back(connection)
    payment = connection.organisation.pay(rillet_id)
    connection.organisation.delete_payment(payment["id"])
    paid, undone = events(connection)
    system.solvimon.state.misbehave("commit_then_drop", method="PATCH", times=1)

    deliver(system, connection, [paid], [True])
    in_between = (state(connection), item(system)["payment_status"])
    deliver(system, connection, [undone], [True])
    system.advance(60)
    system.deliver(FUNCTION)

    assert in_between == (PAID, "UNKNOWN")
    assert state(connection) == OPEN
    no_trouble(system)
