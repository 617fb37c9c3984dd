"""Synchronise: imports with preview and progress, back-fill, dry run, sweep."""

import re
from copy import deepcopy
from unittest.mock import Mock

import pytest
import requests

from local.system import Connection, LocalSystem
from tests.integration.sync_status.support import finalised, some, unlinked
from tests.panel.answers import AnswerWith
from tests.panel.visitor import CONNECTION, Markup, Visitor, forms, signed_in, visible
from tests.support.arrange import load
from tests.support.builders import FIRST, Json

PAGE = "/synchronise"


def began(operator: Visitor, ending: str, records: str = "products", **fields: str) -> str:
    """Begin a run by the form of the page, and return the path of its progress."""
    form = operator.form(operator.page(PAGE), f"/imports/{records}/preview")
    action = form.action.removesuffix("/preview") if ending == "import" else form.action
    answer = operator.post(action, {**form.fields, **fields})
    assert answer.status_code == 303
    return answer.headers["location"].removeprefix(CONNECTION)


def ended(system: LocalSystem, operator: Visitor, path: str) -> str:
    """The page of a run that has ended."""
    system.lambda_api.wait()
    return operator.page(path)


@pytest.mark.parametrize("records", ["products", "customers", "subsidiaries"])
def test_a_preview_shows_rows_by_name_and_changes_nothing(
    system: LocalSystem, default: Connection, operator: Visitor, records: str
) -> None:
    before = deepcopy(default.platform.records)

    page = ended(system, operator, began(operator, "preview", records))

    assert f"Preview: {records}" in page
    assert "What would become of" in page
    assert "dry run, nothing was written" in page
    found = re.search(rf'href="({CONNECTION}[^"]+as=csv)"', page)
    assert found
    assert "rillet_id,name,outcome" in operator.get(found[1]).text
    assert default.platform.records == before
    assert f"Import {records}" in [button for form in forms(page) for button in form.buttons]


def test_rows_of_a_preview_are_filtered_ticked_and_saved_as_a_file_with_all_of_them(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    unlinked(default)
    path = began(operator, "preview")
    page = ended(system, operator, path)

    proposed = operator.page(f"{path}?outcome=proposed")
    [saved] = [each for each in Markup(page).addresses if "/lists/preview-products-" in each]
    file = requests.get(operator.get(saved).headers["location"], timeout=30)

    assert "To decide" in visible(page)
    assert "It would be" in visible(proposed)
    assert 'data-label="would be">proposed as a link' in proposed
    assert 'data-label="would be">unchanged' not in proposed
    assert file.content.decode("utf-8-sig").startswith("rillet_id,name,outcome")


def test_only_the_ticked_rows_of_a_preview_are_imported(
    system: LocalSystem, operator: Visitor, monkeypatch: pytest.MonkeyPatch, answered: AnswerWith
) -> None:
    ids = [f"0198c1d2-0000-4000-8000-00000000000{number}" for number in range(2)]
    rows = [{"rillet_id": each, "name": "Anchor", "outcome": "created"} for each in ids]
    rows.append({"rillet_id": "x", "name": "Left", "outcome": "failed"})
    run = {
        **{"kind": "import_products", "state": "completed", "ended": "2026-11-29T08:00:00Z"},
        **{"request": {"dry_run": True, "recheck": True}, "result": {"rows": rows, "seen": 3}},
        "execution": "arn:aws:lambda:eu:1:function:f:1/durable-execution/panel-abc/1",
    }
    answered({"sync_status": {"finished": [run], "connection": "default"}})
    sent = list[Json]()
    monkeypatch.setattr(system.runtime, "start", lambda _workflow, event, *_: sent.append(event))

    page = operator.page("/synchronise/runs/panel-abc")
    form = operator.form(page, button="Import the ticked rows only")
    operator.post(form.action, {**form.fields, "only": ids[1]})

    assert page.count('type="checkbox"') == 2
    assert (sent[0]["only"], sent[0]["recheck"]) == ([ids[1]], True)
    assert "dry_run" not in sent[0]


def test_an_import_runs_under_the_name_of_the_form_and_is_followed_until_it_has_ended(
    system: LocalSystem, operator: Visitor
) -> None:
    path = began(operator, "import")
    page = ended(system, operator, path)

    polled = operator.get(f"{CONNECTION}{path}", **{"HX-Request": "true"})
    assert re.fullmatch(r"/synchronise/runs/panel-[\w-]+", path)
    assert "by controller@tideway.example (operator)" in visible(page)
    assert "Finished" in page
    assert polled.status_code == 286
    assert "every 2s" not in page
    assert '"connection": "default"' in page.replace("&#34;", '"')
    listed = visible(operator.page(PAGE))
    assert "Finished" in listed
    assert "See its result" in listed


def test_a_run_that_has_not_begun_yet_is_asked_for_again(operator: Visitor) -> None:
    answer = operator.get(f"{CONNECTION}/synchronise/runs/panel-unknown", **{"HX-Request": "true"})

    assert answer.status_code == 200
    assert 'hx-trigger="every 2s"' in answer.text
    assert ">Refresh</a>" in answer.text


def test_the_progress_of_a_run_is_shown_in_words(operator: Visitor, answered: AnswerWith) -> None:
    run = {
        **{"kind": "import_customers", "state": "running", "started": "2026-11-29T08:00:00Z", "by": "ada"},
        **{"in_words": "It is under way.", "request": {"connection": "default"}},
        "progress": {
            "step": "page 3",
            "rows": {"created": 212, "unchanged": 88},
            "waits_for": "Rillet's limit",
        },
        "execution": "arn:aws:lambda:eu:1:function:f:1/durable-execution/panel-abc/1",
    }
    last = {**run, "state": "completed", "ended": "2026-11-28T08:00:00Z", "result": {"seen": 1310}}
    runs = {"under_way": [run], "connection": "default"}
    answers = iter([runs, {**runs, "finished": [last]}] * 3)
    known = {"sync_status": lambda event: next(answers) if "runs" in event else {}}
    answered(known)

    page = operator.page("/synchronise/runs/panel-abc")
    again = operator.page("/synchronise/runs/panel-abc")

    assert "300 rows so far" in visible(page)
    assert "300 of about 1,310 rows , page 3 as many as the last time" in visible(again)
    assert '<progress id="bar" value="300" max="1310">' in again
    assert "Waits Rillet&#39;s limit" in visible(page)
    assert "You may close this page; it goes on." in visible(page)
    assert "<progress" in page
    assert 'role="status"' in page
    assert "Wait until it has ended." in operator.page(PAGE)


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({"rows": ""}, {}),
        ({"rows": "changed"}, {"incremental": True}),
        ({"rows": "recheck"}, {"recheck": True}),
        ({"rows": "changed", "since": "2026-10-01"}, {"updated_since": "2026-10-01T00:00:00Z"}),
        (
            {"rows": "recheck", "since": "2026-10-01"},
            {"updated_since": "2026-10-01T00:00:00Z", "recheck": True},
        ),
    ],
)
def test_the_rows_of_an_import_are_chosen(
    system: LocalSystem, operator: Visitor, monkeypatch: pytest.MonkeyPatch, fields: Json, event: Json
) -> None:
    start = Mock(wraps=system.runtime.start)
    monkeypatch.setattr(system.runtime, "start", start)

    began(operator, "preview", **fields)

    by = "controller@tideway.example (operator)"
    sent = [call.args[1] for call in start.call_args_list]
    assert sent == [{"connection": "default", "dry_run": True, **event, "by": by}]


