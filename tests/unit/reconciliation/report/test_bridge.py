"""The bridge from Solvimon's total to Rillet's: each step is a kind of difference, and it always adds up."""

import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest

from solvimon_rillet.reconciliation.comparison import compare
from solvimon_rillet.reconciliation.findings import ABOUT_CUSTOMER
from solvimon_rillet.reconciliation.report.bridge import bridges
from solvimon_rillet.reconciliation.report.csv_tables import findings_csv
from solvimon_rillet.reconciliation.report.html import as_html
from solvimon_rillet.reconciliation.report.report import Report
from tests.support.reconciliation import KNOWN, billed, booked, empty, large, sample


def _value(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def test_the_bridge_names_each_kind_of_difference_with_its_sign() -> None:
    deleted = billed("1", gross="355.26", net="355.26", tax="0", state="exported", rillet_id="gone")
    rejected = billed("2", gross="1548.80", net="1548.80", tax="0", state="rejected", rillet_id="")
    kept = billed("3", gross="32207.16", net="32207.16", tax="0")
    there = booked(kept, gross="32217.16", net="32217.16", open="32217.16")
    report = sample(comparison=compare([deleted, rejected, kept], [there], KNOWN))

    assert bridges(report) == [
        "34,111.22 − deleted 355.26 − rejected 1,548.80 + other amount 10.00 = 32,217.16 EUR"
    ]


@pytest.mark.parametrize("report", [sample(), large(3)], ids=["sample", "large"])
def test_the_steps_of_a_bridge_sum_to_rillets_total(report: Report) -> None:
    totals = report.comparison.totals.by_currency()

    for bridge, (currency, line) in zip(bridges(report), totals.items(), strict=True):
        left, _, right = bridge.removesuffix(f" {currency}").partition(" = ")
        first, *steps = re.split(r" (?=[−+] )", left)
        total = _value(first)
        for step in steps:
            total += (-1 if step[0] == "−" else 1) * _value(step.rpartition(" ")[2])
        assert (_value(first), total) == (line.solvimon.gross, line.rillet.gross)
        assert _value(right) == line.rillet.gross


def test_a_period_without_documents_has_no_bridge() -> None:
    assert bridges(empty()) == []
    assert 'id="bridge"' not in as_html(empty())


def test_the_bridge_is_on_the_page() -> None:
    report = sample()

    assert all(bridge in as_html(report) for bridge in bridges(report))


def test_every_finding_and_every_row_of_the_table_names_the_customer() -> None:
    comparison = sample().comparison
    findings = [replace(finding) for finding in comparison.findings]

    assert all(finding.customer for finding in findings if finding.document == ABOUT_CUSTOMER)
    assert "customer" in findings_csv(sample()).splitlines()[0]
    assert all("customer" in finding.as_row() for finding in findings)
    assert json.dumps([finding.as_row() for finding in findings])
