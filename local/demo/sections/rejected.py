"""An invoice that a person must mend: code, plain words, remedy; then it goes through."""

import requests

from local.demo import tables
from local.demo.stage import DemoStopped, Json, Numbers, Section, Stage
from local.sample_data.identity import rillet_id, solvimon_id
from local.sample_data.parties import Product

PRODUCT = Product(
    "mooring-sensors",
    "Mooring Sensors",
    "Tension on every bollard, live",
    "port-software",
    "40120",
    {"type": "FIXED_RECURRING", "amount": {"amount": "640.00", "currency": "EUR"}, "interval_months": 1},
)
"""New on the price list: both sides know it, and nobody has linked it yet."""


def _tell(stage: Stage) -> Numbers:
    invoice = _invoice_of_the_product(stage)
    number = stage.finalise(invoice)
    stage.screen.say(
        f"{number} bills {PRODUCT.title}, which is new on the price list: nobody has linked it to Rillet."
    )
    before = _seen(stage, invoice)
    stage.deliver_webhooks()
    stage.until(stage.settled, f"The rejection of {number}")
    refused, record = _seen(stage, invoice), stage.record(invoice)
    stage.screen.show(
        tables.facts(
            (name.capitalize(), str(record.get(name, "–"))) for name in ("code", "message", "remedy")
        )
    )
    _link(stage)
    answer = stage.system.invoke(
        "export_invoice", {"connection": stage.connection.name, "invoice_ids": [invoice]}
    )
    after = _seen(stage, invoice)
    rows = [(name, before[name], refused[name], after[name]) for name in after]
    stage.screen.show(tables.before_after(("before", "webhook came", "linked, invoked"), rows))
    [result] = answer["results"]
    stage.screen.note(f"The direct invocation answered: {number} {result['outcome']}.")
    stage.expect(record.get("code") == "product_not_linked", f"{number} was not rejected for its product.")
    stage.expect(result["outcome"] == "exported", f"{number} was not exported after it was mended.")
    return {"rejected_then_mended": int(result["outcome"] == "exported")}


def _invoice_of_the_product(stage: Stage) -> str:
    """Put the product onto both price lists, unlinked, and a draft that bills it into Solvimon."""
    stage.connection.platform.load({"products": [PRODUCT.solvimon(with_link=False)]})
    stage.system.rillet.state.load(
        {"organization": {"id": stage.connection.organisation.id}, "products": [PRODUCT.rillet()]}
    )
    draft = stage.another("new-customer", "demo-rejected", "its product was not linked at first")
    for period in draft["periods"]:
        for group in period["groups"]:
            group["products"] = [PRODUCT.solvimon(with_link=False)]
            for line in group["lines"]:
                line["description"] = PRODUCT.title
                line["product_items"] = []
    return str(draft["id"])


def _link(stage: Stage) -> None:
    """Fill the custom field in Solvimon, as a person does in Desk."""
    link: Json = {
        "reference": "rillet_product_id",
        "value": rillet_id("product", PRODUCT.name),
    }
    answer = requests.patch(
        f"{stage.system.solvimon.url}/products/{solvimon_id('prod', PRODUCT.name)}",
        json={"custom_fields": [link]},
        headers={"X-API-KEY": stage.connection.solvimon_api_key},
        timeout=10,
    )
    if not answer.ok:
        raise DemoStopped(f"Solvimon's fake did not take the link of {PRODUCT.title}: {answer.status_code}")


def _seen(stage: Stage, invoice: str) -> dict[str, object]:
    return {
        "Invoices in Rillet": len(stage.booked(invoice)),
        "Messages that wait or were given up": stage.waiting() + stage.dead_letters(),
        "State in the ledger": stage.state(invoice),
    }


SECTION = Section("An invoice that cannot be booked as it is", _tell)
