"""Customers that are edited in Solvimon: Rillet follows, and keeps what it alone knows."""

from copy import deepcopy
from typing import Any

from local.books_check.records import customer_name, in_rillet, in_solvimon, only_in_rillet
from local.demo import tables
from local.demo.context import Context, Json, Numbers, Section
from local.sample_data.identity import rillet_id, solvimon_id

EDITS: dict[str, Json] = {
    "maasvlakte-quay": {
        "email": "payables@maasvlakte-quay.example",
        "organization": {
            "legal_name": "Maasvlakte Quay Group N.V.",
            "registered_address": {"line1": "Prinses Arianeweg 1", "postal_code": "3199 LZ"},
        },
    },
    "marina-de-boer": {
        "email": "post@marinadeboer.example",
        "individual": {
            "name": {"last_name": "Boer-Visser"},
            "residential_address": {"line1": "Oosterhaven 8", "city": "Hoorn", "postal_code": "1621 EL"},
        },
    },
}
"""What a person changes in Solvimon's Desk, by the customer's reference; the rest stays."""
_LABELS = {
    "email": "E-mail",
    "emails": "Other e-mail",
    "external_references": "References",
    "send_invoices_automatically": "Mails invoices",
    "send_payment_reminders": "Mails reminders",
}


def _run(context: Context) -> Numbers:
    names = [customer_name(_customer_in_solvimon(context, key)) for key in EDITS]
    context.console.say(
        f"{' and '.join(names)} have moved, and have another name and e-mail address; somebody edits them in "
        "Solvimon. Rillet's update replaces a customer whole, so it is read first and put together again."
    )
    before = {key: _in_rillet(context, key) for key in EDITS}
    _edit(context)
    good = 0
    for key in EDITS:
        solvimon, after = _customer_in_solvimon(context, key), _in_rillet(context, key)
        rows = _edit_rows(solvimon, before[key], after)
        context.console.show(tables.side_by_side(("Solvimon", "Rillet before", "Rillet after"), rows))
        context.console.say("")
        follows = in_rillet(after) == in_solvimon(solvimon) != in_rillet(before[key])
        kept = context.expected.kept[after["id"]] = only_in_rillet(before[key])
        context.expect(follows, f"Rillet's {after['name']} is not what Solvimon says of it.")
        good += follows and only_in_rillet(after) == kept
    calls = context.connection.organisation.counts.calls
    webhooks = _edit(context)
    calls = context.connection.organisation.counts.calls - calls
    context.console.say(f"Saved once more without a change: {webhooks} webhooks, {calls} calls to Rillet.")
    context.expect(not calls, f"Saving a customer without a change cost {calls} calls to Rillet.")
    return {"customers_synced": good}


def _edit(context: Context) -> int:
    """Edit the customers, let Solvimon send its webhooks, and return how many."""
    for key, changes in EDITS.items():
        context.connection.platform.edit_customer(key, **deepcopy(changes))
    webhooks = context.deliver_webhooks()
    context.until(context.settled, "The sync of the customers")
    return len(webhooks)


def _customer_in_solvimon(context: Context, key: str) -> Json:
    with context.connection.platform.lock:
        return deepcopy(context.connection.platform.records["customers"][solvimon_id("cust", key)])


def _in_rillet(context: Context, key: str) -> Json:
    return deepcopy(context.connection.organisation.customers.get(rillet_id("customer", key)).document)


def _edit_rows(solvimon: Json, before: Json, after: Json) -> list[tuple[str, ...]]:
    here, was, has = in_solvimon(solvimon), in_rillet(before), in_rillet(after)
    kept, keeps = only_in_rillet(before), only_in_rillet(after)
    return [
        *((_label(name), *(str(side[name] or "–") for side in (here, was, has))) for name in here),
        ("Only in Rillet:", "", "", ""),
        *(
            (_label(name), "", _edit_text(kept[name]), _edit_text(keeps.get(name)))
            for name in kept
            if kept[name]
        ),
        *((_label(name), "", "no", _edit_text(keeps.get(name))) for name in kept if kept[name] is False),
    ]


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _edit_text(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, list):
        return "\n".join(" ".join(str(part) for part in reversed(one.values())) for one in value) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)


SECTION = Section("Customers edited in Solvimon", _run)
