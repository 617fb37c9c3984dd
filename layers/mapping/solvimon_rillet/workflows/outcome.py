"""The result of a workflow for one document."""

from dataclasses import dataclass, field
from typing import Any

from solvimon_rillet.errors import Message, NeedsAttention
from solvimon_rillet.formatting import clip

CAUSE = ("code", "message", "remedy", "about")
"""The fields of ``error_fields``."""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a workflow for one document.

    Attributes:
        document_id: Solvimon's id.
        outcome: of an export ``exported``, ``already_exported`` or ``differs``; of a payment ``marked``,
            ``unchanged``, ``differs`` or ``outdated`` (Rillet reported a newer change before); of a customer
            ``synced`` or ``unchanged``; of each ``rejected``, ``skipped``, ``not_ours``, ``queued``, or
            ``not_found`` for what a person named and Solvimon does not have. In a dry run ``would_export``,
            ``would_mark``, ``would_sync``, ``would_reject`` or ``would_skip``, as well as the outcomes that
            need no write; ``try_again`` where a service does not answer.
        facts: further fields of the answer.
        repeated: whether the document had this outcome before, and nothing was done.
    """

    document_id: str
    outcome: str
    facts: dict[str, Any] = field(default_factory=dict)
    repeated: bool = False

    def as_answer(self, id_name: str) -> dict[str, Any]:
        """The result as JSON, the id under the given name."""
        return {id_name: self.document_id, "outcome": self.outcome, **self.facts}


def error_fields(why: NeedsAttention) -> dict[str, Any]:
    """Code, message, remedy and culprit, as in answers and records."""
    message = Message(clip(why.message), clip(why.own_words))
    about = {"about": why.about.as_item()} if why.about else {}
    return {"code": why.code.value, "message": message, "remedy": clip(why.remedy), **about}
