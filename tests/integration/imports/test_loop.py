"""The loop over the pages: it decides by what steps came to, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from solvimon_rillet.workflows.durable_steps import MAX_OPERATIONS, MAX_STEP_WAIT
from solvimon_rillet.workflows.imports.customers import CUSTOMERS
from solvimon_rillet.workflows.imports.page import PageRequest, short_id
from solvimon_rillet.workflows.imports.workflow import LISTED, Import, ImportRequest
from tests.integration.imports.support import Json, customers

BEGUN: Json = {"started": 0, "since": None, "covers": True, "target": {}, "notes": []}


@dataclass
class Recorded:
    """Steps that are done at once, and replayed from what was recorded."""

    history: list[tuple[str, Json | int]] = field(default_factory=list)
    at: int = 0

    def step(self, name: str, work: Callable[[], Json]) -> Json:
        """Do it, or answer what it came to."""
        if self.at == len(self.history):
            self.history.append((name, work()))
        known, result = self.history[self.at]
        self.at += 1
        assert known == name, "a replay must come to the same steps"
        assert isinstance(result, dict)
        return result

    def wait(self, name: str, seconds: int) -> None:
        """Note it."""
        if self.at == len(self.history):
            self.history.append((name, seconds))
        assert self.history[self.at] == (name, seconds)
        self.at += 1

    @property
    def waits(self) -> list[int]:
        return [result for _, result in self.history if isinstance(result, int)]


@dataclass
class Pages:
    """Work that answers what it is told to."""

    pages: list[Json]
    places: list[PageRequest] = field(default_factory=list)
    finished: list[tuple[int, bool]] = field(default_factory=list)

    def begin(self) -> Json:
        """Begin."""
        return dict(BEGUN)

    def page(self, place: PageRequest, begun: Json) -> Json:
        """Answer the next page, the last one for ever."""
        self.places.append(place)
        return self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]

    def finish(self, begun: Json, failed: int, *, complete: bool) -> Json:
        """Note it."""
        self.finished.append((failed, complete))
        return {}


def page(ids: str, cursor: str | None = None, **more: object) -> Json:
    """A page that is done."""
    done: Json = {"counts": {"created": len(ids)}, "failures": [], "notes": {}, "rillet_calls": 1}
    return {"ids": list(ids), "cursor": cursor, **done, **more}


def later(seconds: float | None, why: str = "busy") -> Json:
    return {"later": seconds, "why": why}


def run(work: Pages, steps: Recorded | None = None) -> Json:
    return Import(CUSTOMERS, ImportRequest(), steps or Recorded(), work).run()


def test_pages_follow_each_other_by_cursor_with_what_was_seen() -> None:
    work = Pages([page("ab", "1"), page("cd", "2"), page("e")])

    answer = run(work)

    assert [place.cursor for place in work.places] == [None, "1", "2"]
    assert [sorted(place.seen) for place in work.places] == [[], ["a", "b"], ["a", "b", "c", "d"]]
    assert (answer["seen"], answer["rillet_calls"], answer["restarts"]) == (5, 3, 0)
    assert work.finished == [(0, True)]


def test_a_replay_comes_to_the_same_answer_without_doing_anything() -> None:
    steps = Recorded()
    first = run(Pages([later(3.2), page("ab", "1"), later(None), page("c")]), steps)
    steps.at = 0
    idle = Pages([])

    second = run(idle, steps)

    assert second == first
    assert idle.places == []


def test_a_restart_is_counted_once_however_many_pages_repeat() -> None:
    work = Pages([page("ab", "1"), page("cd", "2"), page("ab", "3"), page("cd", "4"), page("e")])

    answer = run(work)

    assert (answer["seen"], answer["restarts"]) == (5, 1)


def test_a_second_restart_while_catching_up_is_noticed() -> None:
    work = Pages(
        [page("ab", "1"), page("cd", "2"), page("ab", "3"), page("cd", "4"), page("ab", "5"), page("e")]
    )

    assert run(work)["restarts"] == 2


def test_a_wait_is_whole_seconds_within_bounds() -> None:
    steps = Recorded()

    run(Pages([later(0), later(6.1), later(5000), page("a")]), steps)

    assert steps.waits == [1, 7, 900]


def test_without_a_hint_the_waits_grow() -> None:
    steps = Recorded()

    run(Pages([*(later(None) for _ in range(8)), page("a")]), steps)

    assert steps.waits == [15, 30, 60, 120, 240, 480, 900, 900]


def test_the_attempts_of_a_page_have_names_of_their_own() -> None:
    steps = Recorded()

    run(Pages([later(1, "too fast"), page("a")]), steps)

    assert [name for name, _ in steps.history] == [
        "begin",
        "page 1",
        "page 1: too fast",
        "page 1, attempt 2",
        "finish",
    ]


def test_a_page_is_told_how_often_solvimon_failed_at_it_and_not_how_often_it_waited() -> None:
    work = Pages([later(1), {**later(1), "failing": True}, later(1), page("a")])

    run(work)

    assert [place.failing for place in work.places] == [0, 0, 1, 1]


def test_patience_ends_after_six_hours_with_the_last_reason() -> None:
    steps, work = Recorded(), Pages([later(900, "Solvimon answered 503.")])

    answer = run(work, steps)

    assert sum(steps.waits) == MAX_STEP_WAIT
    assert answer["error"] == "Solvimon answered 503."
    assert work.finished == [(0, False)]


def test_a_run_ends_before_lambda_allows_no_more_steps() -> None:
    work, steps = Pages([page("a", "1")]), Recorded()
    work.pages = [page(f"{chr(1000 + n)}", "1") for n in range(MAX_OPERATIONS)]

    answer = run(work, steps)

    assert answer["complete"] is False
    assert "more rows than one run may read" in answer["error"]
    assert len(steps.history) <= 3000


def test_a_stop_in_the_middle_keeps_what_was_done_and_gives_the_lease_back() -> None:
    stop = {"stop": {"what": "Solvimon refuses the credential.", "remedy": "Mend it."}}
    work = Pages([page("ab", "1"), stop])

    answer = run(work)

    assert (answer["created"], answer["complete"]) == (2, False)
    assert (answer["error"], answer["remedy"]) == ("Solvimon refuses the credential.", "Mend it.")
    assert work.finished == [(0, False)]


def test_failures_are_listed_up_to_a_hundred_and_a_page_is_told_how_many_are_left() -> None:
    def failing(count: int, cursor: str | None) -> Json:
        failures = [{"rillet_id": str(n)} for n in range(count)]
        return page("", cursor, counts={"failed": count}, failures=failures)

    work = Pages([failing(70, "1"), failing(70, "2"), failing(5, None)])

    answer = run(work)

    assert [place.room for place in work.places] == [100, 30, 0]
    assert (answer["failed"], len(answer["failures"])) == (145, LISTED)
    assert work.finished == [(145, True)]


def test_notes_of_all_pages_are_added_up() -> None:
    def noted(first: str, cursor: str | None) -> Json:
        return page(first, cursor, notes={"Cut.": {"rows": 2, "first": [first, "x"]}})

    answer = run(Pages([noted("a", "1"), noted("b", None)]))

    assert answer["notes"] == ["4 rows: Cut. (a; x; b)"]


@pytest.mark.parametrize("row", [{"name": "no id"}, "text", None, 7, {"id": 7}, {"id": "\ud83d"}])
def test_whatever_a_row_is_it_has_a_mark(row: object) -> None:
    assert len(short_id(row)) == 12


def test_different_rows_have_different_marks() -> None:
    rows = customers(20_000)

    assert len({short_id(row) for row in rows}) == len(rows)
