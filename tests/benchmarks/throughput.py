"""600 invoices waiting, 8 workers, and Rillet's rolling limit: how much of it is used, and in which order."""

import time
from collections.abc import Iterator

from local.fake_rillet.calls import Call
from local.system import Connection, LocalSystem
from solvimon_rillet.rate_limit.send_times import Priority
from tests.benchmarks.setup import Json, book, connected, finalise
from tests.unit.rate_limit.simulation import LIMIT, WINDOW, Simulation

WORKERS = 8
SHORT_WINDOW, MARGIN = 40.0, 1.0
"""Seconds: two thirds of Rillet's minute, and the full margin, which covers the latency to the fake."""
PACING = {"requests": LIMIT, "window_seconds": SHORT_WINDOW, "margin_seconds": MARGIN}
_TIMEOUT = 600


def shares_of_budget(_system: LocalSystem) -> Iterator[Json]:
    """Measure in simulated time, and with workers; these get a system of their own with more concurrency."""
    yield simulated_share_of_budget()
    yield workers_under_the_limit(live=600)
    yield workers_under_the_limit(live=240, bulk=60)


def workers_under_the_limit(live: int, bulk: int = 0) -> Json:
    """Let real workers work off a back-fill and newly finalised invoices; the fake counts the calls.

    Args:
        live: invoices that webhooks announced.
        bulk: invoices of a back-fill, which are ahead of them in the queue.
    """
    concurrency = {"ExportInvoiceConcurrency": str(WORKERS)}
    with LocalSystem(stack="bench-throughput", parameters=concurrency, quiet=True) as system:
        connection = connected(system, rillet={"pacing": PACING})
        system.rillet.state.rate_limit, system.rillet.state.rate_window = LIMIT, SHORT_WINDOW
        _queue_invoices(system, connection, live, bulk)
        before = len(system.rillet.state.calls)
        system.start_workers(WORKERS)
        deadline = time.monotonic() + _TIMEOUT
        while len(connection.organisation.invoices.documents()) < live + bulk + 1:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not booked after {_TIMEOUT} seconds")
            time.sleep(0.5)
        system.stop_workers()
        calls = system.rillet.state.calls[before:]
    return _result(calls, live, bulk)


def _queue_invoices(system: LocalSystem, connection: Connection, live: int, bulk: int) -> None:
    """Book one invoice, so that its customer is known, and queue the others, those of bulk work first."""
    book(system, connection, "invo_warm")
    system.advance(SHORT_WINDOW)
    system.solvimon.state.webhooks_on = False
    finalise(connection, *(f"invo_bulk{number}" for number in range(bulk)))
    if bulk:
        system.invoke("export_invoice", {"retry": {"from": "2026-01-31", "to": "2026-01-31"}})
    system.solvimon.state.webhooks_on = True
    finalise(connection, *(f"invo_live{number}" for number in range(live)))
    system.deliver_webhooks()


def _result(calls: list[Call], live: int, bulk: int) -> Json:
    sent = [call for call in calls if call.status == 200]
    span = sent[-1].time - sent[0].time
    result: Json = {
        "measure": f"{WORKERS} workers, {live} live and {bulk} bulk invoices waiting",
        "window_seconds": SHORT_WINDOW,
        "booked": len({_invoice(call) for call in sent}),
        "rillet_calls": len(calls),
        "refused_429": sum(call.status == 429 for call in calls),
        "share_of_budget": round(len(sent) / (LIMIT * (1 + span / SHORT_WINDOW)), 3),
        "seconds": round(span),
    }
    if bulk:
        most_live = [place for place, call in enumerate(sent) if "live" in _invoice(call)][: live * 9 // 10]
        result["share_of_bulk_until_nine_tenths_of_live"] = round(1 - len(most_live) / (most_live[-1] + 1), 3)
    return result


def _invoice(call: Call) -> str:
    """The Solvimon id of the invoice that a call is about."""
    body = call.request_body if isinstance(call.request_body, dict) else {}
    return " ".join(reference["id"] for reference in body.get("external_references", ()))


def simulated_share_of_budget() -> Json:
    """Measure 300 calls in simulated time, where workers are as quick as on AWS."""
    simulation = Simulation(seed=1, todo={Priority.LIVE: 300})
    simulation.run({Priority.LIVE: WORKERS})
    return {
        "measure": f"pacing, {WORKERS} workers, 300 calls waiting (simulated time)",
        "limit": LIMIT,
        "window_seconds": WINDOW,
        "share_of_budget": round(simulation.share(), 3),
        "refused_429": simulation.refused,
        "handed_back_per_call": round(simulation.handed_back / 300, 2),
    }
