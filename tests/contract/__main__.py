"""Check every request of ours and every answer of the fakes against the vendors' documents.

Run: `make contracts`. The last line is `CONTRACTS` and the figures as JSON.
"""

import json
import logging
import sys
import time
from typing import TYPE_CHECKING

from tests.contract import documents

if TYPE_CHECKING:
    from tests.contract.report import Report


def main() -> int:
    """Check everything; 0 when nothing was found, 1 when something was, 2 without the documents."""
    if documents.MISSING:
        sys.stderr.write(f"{documents.how_to_get_them()}\n")
        return 2
    # Late, so that the message above comes at once.
    from tests.contract.report import Report
    from tests.contract.suites import SUITES

    logging.disable(logging.CRITICAL)
    report, problems = Report(), list[str]()
    for name, suite in SUITES.items():
        started = time.monotonic()
        requests, responses = report.requests, report.responses
        problems += suite(report)
        sys.stdout.write(
            f"{name:40} {report.requests - requests:6} requests {report.responses - responses:6} responses "
            f"{time.monotonic() - started:5.1f} s\n"
        )
        sys.stdout.flush()
    return print_report(report, problems)


def print_report(report: "Report", problems: list[str]) -> int:
    """Print what was found and the figures, and return the exit code.

    Args:
        report: what was checked.
        problems: what is wrong beside the violations.
    """
    unused = (f"exception that nothing needs: {name}" for name in report.unused)
    found = sorted([*map(str, report.violations), *problems, *unused])
    for each in found:
        sys.stdout.write(f"VIOLATION {each}\n")
    figures = {
        "operations": len(report.operations),
        "requests": report.requests,
        "responses": report.responses,
        "violations": len(found),
        "exceptions": sorted(report.used),
    }
    sys.stdout.write(f"CONTRACTS {json.dumps(figures)}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
