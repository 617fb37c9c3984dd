"""Link and unlink the records that exist in both systems."""

from collections.abc import Callable
from typing import Any

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.aws.s3_sns import ReportBucket
from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.connections.directory import COLLECTIONS
from solvimon_rillet.errors import Code, NeedsAttention, RetryLater
from solvimon_rillet.formatting import format_timestamp
from solvimon_rillet.ledger.matches import Match, MatchStore
from solvimon_rillet.workflows.linking.candidates import candidates, no_such_record
from solvimon_rillet.workflows.linking.link_files import LinkFileReader, write_links
from solvimon_rillet.workflows.linking.link_lists import LinkLists, shown
from solvimon_rillet.workflows.linking.link_rows import run_rows
from solvimon_rillet.workflows.linking.link_writer import LinkWriter
from solvimon_rillet.workflows.linking.request import (
    KIND_OF_PLURAL,
    DifferentRequest,
    LinkRequest,
    PairRequest,
    UnlinkRequest,
    plural_of,
)
from solvimon_rillet.workflows.linking.waiting_documents import publish_waiting

Json = dict[str, Any]
_MAX_ACCEPTED = 50  # links of one invocation: a customer takes up to four calls to Rillet
MIN_SECONDS_FOR_LINK = 75.0  # before the function's time limit; no row starts later


