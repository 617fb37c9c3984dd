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
    from tests.panel_browser import checks, looks
    from tests.panel_browser.first_day import first_day
    from tests.panel_browser.stage import stage

    with stage() as running:
        seconds = first_day(running)
        seen = looks.look(running, running.system.connections, of_a_shape=2)
        played = looks.look_at_playground(running)
        plain = looks.look_without_scripts(running, "default", of_a_shape=1)
    faults = [*seen.faults, *played.faults, *plain.faults]
    for fault in faults:
        sys.stdout.write(f"{fault}\n")
    figures = {
        "pages": seen.pages + played.pages,
        "first_day_seconds": round(seconds, 1),
        "console_errors": len(seen.complaints) + len(played.complaints),
        "accessibility_violations": len(seen.violations) + len(played.violations),
        "widths": list(checks.WIDTHS),
        "without_javascript": not plain.faults,
        "hostile_names": seen.hostile + played.hostile,
    }
    sys.stdout.write(f"PANEL {json.dumps(figures)}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
