"""One invoice, whatever the network does: a webhook that comes many times at once, an answer that is lost."""

from concurrent.futures import ThreadPoolExecutor

import requests

from local.demo import tables
from local.demo.context import Context, Numbers, Section

TIMES = 20


def _repeat_webhook(context: Context) -> Numbers:
    invoice = context.another("split-group", "demo-repeated", "its webhook came twenty times at once")["id"]
    number = context.finalise(invoice)
    before = _seen_of_repeated(context, invoice, accepted=0)
    accepted = sum(status == 200 for status in _deliver_at_once(context))
    context.until(context.settled, f"The export of {number}")
    after = _seen_of_repeated(context, invoice, accepted)
    context.console.say(
        f"The network stutters: Solvimon's webhook for {number} arrives {TIMES} times at once."
    )
    context.console.show(tables.before_after({"before": before, "after": after}))
    context.expect(accepted == TIMES, f"Only {accepted} of {TIMES} webhooks were accepted.")
    context.expect(len(context.booked(invoice)) == 1, f"Rillet has not exactly one invoice for {number}.")
    return {"repeated_webhooks": accepted}


def _deliver_at_once(context: Context) -> list[int | None]:
    """Let Solvimon deliver its webhook while copies of it arrive, and return all answers' statuses."""
    platform, url = context.connection.platform, context.connection.webhook_url
    [webhook] = platform.webhooks.webhooks.values()
    body = webhook.queue[0].body
    headers = platform.sign(body)

    def copy(_: int) -> int:
        return requests.post(url, data=body, headers=headers, timeout=10).status_code

    with ThreadPoolExecutor(TIMES) as together:
        copies = together.map(copy, range(TIMES - 1))
        original = together.submit(context.deliver_webhooks)
        first, *_ = original.result()  # what our own write-back announces may follow it
        return [*copies, first.status]


def _seen_of_repeated(context: Context, invoice: str, accepted: int) -> dict[str, object]:
    return {
        "Webhooks accepted": accepted,
        "Events on the bus": len(context.events(invoice)),
        "Calls that create an invoice": len(context.posts(invoice)),
        "Invoices in Rillet": len(context.booked(invoice)),
        "State in the ledger": context.state(invoice),
    }


def _lose_answer(context: Context) -> Numbers:
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


REPEATED_WEBHOOK = Section(f"The same webhook {TIMES} times at once", _repeat_webhook)
LOST_ANSWER = Section("Rillet's answer is lost", _lose_answer)
