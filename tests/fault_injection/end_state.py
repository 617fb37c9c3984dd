"""How both sides and the ledger stand in the end, without what differs from run to run."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.books_check.audit import unfinished_work
from local.books_check.records import document_records, read_records
from tests.fault_injection.effects import lasting
from tests.fault_injection.setups import MEMO_BY_HAND, Setup

Json = dict[str, Any]

_NAMES = ("invoice_number", "credit_memo_number", "external_reference", "reference", "name")
_MOMENTS = {"created_at", "updated_at", "modified_at", "finalized_at", "finalised_at", "payment_updated_at"}
_TWICE = "exported_twice"
REFUSED = "calls that it refused for their pace"
_SAY_NOTHING = ({"state": "marked", "payment_status": "UNPAID"}, {"state": "synced"}, {"state": "claimed"})
"""Records that say the same as no record; one that stays claimed is named as unfinished."""
_LEDGER_FACTS = ("state", "code", "payment_status", "applied")


@dataclass(frozen=True)
class Difference:
    """One difference from the undisturbed end.

    Attributes:
        kind: ``duplicate``, ``lost``, ``stuck`` or ``different``; or ``unnoticed``, a duplicate that nothing
            could prevent and nobody reported.
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
        answer: what a person was answered, as far as a scenario compares it.
    """

    documents: Mapping[tuple[str, str], Counter[str]]
    unfinished: tuple[str, ...]
    answer: str = ""

    @classmethod
    def of(cls, setup: Setup, answer: object = None) -> "EndState":
        """Look at everything."""
        documents: dict[tuple[str, str], Counter[str]] = {}
        records = list(_records(setup))
        known = _known(records)
        for collection, record in records:
            key = (collection, _name(record, known))
            documents.setdefault(key, Counter())[_text(record, known)] += 1
        unfinished = tuple(unfinished_work(setup.system))
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


def reported_twice(setup: Setup) -> set[str]:
    """The Solvimon ids of the documents that the ledger reports as being in Rillet twice."""
    records = document_records(setup.system.ledger())
    return {str(item["pk"]).rpartition("#")[2] for item in records if item.get("code") == _TWICE}


def _difference(key: tuple[str, str], here: Counter[str], there: Counter[str]) -> Difference:
    name = " ".join(key)
    if here.total() > there.total():
        return Difference("duplicate", f"{name}: {here.total()} instead of {there.total()}")
    if here.total() < there.total():
        return Difference("lost", f"{name}: {here.total()} instead of {there.total()}")
    [*is_now], [*was] = (here - there), (there - here)
    return Difference("different", f"{name}: {is_now[0]} instead of {was[0]}")


def _records(setup: Setup) -> Iterable[tuple[str, Json]]:
    found, ledger = read_records(setup.connection), document_records(setup.system.ledger())
    deleted = {
        str(item["pk"]).rpartition("#")[2] for item in ledger if item.get("code") == "deleted_in_rillet"
    }
    for vendor, collections in (("Rillet", found.rillet), ("Solvimon", found.solvimon)):
        for name, records in collections.items():
            # How many memos a person could copy depends on the moment; `undone` counts what became of them.
            kept = (one for one in records if one.get("credit_memo_number") != MEMO_BY_HAND)
            yield from ((f"{vendor} {name}", _without_shown_id(record, deleted)) for record in kept)
    for charge in setup.system.solvimon.state.charged:
        yield "Solvimon charges", {"name": charge}
    if refused := setup.connection.organisation.counts.refused:
        yield "Rillet", {"name": REFUSED, "number": refused}
    for item in ledger:
        facts: Json = {name: item[name] for name in _LEDGER_FACTS if name in item}
        if facts in _SAY_NOTHING:
            continue
        yield "ledger", {"name": lasting(item["pk"]), **facts}


def _without_shown_id(record: Json, deleted: set[str]) -> Json:
    """Whether Solvimon shows the id of a document that a person has deleted since depends on the moment."""
    fields = record.get("custom_fields")
    if record.get("id") not in deleted or fields is None:
        return record
    others = [each for each in fields if "rillet_invoice" not in str(each.get("reference"))]
    rest = {name: value for name, value in record.items() if name != "custom_fields"}
    return rest | ({"custom_fields": others} if others else {})


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
