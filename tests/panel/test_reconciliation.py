"""Reconciliation: the reports, the bridge, the documents that differ, and the sign-off."""

import re

import pytest
import requests

from local.system import Connection, LocalSystem
from solvimon_rillet.panel.bridge import bridge_of
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.panel.answers import AnswerWith
from tests.panel.visitor import CONNECTION, Visitor, invocations, kept, signed_in, visible
from tests.support.builders import Json

PAGE = "/reconciliation"
JANUARY = {"from": "2026-01-01", "to": "2026-01-31"}


def reconciled(system: LocalSystem, operator: Visitor) -> str:
    """Reconcile January by the form, and return the path of the report."""
    form = operator.form(operator.page(PAGE), "/reconciliation/start")
    answer = operator.post(form.action, {**form.fields, **JANUARY})
    system.lambda_api.wait()
    page = operator.get(answer.headers["location"]).text
    found = re.search(rf'href="{CONNECTION}(/reconciliation/[^"]+)"', page)
    assert found, visible(page)
    return found[1]


def test_before_the_first_report_the_page_says_how_to_make_one(operator: Visitor) -> None:
    page = operator.page(PAGE)

    assert "Both sides were not compared yet." in visible(page)
    assert "Reconcile" in visible(page)


def test_a_period_is_reconciled_from_the_form_and_the_run_leads_to_the_report(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    finalised(system, default, *some(2))

    page = operator.page(reconciled(system, operator))
    listed = operator.page(PAGE)

    assert "Both sides agree" in visible(page)
    assert "2026-01-01 to 2026-01-31" in visible(listed)
    assert "Agrees" in visible(listed)


def test_a_difference_leads_to_the_story_of_its_document(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    unlinked(default)
    finalised(system, default, *some(2))

    page = operator.page(reconciled(system, operator))

    assert "2 differences" in visible(page)
    assert f'href="{CONNECTION}/documents/invoice/invo_many000"' in page
    assert re.search(r"Not booked, needs you −2 −242\.00", visible(page))


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"from": "2026-02-01", "to": "2026-01-01"}, "is later than to"),
        ({"from": "2024-01-01", "to": "2026-01-01"}, "at most 400 can be compared at once"),
        ({"from": "", "to": "2026-01-01"}, "From: choose a day."),
    ],
)
def test_a_period_that_cannot_be_compared_is_named_and_nothing_begins(
    system: LocalSystem, operator: Visitor, form: Json, problem: str
) -> None:
    page = operator.page(PAGE)
    before = invocations(system)

    result = operator.send(page, "/reconciliation/start", **form)

    assert problem in visible(result)
    assert invocations(system) - before <= 1, "only what the frame shows"


def test_a_file_of_a_report_opens_at_an_address_of_the_bucket_for_a_minute(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    finalised(system, default, *some(1))
    path = reconciled(system, operator)

    led = operator.get(f"{CONNECTION}{path}/files/report.html")
    address = led.headers["location"]
    opened = requests.get(address, timeout=30)

    assert led.status_code == 303
    assert not address.startswith(system.gateway.url)
    assert "X-Amz-Expires=60" in address or "Expires=" in address
    assert opened.status_code == 200
    assert "Reconciliation" in opened.text


@pytest.mark.parametrize(
    "path",
    [
        "/2026-01-01_2026-01-31/20260131T020000Z",
        "/2026-01-01_2026-01-31/20260131T020000Z/files/report.html",
        "/2026-01-01_2026-01-31/20260131T020000Z/files/report.json",
        "/..%2F..%2Facme/20260131T020000Z",
    ],
)
def test_a_report_that_does_not_exist_is_not_found(operator: Visitor, path: str) -> None:
    assert operator.get(f"{CONNECTION}{PAGE}{path}").status_code == 404


def test_a_report_with_differences_is_signed_off_with_a_comment_only(
    system: LocalSystem, rejected: list[Json], operator: Visitor
) -> None:
    path = reconciled(system, operator)
    viewer = signed_in(system, "viewer", "ada@tideway.example")

    without = viewer.send(viewer.page(path), "/sign-off")
    unsigned = kept(system, "sign-off")
    result = viewer.send(viewer.page(path), "/sign-off", comment="Link follows on Monday.")
    listed, activity = viewer.page(PAGE), viewer.page("/activity")

    assert "1 difference is open: say in the comment why." in visible(without)
    assert not unsigned
    assert "Signed off with 1 difference" in visible(result)
    assert "Link follows on Monday." in viewer.page(path)
    assert "by ada@tideway.example (viewer)" in visible(listed)
    assert "Signed off" in visible(activity)
    assert "expires_at" not in kept(system, "sign-off")[0]


def test_a_report_that_agrees_is_signed_off_without_a_comment(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    finalised(system, default, *some(1))

    result = operator.send(operator.page(reconciled(system, operator)), "/sign-off")

    assert "Signed off" in visible(result)


def test_the_bridge_ends_at_rillets_total_whatever_the_findings_say() -> None:
    figures = [
        {
            **{"currency": "EUR", "solvimon": {"count": 3, "gross": "300.00"}},
            "rillet": {"count": 2, "gross": "187.90"},
        },
        {
            **{"currency": "JPY", "solvimon": {"count": 1, "gross": "500.00"}},
            "rillet": {"count": 1, "gross": "500.00"},
        },
    ]
    findings = [
        {"kind": "rejected", "document": "invoice", "currency": "EUR", "amount": "100.00"},
        {"kind": "amount_differs", "document": "invoice", "currency": "EUR", "amount": "12.10"},
    ]

    bridge = bridge_of({"figures": figures, "findings": findings})

    assert [(step.title, step.documents, step.amounts) for step in bridge.steps] == [
        ("Solvimon, final documents", "4", ["300.00", "500"]),
        ("Not booked, needs you", "-1", ["-100.00", "0"]),
        ("Other amounts, and what is booked more than once", "0", ["-12.10", "0"]),
        ("Rillet", "3", ["187.90", "500"]),
    ]
    assert bridge.differences == [("-112.10", "EUR")]


def test_reports_are_filtered_by_their_days_and_say_who_asked_for_them(
    system: LocalSystem, operator: Visitor
) -> None:
    reconciled(system, operator)

    shown = operator.page(f"{PAGE}?since=2026-01-15&until=2026-02-15")
    other = operator.page(f"{PAGE}?since=2026-02-01")

    assert "2026-01-01 to 2026-01-31" in visible(shown)
    assert "controller@tideway.example (operator)" in visible(shown)
    assert "No report is of these days." in visible(other)
    assert operator.form(shown, "/reconciliation").fields["since"] == "2026-01-15"


def test_a_reconciliation_that_runs_is_named_with_the_way_to_its_progress(
    operator: Visitor, answered: AnswerWith
) -> None:
    run = {
        **{"kind": "reconcile", "state": "running", "started": "2026-11-29T08:00:00Z", "by": "ada"},
        "execution": "arn:aws:lambda:eu:1:function:f:1/durable-execution/panel-abc/1",
    }
    answered({"sync_status": {"under_way": [run], "connection": "default"}})

    page = operator.page(PAGE)

    assert "Running since 2026-11-29 08:00 UTC, by ada." in visible(page)
    assert f'href="{CONNECTION}/synchronise/runs/panel-abc"' in page
