"""An invoice that a person must fix: code, plain words, remedy; then it goes through."""

import requests

from local.demo import tables
from local.demo.context import Context, DemoStopped, Json, Numbers, Section
from local.demo.new_customers import UNLINKED_PRODUCT as PRODUCT
from local.sample_data.identity import rillet_id, solvimon_id


def _run(context: Context) -> Numbers:
    invoice = _invoice_of_the_product(context)
    number = context.finalise(invoice)
    context.console.say(
        f"{number} bills {PRODUCT.title}, which is new on the price list: nobody has linked it to Rillet."
    )
    before = _seen(context, invoice)
    context.deliver_webhooks()
    context.until(context.settled, f"The rejection of {number}")
    refused, record = _seen(context, invoice), context.record(invoice)
    context.console.show(
        tables.facts(
            (name.capitalize(), str(record.get(name, "–"))) for name in ("code", "message", "remedy")
        )
    )
    _link(context)
    answer = context.system.invoke(
        "export_invoice", {"connection": context.connection.name, "invoice_ids": [invoice]}
    )
    after = _seen(context, invoice)
    moments = {"before": before, "webhook came": refused, "linked, invoked": after}
    context.console.show(tables.before_after(moments))
    [result] = answer["results"]
    context.console.note(f"The direct invocation answered: {number} {result['outcome']}.")
    context.expect(record.get("code") == "product_not_linked", f"{number} was not rejected for its product.")
    context.expect(result["outcome"] == "exported", f"{number} was not exported after it was fixed.")
    return {"rejected_then_mended": int(result["outcome"] == "exported")}


def _invoice_of_the_product(context: Context) -> str:
    """Put the product onto both price lists, unlinked, and a draft that bills it into Solvimon."""
    context.connection.platform.load({"products": [PRODUCT.solvimon(with_link=False)]})
    context.system.rillet.state.load(
        {"organization": {"id": context.connection.organisation.id}, "products": [PRODUCT.rillet()]}
    )
    draft = context.another("new-customer", "demo-rejected", "its product was not linked at first")
    for period in draft["periods"]:
        for group in period["groups"]:
            group["products"] = [PRODUCT.solvimon(with_link=False)]
            for line in group["lines"]:
                line["description"] = PRODUCT.title
                line["product_items"] = []
    return str(draft["id"])


def _link(context: Context) -> None:
    """Fill the custom field in Solvimon, as a person does in Desk."""
    link: Json = {"reference": "rillet_product_id", "value": rillet_id("product", PRODUCT.name)}
    answer = requests.patch(
        f"{context.system.solvimon.url}/products/{solvimon_id('prod', PRODUCT.name)}",
        json={"custom_fields": [link]},
        headers={"X-API-KEY": context.connection.solvimon_api_key},
        timeout=10,
    )
    if not answer.ok:
        raise DemoStopped(f"The fake Solvimon did not take the link of {PRODUCT.title}: {answer.status_code}")


def _seen(context: Context, invoice: str) -> dict[str, object]:
    return {
        "Invoices in Rillet": len(context.booked(invoice)),
        "Messages that wait or were given up": context.waiting() + context.dead_letters(),
        "State in the ledger": context.state(invoice),
    }


SECTION = Section("An invoice that cannot be booked as it is", _run)
