"""`make cost`: what it costs in AWS, from counted calls, measured work and list prices, into docs/cost.md.

The local system does each kind of work a few times, ten minutes apart, so that every cache expires between
two of them; the calls of its functions, their invocations and the webhooks are counted.
"""

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from local.system import ROOT, LocalSystem
from tests.benchmarks.cost_meter import (
    ANSWER_SECONDS,
    AWS_SECONDS,
    DAYS,
    DURABLE_OPERATIONS,
    LOGGED_KB,
    MEMORY_GB,
    POLLS,
    PROCESSOR,
    SECRETS,
    SHARE_OF_A_PROCESSOR,
    SWEEPS,
    UNITS,
    UNMARKED,
    Meter,
    Usage,
    dollars,
    idle,
    measured,
    watched,
)
from tests.benchmarks.prices import PRICES

PAGE = ROOT / "docs/cost.md"
THOUSAND = 1000
GB = 1024**3
STORED_KB = 3
"""A document in the table and its index."""
MANY = 1000


def page(work: Mapping[str, Usage]) -> str:
    """The page."""
    counted = ["## What was counted", _counts(work), "## What was assumed", _assumed(), _prices()]
    parts = ["# Cost", _filled(_INTRO), _bill(work), _filled(_CAUTION), _mark(work), *counted]
    return "\n\n".join(parts) + "\n"


COLUMNS = ("invoice", "credit note", "payment", "customer's edit")


def _bill(work: Mapping[str, Usage]) -> str:
    stored = {"invoice": STORED_KB, "credit note": STORED_KB}
    columns = []
    for name in COLUMNS:
        units = {unit: quantity * THOUSAND for unit, quantity in work[name].items()}
        units["stored_gb"] = stored.get(name, 0) * 1024 * THOUSAND / GB
        columns.append(dollars(units))
    columns += [dollars(idle(work)), dollars(idle(work, MANY))]
    heads = [f"1,000 {name}s".replace("customer's", "customers'") for name in COLUMNS]
    rows = [["Service", *heads, "Idle month", f"Idle month of {MANY:,} connections"]]
    rows.append(["---", *["---:"] * len(columns)])
    rows += [[service, *(f"{column[service]:.4f}" for column in columns)] for service in columns[0]]
    rows.append(["**Sum**", *(f"**{sum(column.values()):.4f}**" for column in columns)])
    return _table(rows)


def _mark(work: Mapping[str, Usage]) -> str:
    with_it, without = (THOUSAND * sum(dollars(work[name]).values()) for name in ("invoice", UNMARKED))
    return _filled(
        f"In the scope `FULL`, the mark as sent is {with_it - without:.4f} of the sum for 1,000 invoices: a "
        "second call to Rillet, a step in the ledger, and Rillet's webhook about the changed invoice, which "
        "is compared and recorded in one write. The setting `mark_as_sent` turns it off."
    )


def _counts(work: Mapping[str, Usage]) -> str:
    names = [unit for unit in PRICES if any(usage[unit] for usage in work.values())]
    rows = [["Of one", *(name.replace("_", " ") for name in names)], ["---", *["---:"] * len(names)]]
    for name, usage in work.items():
        rows.append([name, *(f"{usage[unit]:.3g}" for unit in names)])
    return _table(rows)


def _assumed() -> str:
    named, found = watched()
    own = ", ".join(f"`{name}` {value * 1000:g}" for name, value in PROCESSOR.items())
    return _filled(
        f"Functions have {MEMORY_GB * 1024:.0f} MB, and so {SHARE_OF_A_PROCESSOR:.0%} of a processor. Of a "
        "whole one a warm invocation (a cold one of `reconcile`) takes, in milliseconds as measured: "
        f"{own}. A vendor is taken to answer in {ANSWER_SECONDS:g} s, "
        f"a service of AWS in {AWS_SECONDS:g} s; the calls of both are counted. "
        f"Each one logs {LOGGED_KB} KB. "
        f"A document takes {STORED_KB} KB of the table. An idle month has {SWEEPS:.0f} sweeps, {DAYS:.0f} "
        f"reconciliations of {DURABLE_OPERATIONS} durable operations, and {POLLS:,.0f} polls of each queue. "
        f"Alarms watch {named} metrics by name, which are in the bill. {found} more are queries over metrics "
        "of our own, which find nothing in a month in which nothing was counted; a trouble adds 0.10 for the "
        "alarm, and 0.60 for its metric in two sets of dimensions, in a month that is full of it. "
        f"A connection has {SECRETS} secrets. "
        "A call of DynamoDB counts as "
        + ", ".join(f"{n:g} for {a.partition(':')[2]}" for a, (_, n) in UNITS.items() if a.startswith("dyn"))
        + " in read or write units."
    )


def _prices() -> str:
    rows = [["Service", "Price in US dollars"], ["---", "---"]]
    return _table(rows + [[price.service, price.unit] for price in PRICES.values()])


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False)


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


_INTRO = """
US dollars, at AWS's list prices in us-east-1, without any free tier. Made by `make cost`: the local system
does the work, its calls to AWS and to the vendors are counted, and `tests/benchmarks/prices.py` has the
prices. A run's seconds are the measured time of the processor and an assumed time for each answer that it
waits for (below)."""
_CAUTION = """
Each document is counted as if it came alone: one webhook, one message, one invocation, with nothing
remembered from the one before. In a batch they share all but the writes. What costs is to stand ready:
alarms, the dashboard, keys and secrets, and Lambda's polling of empty queues. A busy connection adds its
own metrics, at 0.30 each for a month in which it counts every hour: about 12 for one that books and is paid
all day. Each further connection adds three secrets and its sweeps; of 1,000 idle ones the secrets are most
of the bill. Their sweeps are counted one by one, although five share an invocation, and with every cache
expired; the setting `sweep.quiet_minutes` makes them fewer. Imports are not counted. The free tier, where an
account has it, takes off most of Lambda and SQS."""


def main(target: Path = PAGE) -> None:
    """Write the page."""
    with LocalSystem(quiet=True) as system:
        meter = Meter(system)
        target.write_text(page(measured(meter, system)), encoding="utf-8")
    meter.processor.pop("reconcile", None)  # a durable function works in threads of its own
    for workflow, seconds in meter.processor.items():
        sys.stdout.write(f"{workflow}: {median(seconds) * 1000:.1f} ms of the processor here\n")
    sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
