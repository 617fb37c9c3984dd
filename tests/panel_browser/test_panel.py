"""The panel in Chromium: its first day, and each page as axe, a phone and a hostile name see it."""

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright", reason="no playwright here: make sets it up")

from tests.panel_browser import looks
from tests.panel_browser.browser import CHROMIUM, REASON
from tests.panel_browser.first_day import first_day
from tests.panel_browser.hostile import CONNECTION
from tests.panel_browser.results import look_at_results
from tests.panel_browser.stage import Stage, stage

pytestmark = [pytest.mark.skipif(not CHROMIUM, reason=REASON), pytest.mark.timeout(400)]
MINUTES_3 = 180


@pytest.fixture(scope="module")
def running() -> Iterator[Stage]:
    """The system of `make up` and a browser."""
    with stage() as made:
        yield made


def test_a_first_day_needs_no_terminal_and_less_than_three_minutes(running: Stage) -> None:
    assert first_day(running) < MINUTES_3


@pytest.mark.parametrize(
    "connection", ["default", *(pytest.param(name, marks=pytest.mark.slow) for name in ("acme", "clean"))]
)
def test_every_page_is_accessible_in_both_themes_and_fits_a_phone(running: Stage, connection: str) -> None:
    seen = looks.look(running, [connection], of_a_shape=1)

    assert seen.faults == []
    assert seen.pages >= 3


def test_names_are_text_on_every_page(running: Stage) -> None:
    seen = looks.look(running, [CONNECTION], of_a_shape=1)

    assert seen.faults == []
    assert seen.named > 0


def test_every_page_works_without_scripts(running: Stage) -> None:
    seen = looks.look_without_scripts(running, "default", of_a_shape=1)

    assert seen.faults == []
    assert seen.pages >= 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("connection", "javascript"), [("default", True), (CONNECTION, True), ("default", False)]
)
def test_what_buttons_lead_to_is_a_page_like_the_others(
    running: Stage, connection: str, javascript: bool
) -> None:
    seen = look_at_results(running, connection, javascript=javascript)

    assert seen.faults == []
    assert seen.pages == 8


@pytest.mark.slow
def test_the_playground_is_a_page_like_the_others(running: Stage) -> None:
    assert looks.look_at_playground(running).faults == []
