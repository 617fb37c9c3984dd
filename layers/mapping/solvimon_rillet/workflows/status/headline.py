"""The headline of a connection: one sentence that is never calm while something waits for a person."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from solvimon_rillet.workflows.status.open_work import Failures, Waiting, WorkGroup, kinds_of
from solvimon_rillet.workflows.status.wording import DOCUMENT_NOUNS, counted, listed


@dataclass(frozen=True, slots=True)
class Situation:
    """The facts that a headline sums up.

    Attributes:
        failures: documents that need a person.
        waiting: documents that wait.
        broken: what is wrong with the credentials or settings, each a sentence.
        tasks: what else waits for a person, each a sentence.
        booked: number of documents that are done, by kind.
    """

    failures: Sequence[Failures] = ()
    waiting: Sequence[Waiting] = ()
    broken: Sequence[str] = ()
    tasks: Sequence[str] = ()
    booked: dict[str, int] = field(default_factory=dict)


def headline(situation: Situation) -> dict[str, str]:
    """The state (``stopped``, ``needs_you``, ``waiting`` or ``booked``), and the sentence."""
    held = [group for group in situation.waiting if group.wait.is_credential]
    stalled = [group for group in situation.waiting if group.wait.needs_person and group not in held]
    needs = [*situation.failures, *stalled]
    calm = [group for group in situation.waiting if not group.wait.needs_person]
    sentences = list[str]()
    causes = dict.fromkeys([*situation.broken, *(group.wait.reason for group in held)])
    if causes:
        sentences.append(f"Stopped: {' '.join(causes)}")
    if held:
        sentences.append(f"{_documents_text(held)} {_verb(held, 'waits', 'wait')} for that.")
    if needs:
        sentences.append(f"{_documents_text(needs)} {_verb(needs, 'needs', 'need')} you.")
    sentences += situation.tasks
    if calm:
        alone = "" if sentences else ", and it continues automatically"
        sentences.append(f"{_documents_text(calm)} {_verb(calm, 'waits', 'wait')}{alone}.")
    if causes:
        state = "stopped"
    elif needs or situation.tasks:
        state = "needs_you"
    elif calm:
        state = "waiting"
    else:
        state, sentences = "booked", [_booked(situation.booked)]
    return {"state": state, "text": " ".join(sentences)}


def _documents_text(groups: Sequence[WorkGroup]) -> str:
    return listed(counted(kind, count, sums) for kind, (count, sums) in kinds_of(groups).items())


def _verb(groups: Sequence[WorkGroup], one: str, several: str) -> str:
    return one if sum(len(group.entries) for group in groups) == 1 else several


def _booked(counts: dict[str, int]) -> str:
    named = {kind: count for kind, count in counts.items() if count and kind in {"invoice", "credit_memo"}}
    if not named:
        return "Nothing waits: no document yet."
    parts = [f"{count:,} {DOCUMENT_NOUNS[kind][count != 1]}" for kind, count in named.items()]
    verb = "is" if sum(named.values()) == 1 else "are"
    return f"Nothing waits: {listed(parts)} {verb} booked."
