"""SoakResult of a run: its figures in one line, and everything that is wrong, by name."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.books_check.audit import Audit, audit, system_problems
from local.books_check.checks import FindingType
from local.system import LocalSystem
from tests.soak.run import Soak
from tests.soak.schedule import Plan

Json = dict[str, Any]


@dataclass(frozen=True)
class SoakResult:
    """SoakResult of a run.

    Attributes:
        figures: the SOAK line.
        problems: what is wrong, in plain words; nothing after a good run.
    """

    figures: Json
    problems: tuple[str, ...]

    @property
    def line(self) -> str:
        """The SOAK line."""
        return f"SOAK {json.dumps(self.figures)}"


def soak_result(plan: Plan, system: LocalSystem, soak: Soak, seconds: float) -> SoakResult:
    """Audit both sides' books and sum the run up."""
    found = audit(system, soak.company.expected)
    problems = (*found.problems, *_product_problems(system, soak))
    return SoakResult(_figures(plan, system, soak, found, seconds), problems)


def _figures(plan: Plan, system: LocalSystem, soak: Soak, found: Audit, seconds: float) -> Json:
    counts, actions, faults = soak.log.counts, soak.company.counts, soak.faults
    calls, documents = len(system.rillet.state.calls), len(found.pairs)
    return {
        "seed": plan.seed,
        "simulated_days": plan.days,
        "customers": len(soak.connection.platform.records["customers"]),
        "documents": documents,
        "invoices": len(found.invoices),
        "credit_notes": len(found.credit_notes),
        **actions,
        "rillet_calls": calls,
        "calls_per_document": round(calls / max(1, documents), 2),
        "refused_429": soak.connection.organisation.counts.refused,
        "deferrals": counts["deferrals"],
        "webhooks": faults.webhooks_sent,
        "webhooks_lost": faults.webhooks_lost,
        "faults": sum(faults.by_kind().values()),
        "faults_by_kind": faults.by_kind(),
        "token_refreshes": system.rillet.state.oauth.counts.refreshes,
        "reconnected": soak.operations.reconnected,
        "adopted": soak.operations.adopted,
        "sweeps": counts["sweeps"],
        "sweep_found": counts["sweep_found"],
        "reconciled_nights": len(soak.log.nights),
        "redriven": counts["redriven"],
        "duplicates": found.count(FindingType.DUPLICATE),
        "lost": found.count(FindingType.LOST),
        "difference": f"{found.difference:f}",
        "tied_out": _names_what_is_stated(soak),
        "stated": len(soak.company.expected.stated),
        "stated_differences": sum(soak.log.final.get("by_kind", {}).values()),
        "processor_seconds": round(time.process_time(), 1),
        "seconds": round(seconds, 1),
    }


def _product_problems(system: LocalSystem, soak: Soak) -> Iterator[str]:
    """What the product itself says or left undone."""
    final, stated = soak.log.final, soak.company.expected.stated
    if not _names_what_is_stated(soak):
        named = final.get("error") or final.get("by_kind")
        yield f"The last reconciliation names {named} instead of {dict(Counter(stated.values()))}."
    if final.get("tied_out") is not (not stated):
        yield "The last reconciliation is wrong about whether the books tie out."
    for finding in final.get("findings", ()):
        if stated.get(finding["solvimon_id"]) != finding["kind"]:
            yield f"Reconciliation: {finding['number']} {finding['kind']}: {finding['cause']}"
    yield from soak.nights.problems
    for crash in soak.log.crashes:
        yield f"A function died: {crash}"
    yield from system_problems(system)


def _names_what_is_stated(soak: Soak) -> bool:
    """Whether the last reconciliation names the differences that people have made, and no other."""
    stated = Counter(result.value for result in soak.company.expected.stated.values())
    named = Counter({name: number for name, number in soak.log.final.get("by_kind", {}).items() if number})
    return bool(soak.log.final) and named == stated
