"""The story in its order, and the figures at its end."""

import json
from dataclasses import dataclass
from decimal import Decimal

from local import demo_data
from local.demo import tables
from local.demo.audit import Audit, audit
from local.demo.screen import Screen
from local.demo.sections import all_invoices, dry_run, lost_answer, one_invoice, rejected, repeated_webhook
from local.demo.stage import Numbers, Section, Stage
from local.stack import LocalStack

SECTIONS: tuple[Section, ...] = (
    one_invoice.SECTION,
    all_invoices.SECTION,
    repeated_webhook.SECTION,
    lost_answer.SECTION,
    rejected.SECTION,
    dry_run.SECTION,
)


@dataclass(frozen=True)
class Outcome:
    """How it ended: the figures, and in plain words what is not right."""

    numbers: Numbers
    problems: tuple[str, ...]


def tell(stack: LocalStack, screen: Screen, sections: tuple[Section, ...] = SECTIONS) -> Outcome:
    """Tell the story on a running local system that has no connection yet.

    Args:
        stack: the local system.
        screen: where it is told.
        sections: its parts; each adds its own figures.

    Raises:
        DemoStopped: something that the story needs did not happen.
    """
    connection = stack.connect(
        settings={"fallback_products": demo_data.fallback_products()},
        solvimon=demo_data.solvimon_seed(),
        rillet=demo_data.rillet_seed(),
    )
    features = {invoice: facts["feature"] for invoice, facts in demo_data.expected().items()}
    stage = Stage(stack, screen, connection, features=features)
    numbers: dict[str, int | str] = {}
    try:
        for number, section in enumerate(sections, 1):
            screen.heading(f"{number}. {section.title}")
            numbers |= section.tell(stage)
    finally:
        stack.stop_workers()
    checked = audit(stack)
    screen.heading("The books")
    rest = [pair for pair in checked.pairs if pair.id not in stage.shown or not pair.agrees]
    if rest:
        screen.show(tables.invoices(rest, features, narrow=screen.narrow))
        screen.say("")
    screen.show(tables.totals(checked))
    if stage.skipped:
        screen.note(
            f"Nobody waited: where something had to wait, the clock was moved on, {stage.skipped} s in all."
        )
    problems = (*stage.problems, *checked.problems())
    return Outcome({**_figures(stack, checked), **numbers}, problems)


def conclude(screen: Screen, outcome: Outcome, seconds: float) -> int:
    """Say how it ended, the line for programs last.

    Args:
        screen: where the story was told.
        outcome: how it ended.
        seconds: how long it took, as people count.

    Returns:
        The exit code: 0 when every invoice is in Rillet once and both sides agree, else 1.
    """
    for problem in outcome.problems:
        screen.alarm(problem)
    if not outcome.problems:
        screen.good(
            f"Every invoice is in Rillet once, and both sides agree to the cent. {seconds:.1f} s in all."
        )
    screen.plain("DEMO " + json.dumps({**outcome.numbers, "seconds": round(seconds, 1)}))
    return 1 if outcome.problems else 0


def _figures(stack: LocalStack, checked: Audit) -> Numbers:
    counts = [connection.organisation.counts for connection in stack.connections.values()]
    return {
        "invoices": len(checked.pairs),
        "exported": checked.exported,
        "duplicates": checked.duplicates,
        "difference": _text(checked.difference),
        "currencies": len(checked.by_currency()),
        "rillet_calls": sum(count.calls for count in counts),
        "refused_429": sum(count.refused for count in counts),
    }


def _text(amount: Decimal) -> str:
    """Write a sum over several currencies, with two decimals at least and none lost."""
    exponent = amount.as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{amount:.{decimals}f}"