def test_a_back_fill_is_counted_before_it_is_queued(
    system: LocalSystem, default: Connection, operator: Visitor
) -> None:
    system.solvimon.state.webhooks_on = False
    load(default, *some(2))

    page = operator.page("/synchronise/backfill?kind=invoice&from=2026-01-01&to=2026-01-31")
    result = operator.send(page, button="Queue 2 documents")

    assert re.search(r"Would be queued 2 242.00&nbsp; EUR", visible(page))
    assert "Queue 2 documents" in page
    assert "2 documents queued, 242.00 EUR" in visible(result)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("from=2026-11-30&to=2026-11-01", "From (2026-11-30) is later than to (2026-11-01)"),
        ("from=&to=2026-11-01", "From: choose a day."),
        ("from=1.11.2026&to=2026-11-30", "Write days such as 2026-10-31."),
    ],
)
def test_a_period_that_is_none_is_named_at_its_form(operator: Visitor, query: str, problem: str) -> None:
    page = operator.page(f"/synchronise/backfill?{query}")

    assert problem in visible(page)
    assert "Nothing was queued." in page


def test_a_dry_run_takes_the_number_or_the_id_of_an_invoice(system: LocalSystem, default: Connection) -> None:
    finalised(system, default, *some(1))
    default.platform.finalise(FIRST)
    system.settle()
    viewer = signed_in(system, "viewer")
    page = viewer.page(PAGE)

    by_number = viewer.send(page, "/dry-run", one="INV-2026-11-000001")
    by_id = viewer.send(viewer.page(PAGE), "/dry-run", one="invo_many000")
    unknown = viewer.send(viewer.page(PAGE), "/dry-run", one="INV-9")
    empty = viewer.send(viewer.page(PAGE), "/dry-run", one=" ")

    assert "INV-2026-11-000001" in by_number
    assert "Dry run" in by_number
    assert "Dry run" in by_id
    assert "No document has the number INV-9" in visible(unknown)
    assert "Write the number or the id" in visible(empty)


def test_a_sweep_finds_what_no_webhook_delivered(system: LocalSystem, default: Connection) -> None:
    system.solvimon.state.webhooks_on = False
    load(default, *some(1))
    system.advance(3600)
    operator = signed_in(system, "operator")

    result = operator.send(operator.page(PAGE), "/synchronise/sweep")

    assert "found and sent on" in visible(result) or "Nothing was missed" in visible(result)
    assert "aws lambda invoke --function-name solvimon-rillet-sweep" in result


def test_a_viewer_may_preview_and_not_import(system: LocalSystem, default: Connection) -> None:
    page = signed_in(system, "viewer").page(PAGE)

    assert "/imports/products/preview" in page
    assert "formaction" not in page
    assert "Sweep now" not in page
