"""In `FULL` scope, an exported invoice is marked as sent: the second recorded step of its export."""

import pytest

from local.fake_rillet.calls import Call
from local.system import LocalSystem
from solvimon_rillet.ledger.ledger import LEASE_SECONDS, Ledger
from solvimon_rillet.rillet.client import RilletClient
from tests.integration.mark_invoice_paid import support as payments
from tests.support.arrange import load, patched, put_on_queue
from tests.support.assertions import calls_to, dead_letters, invoice_posts, record, rillet_invoice, waiting
from tests.support.builders import FIRST, ORIGINAL, Json, credit_note, original
from tests.support.connected import Connected

CREATED = "invoice_created"
DONE = "marked_as_sent"


def marks(system: LocalSystem) -> list[Call]:
    """The requests to mark an invoice as sent that reached Rillet."""
    return calls_to(system, "PUT", "/invoices/")


def assert_marked(connection: Connected, *, times: int = 1) -> None:
    """The invoice is in Rillet once, billed, and was marked so often."""
    connection.assert_exported(only=True)
    assert rillet_invoice(connection, FIRST)["status"] == "UNPAID"
    assert connection.record()["step"] == DONE
    assert (len(invoice_posts(connection.system)), len(marks(connection.system))) == (1, times)


def create_and_die(connection: Connected) -> None:
    """Export the first invoice; the process ends between its creation and its mark."""
    connection.finalise()
    with patched(RilletClient, "mark_invoice_as_sent"):
        connection.settle()
    assert rillet_invoice(connection, FIRST)["status"] == "UNBILLED"


def test_an_invoice_is_marked_as_sent_in_a_recorded_step_of_its_own(default: Connected) -> None:
    default.finalise_and_settle()

    assert_marked(default)
    [mark] = marks(default.system)
    rillet_id = default.record()["rillet_id"]
    assert (mark.path, mark.request_body) == (f"/invoices/{rillet_id}/sent-status", {"sent": True})
    assert [entry["what"] for entry in default.record()["history"]] == ["sent", CREATED, "exported"]


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"mark_as_sent": False}, "UNBILLED"),
        ({"invoice_scope": "REVENUE_RECOGNITION_ONLY"}, "UNPAID"),
        ({"invoice_scope": "AR_ONLY"}, "UNPAID"),
    ],
    ids=["switched off", "revenue recognition", "receivables"],
)
def test_what_is_not_to_be_marked_is_exported_in_one_step(
    default: Connected, settings: Json, status: str
) -> None:
    default.configure(**settings)

    default.finalise_and_settle()

    default.assert_exported(only=True)
    assert rillet_invoice(default, FIRST)["status"] == status
    assert marks(default.system) == []


@pytest.mark.parametrize(
    ("where", "times"), [((RilletClient, "mark_invoice_as_sent"), 1), ((Ledger, "finish"), 2)]
)
def test_after_a_crash_between_creation_and_mark_only_the_mark_is_repeated(
    default: Connected, where: tuple[type, str], times: int
) -> None:
    default.finalise()
    with patched(*where):
        default.settle()
    meanwhile = default.record()

    default.system.advance(LEASE_SECONDS + 1)
    [after] = default.export()

    assert (meanwhile["state"], meanwhile["step"]) == ("sending", CREATED)
    assert (after["outcome"], after["rillet_id"]) == ("exported", meanwhile["rillet_id"])
    assert_marked(default, times=times)


def test_the_mark_is_resumed_even_if_solvimon_does_not_have_the_invoice_any_more(default: Connected) -> None:
    create_and_die(default)
    del default.platform.records["invoices"][FIRST]

    default.until_exported()

    assert_marked(default)


@pytest.mark.parametrize("fault", ["commit_then_drop", "drop", "status", "status_after", "malformed"])
def test_a_mark_whose_outcome_is_unknown_is_repeated_and_nothing_else_is(
    default: Connected, fault: str
) -> None:
    default.system.rillet.state.misbehave(fault, "PUT")
    default.finalise_and_settle()
    in_between = default.record()

    default.until_exported()

    assert (in_between["state"], in_between["step"]) == ("sending", CREATED)
    assert_marked(default, times=2)


def test_a_429_between_creation_and_mark_waits_and_repeats_the_mark(default: Connected) -> None:
    default.system.rillet.state.misbehave("status", "PUT", status=429)
    default.finalise()

    default.until_exported()

    assert_marked(default, times=2)


@pytest.mark.parametrize("status", [400, 422])
def test_a_refused_mark_is_stated_with_its_remedy_and_the_invoice_stays_exported(
    default: Connected, status: int
) -> None:
    body = {"title": "Bad Request", "detail": "The invoice is locked", "status": status}
    default.system.rillet.state.misbehave("status", "PUT", status=status, body=body, times=0)

    default.finalise_and_settle()

    default.assert_exported(only=True)
    [stated] = [each for each in default.record()["warnings"] if "marked as sent" in each]
    assert f"({status})" in stated
    assert "The invoice is locked" in stated
    assert "Open the invoice in Rillet and mark it as sent" in stated
    assert len(marks(default.system)) == 1
    assert (waiting(default.system).total, dead_letters(default.system)) == (0, [])
    [again] = default.export()
    assert again["outcome"] == "already_exported"
    assert stated in again["warnings"]