class LinkRecords:
    """Answers the requests of one connection.

    Args:
        connection: the connection, with the directory of both systems.
        bus: takes the events of the documents that wait for a link.
        owner: names this run; it holds the leases on customers.
        reports: the bucket of the CSV files, made on first use.
        time_left: seconds until the function's time limit.
    """

    def __init__(
        self,
        connection: Connection,
        bus: Bus,
        owner: str,
        reports: Callable[[], ReportBucket],
        time_left: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._directory = connection.directory
        self._store = MatchStore(connection.name, connection.table, connection.clock)
        self._writer = LinkWriter(connection, owner, self._store)
        self._lists = LinkLists(connection, self._store)
        self._bus = bus
        self._reports = reports
        self._time_left = time_left
        self._begun_with = time_left()

    def run(self, request: LinkRequest) -> Json:
        """Answer a request.

        Raises:
            NeedsAttention: a record does not exist, or is linked to another one.
            RetryLater, OutcomeUnknown: a vendor or the ledger does not answer.
        """
        if request.list:
            return self._lists.page(KIND_OF_PLURAL[request.list], request)
        if request.doubles:
            return self._lists.doubles(KIND_OF_PLURAL[request.doubles])
        if request.csv:
            return write_links(self._connection, self._lists, self._reports(), request)
        if request.csv_in:
            reader = LinkFileReader(self._connection, self._reports(), lambda: self._has_time(request))
            return reader.run(request, self._answer_row, self._continue)
        if request.rows is not None:
            name, has_time = self._connection.name, lambda: self._has_time(request)
            return run_rows(name, request, self._answer_row, self._continue, has_time)
        if request.candidates:
            return candidates(self._connection, self._lists, request.candidates, request)
        if request.link:
            return self._link([self._match(request.link)], request)
        if request.accept and request.kind:
            return self._accept(request.kind, request)
        if request.different:
            return self._different(self._pairs(request.different), request)
        if request.unlink is None:
            raise ValueError("the request names no act")
        return self._unlink(request.unlink.kind, request.unlink.solvimon_id, request)

    def _has_time(self, request: LinkRequest) -> bool:
        """Whether another row or link may begin."""
        left, wanted = self._time_left(), request.within_seconds
        return left >= MIN_SECONDS_FOR_LINK and (wanted is None or self._begun_with - left < wanted)

    def _pairs(self, asked: DifferentRequest) -> list[Match]:
        """A pair, or all pairs of a Solvimon record with records that are like it.

        Raises:
            NeedsAttention: one of the records does not exist.
        """
        kind = asked.kind
        if asked.rillet_id:
            pair = PairRequest(kind=kind, solvimon_id=asked.solvimon_id, rillet_id=asked.rillet_id)
            return [self._match(pair)]
        ours = self._directory.in_solvimon(kind).by_id.get(asked.solvimon_id)
        if ours is None:
            raise no_such_record(kind, asked.solvimon_id)
        alike = self._directory.in_rillet(kind).alike(ours)
        return [
            Match(kind, ours.id, other.id, ours.name, other.name, tuple(ours.alike_by(other)))
            for other in alike
        ]

    def _match(self, pair: PairRequest) -> Match:
        """A pair with the names of both sides.

        Raises:
            NeedsAttention: one of the two does not exist.
        """
        ours = self._connection.solvimon.find(COLLECTIONS[pair.kind], pair.solvimon_id)
        if ours is None:
            raise no_such_record(pair.kind, pair.solvimon_id)
        theirs = self._directory.in_rillet(pair.kind).by_id.get(pair.rillet_id)
        if theirs is None:
            raise NeedsAttention(
                Code.RILLET_RECORD_MISSING,
                f"Rillet has no {pair.kind} {pair.rillet_id}.",
                f'Invoke link_records with {{"list": "{plural_of(pair.kind)}"}} to see what Rillet has.',
            )
        in_solvimon = self._directory.in_solvimon(pair.kind).by_id.get(str(ours["id"]))
        name = in_solvimon.name if in_solvimon else pair.solvimon_id
        return Match(pair.kind, str(ours["id"]), pair.rillet_id, name, theirs.name)

    def _accept(self, kind: str, request: LinkRequest) -> Json:
        """Link the proposals that are not ambiguous, up to a limit."""
        clear = [match for match, ambiguous in self._lists.proposals(kind) if not ambiguous]
        answer = self._link(clear[:_MAX_ACCEPTED], request)
        if remaining := len(clear) - len(answer["results"]):
            answer["remaining"] = remaining
            answer["what_now"] = (
                "Invoke it again with the same event to link the rest."
                if request.within_seconds
                else "Invoke it again with the same event, after a minute, to link the rest."
            )
        return answer

    def _link(self, matches: list[Match], request: LinkRequest) -> Json:
        results: list[Json] = []
        linked: list[Match] = []
        for match in matches:
            if results and not self._has_time(request):
                break
            try:
                warnings = self._link_one(match, request)
            except RetryLater:
                if not linked:
                    raise
                break  # what is linked stays; the answer says how many remain
            except NeedsAttention as why:
                if len(matches) == 1:
                    raise
                results.append(
                    {**shown(match), "outcome": "refused", "what": why.message, "remedy": why.remedy}
                )
                continue
            linked.append(match)
            outcome = "would_link" if request.dry_run else "linked"
            results.append(
                {**shown(match), "outcome": outcome, **({"warnings": warnings} if warnings else {})}
            )
        answer: Json = {"connection": self._connection.name, "dry_run": request.dry_run, "results": results}
        return {**answer, **self._continue([match.solvimon_id for match in linked], dry_run=request.dry_run)}

    def _link_one(self, match: Match, request: LinkRequest) -> list[str]:
        warnings = self._writer.link(match, dry_run=request.dry_run)
        if not request.dry_run:
            self._store.answer(match, "linked", request.by)
        return warnings

    def _answer_row(self, act: str, pair: PairRequest | UnlinkRequest, request: LinkRequest) -> list[str]:
        """Do what a row of a CSV file says, and return warnings."""
        if isinstance(pair, UnlinkRequest):
            return self._writer.unlink(pair.kind, pair.solvimon_id, request.by, dry_run=request.dry_run)
        match = self._match(pair)
        if act == "link":
            return self._link_one(match, request)
        if not request.dry_run:
            self._store.answer(match, "different", request.by)
        return []

    def _different(self, matches: list[Match], request: LinkRequest) -> Json:
        if not request.dry_run:
            for match in matches:
                self._store.answer(match, "different", request.by)
        outcome = "would_be_different" if request.dry_run else "different"
        ids = list(dict.fromkeys(match.solvimon_id for match in matches))
        return {
            "connection": self._connection.name,
            "dry_run": request.dry_run,
            "results": [{**shown(match), "outcome": outcome} for match in matches],
            **self._continue(ids, dry_run=request.dry_run),
            "note": "The next import creates the record in Solvimon; the next document creates a customer in "
            "Rillet. To take it back, link the two.",
        }

    def _unlink(self, kind: str, solvimon_id: str, request: LinkRequest) -> Json:
        warnings = self._writer.unlink(kind, solvimon_id, request.by, dry_run=request.dry_run)
        return {
            "connection": self._connection.name,
            "dry_run": request.dry_run,
            "kind": kind,
            "solvimon_id": solvimon_id,
            "outcome": "would_unlink" if request.dry_run else "unlinked",
            "by": request.by,
            "at": format_timestamp(self._connection.clock()),
            "warnings": warnings,
        }

    def _continue(self, solvimon_ids: list[str], *, dry_run: bool) -> Json:
        """Publish the documents that waited for these records."""
        if dry_run or not solvimon_ids:
            return {}
        return {"documents_continued": publish_waiting(self._connection, self._bus, solvimon_ids)}
