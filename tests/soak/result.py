"""SoakResult of a run: its figures in one line, and everything that is wrong, by name."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.books_check.audit import Audit, audit
from local.books_check.checks import FindingType
from local.books_check.system import system_problems
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
        "rejected_then_retried": counts["retried"],
        "rillet_calls": calls,
        "calls_per_document": round(calls / max(1, documents), 2),
        "refused_429": soak.connection.organisation.counts.refused,
        "deferrals": counts["deferrals"],
        "webhooks": faults.webhooks_sent,
        "webhooks_lost": faults.webhooks_lost,
        "faults": sum(faults.by_kind().values()),
        "faults_by_kind": faults.by_kind(),
        "token_refreshes": system.rillet.state.oauth.counts.refreshes,
        "reconnected": counts["reconnected"],
        "sweeps": counts["sweeps"],
        "sweep_found": counts["sweep_found"],
        "reconciled_nights": len(soak.log.nights),
        "redriven": counts["redriven"],
        "duplicates": found.count(FindingType.DUPLICATE),
        "lost": found.count(FindingType.LOST),
        "difference": f"{found.difference:f}",
        "tied_out": bool(soak.log.final.get("tied_out")),
        "processor_seconds": round(time.process_time(), 1),
        "seconds": round(seconds, 1),
    }


def _product_problems(system: LocalSystem, soak: Soak) -> Iterator[str]:
    """What the product itself says or left undone."""
    final = soak.log.final
    if not final.get("tied_out"):
        yield f"The last reconciliation does not tie out: {final.get('error') or final.get('by_kind')}"
    for finding in final.get("findings", ()):
        yield f"Reconciliation: {finding['number']} {finding['kind']}: {finding['cause']}"
    for crash in soak.log.crashes:
        yield f"A function died: {crash}"
    yield from system_problems(system)
