"""The processor's time to parse, map and tie out an invoice, and how it grows with the invoice's groups.

The mapping alone is measured beside a piece of work that stays the same (the same text read and written as
JSON with decimals), in turns, so that both meet the same machine. Their ratio is compared with the one of the
former mapping.
"""

import gc
import importlib
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from statistics import median
from typing import Any

import simplejson

from local.system import LocalSystem
from solvimon_rillet.mapping.invoices import to_rillet_invoice
from solvimon_rillet.settings import Settings
from solvimon_rillet.solvimon.models import Invoice
from tests.benchmarks.setup import Json
from tests.support.builders import LINKS, invoice, line, taxed

GROUPS = (10, 100, 1000)
FORMER_RATIOS = {10: 4.1, 100: 4.1, 1000: 5.0}
"""The ratios of commit deb817b, before taxes were found in parts: the lowest of three runs each."""
LIMIT = 1.1
_SETTINGS = Settings()
_ROUNDS = 7
_TURNS, _MOST_TURNS = 30, 120
_SECONDS_A_ROUND = 0.2


def work_per_document(_system: LocalSystem) -> Iterator[Json]:
    """Measure each size, against the time in which Solvimon's official SDK parses the same text."""
    official = importlib.import_module("solvimon_python_sdk").Invoice.from_dict
    gc.collect()
    gc.freeze()  # the collector must not count the SDK's thousands of classes as part of a document
    for groups in GROUPS:
        yield mapping_against_former(groups)
    first, their_first = 0.0, 0.0
    for groups in GROUPS:
        text = document(groups)
        parsed = _parsed(text)
        parse = _processor(lambda text=text: _parsed(text))  # type: ignore[misc]
        whole = _processor(lambda text=text: _mapped(_parsed(text)))  # type: ignore[misc]
        theirs = _processor(lambda text=text: official(simplejson.loads(text)))  # type: ignore[misc]
        if len(_mapped(parsed).payload["items"]) != groups:
            raise ValueError("the mapped invoice has another number of groups")
        first, their_first = first or whole / groups, their_first or theirs / groups
        yield {
            "measure": f"parse, map and tie out, {groups} groups",
            "ratio_to_the_sdks_parsing": round(whole / theirs, 3),
            "time_per_group_against_10_groups": round(whole / groups / first, 2),
            "sdk_time_per_group_against_10_groups": round(theirs / groups / their_first, 2),
            "share_of_parsing": round(parse / whole, 2),
            "processor_ms_here": round(whole * 1000, 2),
            "sdk_processor_ms_here": round(theirs * 1000, 2),
        }


def mapping_against_former(groups: int) -> Json:
    """Measure the mapping of an invoice: the least of some turns, of more where other processes disturb."""
    text, former = document(groups), FORMER_RATIOS[groups]
    parsed = _parsed(text)
    times = max(1, GROUPS[1] // groups)
    mapping, reference, turns = float("inf"), float("inf"), 0
    gc.disable()  # the size of the process must not count
    while turns < _TURNS or (turns < _MOST_TURNS and mapping > LIMIT * former * reference):
        mapping = min(mapping, _once(lambda: _mapped(parsed), times))
        reference = min(reference, _once(lambda: _rewritten(text), times))
        turns += 1
    gc.enable()
    against_former = mapping / reference / former
    return {
        "measure": f"map and tie out, {groups} groups",
        "ratio_to_json": round(mapping / reference, 2),
        "former_ratio_to_json": former,
        "against_former": round(against_former, 2),
        "limit": LIMIT,
        "within_limit": against_former <= LIMIT,
        "processor_ms_here": round(mapping * 1000, 2),
    }


def _rewritten(text: str) -> str:
    return str(simplejson.dumps(simplejson.loads(text, use_decimal=True), use_decimal=True))


def _once(work: Callable[[], object], times: int) -> float:
    """Seconds of the processor for one run of the work, of several in a row."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def document(groups: int) -> str:
    """An invoice as Solvimon sends it, with so many groups of three lines each."""
    lines = [line(description=f"Usage {number}", quantity="12.5", unit_price="8.00") for number in range(3)]
    made = [
        taxed(str(Decimal(number) + 100), f"{Decimal(number) * 21 / 100 + 21:.2f}")
        for number in range(groups)
    ]
    return str(simplejson.dumps(invoice(*({**group, "lines": lines} for group in made)), use_decimal=True))


def _parsed(text: str) -> Invoice:
    return Invoice.model_validate(simplejson.loads(text, use_decimal=True))


def _mapped(parsed: Invoice) -> Any:  # noqa: ANN401 - a mapped document
    return to_rillet_invoice(parsed, LINKS, _SETTINGS)


def _processor(work: Callable[[], object]) -> float:
    """Median seconds of the processor for one run of the work."""
    work()
    return median(_round(work) for _ in range(_ROUNDS))


def _round(work: Callable[[], object]) -> float:
    times, began = 0, time.process_time()
    while (used := time.process_time() - began) < _SECONDS_A_ROUND or not times:
        work()
        times += 1
    return used / times
