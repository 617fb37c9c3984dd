"""Customers that are edited in Solvimon: Rillet follows, and keeps what it alone knows."""

from copy import deepcopy
from typing import Any

from local.demo import tables
from local.demo.books import name_of
from local.demo.stage import Json, Numbers, Section, Stage
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
_ADDRESS = {
    "line1": "line1",
    "city": "city",
    "state": "state",
    "postal_code": "zip_code",
    "country": "country",
}
"""Solvimon's names for the parts of an address, and Rillet's."""
_LABELS = {
    "line1": "Street",
    "email": "E-mail",
    "emails": "Other e-mail",
    "external_references": "References",
    "send_invoices_automatically": "Mails invoices",
    "send_payment_reminders": "Mails reminders",
}
_FROM_SOLVIMON = ("name", "name_on_invoice", "address")
_OURS = "solvimon_customer_id"


def _tell(stage: Stage) -> Numbers:
    names = [name_of(_in_solvimon(stage, key)) for key in EDITS]
    stage.screen.say(
        f"{' and '.join(names)} have moved, and have another name and e-mail address; somebody edits them in "
        "Solvimon. Rillet's update replaces a customer whole, so it is read first and put together anew."
    )
    before = {key: _in_rillet(stage, key) for key in EDITS}
    _edit(stage)
    good = 0
    for key in EDITS:
        solvimon, after = _in_solvimon(stage, key), _in_rillet(stage, key)
        rows = _rows(solvimon, before[key], after)
        stage.screen.show(tables.side_by_side(("Solvimon", "Rillet before", "Rillet after"), rows))
        stage.screen.say("")
        follows = _shared(after) == _told(solvimon) != _shared(before[key])
        kept = _own(after) == _own(before[key])
        stage.expect(follows, f"Rillet's {after['name']} is not what Solvimon says of it.")
        stage.expect(kept, f"Rillet's {after['name']} lost something that only Rillet knew.")
        good += follows and kept
    calls = stage.connection.organisation.counts.calls
    webhooks = _edit(stage)
    calls = stage.connection.organisation.counts.calls - calls
    stage.screen.say(f"Saved once more without a change: {webhooks} webhooks, {calls} calls to Rillet.")
    stage.expect(not calls, f"Saving a customer without a change cost {calls} calls to Rillet.")
    return {"customers_synced": good}


def _edit(stage: Stage) -> int:
    """Edit the customers, let Solvimon tell of it, and return by how many webhooks it did."""
    for key, changes in EDITS.items():
        stage.connection.platform.edit_customer(key, **deepcopy(changes))
    webhooks = stage.deliver_webhooks()
    stage.until(stage.settled, "The sync of the customers")
    return len(webhooks)


def _in_solvimon(stage: Stage, key: str) -> Json:
    with stage.connection.platform.lock:
        return deepcopy(stage.connection.platform.records["customers"][solvimon_id("cust", key)])


def _in_rillet(stage: Stage, key: str) -> Json:
    return deepcopy(stage.connection.organisation.customers.get(rillet_id("customer", key)).document)


def _told(customer: Json) -> Json:
    """What Solvimon says of what both sides keep, in Rillet's words."""
    home = customer.get("organization", {}).get("registered_address")
    home = home or customer["individual"]["residential_address"]
    address = {theirs: home.get(ours) for ours, theirs in _ADDRESS.items()}
    name = name_of(customer)
    return {"name": name, "name_on_invoice": name, **address, "email": customer["email"]}


def _shared(customer: Json) -> Json:
    """The same of Rillet's customer."""
    address = customer.get("address", {})
    return {
        "name": customer["name"],
        "name_on_invoice": customer.get("name_on_invoice"),
        **{part: address.get(part) for part in _ADDRESS.values()},
        "email": ", ".join(one["email"] for one in customer["emails"] if one["type"] == "MAIN_SENDER"),
    }


def _own(customer: Json) -> Json:
    """What only Rillet knows, as its API names it."""
    own: Json = {
        name: value for name, value in customer.items() if name not in (*_FROM_SOLVIMON, "id", "updated_at")
    }
    own["emails"] = [one for one in own["emails"] if one["type"] != "MAIN_SENDER"]
    own["external_references"] = [one for one in own["external_references"] if one["type"] != _OURS]
    return own


def _rows(solvimon: Json, before: Json, after: Json) -> list[tuple[str, ...]]:
    told, was, has = _told(solvimon), _shared(before), _shared(after)
    kept, keeps = _own(before), _own(after)
    return [
        *((_label(name), *(str(side[name] or "–") for side in (told, was, has))) for name in told),
        ("Only in Rillet:", "", "", ""),
        *((_label(name), "", _text(kept[name]), _text(keeps.get(name))) for name in kept if kept[name]),
        *((_label(name), "", "no", _text(keeps.get(name))) for name in kept if kept[name] is False),
    ]


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _text(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, list):
        return "\n".join(" ".join(str(part) for part in reversed(one.values())) for one in value) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else str(value)


SECTION = Section("Customers edited in Solvimon", _tell)
