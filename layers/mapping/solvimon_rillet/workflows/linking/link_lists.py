"""Lists of the records that exist in both systems: linked, unlinked, proposed, or twice in one of them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Set
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.ledger.matches import Match, MatchState, MatchStore
from solvimon_rillet.mapping.likeness import NAME, Record, Records
from solvimon_rillet.workflows.linking.merged_customers import MergedCustomers
from solvimon_rillet.workflows.linking.request import LinkRequest

Json = dict[str, Any]
PAGE_ROWS = 100


class LinkLists:
    """Lists the records of one connection.

    Args:
        connection: the connection, with the directory of both systems.
        store: the pairs that were proposed and answered.
    """

    def __init__(self, connection: Connection, store: MatchStore) -> None:
        self._connection = connection
        self._directory = connection.directory
        self._store = store
        self._merged = MergedCustomers(connection.rillet)

    def page(self, kind: str, request: LinkRequest) -> Json:
        """One page of records, with the names of both sides."""
        if request.only in {"proposed", "ambiguous"}:
            proposals = self.proposals(kind)
            wanted = request.only == "ambiguous"
            rows = [
                {**shown(match), "alike": list(match.alike)}
                for match, ambiguous in proposals
                if ambiguous is wanted
            ]
        elif request.only in {"different", "removed"}:
            state: MatchState = "different" if request.only == "different" else "unlinked"
            rows = [
                {**shown(match), "history": list(map(_answer_fields, match.history))}
                for match in self._store.in_state(kind, state)
            ]
        else:
            rows = self.by_link(kind, linked=request.only == "linked")
        rows = [row for row in rows if has_text(row, request.find)]
        first = (request.page - 1) * PAGE_ROWS
        answer: Json = {
            "connection": self._connection.name,
            "kind": kind,
            "only": request.only,
            "number": len(rows),
            "rows": rows[first : first + PAGE_ROWS],
        }
        if len(rows) > first + PAGE_ROWS:
            answer["next_page"] = request.page + 1
        if request.only == "proposed" and rows:
            answer["what_now"] = {
                "link all": {"accept": "all", "kind": kind},
                "link one": {"link": {"kind": kind, **_pair_ids(rows[first])}},
                "never propose one again": {"different": {"kind": kind, **_pair_ids(rows[first])}},
            }
        return answer

    def proposals(self, kind: str) -> list[tuple[Match, bool]]:
        """The pairs that wait for an answer, and whether one of their records is in several of them.

        A pair whose record was linked meanwhile, in this or any other way, waits no longer.
        """
        in_solvimon = self._directory.in_solvimon(kind)
        waiting = []
        for match in self._store.in_state(kind, "proposed"):
            ours = in_solvimon.by_id.get(match.solvimon_id)
            is_linked = ours and ours.linked and not self._merged.is_gone(kind, ours.linked)
            if ours is None or is_linked or ours.archived:
                self._store.forget(match)
            else:
                waiting.append(match)
        numbers = Counter(
            identifier for match in waiting for identifier in (match.solvimon_id, match.rillet_id)
        )
        return [(match, max(numbers[match.solvimon_id], numbers[match.rillet_id]) > 1) for match in waiting]

    def by_link(self, kind: str, *, linked: bool) -> list[Json]:
        """Solvimon's records with or without link; without, also Rillet's that nothing is linked to."""
        ours, theirs = self._directory.in_solvimon(kind), self._directory.in_rillet(kind)
        referring = {each.linked: each.id for each in theirs.by_id.values() if each.linked}
        pairs = {record.id: self._linked_to(kind, record, referring) for record in ours.by_id.values()}
        if linked:
            return [
                {
                    "solvimon_id": identifier,
                    "solvimon_name": ours.by_id[identifier].name,
                    "rillet_id": rillet_id,
                    "rillet_name": theirs.by_id[rillet_id].name
                    if rillet_id in theirs.by_id
                    else "(not in Rillet)",
                }
                for identifier, rillet_id in pairs.items()
                if rillet_id
            ]
        taken = set(pairs.values())
        alone = [
            {"solvimon_id": i, "solvimon_name": ours.by_id[i].name} for i, other in pairs.items() if not other
        ]
        return alone + [
            {"rillet_id": record.id, "rillet_name": record.name}
            for record in theirs.by_id.values()
            if record.id not in taken and not record.archived
        ]

    def _linked_to(self, kind: str, record: Record, referring: Mapping[str, str]) -> str | None:
        """The Rillet id of a record: by its custom field, the settings, or the reference in Rillet."""
        if record.linked:
            return record.linked
        if kind == "subsidiary":
            pinned = {ours: rillet for rillet, ours in self._connection.settings.subsidiaries.items()}
            return pinned.get(record.id)
        return referring.get(record.id)

    def doubles(self, kind: str) -> Json:
        """Records of the same system that are alike, which an earlier import may have made."""
        found = {
            "solvimon": _alike_within(self._directory.in_solvimon(kind)),
            "rillet": _alike_within(self._directory.in_rillet(kind)),
        }
        answer: Json = {"connection": self._connection.name, "kind": kind, "doubles": found}
        if any(found.values()):
            answer["what_now"] = (
                "Nothing is merged automatically. Keep the record that has the invoices and link it. Archive "
                "the other one in Solvimon, or delete it in Rillet; unlink it first if it has a link."
            )
        return answer

    def rows(self, kind: str) -> Iterator[Json]:
        """All of them, each with its state: the pairs first, then the records that are in no pair."""
        different = list(self._store.in_state(kind, "different"))
        pairs = self._pairs(kind, {(match.solvimon_id, match.rillet_id) for match in different})
        numbers = Counter(identifier for pair in pairs for identifier in pair)
        for match in pairs.values():
            ambiguous = max(numbers[match.solvimon_id], numbers[match.rillet_id]) > 1
            state = "ambiguous" if ambiguous else "proposed"
            yield {**shown(match), "state": state, "alike": list(match.alike)}
        for match in different:
            yield {**shown(match), "state": "different"}
        for row in self.by_link(kind, linked=True):
            yield {**row, "state": "linked"}
        for row in self.by_link(kind, linked=False):
            if not numbers.keys() & set(row.values()):
                yield {**row, "state": "unlinked"}

    def _pairs(self, kind: str, different: Set[tuple[str, str]]) -> dict[tuple[str, str], Match]:
        """The proposals, and the pairs that an import or a document would propose."""
        pairs = {(match.solvimon_id, match.rillet_id): match for match, _ in self.proposals(kind)}
        ours, theirs = self._directory.in_solvimon(kind), self._directory.in_rillet(kind)
        alone = (ours.by_id.get(row.get("solvimon_id", "")) for row in self.by_link(kind, linked=False))
        for record in (one for one in alone if one and not one.archived):
            for other in theirs.alike(record):
                key, alike = (record.id, other.id), tuple(record.alike_by(other))
                if key not in different:
                    pairs.setdefault(key, Match(kind, *key, record.name, other.name, alike))
        return pairs


def _alike_within(records: Records) -> list[Json]:
    """The groups of records that share a name or an e-mail address within one system."""
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in records.by_id.values():
        for kind, values in record.values.items() if not record.archived else ():
            for value in values:
                groups[kind, value].append(record)
    return [
        {
            "same": kind,
            "records": [{"id": each.id, "name": each.name, "linked": each.linked} for each in group],
        }
        for (kind, _), group in sorted(groups.items(), key=lambda item: (item[0][0] != NAME, item[0]))
        if len(group) > 1
    ]


def shown(match: Match) -> Json:
    """A pair as answers list it."""
    return {
        "solvimon_id": match.solvimon_id,
        "solvimon_name": match.solvimon_name,
        "rillet_id": match.rillet_id,
        "rillet_name": match.rillet_name,
    }


def _answer_fields(entry: Mapping[str, Any]) -> Json:
    """A user's answer about a pair: what, when and by whom."""
    return {**entry, "at": format_timestamp(entry["at"])}


def has_text(row: Json, text: str) -> bool:
    """Whether a row's names hold a text, in any case, or one of its ids is it."""
    wanted = " ".join(text.casefold().split())
    names = (str(row.get(name, "")).casefold() for name in ("solvimon_name", "rillet_name"))
    return wanted in {row.get("solvimon_id"), row.get("rillet_id")} or any(wanted in name for name in names)


def _pair_ids(row: Json) -> Json:
    return {"solvimon_id": row["solvimon_id"], "rillet_id": row["rillet_id"]}
