"""600 invoices waiting, 8 workers, and Rillet's rolling limit: how much of it is used, and in which order."""

import time
from typing import Any

from local.fake_rillet.calls import Call
from local.system import Connection, LocalSystem
from solvimon_rillet.rate_limit.limiter import Priority
from tests.integration.mark_invoice_paid.support import connected
from tests.support.arrange import load
from tests.support.builders import original
from tests.unit.rate_limit.simulation import LIMIT, WINDOW, Simulation

WORKERS = 8
SHORT_WINDOW, MARGIN = 40.0, 1.0
"""Seconds: two thirds of Rillet's minute, and the margin as it is; the way to a fake is no shorter for it."""
PACING = {"requests": LIMIT, "window_seconds": SHORT_WINDOW, "margin_seconds": MARGIN}
_PATIENCE = 600
Json = dict[str, Any]


def workers_under_the_limit(live: int, bulk: int = 0) -> Json:
    """Let real workers work off a back-fill and what is finalised meanwhile; the fake's limiter judges.

    Args:
        live: invoices that webhooks announced.
        bulk: invoices of a back-fill, which wait before them in the queue.
    """
    concurrency = {"ExportInvoiceConcurrency": str(WORKERS)}
    with LocalSystem(stack="bench-throughput", parameters=concurrency, quiet=True) as system:
        connection = connected(system, rillet={"pacing": PACING})
        system.rillet.state.rate_limit, system.rillet.state.rate_window = LIMIT, SHORT_WINDOW
        _wait_in_the_queue(system, connection, live, bulk)
        before = len(system.rillet.state.calls)
        system.start_workers(WORKERS)
        _until_booked(connection, live + bulk + 1)
        system.stop_workers()
        calls = system.rillet.state.calls[before:]
    return _told(calls, live, bulk)


def _wait_in_the_queue(system: LocalSystem, connection: Connection, live: int, bulk: int) -> None:
    """One invoice is booked, so that its customer is known; the others wait, those of bulk work first."""
    load(connection, original("invo_warm"))
    system.settle()
    system.advance(SHORT_WINDOW)
    system.solvimon.state.webhooks_on = False
    load(connection, *(original(f"invo_bulk{number}") for number in range(bulk)))
    if bulk:
        system.invoke("export_invoice", {"retry": {"from": "2026-01-31", "to": "2026-01-31"}})
    system.solvimon.state.webhooks_on = True
    load(connection, *(original(f"invo_live{number}") for number in range(live)))
    system.deliver_webhooks()


def _until_booked(connection: Connection, invoices: int) -> None:
    gives_up = time.monotonic() + _PATIENCE
    while len(connection.organisation.invoices.documents()) < invoices:
        if time.monotonic() > gives_up:
            raise TimeoutError(f"not booked after {_PATIENCE} seconds")
        time.sleep(0.5)


def _told(calls: list[Call], live: int, bulk: int) -> Json:
    sent = [call for call in calls if call.status == 200]
    span = sent[-1].time - sent[0].time
    told: Json = {
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
        told["share_of_bulk_until_nine_tenths_of_live"] = round(1 - len(most_live) / (most_live[-1] + 1), 3)
    return told


def _invoice(call: Call) -> str:
    """The Solvimon id of the invoice that a call is about."""
    body = call.request_body if isinstance(call.request_body, dict) else {}
    return " ".join(reference["id"] for reference in body.get("external_references", ()))


def simulated_share_of_budget() -> Json:
    """The same for 300 calls in simulated time, where workers are as quick as on AWS."""
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
