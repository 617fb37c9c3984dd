"""Rillet books an invoice, and its answer is lost on the way."""

from local.demo import tables
from local.demo.context import Context, Numbers, Section


def _run(context: Context) -> Numbers:
    invoice = context.another("two-rates", "demo-lost-answer", "Rillet's answer was lost on the way")["id"]
    number = context.finalise(invoice)
    context.console.say(
        f"Rillet books {number}, and then the connection breaks: nobody knows whether it happened. "
        "The next attempt asks with the same idempotency key, and Rillet answers with the invoice it has."
    )
    before = _seen_of_lost_answer(context, invoice)
    context.system.rillet.state.misbehave("commit_then_drop", "POST", "/invoices", times=1)
    context.deliver_webhooks()
    context.until(context.everything_waits, "The loss of the answer", jumps=False)
    lost = _seen_of_lost_answer(context, invoice)
    context.until(context.settled, f"The export of {number}")
    after = _seen_of_lost_answer(context, invoice)
    moments = {"before": before, "answer lost": lost, "tried again": after}
    context.console.show(tables.before_after(moments))
    context.expect(after["Invoices in Rillet"] == 1, f"Rillet has not exactly one invoice for {number}.")
    context.expect(after["Idempotency keys used"] == 1, f"{number} was sent under more than one key.")
    context.expect(after["Answered from the first call"] == 1, f"Rillet did not recognise {number}.")
    return {"lost_answers": int(lost["Calls without an answer"])}


def _seen_of_lost_answer(context: Context, invoice: str) -> dict[str, int | str]:
    posts = context.posts(invoice)
    return {
        "Calls that create an invoice": len(posts),
        "Calls without an answer": sum(call.status is None for call in posts),
        "Idempotency keys used": len({call.idempotency_key for call in posts}),
        "Answered from the first call": sum(call.replayed for call in posts),
        "Invoices in Rillet": len(context.booked(invoice)),
        "Messages that wait": context.waiting(),
        "State in the ledger": context.state(invoice),
    }


SECTION = Section("Rillet's answer is lost", _run)
