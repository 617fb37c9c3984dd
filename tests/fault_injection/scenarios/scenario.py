"""The shape of a scenario, and what several of them begin with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.books_check.checks import FindingType
from local.system import LocalSystem
from tests.fault_injection.setups import SECOND, Setup, invoice, set_up


@dataclass(frozen=True)
class Scenario:
    """One workflow in one situation.

    Attributes:
        name: what happens.
        workflow: the function whose effects meet faults.
        prepare: makes the setup, undisturbed.
        start: starts the workflow.
        again: starts the same work a second time, as a doubled message does; ``None`` where that cannot be.
        by_person: a person repeats ``start`` until it succeeds; all others recover automatically.
        succeeded: whether the answer to ``start`` says so.
        compared: the part of the answer that must be the same in the end.
        acts: what people may do at each effect, and while an answer is out; names of ``ACTS``.
        findings: what an audit of both sides' books finds in the end all the same, and rightly.
        fix: what a person does when everything else has had its time; whether it was needed.
        unprotected: beginnings of the effects between a read and the write that follows from it, where a
            vendor has no version that would refuse the write: a person's act just there is lost, and is not
            tried.
        judged_by_audit: which of two edits comes last is chance, so both sides only have to agree.
    """

    name: str
    workflow: str
    prepare: Callable[[LocalSystem], Setup]
    start: Callable[[Setup], object] = Setup.work_off
    again: Callable[[Setup], object] | None = None
    by_person: bool = False
    succeeded: Callable[[Any], bool] = lambda _answer: True
    compared: Callable[[Any], object] = lambda _answer: None
    acts: tuple[str, ...] = ()
    findings: frozenset[FindingType] = frozenset()
    fix: Callable[[Setup], bool] = lambda _setup: False
    unprotected: tuple[str, ...] = ()
    judged_by_audit: bool = False


def has_no_error(answer: Any) -> bool:  # noqa: ANN401 - a function's JSON
    """Whether a direct invocation succeeded."""
    return "error" not in answer


def invoking(function: str, **event: object) -> Callable[[Setup], object]:
    """A second start by a direct invocation."""
    return lambda setup: setup.system.invoke(function, event)


def invoked(function: str, **event: object) -> Callable[[Setup], object]:
    """A start by a person's invocation, after which the workers do what follows from it."""

    def start(setup: Setup) -> object:
        answer = setup.invoke(function, **event)
        setup.work_off()
        return answer

    return start


def first_exported(system: LocalSystem, **settings: str) -> Setup:
    """A setup in which one invoice is in Rillet, so that all links are known."""
    setup = set_up(system, settings=settings)
    setup.finalise(invoice())
    setup.work_off()
    return setup


def second_announced(setup: Setup, **more: object) -> Setup:
    """One more invoice is FINAL, and its webhook has been delivered."""
    setup.finalise(invoice(SECOND, "250.00", **more))
    setup.system.deliver_webhooks()
    return setup
