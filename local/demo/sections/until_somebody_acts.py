"""What waits until somebody acts: an invoice that a person must fix, and a connection that may only read."""

from local.demo import tables
from local.demo.context import Context, Json, Numbers, Section
from local.demo.new_customers import UNLINKED_PRODUCT as PRODUCT
from local.demo.new_customers import bill_unlinked_product
from local.sample_data.identity import rillet_id, solvimon_id


def _reject(context: Context) -> Numbers:
    invoice = _invoice_of_the_product(context)
    number = context.finalise(invoice)
    context.console.say(
        f"{number} bills {PRODUCT.title}, which is new on the price list: nobody has linked it to Rillet."
    )
    before = _seen_of_rejected(context, invoice)
    context.deliver_webhooks()
    context.until(context.settled, f"The rejection of {number}")
    refused, record = _seen_of_rejected(context, invoice), context.record(invoice)
    context.console.show(
        tables.facts(
            (name.capitalize(), str(record.get(name, "–"))) for name in ("code", "message", "remedy")
        )
    )
    answer = _link(context)
    context.until(context.settled, f"The export of {number}")
    after = _seen_of_rejected(context, invoice)
    moments = {"before": before, "webhook came": refused, "linked": after}
    context.console.show(tables.before_after(moments))
    context.console.note(
        f"link_records answered: {answer['results'][0]['outcome']}; {answer['documents_continued']} invoice "
        "continues."
    )
    exported = context.state(invoice) == "exported"
    context.expect(record.get("code") == "product_not_linked", f"{number} was not rejected for its product.")
    context.expect(exported, f"{number} was not exported after it was fixed.")
    return {"rejected_then_mended": int(exported)}


def _invoice_of_the_product(context: Context) -> str:
    """Put the product onto both price lists, unlinked, and a draft that bills it into Solvimon."""
    context.connection.platform.load({"products": [PRODUCT.solvimon(with_link=False)]})
    context.system.rillet.state.load(
        {"organization": {"id": context.connection.organisation.id}, "products": [PRODUCT.rillet()]}
    )
    draft = context.another("new-customer", "demo-rejected", "its product was not linked at first")
    bill_unlinked_product(draft)
    return str(draft["id"])


def _link(context: Context) -> Json:
    """Link the product to Rillet's of the same name, as the remedy says."""
    pair = {"solvimon_id": solvimon_id("prod", PRODUCT.name), "rillet_id": rillet_id("product", PRODUCT.name)}
    event = {"connection": context.connection.name, "link": {"kind": "product", **pair}}
    answer: Json = context.system.invoke("link_records", event)
    return answer


def _seen_of_rejected(context: Context, invoice: str) -> dict[str, object]:
    return {
        "Invoices in Rillet": len(context.booked(invoice)),
        "Messages that wait or were given up": context.waiting() + context.dead_letters(),
        "State in the ledger": context.state(invoice),
    }


def _forbid_writing(context: Context) -> Numbers:
    invoice = context.another("two-rates", "demo-read-only", "Rillet let us read, and not write, at first")[
        "id"
    ]
    number = context.finalise(invoice)
    context.console.say(
        f"Somebody in Rillet takes away the right to write; {number} is finalised meanwhile. It waits, and "
        "the connection's headline says so from the first try."
    )
    context.system.rillet.state.misbehave("status", "POST", "/invoices", status=403)
    context.deliver_webhooks()
    context.until(context.everything_waits, f"The first try of {number}", jumps=False)
    stopped = _ask(context)
    [group] = [each for each in stopped["waiting"] if invoice in each["ids"]]
    context.console.show(
        tables.facts(
            (
                ("Headline", stopped["headline"]["text"]),
                ("State", stopped["headline"]["state"]),
                ("What to do", group["what_to_do"]),
            )
        )
    )
    context.system.rillet.state.behave()
    event = {"connection": context.connection.name, "invoice_ids": [invoice]}
    [result] = context.system.invoke("export_invoice", event)["results"]
    context.until(context.settled, f"The end of the wait of {number}", jump=60)
    ended = _ask(context)
    context.console.say(f"The right is back: export_invoice answers “{result['outcome']}” at once.")
    context.console.show(tables.facts((("Headline", ended["headline"]["text"]),)))
    context.expect(stopped["headline"]["state"] == "stopped", "The headline did not say that it is stopped.")
    context.expect(not any(invoice in each["ids"] for each in ended["waiting"]), f"{number} still waits.")
    return {"headline_while_read_only": stopped["headline"]["state"]}


def _ask(context: Context) -> Json:
    answer: Json = context.system.invoke("sync_status", {"connection": context.connection.name})
    return answer


REJECTED = Section("An invoice that cannot be booked as it is", _reject)
READ_ONLY = Section("A connection that may only read, and its headline", _forbid_writing)
