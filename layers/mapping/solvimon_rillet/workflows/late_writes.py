"""Writes that may still arrive: their answer was lost, and the vendor may carry them out later.

A PUT or PATCH that arrives late puts older data over newer ones, and no vendor refuses that. So the message
stays on the queue until the write is surely over; then both sides are read again::

    PUT ── answer lost ── lease ends ── the newest state is written ───────── settle time ──▶ look again
              └ may arrive at any of these moments, and hardly after them ───────┘

What the write would leave is remembered for two days: where a later look finds just that, it was the late
write; anything else was done by a person, and stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from solvimon_rillet.errors import OutcomeUnknown, RetryLater

LATE_WRITES = "late_writes"
"""Attribute of a record or link: our writes to Rillet, or to an invoice in Solvimon."""
LATE_IMPORTS = "late_imports"
"""Attribute of a customer's link: an import's writes to the customer in Solvimon."""
SETTLE_SECONDS = 900
"""After so long a call whose answer was lost is taken for over; a gateway that queues it gives up earlier."""
KEEP_SECONDS = 48 * 3600
_MAX_KEPT = 5


@dataclass(frozen=True, slots=True)
class LateWrites:
    """The writes to one record of a vendor whose answers were lost.

    Attributes:
        entries: the time of each (unix seconds), and what it would leave; of several that would leave the
            same, the last one.
        attribute: of the record or link that remembers them.
    """

    entries: tuple[tuple[int, str], ...] = ()
    attribute: str = LATE_WRITES

    @classmethod
    def of(cls, record: Mapping[str, Any], now: float, attribute: str = LATE_WRITES) -> "LateWrites":
        """The writes of the last two days that a record or link remembers."""
        kept = [(int(entry["at"]), str(entry["leaves"])) for entry in record.get(attribute, ())]
        return cls(tuple(entry for entry in kept if now - entry[0] < KEEP_SECONDS), attribute)

    def plus(self, leaves: str, now: float) -> "LateWrites":
        """With a write that is about to be sent."""
        others = (entry for entry in self.entries if entry[1] != leaves)
        return replace(self, entries=(*others, (int(now), leaves))[-_MAX_KEPT:])

    def as_facts(self) -> dict[str, Any]:
        """The attribute as it is stored."""
        return {self.attribute: [{"at": at, "leaves": leaves} for at, leaves in self.entries]}

    def facts_if_any(self) -> dict[str, Any]:
        """The attribute of something that is stored as a whole; nothing if there is no write."""
        return self.as_facts() if self.entries else {}

    def would_leave(self, state: str) -> bool:
        """Whether one of them leaves this state."""
        return any(leaves == state for _, leaves in self.entries)

    def check_settled(self, now: float) -> None:
        """Keep the message on the queue while one of them may still arrive.

        Raises:
            RetryLater: it may; ``after`` is the rest of its settle time.
        """
        left = max((at + SETTLE_SECONDS - now for at, _ in self.entries), default=0)
        if left > 0:
            raise RetryLater(
                "An earlier write, whose answer was lost, may still arrive; both sides are compared again.",
                after=left,
            )


def has_unsent_edit(link: Mapping[str, Any], fingerprint: str) -> bool:
    """Whether a customer has an edit in Solvimon that is not in Rillet, or of which that is not known.

    Without a fingerprint this is not known, unless a synchronisation was begun and its end was not recorded.

    Args:
        link: of the customer; it may be empty.
        fingerprint: of the customer in Solvimon now.
    """
    if "imported_hash" not in link:
        return LATE_WRITES in link
    return bool(link["imported_hash"] != fingerprint)


def may_arrive_late(error: BaseException) -> bool:
    """Whether the write that failed may still be carried out."""
    return isinstance(error, OutcomeUnknown) and not error.over
