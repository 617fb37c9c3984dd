"""The 23 events of Rillet's webhooks (Rillet API v4, webhooks)."""

import json
from dataclasses import dataclass
from typing import Any

_EVENT_ENTITIES = ("invoice", "contract", "credit-memo", "customer", "bill", "vendor", "journal-entry")
_PAYABLE = ("invoice", "credit-memo")


def _capital(word: str) -> str:
    return word.upper().replace("-", "_")


EVENTS = {
    f"{entity}-{event}": (_capital(entity), _capital(event))
    for entity in _EVENT_ENTITIES
    for event in ("created", "updated", *(["payment-updated"] if entity in _PAYABLE else []), "deleted")
}
"""Entity and event, as the headers carry them, by the webhook's name such as `invoice-payment-updated`."""


@dataclass(frozen=True)
class Event:
    """Something that happened, with the body that every delivery of it carries.

    Attributes:
        id: its UUID, the same in all attempts and for all receivers.
        name: one of `EVENTS`.
        occurred: Unix seconds.
        body: the object as it was at that moment or, when it was deleted, its id as a bare JSON string.
    """

    id: str
    name: str
    occurred: float
    body: bytes

    @property
    def entity(self) -> str:
        """What it is about, such as `INVOICE`."""
        return EVENTS[self.name][0]

    @property
    def event(self) -> str:
        """What happened to it, such as `PAYMENT_UPDATED`."""
        return EVENTS[self.name][1]

    @property
    def document(self) -> Any:  # noqa: ANN401 - an object or a bare string
        """The body, parsed."""
        return json.loads(self.body)
