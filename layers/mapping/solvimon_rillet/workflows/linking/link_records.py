"""Link, unlink and list the records that exist in both systems."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.connections.directory import COLLECTIONS
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.ledger.matches import Match, MatchStore
from solvimon_rillet.mapping.likeness import NAME, Record, Records
from solvimon_rillet.workflows.linking.link_writer import LinkWriter
from solvimon_rillet.workflows.linking.request import KINDS, LinkRequest, PairRequest
from solvimon_rillet.workflows.linking.waiting_documents import publish_waiting

Json = dict[str, Any]
PAGE_ROWS = 100
_MAX_ACCEPTED = 50  # links of one invocation: a customer takes up to four calls to Rillet


class LinkRecords:
    """Answers the requests of one connection.

    Args:
        connection: the connection, with the directory of both systems.
        bus: takes the events of the documents that wait for a link.
        owner: names this run; it holds the leases on customers.
    """

    def __init__(self, connection: Connection, bus: Bus, owner: str) -> None:
        self._connection = connection
        self._directory = connection.directory
        self._store = MatchStore(connection.name, connection.table, connection.clock)
        self._writer = LinkWriter(connection, owner)
        self._bus = bus

    def run(self, request: LinkRequest) -> Json:
        """Answer a request.

        Raises:
            NeedsAttention: a record does not exist, or is linked to another one.
            RetryLater, OutcomeUnknown: a vendor or the ledger does not answer.
        """
        if request.list:
            return self._list(KINDS[request.list], request)
        if request.doubles:
            return self._doubles(KINDS[request.doubles])
        if request.link:
            return self._link([self._match(request.link)], request)
        if request.accept and request.kind:
            return self._accept(request.kind, request)
        if request.different:
            return self._different(self._match(request.different), request)
        if request.unlink is None:
            raise ValueError("the request names no act")
        return self._unlink(request.unlink.kind, request.unlink.solvimon_id, request)

    def _list(self, kind: str, request: LinkRequest) -> Json:
        """One page of records, with the names of both sides."""
        if request.only in {"proposed", "ambiguous"}:
            proposals = self._proposals(kind)
            wanted = request.only == "ambiguous"
            rows = [
                {**_shown(match), "alike": list(match.alike)}
                for match, ambiguous in proposals
                if ambiguous is wanted
            ]
        elif request.only == "different":
            rows = [_shown(match) for match in self._store.in_state(kind, "different")]
        else:
            rows = self._by_link(kind, linked=request.only == "linked")
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
                "link one": {"link": {"kind": kind, **_ids(rows[first])}},
                "never propose one again": {"different": {"kind": kind, **_ids(rows[first])}},
            }
        return answer

    def _proposals(self, kind: str) -> list[tuple[Match, bool]]:
        """The pairs that wait for an answer, and whether one of their records is in several of them.

        A pair whose record was linked meanwhile, in this or any other way, waits no longer.
        """
        in_solvimon = self._directory.in_solvimon(kind)
        waiting = []
        for match in self._store.in_state(kind, "proposed"):
            ours = in_solvimon.by_id.get(match.solvimon_id)
            if ours is None or ours.linked or ours.archived:
                self._store.forget(match)
            else:
                waiting.append(match)
        numbers = Counter(
            identifier for match in waiting for identifier in (match.solvimon_id, match.rillet_id)
        )
        return [(match, max(numbers[match.solvimon_id], numbers[match.rillet_id]) > 1) for match in waiting]

    def _by_link(self, kind: str, *, linked: bool) -> list[Json]:
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

    def _doubles(self, kind: str) -> Json:
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

    def _match(self, pair: PairRequest) -> Match:
        """A pair with the names of both sides.

        Raises:
            NeedsAttention: one of the two does not exist.
        """
        ours = self._connection.solvimon.find(COLLECTIONS[pair.kind], pair.solvimon_id)
        if ours is None:
            raise NeedsAttention(
                Code.SOLVIMON_RECORD_MISSING,
                f"Solvimon has no {pair.kind} {pair.solvimon_id}.",
                "Give the id that Solvimon's Desk shows in the record's address.",
            )
        theirs = self._directory.in_rillet(pair.kind).by_id.get(pair.rillet_id)
        if theirs is None:
            raise NeedsAttention(
                Code.RILLET_RECORD_MISSING,
                f"Rillet has no {pair.kind} {pair.rillet_id}.",
                f'Invoke link_records with {{"list": "{_plural(pair.kind)}"}} to see what Rillet has.',
            )
        in_solvimon = self._directory.in_solvimon(pair.kind).by_id.get(str(ours["id"]))
        name = in_solvimon.name if in_solvimon else pair.solvimon_id
        return Match(pair.kind, str(ours["id"]), pair.rillet_id, name, theirs.name)

    def _accept(self, kind: str, request: LinkRequest) -> Json:
        """Link the proposals that are not ambiguous, up to a limit."""
        clear = [match for match, ambiguous in self._proposals(kind) if not ambiguous]
        answer = self._link(clear[:_MAX_ACCEPTED], request)
        if remaining := len(clear) - len(answer["results"]):
            answer["remaining"] = remaining
            answer["what_now"] = "Invoke it again with the same event, after a minute, to link the rest."
        return answer

    def _link(self, matches: list[Match], request: LinkRequest) -> Json:
        results: list[Json] = []
        linked: list[Match] = []
        for match in matches:
            try:
                warnings = self._writer.link(match, dry_run=request.dry_run)
            except RetryLater:
                if not linked:
                    raise
                break  # what is linked stays; the answer says how many remain
            except NeedsAttention as why:
                if len(matches) == 1:
                    raise
                results.append(
                    {**_shown(match), "outcome": "refused", "what": why.message, "remedy": why.remedy}
                )
                continue
            if not request.dry_run:
                self._store.answer(match, "linked", request.by)
            linked.append(match)
            outcome = "would_link" if request.dry_run else "linked"
            results.append(
                {**_shown(match), "outcome": outcome, **({"warnings": warnings} if warnings else {})}
            )
        answer: Json = {"connection": self._connection.name, "dry_run": request.dry_run, "results": results}
        return {**answer, **self._continue([match.solvimon_id for match in linked], dry_run=request.dry_run)}

    def _different(self, match: Match, request: LinkRequest) -> Json:
        if not request.dry_run:
            self._store.answer(match, "different", request.by)
        return {
            "connection": self._connection.name,
            "dry_run": request.dry_run,
            "results": [
                {**_shown(match), "outcome": "would_be_different" if request.dry_run else "different"}
            ],
            **self._continue([match.solvimon_id], dry_run=request.dry_run),
            "note": "The next import creates the record in Solvimon; the next document creates a customer in "
            "Rillet. To take it back, link the two.",
        }

    def _unlink(self, kind: str, solvimon_id: str, request: LinkRequest) -> Json:
        warnings = self._writer.unlink(kind, solvimon_id, dry_run=request.dry_run)
        return {
            "connection": self._connection.name,
            "dry_run": request.dry_run,
            "kind": kind,
            "solvimon_id": solvimon_id,
            "outcome": "would_unlink" if request.dry_run else "unlinked",
            "warnings": warnings,
        }

    def _continue(self, solvimon_ids: list[str], *, dry_run: bool) -> Json:
        """Publish the documents that waited for these records."""
        if dry_run or not solvimon_ids:
            return {}
        return {"documents_continued": publish_waiting(self._connection, self._bus, solvimon_ids)}


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


def _name(records: Records, identifier: str) -> str:
    return records.by_id[identifier].name if identifier in records.by_id else "(not in Rillet)"


def _shown(match: Match) -> Json:
    return {
        "solvimon_id": match.solvimon_id,
        "solvimon_name": match.solvimon_name,
        "rillet_id": match.rillet_id,
        "rillet_name": match.rillet_name,
    }


def _ids(row: Json) -> Json:
    return {"solvimon_id": row["solvimon_id"], "rillet_id": row["rillet_id"]}


def _plural(kind: str) -> str:
    return next(plural for plural, each in KINDS.items() if each == kind)
