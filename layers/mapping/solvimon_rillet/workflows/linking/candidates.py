"""The records of Rillet that a Solvimon record may be linked to: likely ones, then all others by name."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

from solvimon_rillet.connections.connection import Connection
from solvimon_rillet.errors import Code, NeedsAttention
from solvimon_rillet.mapping.likeness import Record, uniform_text
from solvimon_rillet.workflows.linking.link_lists import PAGE_ROWS, LinkLists, has_text
from solvimon_rillet.workflows.linking.request import LinkRequest, RecordRequest

Json = dict[str, Any]
_MOST_SUGGESTED = 5
_SIMILAR = 0.6


def candidates(connection: Connection, lists: LinkLists, asked: RecordRequest, request: LinkRequest) -> Json:
    """The records of Rillet that nothing is linked to, for one record of Solvimon.

    Args:
        connection: the connection, with the directory of both systems.
        lists: its lists.
        asked: the record of Solvimon.
        request: which page, and a part of the names to look for.

    Raises:
        NeedsAttention: Solvimon does not have the record.
        RetryLater: a vendor does not answer.
    """
    kind = asked.kind
    ours = connection.directory.in_solvimon(kind).by_id.get(asked.solvimon_id)
    if ours is None:
        raise no_such_record(kind, asked.solvimon_id)
    in_rillet = connection.directory.in_rillet(kind)
    theirs, alike = in_rillet.by_id, in_rillet.alike(ours)
    free = [theirs[row["rillet_id"]] for row in lists.by_link(kind, linked=False) if "rillet_id" in row]
    likely, free_ids = _likely(ours, free), {each.id for each in free}
    found = sorted(
        ({"rillet_id": each.id, "rillet_name": each.name} for each in free),
        key=lambda row: (row["rillet_name"].casefold(), row["rillet_id"]),
    )
    rows = [row for row in found if has_text(row, request.find)]
    first = (request.page - 1) * PAGE_ROWS
    creates = kind == "customer" and connection.settings.create_missing_customers
    return {
        "connection": connection.name,
        "kind": kind,
        "solvimon_id": ours.id,
        "solvimon_name": ours.name,
        "rillet_id": ours.linked,
        "suggested": likely,
        "alike_but_linked": [
            {"rillet_id": each.id, "rillet_name": each.name} for each in alike if each.id not in free_ids
        ][:_MOST_SUGGESTED],
        "may_be_created": creates and bool(alike),
        "number": len(rows),
        "rows": rows[first : first + PAGE_ROWS],
        **({"next_page": request.page + 1} if len(rows) > first + PAGE_ROWS else {}),
    }


def no_such_record(kind: str, solvimon_id: str) -> NeedsAttention:
    """The error of a record that Solvimon does not have."""
    return NeedsAttention(
        Code.SOLVIMON_RECORD_MISSING,
        f"Solvimon has no {kind} {solvimon_id}.",
        "Give the id that Solvimon's Desk shows in the record's address.",
    )


def _likely(ours: Record, free: Iterable[Record]) -> list[Json]:
    """Records that share a value, then those with a similar name, the most similar first."""
    own, rated = uniform_text(ours.name), list[tuple[tuple[bool, float], Record, list[str]]]()
    matcher = SequenceMatcher(None, "", own)
    for record in free:
        alike = ours.alike_by(record)
        matcher.set_seq1(uniform_text(record.name))
        # The quick ones are upper bounds.
        if alike or (matcher.real_quick_ratio() >= _SIMILAR and matcher.quick_ratio() >= _SIMILAR):
            rated.append(((bool(alike), matcher.ratio()), record, alike))
    rated.sort(key=lambda each: (each[0], each[1].id), reverse=True)
    return [
        {"rillet_id": record.id, "rillet_name": record.name, "alike": alike}
        for (is_alike, ratio), record, alike in rated[:_MOST_SUGGESTED]
        if is_alike or ratio >= _SIMILAR
    ]