@pytest.mark.parametrize("times", [1, 0], ids=["once", "always"])
def test_a_409_to_the_mark_is_repeated_once_and_then_stated(default: Connected, times: int) -> None:
    default.system.rillet.state.misbehave("status", "PUT", status=409, times=times)
    default.finalise()

    default.until_exported()

    stated = [each for each in default.record()["warnings"] if "marked as sent" in each]
    default.assert_exported(only=True)
    assert len(marks(default.system)) == 2
    assert len(stated) == (0 if times else 1)
    assert rillet_invoice(default, FIRST)["status"] == ("UNPAID" if times else "UNBILLED")


def test_an_invoice_that_was_deleted_before_its_mark_differs(default: Connected) -> None:
    create_and_die(default)
    default.organisation.delete_invoice(default.record()["rillet_id"])

    default.system.advance(LEASE_SECONDS + 1)
    [result] = default.export()

    assert (result["outcome"], result["code"]) == ("differs", "deleted_in_rillet")
    assert (default.record()["state"], len(invoice_posts(default.system))) == ("differs", 1)


@pytest.mark.parametrize(("act", "status"), [("mark", "UNPAID"), ("pay", "PAID")])
def test_an_invoice_that_a_person_marked_or_paid_before_its_mark_stays_so(
    default: Connected, act: str, status: str
) -> None:
    create_and_die(default)
    rillet_id = default.record()["rillet_id"]
    if act == "pay":
        default.organisation.pay(rillet_id)
    else:
        default.organisation.mark_as_sent(rillet_id)

    default.system.advance(LEASE_SECONDS + 1)
    [result] = default.export()

    assert (result["outcome"], default.record()["step"]) == ("exported", DONE)
    assert rillet_invoice(default, FIRST)["status"] == status


@pytest.mark.parametrize(
    ("settings", "status"),
    [({"invoice_scope": "REVENUE_RECOGNITION_ONLY"}, "UNPAID"), ({"mark_as_sent": False}, "UNBILLED")],
    ids=["other scope", "switched off"],
)
def test_a_resumed_mark_follows_the_scope_that_was_booked_and_the_setting_of_now(
    default: Connected, settings: Json, status: str
) -> None:
    create_and_die(default)
    default.configure(**settings)

    default.until_exported()

    default.assert_exported(only=True)
    assert rillet_invoice(default, FIRST)["status"] == status


def test_a_credit_note_finishes_an_original_that_is_not_marked_yet_first(default: Connected) -> None:
    load(default, original())
    default.system.deliver_webhooks()
    with patched(RilletClient, "mark_invoice_as_sent"):
        default.settle()
    load(default, credit_note())
    default.system.advance(LEASE_SECONDS + 1)

    [result] = default.credit()

    assert result["outcome"] == "exported"
    assert default.record(ORIGINAL)["step"] == DONE
    default.assert_memo_exported()


def test_rillets_own_event_about_the_mark_changes_nothing_and_asks_neither_vendor(
    system: LocalSystem,
) -> None:
    connection = payments.connected(system)
    load(connection, original())
    system.deliver_webhooks()
    system.settle()
    before, calls = record(system, ORIGINAL), payments.rillet_calls(system)
    asked = len(list(system.solvimon.state.calls))

    answers = payments.settle(system, connection)

    [echo] = connection.organisation.announced("invoice-updated")
    assert echo.document["status"] == "UNPAID"
    assert set(answers) == {200}
    assert (payments.rillet_calls(system), len(list(system.solvimon.state.calls))) == (calls, asked)
    assert payments.state(connection) == payments.OPEN
    after = record(system, ORIGINAL)
    assert {n: after[n] for n in ("state", "history", "rillet_id")} == {
        n: before[n] for n in ("state", "history", "rillet_id")
    }
    assert dead_letters(system, payments.FUNCTION) == []


def test_an_invoice_that_is_unbilled_and_paid_is_marked_paid(system: LocalSystem) -> None:
    connection = payments.connected(system, mark_as_sent=False)
    load(connection, original())
    system.deliver_webhooks()
    system.settle()
    invoice = dict(rillet_invoice(connection))

    connection.organisation.pay(invoice["id"])
    payments.settle(system, connection)

    assert invoice["status"] == "UNBILLED"
    assert payments.state(connection) == payments.PAID


@pytest.mark.parametrize("marked", [True, False])
def test_the_dry_run_names_the_mark(default: Connected, marked: bool) -> None:
    default.configure(mark_as_sent=marked)
    default.platform.finalise(FIRST)

    [planned] = default.export(dry_run=True)

    expected = {"PUT /invoices/{id}/sent-status": {"sent": True}} if marked else None
    assert planned.get("then_sends") == expected
    assert calls_to(default.system, "PUT") == []


def test_a_repeated_message_does_not_mark_again(default: Connected) -> None:
    default.finalise_and_settle()

    put_on_queue(default.system)
    default.settle()

    assert_marked(default)
