"""docs/cost.md: its sums are sums, and it is what the script makes; and what a flood of requests costs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.aws.template import translate
from local.system import ROOT
from tests.benchmarks import cost, cost_meter
from tests.benchmarks.prices import PRICES

SECONDS, MEMORY_GB, LOG_GB = 0.010, 0.5, 1e-6
"""What a request that is refused takes."""
TEXT = cost.PAGE.read_text(encoding="utf-8")


def rows(head: str) -> list[list[str]]:
    """The rows of the table with this head, without the head."""
    lines = TEXT[TEXT.index(f"| {head} |") :].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines]


def test_the_sums_are_the_sums_of_their_columns() -> None:
    *services, total = rows("Service")

    for column in range(1, len(total)):
        summed = sum(float(service[column]) for service in services)
        assert float(total[column]) == pytest.approx(summed, abs=0.001)
    assert [service[0] for service in services] == list(dict.fromkeys(p.service for p in PRICES.values()))


def test_each_price_is_what_its_words_say() -> None:
    sizes = {"1 million": 1e6, "10,000": 1e4, "1,000": 1e3, "1": 1}
    for price in PRICES.values():
        found = re.fullmatch(r"(1 million|10,000|1,000|1) .+: ([\d.]+)", price.unit)
        assert found, price.unit
        assert price.dollars * sizes[found[1]] == pytest.approx(float(found[2]), rel=0.001)


def test_an_invoice_and_rillets_events_about_its_creation_and_its_mark_take_an_event_each() -> None:
    [invoice] = [row for row in rows("Of one") if row[0] == "invoice"]
    heads = TEXT[TEXT.index("| Of one |") :].partition("\n")[0].strip("| ").split(" | ")

    counted = dict(zip(heads, invoice, strict=True))

    assert (counted["event"], counted["sqs"]) == ("3", "6")
    assert float(counted["api"]) >= 1


def test_every_function_of_the_template_that_is_counted_has_its_work() -> None:
    assert all(seconds > 0 for seconds in cost_meter.PROCESSOR.values())
    assert {"receive_webhook", "export_invoice", "sweep", "reconcile"} <= cost_meter.PROCESSOR.keys()


def test_every_metric_that_an_alarm_queries_is_one_that_a_function_counts() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    queried = re.findall(r"Expression: !Sub '?SELECT \w+\((\w+)\)", template)

    named, found = cost_meter.watched()

    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "layers/mapping").rglob("*.py"))
    assert all(f'"{metric}"' in code for metric in queried)
    assert found == len(queried) == len(set(queried))
    assert named == len(re.findall(r"^ +MetricName:|[ {]Metric: ", template, flags=re.MULTILINE))


def test_an_idle_connection_costs_at_most_nine_dollars_a_month() -> None:
    *_, total = rows("Service")

    assert float(total[5]) <= 9


@pytest.mark.slow
def test_the_committed_page_is_the_one_that_the_script_makes(tmp_path: Path) -> None:
    made = tmp_path / "cost.md"

    # In a process of its own, as `make cost` runs it: another local system may be running in this one.
    environment = {**os.environ, "PYTHONPATH": "layers/mapping"}
    command = [sys.executable, "-m", "tests.benchmarks.cost", str(made)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)  # noqa: S603

    assert made.read_text(encoding="utf-8") == TEXT, "run `make cost` and commit the result"


def test_what_an_attacker_without_a_secret_costs_is_calculated_from_the_throttle() -> None:
    """docs/security.md says what a flood of unsigned requests costs."""
    rate = translate(ROOT / "template.yaml", {})["Parameters"]["WebhookRateLimit"]["Default"]
    requests = int(rate) * 3600
    price = {name: each.dollars for name, each in PRICES.items()}
    parts = {
        "API Gateway": requests * price["api"],
        "Lambda": requests * (price["invocation"] + SECONDS * MEMORY_GB * price["gb_second"]),
        "CloudWatch": requests * LOG_GB * price["log_gb"],
        "X-Ray": (requests / 20 + 3600) * price["trace"],
        "Parameter Store, Secrets Manager, EventBridge": 0.0,
    }
    parts["Together"] = sum(parts.values())

    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")

    rows = dict(re.findall(r"^\| ([^|]+) \|.*\| \$([0-9.]+) \|$", page, re.MULTILINE))
    assert rows == {name: f"{dollars:.2f}" for name, dollars in parts.items()}
    assert f"{requests:,} refused requests" in page
