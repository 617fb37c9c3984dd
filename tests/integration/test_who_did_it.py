"""Every function takes `by`, and what it writes into a history says who asked."""

import json

import pytest

from local.aws.template import translate
from local.system import ROOT
from tests.integration.sync_status.support import finalised, relinked, some, unlinked, work_off
from tests.support.builders import DEMO_CUSTOMER, FIRST, Json
from tests.support.connected import Connected
from tests.support.logs import function_logs

ADA = "Ada Lovelace"


def by_of(connection: Connected, what: str, document_id: str = FIRST, kind: str = "invoice") -> list[str]:
    """Who asked for the entries of a kind in a document's history."""
    found = connection.record(document_id, kind=kind)["history"]
    return [entry.get("by", "(nobody)") for entry in found if entry["what"] == what]


EVENTS: list[tuple[str, Json]] = [
    ("export_invoice", {"invoice_ids": [FIRST], "dry_run": True}),
    ("export_invoice", {"retry": "all", "dry_run": True}),
    ("export_credit_memo", {"credit_note_ids": ["invo_1"], "dry_run": True}),
    ("sync_customer", {"customer_ids": [DEMO_CUSTOMER], "dry_run": True}),
    ("mark_invoice_paid", {"invoice_ids": [FIRST], "dry_run": True}),
    ("connect_rillet", {"action": "status"}),
    ("sync_status", {}),
    ("sync_status", {"runs": True}),
    ("link_records", {"list": "products"}),
    ("sweep", {"connection": "default"}),
    ("import_products", {"dry_run": True}),
    ("reconcile", {"connection": "default", "redrive": False}),
]


@pytest.mark.parametrize(("function", "event"), EVENTS)
def test_every_event_may_carry_by_and_no_log_has_it(default: Connected, function: str, event: Json) -> None:
    with function_logs(default.system, [function]) as logs:
        answer = default.system.invoke(function, {**event, "by": ADA})

    assert "error" not in answer
    assert ADA not in logs.text


@pytest.mark.parametrize(("function", "event"), EVENTS)
def test_a_by_with_a_control_character_is_refused_by_every_function(
    default: Connected, function: str, event: Json
) -> None:
    answer = default.system.invoke(function, {**event, "by": "a\nb"})

    assert "by: should have no control characters" in answer["error"]


def test_an_export_that_a_person_requests_says_who_and_one_by_webhook_says_nobody(default: Connected) -> None:
    default.finalise_and_settle()
    default.sync(by=ADA)

    assert set(by_of(default, "sent")) == {"(nobody)"}
    assert by_of(default, "synced", DEMO_CUSTOMER, "customer") == [ADA]


def test_a_retry_by_cause_is_kept_with_who_asked_for_it(default: Connected) -> None:
    taken = unlinked(default)
    [invoice_id] = finalised(default.system, default, *some(1))
    relinked(default, taken)

    default.system.invoke("export_invoice", {"retry": "all", "by": ADA})
    work_off(default.system)

    assert by_of(default, "rejected", invoice_id) == ["(nobody)"]
    assert by_of(default, "sent", invoice_id) == by_of(default, "exported", invoice_id) == [ADA]


@pytest.mark.parametrize(("given", "by"), [({"by": "ada@example.com"}, "ada@example.com"), ({}, "unknown")])
def test_a_resolution_is_kept_with_who_made_it(default: Connected, given: Json, by: str) -> None:
    resolution = {"invoice_id": FIRST, "rillet_id": None, "note": "a test of the vendor's"}

    default.system.invoke("sync_status", {"resolve": resolution, **given})
    story = default.system.invoke("sync_status", {"invoice_id": FIRST})

    assert by_of(default, "settled_by_hand") == [by]
    assert [attempt["by"] for attempt in story["attempts"]] == [by]


@pytest.mark.parametrize(("given", "by"), [({"by": ADA}, ADA), ({}, "unknown")])
def test_a_run_is_kept_with_who_started_it(default: Connected, given: Json, by: str) -> None:
    default.system.invoke("import_products", {"dry_run": True, **given})

    [run] = default.system.invoke("sync_status", {"runs": True})["finished"]

    assert (run["by"], run["request"]) == (by, {"dry_run": True})


def test_a_run_by_schedule_says_so() -> None:
    resources = translate(ROOT / "template.yaml", {})["Resources"].values()
    timers = [r["Properties"]["Target"] for r in resources if r["Type"] == "AWS::Scheduler::Schedule"]

    kept = [json.loads(timer["Input"]).get("by") for timer in timers if timer["Input"] != "{}"]

    assert kept == ["schedule"] * 4
