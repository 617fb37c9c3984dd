"""Rillet books an invoice, and its answer is lost on the way."""

from local.demo import tables
from local.demo.stage import Numbers, Section, Stage


def _tell(stage: Stage) -> Numbers:
    invoice = stage.another("two-rates", "demo-lost-answer", "Rillet's answer was lost on the way")["id"]
    number = stage.finalise(invoice)
    stage.screen.say(
        f"Rillet books {number}, and then the connection breaks: nobody knows whether it happened. "
        "The next attempt asks with the same idempotency key, and Rillet answers with the invoice it has."
    )
    before = _seen(stage, invoice)
    stage.system.rillet.state.misbehave("commit_then_drop", "POST", "/invoices", times=1)
    stage.deliver_webhooks()
    stage.until(stage.everything_waits, "The loss of the answer", jumps=False)
    lost = _seen(stage, invoice)
    stage.until(stage.settled, f"The export of {number}")
    after = _seen(stage, invoice)
    rows = [(name, before[name], lost[name], after[name]) for name in after]
    stage.screen.show(tables.before_after(("before", "answer lost", "tried again"), rows))
    stage.expect(after["Invoices in Rillet"] == 1, f"Rillet has not exactly one invoice for {number}.")
    stage.expect(after["Idempotency keys used"] == 1, f"{number} was sent under more than one key.")
    stage.expect(after["Answered from the first call"] == 1, f"Rillet did not recognise {number}.")
    return {"lost_answers": int(lost["Calls without an answer"])}


def _seen(stage: Stage, invoice: str) -> dict[str, int | str]:
    posts = stage.posts(invoice)
    return {
        "Calls that create an invoice": len(posts),
        "Calls without an answer": sum(call.status is None for call in posts),
        "Idempotency keys used": len({call.idempotency_key for call in posts}),
        "Answered from the first call": sum(call.replayed for call in posts),
        "Invoices in Rillet": len(stage.booked(invoice)),
        "Messages that wait": stage.waiting(),
        "State in the ledger": stage.state(invoice),
    }


SECTION = Section("Rillet's answer is lost", _tell)
