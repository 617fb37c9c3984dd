"""The loop over the pages decides by the results of steps only."""

from typing import Any

import pytest

from solvimon_rillet.workflows.durable.steps import MAX_OPERATIONS, Done, StepResult, Stop, Wait
from solvimon_rillet.workflows.imports.context import ImportTarget
from solvimon_rillet.workflows.imports.customers import CUSTOMERS
from solvimon_rillet.workflows.imports.page import PageRequest, short_id
from solvimon_rillet.workflows.imports.request import ImportRequest
from solvimon_rillet.workflows.imports.steps import ImportStart, ImportSteps
from solvimon_rillet.workflows.imports.workflow import MAX_LISTED_FAILURES, Import
from tests.integration.imports.support import Json, customers
from tests.unit.workflows.test_durable_steps import RecordedSteps

START = ImportStart(0, None, True, ImportTarget(), [])


class ScriptedPages(ImportSteps):
    """Steps that answer with the given pages, the last one for ever."""

    def __init__(self, *pages: StepResult) -> None:
        self.pages = list(pages)
        self.requested: list[PageRequest] = []
        self.finished: list[tuple[int, bool]] = []

    def begin(self) -> StepResult:
        """Begin."""
        return Done(START.to_json())

    def page(self, page: PageRequest, start: ImportStart) -> StepResult:
        """Answer with the next page."""
        assert start == START
        self.requested.append(page)
        return self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]

    def finish(self, start: ImportStart, failed: int, *, complete: bool, pages: int) -> StepResult:
        """Note the end."""
        self.finished.append((failed, complete))
        return Done({})


def page(ids: str, cursor: str | None = None, **more: Any) -> Done:
    """A page that is done."""
    result: Json = {"counts": {"created": len(ids)}, "failures": [], "notes": {}}
    return Done({"ids": list(ids), "cursor": cursor, **result, **more}, rillet_calls=1)


def run(work: ScriptedPages, steps: RecordedSteps | None = None) -> Json:
    return Import(CUSTOMERS, ImportRequest(), steps or RecordedSteps(), work).run()


def test_pages_follow_each_other_by_cursor_with_what_was_seen() -> None:
    work = ScriptedPages(page("ab", "1"), page("cd", "2"), page("e"))

    answer = run(work)

    assert [each.cursor for each in work.requested] == [None, "1", "2"]
    assert [sorted(each.seen) for each in work.requested] == [[], ["a", "b"], ["a", "b", "c", "d"]]
    assert (answer["seen"], answer["rillet_calls"], answer["restarts"]) == (5, 3, 0)
    assert work.finished == [(0, True)]


def test_a_replay_comes_to_the_same_answer_without_doing_anything() -> None:
    steps = RecordedSteps()
    first = run(ScriptedPages(Wait(3.2, "busy"), page("ab", "1"), Wait(None, "busy"), page("c")), steps)
    steps.position = 0
    idle = ScriptedPages()

    second = run(idle, steps)

    assert second == first
    assert idle.requested == []


def test_a_replay_reads_what_earlier_versions_wrote() -> None:
    start: Json = {"started": 0, "since": None, "covers": True, "notes": ["A note."], "writes": 1}
    target = {"field_is_new": True, "category_id": ""}
    done: Json = {"counts": {"created": 2}, "failures": [], "notes": {}, "writes": 2, "rillet_calls": 1}
    steps = RecordedSteps(
        [
            ("begin", {"rillet_calls": 0, **start, "target": target}),
            ("page 1", {"rillet_calls": 0, "writes": 0, "later": 5, "why": "busy", "failing": False}),
            ("page 1: busy", 5),
            ("page 1, attempt 2", {**done, "ids": ["a", "b"], "cursor": None}),
            ("finish", {"rillet_calls": 0}),
        ]
    )

    answer = run(ScriptedPages(), steps)

    assert (answer["created"], answer["rillet_calls"], answer["solvimon_writes"]) == (2, 1, 3)
    assert (answer["complete"], answer["notes"]) == (True, ["A note."])


@pytest.mark.parametrize(
    ("ids", "restarts"),
    [
        pytest.param(["ab", "cd", "ab", "cd", "e"], 1, id="once, however many pages repeat"),
        pytest.param(["ab", "cd", "ab", "cd", "ab", "e"], 2, id="again before the list has caught up"),
    ],
)
def test_restarts_of_the_list_are_counted(ids: list[str], restarts: int) -> None:
    cursors = [*map(str, range(1, len(ids))), None]

    answer = run(ScriptedPages(*map(page, ids, cursors)))

    assert (answer["seen"], answer["restarts"]) == (5, restarts)


def test_a_page_is_given_the_number_of_failed_attempts() -> None:
    work = ScriptedPages(Wait(1, "busy"), Wait(1, "failed", failed=True), Wait(1, "busy"), page("a"))

    run(work)

    assert [each.failed_attempts for each in work.requested] == [0, 0, 1, 1]


def test_a_run_ends_before_lambda_allows_no_more_steps() -> None:
    work, steps = ScriptedPages(*(page(chr(1000 + n), "1") for n in range(MAX_OPERATIONS))), RecordedSteps()

    answer = run(work, steps)

    assert answer["complete"] is False
    assert "more rows than one run may read" in answer["error"]
    assert len(steps.history) <= 3000


@pytest.mark.parametrize(
    "last",
    [Stop("Solvimon answered 503.", "Wait."), Wait(900, "Solvimon answered 503.")],
    ids=["a stop", "a wait of more than six hours"],
)
def test_what_was_done_before_a_stop_is_kept_and_the_lease_is_released(last: StepResult) -> None:
    work = ScriptedPages(page("ab", "1"), last)

    answer = run(work)

    assert (answer["created"], answer["complete"]) == (2, False)
    assert answer["error"] == "Solvimon answered 503."
    assert answer["remedy"]
    assert work.finished == [(0, False)]


def test_failures_are_listed_up_to_a_hundred_and_a_page_is_told_how_many_are_left() -> None:
    def failing(count: int, cursor: str | None) -> StepResult:
        failures = [{"rillet_id": str(n)} for n in range(count)]
        return page("", cursor, counts={"failed": count}, failures=failures)

    work = ScriptedPages(failing(70, "1"), failing(70, "2"), failing(5, None))

    answer = run(work)

    assert [each.max_failures for each in work.requested] == [100, 30, 0]
    assert (answer["failed"], len(answer["failures"])) == (145, MAX_LISTED_FAILURES)
    assert work.finished == [(145, True)]


def test_notes_of_all_pages_are_added_up() -> None:
    def noted(first: str, cursor: str | None) -> StepResult:
        return page(first, cursor, notes={"Cut.": {"rows": 2, "first": [first, "x"]}})

    answer = run(ScriptedPages(noted("a", "1"), noted("b", None)))

    assert answer["notes"] == ["4 rows: Cut. (a; x; b)"]


@pytest.mark.parametrize("row", [{"name": "no id"}, "text", None, 7, {"id": 7}, {"id": "\ud83d"}])
def test_every_row_has_a_short_id(row: object) -> None:
    assert len(short_id(row)) == 12


def test_different_rows_have_different_short_ids() -> None:
    rows = customers(20_000)

    assert len({short_id(row) for row in rows}) == len(rows)
