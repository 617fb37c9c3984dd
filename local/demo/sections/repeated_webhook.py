"""The same webhook many times at once."""

from concurrent.futures import ThreadPoolExecutor

import requests

from local.demo import tables
from local.demo.context import Context, Numbers, Section

TIMES = 20


def _run(context: Context) -> Numbers:
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


SECTION = Section(f"The same webhook {TIMES} times at once", _run)
