"""``make panel``: the first day in a browser, and a look at every page; ends with a ``PANEL`` line."""

import json
import sys

from tests.panel_browser.browser import CHROMIUM, REASON


def main() -> int:
    """Print what is wrong and the figures; 0 when nothing is wrong, 2 where there is no browser."""
    if not CHROMIUM:
        sys.stderr.write(f"panel: {REASON}\n")
        return 2
    # These imports take seconds.
    from tests.panel_browser import checks, looks, results
    from tests.panel_browser.first_day import first_day
    from tests.panel_browser.stage import stage

    with stage() as running:
        seconds = first_day(running)
        seen = looks.look(running, running.system.connections, of_a_shape=2)
        played = looks.look_at_playground(running)
        plain = looks.look_without_scripts(running, "default", of_a_shape=1)
        pressed = results.look_at_results(running, "default")
        plainly = results.look_at_results(running, "default", javascript=False)
    faults = [fault for each in (seen, played, plain, pressed, plainly) for fault in each.faults]
    shown = (seen, played, pressed)
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    figures = {
        "pages": sum(each.pages for each in shown),
        "first_day_seconds": round(seconds, 1),
        "console_errors": sum(len(each.complaints) for each in shown),
        "accessibility_violations": sum(len(each.violations) for each in shown),
        "widths": list(checks.WIDTHS),
        "without_javascript": not plain.faults + plainly.faults,
        "hostile_names": sum(each.hostile for each in shown),
    }
    sys.stdout.write(f"PANEL {json.dumps(figures)}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
