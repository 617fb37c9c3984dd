"""Hold every request of ours and every answer of the fakes against the vendors' documents.

Run: `make contracts`. The last line is `CONTRACTS` and the figures as JSON.
"""

import json
import logging
import sys
import time
from collections.abc import Callable

from tests.contract import documents


def main() -> int:
    """Check everything; 0 when nothing was found, 1 when something was, 2 without the documents."""
    if documents.MISSING:
        sys.stderr.write(f"{documents.how_to_get_them()}\n")
        return 2
    # Late, so that the message above comes at once.
    from tests.contract.report import Report

    logging.disable(logging.CRITICAL)
    report, wrong = Report(), list[str]()
    for name, part in _parts():
        started = time.monotonic()
        requests, responses = report.requests, report.responses
        wrong += part(report)
        sys.stdout.write(
            f"{name:40} {report.requests - requests:6} requests {report.responses - responses:6} responses "
            f"{time.monotonic() - started:5.1f} s\n"
        )
        sys.stdout.flush()
    return conclude(report, wrong)


def conclude(report: "Report", wrong: list[str]) -> int:  # type: ignore[name-defined] # noqa: F821
    """Print what was found and the figures.

    Args:
        report: what was checked.
        wrong: what else is wrong, in words.
    """
    wrong = [
        *map(str, report.violations),
        *wrong,
        *(f"exception that nothing needs: {name}" for name in report.unused),
    ]
    for each in sorted(wrong):
        sys.stdout.write(f"VIOLATION {each}\n")
    figures = {
        "operations": len(report.operations),
        "requests": report.requests,
        "responses": report.responses,
        "violations": len(wrong),
        "exceptions": sorted(report.used),
    }
    sys.stdout.write(f"CONTRACTS {json.dumps(figures)}\n")
    return 1 if wrong else 0


def _parts() -> list[tuple[str, Callable[..., list[str]]]]:
    from tests.contract import parts

    return list(parts.PARTS.items())


if __name__ == "__main__":
    sys.exit(main())
