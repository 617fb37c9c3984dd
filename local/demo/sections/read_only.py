"""Rillet's access may only read for a while: the headline says so from the first try, and what ends it."""

from local.demo import tables
from local.demo.context import Context, Json, Numbers, Section


def _run(context: Context) -> Numbers:
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


SECTION = Section("A connection that may only read, and its headline", _run)
