"""The sections in their order, and the figures at the end."""

import json
from dataclasses import dataclass

from local import sample_data
from local.books_check.audit import Audit, audit, system_problems
from local.books_check.checks import FindingType
from local.demo import second_connection, tables
from local.demo.console import Console
from local.demo.context import Context, Numbers, Section
from local.demo.sections import (
    all_invoices,
    connections,
    credit_notes,
    customer_edits,
    dry_run,
    exactly_once,
    imports,
    one_invoice,
    payments,
    reconciliation,
    request_budget,
    until_somebody_acts,
)
from local.system import Connection, LocalSystem

SECTIONS: tuple[Section, ...] = (
    connections.SECTION,
    imports.SECTION,
    one_invoice.SECTION,
    all_invoices.SECTION,
    exactly_once.REPEATED_WEBHOOK,
    exactly_once.LOST_ANSWER,
    until_somebody_acts.REJECTED,
    until_somebody_acts.READ_ONLY,
    dry_run.SECTION,
    credit_notes.SECTION,
    payments.SECTION,
    customer_edits.SECTION,
    request_budget.SECTION,
    reconciliation.SECTION,
)


@dataclass(frozen=True)
class DemoResult:
    """How it ended: the figures, and in plain words what is not right."""

    numbers: Numbers
    problems: tuple[str, ...]


def run_sections(
    system: LocalSystem, console: Console, sections: tuple[Section, ...] = SECTIONS
) -> DemoResult:
    """Run the demo on a running local system that has no connection yet.

    Args:
        system: the local system.
        console: where it prints.
        sections: its parts; each adds its own figures.

    Raises:
        DemoStopped: something that the demo needs did not happen.
    """
    context = Context(system, console, _set_up(system), features=_features())
    numbers: dict[str, int | str] = {}
    try:
        for number, section in enumerate(sections, 1):
            console.heading(f"{number}. {section.title}")
            numbers |= section.run(context)
            context.let_a_minute_pass()
    finally:
        system.stop_workers()
    checked = audit(system, context.expected)
    console.heading("The books")
    ordered = (*checked.invoices, *checked.credit_notes)
    rest = [pair for pair in ordered if pair.solvimon.id not in context.shown or not pair.agrees]
    if rest:
        console.show(tables.invoices(rest, context.features, narrow=console.narrow))
        console.say("")
    console.show(tables.totals("Invoices", checked.invoices))
    if checked.credit_notes:
        console.say("")
        console.show(tables.totals("Credit notes", checked.credit_notes))
    if len(system.connections) > 1 and not checked.count(FindingType.MISPLACED):
        console.say("Nothing of one connection is in another one's books.")
    console.note(
        "Nobody waited: after each part, and where something had to wait, the clock was moved on, "
        f"{context.skipped} s in all."
    )
    problems = (*context.problems, *checked.problems, *system_problems(system))
    return DemoResult({**_figures(system, checked), **numbers}, problems)


def print_result(console: Console, result: DemoResult, seconds: float) -> int:
    """Say how it ended, the line for programs last.

    Args:
        console: where the demo printed.
        result: how it ended.
        seconds: how long it took, as people count.

    Returns:
        The exit code: 0 when every document is in Rillet once and both sides agree, else 1.
    """
    for problem in result.problems:
        console.alarm(problem)
    if not result.problems:
        console.good(
            "Every invoice and credit note is in Rillet once, and both sides agree to the cent. "
            f"{seconds:.1f} s in all."
        )
    console.plain("DEMO " + json.dumps({**result.numbers, "seconds": round(seconds, 1)}))
    return 1 if result.problems else 0


def _set_up(system: LocalSystem) -> Connection:
    """Set up both connections except for Rillet's access, and return the one with the demo's world."""
    connection = system.connect_demo(auth="oauth")
    system.connect(
        second_connection.NAME,
        settings={"fallback_products": second_connection.acme_fallback_products()},
        auth="oauth",
        solvimon=second_connection.acme_solvimon_seed(),
        rillet=second_connection.acme_rillet_seed(),
    )
    return connection


def _features() -> dict[str, str]:
    """What each invoice shows, by its Solvimon id."""
    return {
        id_: facts["feature"] for id_, facts in sample_data.expected().items()
    } | second_connection.features()


def _figures(system: LocalSystem, checked: Audit) -> Numbers:
    counts = [connection.organisation.counts for connection in system.connections.values()]
    exported = [pair for pair in checked.invoices if pair.exported]
    return {
        "connections": len({pair.connection for pair in exported}),
        "invoices": len(checked.invoices),
        "exported": len(exported),
        "duplicates": checked.count(FindingType.DUPLICATE),
        "difference": f"{checked.difference:f}",
        "misplaced": checked.count(FindingType.MISPLACED),
        "currencies": len({pair.solvimon.amounts.currency for pair in checked.invoices}),
        "rillet_calls": sum(count.calls for count in counts),
        "refused_429": sum(count.refused for count in counts),
    }
