"""How both sides and the ledger stand in the end, without what differs from run to run."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fault_injection.effects import lasting
from tests.fault_injection.worlds import World

Json = dict[str, Any]

_RILLET = ("customers", "invoices", "payments", "credit_memos")
_NAMES = ("invoice_number", "credit_memo_number", "external_reference", "reference", "name")
_MOMENTS = {"created_at", "updated_at", "modified_at", "finalized_at", "finalised_at", "payment_updated_at"}
_LEDGER = re.compile(r"#(invoice|credit_memo|customer|payment)#")
_UNFINISHED = {"claimed", "sending"}


@dataclass(frozen=True)
class Difference:
    """One difference from the undisturbed end.

    Attributes:
        kind: ``duplicate``, ``lost``, ``stuck`` or ``different``.
        what: in words.
    """

    kind: str
    what: str


@dataclass(frozen=True)
class EndState:
    """The end of a run.

    Attributes:
        documents: what both vendors and the ledger have, by collection and name.
        unfinished: what still waits or is held.
        answer: what a person was told, as far as a scenario compares it.
    """

    documents: Mapping[tuple[str, str], Counter[str]]
    unfinished: tuple[str, ...]
    answer: str = ""

    @classmethod
    def of(cls, world: World, answer: object = None) -> "EndState":
        """Look at everything."""
        documents: dict[tuple[str, str], Counter[str]] = {}
        ledger = world.system.ledger()
        records = list(_records(world, ledger))
        known = _known(records)
        for collection, record in records:
            key = (collection, _name(record, known))
            documents.setdefault(key, Counter())[_text(record, known)] += 1
        unfinished = (*_held(ledger, world.system.clock.now()), *_waiting(world))
        return cls(documents, unfinished, json.dumps(answer, sort_keys=True, default=str))

    def differences(self, undisturbed: "EndState") -> list[Difference]:
        """What is not as in an undisturbed run."""
        found = [Difference("stuck", what) for what in self.unfinished if what not in undisturbed.unfinished]
        for key in sorted({*self.documents, *undisturbed.documents}):
            here, there = self.documents.get(key, Counter()), undisturbed.documents.get(key, Counter())
            if here != there:
                found.append(_difference(key, here, there))
        if self.answer != undisturbed.answer:
            found.append(Difference("different", f"the answer is {self.answer}, not {undisturbed.answer}"))
        return found


def _difference(key: tuple[str, str], here: Counter[str], there: Counter[str]) -> Difference:
    name = " ".join(key)
    if here.total() > there.total():
        return Difference("duplicate", f"{name}: {here.total()} instead of {there.total()}")
    if here.total() < there.total():
        return Difference("lost", f"{name}: {here.total()} instead of {there.total()}")
    [*is_now], [*was] = (here - there), (there - here)
    return Difference("different", f"{name}: {is_now[0]} instead of {was[0]}")


def _records(world: World, ledger: list[Json]) -> Iterable[tuple[str, Json]]:
    organisation, platform = world.connection.organisation, world.connection.platform
    for name in _RILLET:
        for record in getattr(organisation, name).documents():
            yield f"Rillet {name}", record
    for name, records in platform.records.items():
        for record in records.values():
            yield f"Solvimon {name}", record
    for charge in world.system.solvimon.state.charged:
        yield "Solvimon charges", {"name": charge}
    for item in ledger:
        if _LEDGER.search(item["pk"]) and "state" in item:
            told: Json = {
                name: item[name] for name in ("state", "code", "payment_status", "applied") if name in item
            }
            yield "ledger", {"name": lasting(item["pk"]), **told}


def _held(ledger: list[Json], now: float) -> Iterable[str]:
    for item in ledger:
        is_document = _LEDGER.search(item["pk"]) and "state" in item
        until = max((float(item[n]) for n in ("lease_until", "until") if n in item), default=0.0)
        if is_document and (item["state"] in _UNFINISHED or "lease_until" in item):
            yield f"ledger {lasting(item['pk'])} is {item['state']}, lease until {until:.0f}"
        elif until > now:
            yield f"ledger {lasting(item['pk'])} is held"


def _waiting(world: World) -> Iterable[str]:
    pollers = world.system.pollers
    for name, queue in pollers.queues.items():
        if count := queue.depth().total:
            yield f"queue of {name}: {count} wait"
    for name, queue in pollers.dead_letters.items():
        if bodies := queue.bodies():
            yield f"dead-letter queue of {name}: {len(bodies)}"
    waiting = world.connection.platform.webhooks.pending() + world.connection.organisation.webhooks.pending()
    if waiting:
        yield f"{waiting} webhooks are not delivered"


def _known(records: list[tuple[str, Json]]) -> dict[str, str]:
    """A lasting name for each id."""
    named: dict[str, str] = {}
    for collection, record in records:
        if "id" in record and not collection.startswith("ledger"):
            named[str(record["id"])] = f"<{collection}: {_name(record, {})}>"
    return named


def _name(record: Json, known: Mapping[str, str]) -> str:
    """What a person would call a record."""
    references = [r["id"] for r in record.get("external_references", ()) if r["type"].startswith("solvimon")]
    found = [*references, *(record[name] for name in _NAMES if record.get(name))]
    if not found and "invoice_id" in record:
        found = [f"of {known.get(record['invoice_id'], '')}"]
    return lasting(" ".join(map(str, found[:2])))


def _text(record: Json, known: Mapping[str, str]) -> str:
    return json.dumps(_plain(record, known), sort_keys=True, default=str)


def _plain(value: object, known: Mapping[str, str]) -> object:
    if isinstance(value, Mapping):
        return {
            name: _plain(part, known)
            for name, part in value.items()
            if name not in _MOMENTS and not (name == "id" and "type" not in value)
        }
    if isinstance(value, list | tuple):
        return [_plain(part, known) for part in value]
    return known.get(value, lasting(value)) if isinstance(value, str) else value
