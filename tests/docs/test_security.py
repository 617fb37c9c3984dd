"""The cost of a flood of unsigned requests, in docs/security.md, follows from the template and the prices."""

import re

from local.aws.template import translate
from local.system import ROOT
from tests.benchmarks.prices import PRICES

SECONDS, MEMORY_GB, LOG_GB = 0.010, 0.5, 1e-6


def test_what_an_attacker_without_a_secret_costs_is_calculated_from_the_throttle() -> None:
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
