"""Every function takes `by`, and what it writes into a history says who asked."""

import json
from typing import Any

import pytest

from local.aws.template import translate
from local.system import ROOT, Connection, LocalSystem
from tests.integration.sync_status.support import finalised, some, unlinked, work_off
from tests.support.arrange import finalise, sync
from tests.support.assertions import record
from tests.support.builders import DEMO_CUSTOMER, FIRST
from tests.support.logs import function_logs

Json = dict[str, Any]
ADA = "Ada Lovelace"


def by_of(system: LocalSystem, what: str, document_id: str = FIRST, kind: str = "invoice") -> list[str]:
    """Who asked for the entries of a kind in a document's history."""
    found = record(system, document_id, kind=kind)["history"]
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
def test_every_event_may_carry_by_and_no_log_has_it(
    default: Connection, system: LocalSystem, function: str, event: Json
) -> None:
    with function_logs(system, [function]) as logs:
        answer = system.invoke(function, {**event, "by": ADA})

    assert "error" not in answer
    assert ADA not in logs.text


@pytest.mark.parametrize(("function", "event"), EVENTS)
def test_a_by_with_a_control_character_is_refused_by_every_function(
    default: Connection, system: LocalSystem, function: str, event: Json
) -> None:
    assert (
        "by: should have no control characters" in system.invoke(function, {**event, "by": "a\nb"})["error"]
    )


def test_an_export_that_a_person_requests_says_who_and_one_by_webhook_says_nobody(
    default: Connection, system: LocalSystem
) -> None:
    finalise(system, default)
    system.settle()
    sync(system, by=ADA)

    assert set(by_of(system, "sent")) == {"(nobody)"}
    assert by_of(system, "synced", DEMO_CUSTOMER, "customer") == [ADA]


def test_a_retry_by_cause_is_kept_with_who_asked_for_it(default: Connection, system: LocalSystem) -> None:
    taken = unlinked(default)
    [invoice_id] = finalised(system, default, *some(1))
    for product in taken:
        default.platform.records["products"][product["id"]]["custom_fields"] = product["custom_fields"]

    system.invoke("export_invoice", {"retry": "all", "by": ADA})
    work_off(system)

    assert by_of(system, "rejected", invoice_id) == ["(nobody)"]
    assert (by_of(system, "sent", invoice_id), by_of(system, "exported", invoice_id)) == ([ADA], [ADA])


@pytest.mark.parametrize(("given", "by"), [({"by": "ada@example.com"}, "ada@example.com"), ({}, "unknown")])
def test_a_resolution_is_kept_with_who_made_it(
    default: Connection, system: LocalSystem, given: Json, by: str
) -> None:
    resolution = {"invoice_id": FIRST, "rillet_id": None, "note": "a test of the vendor's"}

    system.invoke("sync_status", {"resolve": resolution, **given})
    story = system.invoke("sync_status", {"invoice_id": FIRST})

    assert by_of(system, "settled_by_hand") == [by]
    assert [attempt["by"] for attempt in story["attempts"]] == [by]


@pytest.mark.parametrize(("given", "by"), [({"by": ADA}, ADA), ({}, "unknown")])
def test_a_run_is_kept_with_who_started_it(
    default: Connection, system: LocalSystem, given: Json, by: str
) -> None:
    system.invoke("import_products", {"dry_run": True, **given})

    [run] = system.invoke("sync_status", {"runs": True})["finished"]

    assert (run["by"], run["request"]) == (by, {"dry_run": True})


def test_a_run_by_schedule_says_so() -> None:
    resources = translate(ROOT / "template.yaml", {})["Resources"].values()
    timers = [r["Properties"]["Target"] for r in resources if r["Type"] == "AWS::Scheduler::Schedule"]

    kept = [json.loads(timer["Input"]).get("by") for timer in timers if timer["Input"] != "{}"]

    assert kept == ["schedule"] * 4
