"""Whatever the functions answer is text, and an answer of another shape fails no page."""

import json
from typing import Any

import pytest

from solvimon_rillet.panel.csv_rows import as_csv
from solvimon_rillet.panel.reports import Reports
from tests.panel.answers import AnswerWith, renamed
from tests.panel.hostile import HOSTILE, assert_only_text
from tests.panel.visitor import CONNECTION, Visitor, visible
from tests.support.builders import Json

RUN = "panel-abc"
REPORT = "/reconciliation/2026-11-01_2026-11-30/20261130T020000Z"
PAGES = (
    *("/needs-attention", "/needs-attention?fix=product:prod_1", "/needs-attention/follow?since=2026&n=2"),
    *("/documents?code=x&currency=USD", f"/synchronise/runs/{RUN}?outcome=created"),
    *("/mappings/products", "/mappings/customers?only=proposed", "/mappings/products?only=linked"),
    *("/configurations", "/synchronise", f"/synchronise/runs/{RUN}"),
    *("/synchronise/backfill?from=2026-10-01&to=2026-10-31", "/reconciliation", REPORT),
)
KEPT = frozenset({"kind", "state", "execution", "path", "group", "updated_at", "currency", "amount", "gross"})


def texts(*fields: str) -> Json:
    """Fields whose text a hostile name replaces."""
    return dict.fromkeys(fields, "x")


_CAUSE = {
    **{"kind": "invoice", "documents": 2, "amounts": {"EUR": "12.00"}, "oldest": texts("since")},
    **{"ids": ["invo_1"], "numbers": ["INV-1"], **texts("what_to_do", "title", "code", "meaning")},
}
_ROW = {
    **{"kind": "invoice", "amount": "1.00", "currency": "EUR", "state": "exported"},
    **{"updated_at": "2026-11-29", **texts("id", "number", "customer", "date", "state_text", "message")},
}
_RUN = {
    **{"kind": "import_customers", "state": "completed", **texts("in_words", "by", "started", "ended")},
    **{"execution": f"arn:f:1/durable-execution/{RUN}/1", "request": {"dry_run": True}},
    "result": {
        **{"summary": "x", "created": 1, "notes": ["x"]},
        "failures": [texts("rillet_id", "name", "code", "what", "remedy")],
        "proposals": [
            {**texts("rillet_id", "name"), "looks_like": [{**texts("solvimon_id", "name"), "same": ["x"]}]}
        ],
        "rows": [{**texts("rillet_id", "name", "why"), "outcome": "created", "fields": ["x"]}],
    },
}
_FIELD = {"path": "p", "group": "What is booked", **texts("label", "description", "value", "default")}
ANSWERS: dict[str, Json] = {
    "sync_status": {
        **{**texts("at", "summary"), "headline": {"state": "needs_you", "text": "x"}, "recent": [_ROW]},
        "failures": [
            {
                **_CAUSE,
                **{"state": "rejected", "culprit": {"kind": "product", "id": "prod_1", "name": "x"}},
                "retry": {"function": "x", "event": {"retry": {"code": "x"}}},
            },
            {**_CAUSE, "state": "differs", "culprit": {"kind": "setting", **texts("id", "name")}},
        ],
        "waiting": [{**_CAUSE, **texts("reason", "next_try"), "needs_person": False}],
        "unlinked": {"products": 2, "customers": 0, "subsidiaries": 1},
        "dead_letters_of_all_connections": texts("export_invoice"),
        "finished": [_RUN, {**_RUN, "request": {}}],
        "under_way": [{**_RUN, "kind": "reconcile", "state": "running", "execution": "x"}],
    },
    "connect_rillet": {"connections": [texts("connection", "organisation")]},
    "link_records": {
        **{"number": 2, "may_be_created": True, "linked": 1, "left": 1, "next_page": 2},
        **texts("solvimon_name", "why"),
        "suggested": [{"rillet_id": "r2", "rillet_name": "x", "alike": ["x"]}],
        "results": [{"row": 3, **texts("solvimon_id", "solvimon_name", "error", "remedy")}],
        "alike_but_linked": [{"rillet_id": "r3", "rillet_name": "x"}],
        "warnings": [{"row": 2, "warning": "x"}],
        "next": {"rows": [{"row": 4, "act": "x"}]},
        "rows": [
            {"solvimon_id": "prod_1", "solvimon_name": "x"},
            {"rillet_id": "r1", "rillet_name": "x"},
            {
                "solvimon_id": "prod_2",
                "rillet_id": "r2",
                **texts("solvimon_name", "rillet_name"),
                "alike": ["x"],
            },
        ],
    },
    "configure": {
        **{"version": 7, "faults": ["x"], "values": texts("x"), "products": [texts("id", "name")]},
        "fields": [_FIELD, {**_FIELD, "path": "q", "choices": ["x"]}, {**_FIELD, "path": "r", "default": {}}],
        "history": [{"version": 7, **texts("at", "by"), "changes": [{"path": "p", "in_words": "x"}]}] * 2,
    },
    "export_invoice": {
        **{"would_queue": 2, "already_in_rillet": 1, "amounts": {"x": "12.00"}},
        **texts("estimate", "note"),
    },
}
SAID: Json = {
    **{"differences": 1, "documents": 2, "notes": ["x"], "redriven": 1},
    "figures": [{"currency": "EUR", "solvimon": {"gross": "1.00", "count": 1}, "rillet": {"gross": "2.00"}}],
    "findings": [
        {
            **{"kind": "rejected", "document": "invoice", "solvimon_id": "x", "number": "x", "customer": "x"},
            **{"currency": "EUR", "amount": "1.00", "cause": "x", "remedy": "x"},
        }
    ],
    "not_mapped_yet": [{"kind": "x", "name": "x", "solvimon_id": "x", "remedy": "x"}],
}


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Json:
    """What the only report in the bucket says; a test may change it."""
    said: Json = {}

    def folders(_: object, folder: str) -> list[str]:
        return ["20261130T020000Z" if folder.count("/") > 1 else "2026-11-01_2026-11-30"]

    monkeypatch.setattr(Reports, "folders", folders)
    monkeypatch.setattr(Reports, "read", lambda *_: said)
    return said


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_is_text(admin: Visitor, answered: AnswerWith, report: Json, name: str) -> None:
    answered(renamed(ANSWERS, name, KEPT))
    report |= renamed(SAID, name, KEPT)

    for path in PAGES:
        assert_only_text(admin.page(path), name, path)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_name_in_a_file_of_links_is_text_in_what_comes_of_it(
    admin: Visitor, answered: AnswerWith, name: str
) -> None:
    answered(renamed(ANSWERS, name, KEPT))
    form = admin.form(admin.page("/mappings/products"), "/check")
    row = ["link", "product", "prod_1", name, "r1", name]
    text = as_csv(("act", "kind", "solvimon_id", "solvimon_name", "rillet_id", "rillet_name"), [row])

    sent = admin.post(form.action, form.fields, {"file": (name, text.encode(), "text/csv")})
    checked = admin.get(sent.headers["location"]).text
    done = admin.send(checked, "/rows")

    assert_only_text(checked, name, "checked")
    assert_only_text(done, name, "done")


