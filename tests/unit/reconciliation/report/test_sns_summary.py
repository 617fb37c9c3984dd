"""The message for the topic: the verdict in the subject, the first differences in the body."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import pytest

from solvimon_rillet.reconciliation.findings import HEADINGS
from solvimon_rillet.reconciliation.report.sns_summary import SUBJECT_LIMIT, summary_text
from tests.support.reconciliation import billed, booked, compared, empty, finding, large, reporting, sample

ADDRESS = "s3://reports/default/2026-08-01_2026-10-31/report.html"
SNS_LIMIT = 256 * 1024
CAUSES: Mapping[str, tuple[str, str]] = defaultdict(
    lambda: ("What the code means.", "What the code asks for.")
)


def test_the_subject_says_what_came_out() -> None:
    apart, _ = summary_text(sample(), ADDRESS, CAUSES)
    together, _ = summary_text(
        sample(comparison=compared([billed("1")], [booked(billed("1"))])), ADDRESS, CAUSES
    )

    assert apart == f"Reconciliation default 2026-08-01 to 2026-10-31: {len(HEADINGS)} differences"
    assert together == "Reconciliation default 2026-08-01 to 2026-10-31: Both sides agree to the cent"


@pytest.mark.parametrize("connection", ["c" * 300, "Zoë\r\nBcc: x@y.example", "東京" * 60, ""])
@pytest.mark.parametrize("findings", [0, 1, 5000])
def test_a_subject_is_one_that_sns_takes(connection: str, findings: int) -> None:
    report = replace(large(findings) if findings else empty(), connection=connection)

    subject, _ = summary_text(report, ADDRESS, CAUSES)

    assert len(subject) <= SUBJECT_LIMIT
    assert subject.isascii()
    assert subject.isprintable()
    assert "2026-08-01 to 2026-10-31: " in subject


def test_the_body_has_the_verdict_the_sums_the_kinds_and_the_place() -> None:
    report = sample()

    _, body = summary_text(report, ADDRESS, CAUSES)

    lines = body.splitlines()
    assert lines[0] == f"{len(HEADINGS)} differences."
    assert f"Report: {ADDRESS}" in lines
    assert "  JPY gross: 4,180,000 / 4,125,000 / -55,000" in lines
    assert "  BHD open: 2,640.276 / 2,640.276 / 0.000" in lines
    assert "  Missing in Rillet: 1 (55,000 JPY)" in lines
    assert sum(line.startswith(f"  {heading}: 1") for line in lines for heading in HEADINGS.values()) == len(
        HEADINGS
    )
    assert "Not mapped yet: 2 records would stop the next invoices." in lines


def test_the_body_shows_the_first_ten_differences_with_what_to_do() -> None:
    report = reporting(
        *(finding(number=f"RE-{n}", cause=f"Cause {n}.", remedy=f"Do {n}.") for n in range(12))
    )

    _, body = summary_text(report, ADDRESS, CAUSES)

    assert "The first 10 of 12" in body
    assert "  10. Missing in Rillet: RE-9, 2026-10-05, 119.00 EUR\n     Cause 9.\n     To do: Do 9.\n" in body
    assert "RE-10" not in body


def test_the_body_has_what_a_rejection_means_and_not_whom_it_quotes() -> None:
    rejected = finding(code="refused_by_rillet", cause="Rillet refused Ada Lovelace.", remedy="Ask Ada.")

    _, body = summary_text(reporting(rejected), ADDRESS, CAUSES)

    assert "     What the code means.\n     To do: What the code asks for.\n" in body
    assert "Ada" not in body


def test_a_text_of_others_cannot_forge_a_line() -> None:
    _, body = summary_text(
        reporting(finding(number="RE-1\r\nReport: https://evil.example", cause="a\nb\x1b[31m")),
        ADDRESS,
        CAUSES,
    )

    assert "\nReport: https://evil.example" not in body
    assert body.count("\nReport: ") == 1
    assert "\x1b" not in body


def test_a_body_is_one_that_sns_takes() -> None:
    long = finding(number="n" * 9000, cause="c" * 90_000, remedy="ü" * 90_000)

    for report in (large(5000), reporting(*[long] * 50)):
        _, body = summary_text(report, ADDRESS, CAUSES)
        assert len(body.encode()) < SNS_LIMIT / 8


def test_a_period_without_documents_is_told_in_a_few_lines() -> None:
    _, body = summary_text(empty(), ADDRESS, CAUSES)

    assert body == (
        "Both sides agree to the cent.\n"
        "Connection default, 2026-08-01 to 2026-10-31, 0 documents of Solvimon compared "
        "on 2026-11-24 18:23 UTC.\n"
        "\n"
        f"Report: {ADDRESS}\n"
    )
