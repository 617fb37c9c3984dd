"""A dry run: the exact payload, and where each value came from; nothing is written anywhere."""

import re
from collections.abc import Mapping
from itertools import groupby

from local.demo import tables
from local.demo.context import Context, Json, Numbers, Section

Row = tuple[str, str, str]

ROWS = 20
"""Rows of the payload that are shown at most, beyond the header and the first item."""

_LONGEST_VALUE = 72


def _run(context: Context) -> Numbers:
    invoice = context.another("usage-tiers", "demo-dry-run", "looked at in a dry run first")["id"]
    number = context.finalise(invoice)
    context.console.say(f"What would be sent for {number}, asked for before its webhook is on the way:")
    before = _seen_of_dry_run(context, invoice)
    request = {"connection": context.connection.name, "invoice_ids": [invoice], "dry_run": True}
    [result] = context.system.invoke("export_invoice", request)["results"]
    after = _seen_of_dry_run(context, invoice)
    context.expect(result["outcome"] == "would_export", f"The dry run of {number} says {result['outcome']}.")
    fields = len(result.get("came_from", ()))
    shown, more = _first_rows(result)
    context.console.show(tables.payload(shown))
    if more:
        context.console.note(f"… and {more} more fields.")
    context.deliver_webhooks()
    context.until(context.settled, f"The export of {number}")
    sent = _seen_of_dry_run(context, invoice)
    context.console.show(tables.before_after({"before": before, "dry run": after, "webhook came": sent}))
    same = [call.request_body for call in context.posts(invoice)] == [result.get("payload")]
    context.console.note(f"What Rillet then received is what the dry run said: {'yes' if same else 'NO'}.")
    context.expect(same, f"Rillet received something else for {number} than the dry run said.")
    context.expect(before == after, f"The dry run of {number} wrote something.")
    return {"dry_run_fields": fields}


def _seen_of_dry_run(context: Context, invoice: str) -> dict[str, object]:
    return {
        "Invoices in Rillet": len(context.connection.organisation.invoices),
        "Records in the ledger": len(context.system.ledger()),
        "State of this one": context.state(invoice),
    }


def _first_rows(result: Json) -> tuple[list[Row], int]:
    """Return the first rows of the payload, whole items only, and how many fields are left out."""
    fields = result.get("came_from", {})
    rows: list[Row] = []
    for number, (item, paths) in enumerate(groupby(fields, key=_item_of)):
        block = [_field_row(result, path, item) for path in paths]
        if number and len(rows) + len(block) > ROWS:
            break
        rows += [(item, "", _group_of(fields, item)), *block] if item else block
    shown_fields = sum(bool(value) for _, value, _ in rows)
    return rows, len(fields) - shown_fields


def _field_row(result: Json, path: str, item: str) -> Row:
    """Return a field with its value and origin; below an item both are relative to it."""
    origin: str = result["came_from"][path]
    value = _value_text(_value_at(result["payload"], path))
    if not item:
        return path, value, origin
    return f"  {path.removeprefix(item)}", value, origin.removeprefix(_group_of(result["came_from"], item))


def _item_of(path: str) -> str:
    """Return the item that a field belongs to, such as `items[0]`; nothing for the header's fields."""
    found = re.match(r"items\[\d+\](?=\.)", path)
    return found[0] if found else ""


def _group_of(origins: Mapping[str, str], item: str) -> str:
    """Return Solvimon's group that an item bills, such as `periods[0].groups[0]`."""
    first = next(origin for path, origin in origins.items() if _item_of(path) == item)
    found = re.match(r"(periods\[\d+\]\.)?groups\[\d+\]", first)
    return found[0] if found else ""


def _value_at(payload: Json, path: str) -> object:
    """Return the value at a path such as `items[0].price.quantity`."""
    value: object = payload
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        if isinstance(value, list):
            value = value[int(index)]
        elif isinstance(value, dict):
            value = value.get(name)
    return value


def _value_text(value: object) -> str:
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    if isinstance(value, list):
        return ", ".join(f"{one.get('type')} = {one.get('id')}" for one in value if isinstance(one, dict))
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


SECTION = Section("A dry run", _run)