SHAPES: list[Any] = [
    {},
    {"failures": {}, "waiting": "x", "finished": None, "unlinked": [], "recent": "x", "headline": 7},
    {"rows": {}, "fields": None, "values": [], "history": "x", "version": "x", "next_page": "x"},
    {"failures": [{}], "waiting": [{}], "finished": [{}], "rows": [{}], "fields": [{}], "history": [{}]},
    {"connections": None, "counts": [], "failures": {}, "recent": "x"},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_of_another_shape_fails_no_page(
    admin: Visitor, answered: AnswerWith, report: Json, shape: Json
) -> None:
    answered(dict.fromkeys(ANSWERS, shape))
    report |= {"findings": "x", "figures": [{}], "notes": None}

    for path in (*PAGES, "", "/documents", "/documents/invoice/invo_1", "/activity"):
        assert admin.get(f"{CONNECTION}{path}").status_code == 200, path


def test_every_page_offers_its_answers_as_json_and_the_commands_of_the_very_events(
    admin: Visitor, answered: AnswerWith, report: Json
) -> None:
    asked = answered(ANSWERS)
    report |= SAID

    for path in PAGES:
        del asked[:]
        page = visible(admin.page(path)).replace("&#34;", '"').replace("&#39;", "'")
        events = [{name: each[name] for name in each if name != "function"} for each in asked]
        as_json = admin.get(f"{CONNECTION}{path}{'&' if '?' in path else '?'}as=json")
        assert as_json.headers["content-type"].startswith("application/json"), path
        if path == REPORT:
            assert as_json.json() == SAID
        elif path == "/reconciliation":
            assert '"redrive": false' in page
        else:
            found = as_json.json()
            shown = [each["event"] for each in (found if isinstance(found, list) else [found])]
            assert shown, path
            assert all(event in events for event in shown), path
            assert all(f"--payload '{json.dumps(event)}'" in page for event in shown), path
