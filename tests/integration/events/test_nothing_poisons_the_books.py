"""What a person mistypes, and the sample events: answered, not recorded, no alarm."""

import json
from collections.abc import Callable

import pytest

from local.system import Connection, LocalSystem
from tests.integration.events.test_events import FOLDER, NAMES, function
from tests.support.arrange import configure, credit, export, finalise, sync
from tests.support.assertions import record, waiting
from tests.support.builders import FIRST, NOTE, ORIGINAL, Json, credit_note, document, original
from tests.support.logs import function_logs

KINDS = ("invoice", "credit_memo", "customer", "payment")
ALARMED = {
    "ConnectionBroken", "SettingsInvalid", "DocumentsRejected", "DocumentsDiffer", "RowsFailed",
    "RateLimited", "SweepFailed", "ReconciliationFailed",
}  # fmt: skip
CHANGES_THE_CONNECTION = {"connect_rillet-connect", "connect_rillet-callback", "connect_rillet-disconnect"}


def documents(system: LocalSystem) -> list[str]:
    """The keys of the documents that the ledger has, and of the rows that lead to them."""
    kinds = {*KINDS, "number", "name", "newest", "payer"}
    return [str(item["pk"]) for item in system.ledger() if str(item["pk"]).split("#")[1] in kinds]


def alarmed(metrics: dict[str, int]) -> dict[str, int]:
    """The metrics that would ring an alarm."""
    return {name: value for name, value in metrics.items() if name.partition(".")[2] in ALARMED and value}


FAIL_WITHOUT_CONNECTION = {"SweepFailed", "ReconciliationFailed"}
"""A sweep and a reconciliation of a connection that has no settings fail, and say so."""


@pytest.mark.slow
@pytest.mark.parametrize("is_connected", [True, False])
def test_all_sample_events_run_on_a_fresh_stack_leave_no_record_and_no_alarm(
    system: LocalSystem, request: pytest.FixtureRequest, is_connected: bool
) -> None:
    if is_connected:
        request.getfixturevalue("default")
    with function_logs(system, tuple(system.deployment.functions)) as logs:
        for name in sorted(set(NAMES) - CHANGES_THE_CONNECTION):
            system.invoke(function(name), json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))
        system.settle()

    queues = system.pollers.queues
    assert documents(system) == []
    expected = set() if is_connected else FAIL_WITHOUT_CONNECTION
    assert {name.partition(".")[2] for name in alarmed(logs.metrics)} <= expected
    assert {name: waiting(system, name).total for name in queues} == dict.fromkeys(queues, 0)


MISTYPED: dict[str, tuple[Callable[[LocalSystem], list[Json]], str]] = {
    "an invoice": (lambda system: export(system, "invo_nowhere"), "invoice_not_found"),
    "a credit note": (lambda system: credit(system, "invo_nowhere"), "invoice_not_found"),
    "a customer": (lambda system: sync(system, "cust_nowhere"), "solvimon_record_missing"),
    "a number": (lambda system: export(system, "INV-1999-01-000001"), "invoice_not_found"),
}


@pytest.mark.parametrize("name", MISTYPED)
def test_an_id_that_solvimon_does_not_know_is_answered_and_not_recorded(
    system: LocalSystem, default: Connection, name: str
) -> None:
    act, code = MISTYPED[name]

    with function_logs(system) as logs:
        [result] = act(system)

    assert (result["outcome"], result["code"]) == ("not_found", code)
    assert len(result["remedy"]) > 20
    assert documents(system) == []
    assert alarmed(logs.metrics) == {}


def test_an_id_that_is_asked_for_while_solvimon_is_down_is_not_recorded_later(
    system: LocalSystem, default: Connection
) -> None:
    system.solvimon.state.misbehave("status", "GET", "/invoices", status=503, times=3)

    [waits] = export(system, "invo_nowhere")
    before = documents(system)
    system.advance(1000)
    system.settle()

    assert waits["outcome"] == "queued"
    assert before != []
    assert documents(system) == []


def test_a_known_document_that_solvimon_has_lost_stays_in_the_books(
    system: LocalSystem, default: Connection
) -> None:
    configure(system, default, closed_periods="hold")
    default.platform.load({"invoices": [original()]})
    default.platform.finalise(ORIGINAL)
    default.platform.records["invoices"][ORIGINAL]["invoice_amount_including_tax"]["quantity"] = "1.00"
    export(system, ORIGINAL)
    del default.platform.records["invoices"][ORIGINAL]

    [result] = export(system, ORIGINAL)

    assert (result["outcome"], result["code"]) == ("rejected", "invoice_not_found")
    assert record(system, ORIGINAL)["number"]


def _number(connection: Connection, invoice_id: str) -> str:
    number: str = connection.platform.invoice(invoice_id)["invoice_number"]
    return number


def test_a_number_instead_of_an_id_is_looked_up(system: LocalSystem, default: Connection) -> None:
    default.platform.load({"invoices": [original(), credit_note()]})
    for each in (ORIGINAL, NOTE):
        default.platform.finalise(each)
    system.settle()

    [again] = export(system, _number(default, ORIGINAL).lower())
    [planned] = export(system, _number(default, ORIGINAL), dry_run=True)
    [memo] = credit(system, _number(default, NOTE))
    story = system.invoke("sync_status", {"invoice_id": _number(default, ORIGINAL)})
    paid = system.invoke("mark_invoice_paid", {"invoice_ids": [_number(default, ORIGINAL)], "dry_run": True})

    assert (again["invoice_id"], again["outcome"]) == (ORIGINAL, "already_exported")
    assert (planned["invoice_id"], planned["outcome"]) == (ORIGINAL, "already_exported")
    assert (memo["credit_note_id"], memo["outcome"]) == (NOTE, "already_exported")
    assert story["invoice_id"] == ORIGINAL
    assert paid["results"][0]["invoice_id"] == ORIGINAL


def test_a_number_that_two_documents_have_is_not_guessed(system: LocalSystem, default: Connection) -> None:
    for each in ("invo_one", "invo_two"):
        default.platform.load({"invoices": [document(each, "100.00", "21.00")]})
        default.platform.finalise(each)
        default.platform.records["invoices"][each]["invoice_number"] = "INV-7"
    system.settle()

    [result] = export(system, "INV-7")

    assert result["outcome"] == "not_found"
    assert "invo_one" in result["message"]
    assert "invo_two" in result["message"]


def test_a_real_invoice_that_a_person_names_is_recorded(system: LocalSystem, default: Connection) -> None:
    finalise(system, default)

    [result] = export(system, FIRST)

    assert result["outcome"] in {"exported", "already_exported"}
    assert record(system, FIRST)["state"] == "exported"
