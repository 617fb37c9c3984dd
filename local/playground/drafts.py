"""Drafts for Solvimon: copies of the demo's invoices with ids of their own, dated today."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local import sample_data
from local.demo import second_connection
from local.demo.new_customers import bill_unlinked_product
from local.sample_data.drafts import drafts as sample_drafts
from local.sample_data.identity import Json, solvimon_id
from local.system import Connection

UNLINKED = "mooring-sensors"
"""The invoice whose product nobody has linked to Rillet."""

_UTC_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_COPIES = itertools.count(1)


def choices(connection: Connection) -> dict[str, Json]:
    """Return the invoices that a connection's Solvimon can bill, by name, as they were drafted."""
    if connection.name == second_connection.NAME:
        named = {name: second_connection.acme_invoice_id(name) for name in second_connection.INVOICE_NAMES}
        return _drafts_by_name(named, without_links(second_connection.acme_solvimon_seed()))
    names = [draft.name for draft in sample_drafts()]
    drafts = _drafts_by_name(
        {name: sample_data.invoice_id(name) for name in names}, sample_data.solvimon_seed()
    )
    unlinked = drafts["new-customer"]
    bill_unlinked_product(unlinked)
    return {**drafts, UNLINKED: unlinked}


def add_draft(connection: Connection, name: str, now: float, days: int = 0) -> str:
    """Give Solvimon a copy of one of the `choices`, dated today or some days before, and return its id.

    Raises:
        KeyError: there is no such choice.
    """
    draft = choices(connection)[name]
    made = f"playground-{next(_COPIES)}"
    copied = _moved_to(draft, datetime.fromtimestamp(now, UTC) - timedelta(days=days))
    copied |= {"id": solvimon_id("invo", f"{made}/{name}")}
    connection.platform.load({"invoices": [copied]})
    return str(copied["id"])


def without_links(seed: dict[str, list[Json]]) -> dict[str, list[Json]]:
    """Return Solvimon's records as they are before anybody has linked one to Rillet."""
    unlinked: dict[str, list[Json]] = _unlinked(seed)
    return {**unlinked, "custom_fields": seed["custom_fields"]}


def _unlinked(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, dict):
        return {name: [] if name == "custom_fields" else _unlinked(inner) for name, inner in value.items()}
    return [_unlinked(inner) for inner in value] if isinstance(value, list) else value


def _drafts_by_name(ids: dict[str, str], seed: dict[str, list[Json]]) -> dict[str, Json]:
    by_id = {invoice["id"]: invoice for invoice in seed["invoices"]}
    return {name: by_id[invoice_id] for name, invoice_id in ids.items()}


def _moved_to(draft: Json, moment: datetime) -> Json:
    """Return a draft with all its dates moved by whole days, so that its own is that of a moment."""
    zone = ZoneInfo(draft["timezone"])
    own = datetime.fromisoformat(draft["invoice_date"]).astimezone(zone)
    moved: Json = _moved(draft, timedelta(days=(moment.astimezone(zone).date() - own.date()).days), zone)
    return moved


def _moved(value: Any, by: timedelta, zone: ZoneInfo) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, dict):
        return {name: _moved(inner, by, zone) for name, inner in value.items()}
    if isinstance(value, list):
        return [_moved(inner, by, zone) for inner in value]
    if isinstance(value, str) and _UTC_TIMESTAMP.fullmatch(value):
        # By the clock on the wall: midnight stays midnight, also where summer time has ended meanwhile.
        there = datetime.fromisoformat(value).astimezone(zone) + by
        return there.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value
