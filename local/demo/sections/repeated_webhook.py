"""The same webhook many times at once."""

from concurrent.futures import ThreadPoolExecutor

import requests

from local.demo import tables
from local.demo.stage import Numbers, Section, Stage

TIMES = 20


def _tell(stage: Stage) -> Numbers:
    invoice = stage.another("split-group", "demo-repeated", "its webhook came twenty times at once")["id"]
    number = stage.finalise(invoice)
    before = _seen(stage, invoice, accepted=0)
    accepted = sum(status == 200 for status in _deliver_at_once(stage))
    stage.until(stage.settled, f"The export of {number}")
    after = _seen(stage, invoice, accepted)
    stage.screen.say(f"The network stutters: Solvimon's webhook for {number} arrives {TIMES} times at once.")
    rows = [(name, before[name], after[name]) for name in after]
    stage.screen.show(tables.before_after(("before", "after"), rows))
    stage.expect(accepted == TIMES, f"Only {accepted} of {TIMES} webhooks were accepted.")
    stage.expect(len(stage.booked(invoice)) == 1, f"Rillet has not exactly one invoice for {number}.")
    return {"repeated_webhooks": accepted}


def _deliver_at_once(stage: Stage) -> list[int | None]:
    """Let Solvimon deliver its webhook while copies of it arrive, and return all answers' statuses."""
    platform, url = stage.connection.platform, stage.connection.webhook_url
    [webhook] = platform.webhooks.webhooks.values()
    body = webhook.queue[0].body
    headers = platform.sign(body)

    def copy(_: int) -> int:
        return requests.post(url, data=body, headers=headers, timeout=10).status_code

    with ThreadPoolExecutor(TIMES) as together:
        copies = together.map(copy, range(TIMES - 1))
        original = together.submit(stage.deliver_webhooks)
        return [*copies, *(attempt.status for attempt in original.result())]


def _seen(stage: Stage, invoice: str, accepted: int) -> dict[str, object]:
    return {
        "Webhooks accepted": accepted,
        "Events on the bus": len(stage.events(invoice)),
        "Calls that create an invoice": len(stage.posts(invoice)),
        "Invoices in Rillet": len(stage.booked(invoice)),
        "State in the ledger": stage.state(invoice),
    }


SECTION = Section(f"The same webhook {TIMES} times at once", _tell)
