"""The story in its order, and the figures at its end."""

import json
from dataclasses import dataclass
from decimal import Decimal

from local import sample_data
from local.demo import acme, tables
from local.demo.audit import Audit, audit
from local.demo.screen import Screen
from local.demo.sections import (
    all_invoices,
    connections,
    credit_notes,
    customer_edits,
    dry_run,
    imports,
    lost_answer,
    one_invoice,
    payments,
    reconciliation,
    rejected,
    repeated_webhook,
    request_budget,
)
from local.demo.stage import Numbers, Section, Stage
from local.system import Connection, LocalSystem

SECTIONS: tuple[Section, ...] = (
    connections.SECTION,
    imports.SECTION,
    one_invoice.SECTION,
    all_invoices.SECTION,
    repeated_webhook.SECTION,
    lost_answer.SECTION,
    rejected.SECTION,
    dry_run.SECTION,
    credit_notes.SECTION,
    payments.SECTION,
    customer_edits.SECTION,
    request_budget.SECTION,
    reconciliation.SECTION,
)


@dataclass(frozen=True)
class Outcome:
    """How it ended: the figures, and in plain words what is not right."""

    numbers: Numbers
    problems: tuple[str, ...]


def tell(system: LocalSystem, screen: Screen, sections: tuple[Section, ...] = SECTIONS) -> Outcome:
    """Tell the story on a running local system that has no connection yet.

    Args:
        system: the local system.
        screen: where it is told.
        sections: its parts; each adds its own figures.

    Raises:
        DemoStopped: something that the story needs did not happen.
    """
    stage = Stage(system, screen, _set_up(system), features=_features())
    numbers: dict[str, int | str] = {}
    try:
        for number, section in enumerate(sections, 1):
            screen.heading(f"{number}. {section.title}")
            numbers |= section.tell(stage)
            stage.let_a_minute_pass()
    finally:
        system.stop_workers()
    checked = audit(system)
    screen.heading("The books")
    rest = [
        pair for pair in (*checked.pairs, *checked.notes) if pair.id not in stage.shown or not pair.agrees
    ]
    if rest:
        screen.show(tables.invoices(rest, stage.features, narrow=screen.narrow))
        screen.say("")
    screen.show(tables.totals("Invoices", checked.pairs))
    if checked.notes:
        screen.say("")
        screen.show(tables.totals("Credit notes", checked.notes))
    if len(system.connections) > 1 and not checked.misplaced:
        screen.say("Nothing of one connection is in another one's books.")
    screen.note(
        "Nobody waited: after each part, and where something had to wait, the clock was moved on, "
        f"{stage.skipped} s in all."
    )
    problems = (*stage.problems, *checked.problems())
    return Outcome({**_figures(system, checked), **numbers}, problems)


def conclude(screen: Screen, outcome: Outcome, seconds: float) -> int:
    """Say how it ended, the line for programs last.

    Args:
        screen: where the story was told.
        outcome: how it ended.
        seconds: how long it took, as people count.

    Returns:
        The exit code: 0 when every document is in Rillet once and both sides agree, else 1.
    """
    for problem in outcome.problems:
        screen.alarm(problem)
    if not outcome.problems:
        screen.good(
            "Every invoice and credit note is in Rillet once, and both sides agree to the cent. "
            f"{seconds:.1f} s in all."
        )
    screen.plain("DEMO " + json.dumps({**outcome.numbers, "seconds": round(seconds, 1)}))
    return 1 if outcome.problems else 0


def _set_up(system: LocalSystem) -> Connection:
    """Set up both connections except for Rillet's access, and return the one with the demo's world."""
    connection = system.connect(
        settings={"fallback_products": sample_data.fallback_products()},
        auth="oauth",
        solvimon=sample_data.solvimon_seed(),
        rillet=sample_data.rillet_seed(),
    )
    system.connect(
        acme.NAME,
        settings={"fallback_products": acme.fallback_products()},
        auth="oauth",
        solvimon=acme.solvimon_seed(),
        rillet=acme.rillet_seed(),
    )
    return connection


def _features() -> dict[str, str]:
    """What each invoice shows, by its Solvimon id."""
    return {id_: facts["feature"] for id_, facts in sample_data.expected().items()} | acme.features()


def _figures(system: LocalSystem, checked: Audit) -> Numbers:
    counts = [connection.organisation.counts for connection in system.connections.values()]
    return {
        "connections": checked.connections,
        "invoices": len(checked.pairs),
        "exported": checked.exported,
        "duplicates": checked.duplicates,
        "difference": _text(checked.difference),
        "misplaced": len(checked.misplaced),
        "currencies": len({pair.billed.currency for pair in checked.pairs}),
        "rillet_calls": sum(count.calls for count in counts),
        "refused_429": sum(count.refused for count in counts),
    }


def _text(amount: Decimal) -> str:
    """Write a sum over several currencies, with two decimals at least and none lost."""
    exponent = amount.as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{amount:.{decimals}f}"
