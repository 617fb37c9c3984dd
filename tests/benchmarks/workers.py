"""Workers under load: many invoices at Rillet's limit, and a connection whose vendor hangs beside another."""

import json
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import requests

from local.fake_rillet.calls import Call
from local.system import Connection, LocalSystem
from solvimon_rillet.rate_limit.send_times import Priority
from tests.benchmarks.setup import Json, book, connected, finalise
from tests.benchmarks.simulated_time import SimulatedTime, simulated, worker
from tests.support.builders import bus_event
from tests.unit.rate_limit.simulation import LIMIT, WINDOW, Simulation

WORKERS = 8
SHORT_WINDOW, MARGIN = 40.0, 1.0
"""Seconds: two thirds of Rillet's minute, and the full margin, which covers the latency to the fake."""
PACING = {"requests": LIMIT, "window_seconds": SHORT_WINDOW, "margin_seconds": MARGIN}
_TIMEOUT = 600
HANGING, MINUTES = 1000, 10
EVERY_SECONDS = 6
"""A document of the other connection; ten a minute."""
READ_SECONDS = 20
DEFAULT_WORKERS = 2
"""The template's default."""
LIMIT_SECONDS = 5


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


def isolation(system: LocalSystem) -> Iterator[Json]:
    """Work off both in simulated time; the queue is in order, while SQS gives the other's messages sooner."""
    system.rillet.state.rate_limit = 1_000_000
    hanging, other = system.connect_demo("hanging"), system.connect_demo("other")
    system.solvimon.state.webhooks_on = system.rillet.state.webhooks_on = False
    ids = [f"invo_other{number}" for number in range(MINUTES * 60 // EVERY_SECONDS)]
    finalise(other, *ids)
    clock = SimulatedTime(system.clock.now())
    calls = {"hanging": 0}
    sent, waits = dict[str, float](), dict[str, float]()

    def vendor(request: requests.PreparedRequest) -> requests.Response | None:
        if request.headers.get("X-API-KEY") == hanging.solvimon_api_key:
            calls["hanging"] += 1
            clock.sleep(READ_SECONDS)
            raise requests.ReadTimeout("it hangs")
        clock.sleep(clock.answer_time())
        return None

    def send(*messages: tuple[str, str]) -> None:
        url = system.deployment.queues["export_invoice"].url
        for start in range(0, len(messages), 10):
            entries: Any = [
                {"Id": str(number), "MessageBody": json.dumps(bus_event(document_id, connection))}
                for number, (document_id, connection) in enumerate(messages[start : start + 10])
            ]
            system.aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)

    def arrivals() -> None:
        for document_id in ids:
            sent[document_id] = clock.now()
            send((document_id, other.name))
            clock.sleep(EVERY_SECONDS)

    def done(messages: list[Json]) -> None:
        for message in messages:
            detail = json.loads(message["Body"])["detail"]
            if detail["connection"] == other.name:
                waits[detail["id"]] = clock.now() - sent[detail["id"]]

    with simulated(system, clock, vendor):
        send(*((f"invo_hanging{number}", hanging.name) for number in range(HANGING)))
        clock.spawn(arrivals)
        for _ in range(DEFAULT_WORKERS):
            clock.spawn(
                lambda: worker(system, clock, "export_invoice", clock.start + MINUTES * 60, done=done)
            )
        clock.run()
    in_time = sorted(waits.values())
    yield {
        "measure": "isolation",
        "hanging_backlog": HANGING,
        "other_median_wait_s": round(median(in_time), 2),
        "other_p95_wait_s": round(in_time[len(in_time) * 95 // 100], 2),
        "other_done": len(in_time),
        "of": len(ids),
        "calls_that_hung": calls["hanging"],
        "minutes": MINUTES,
        "within_limit": median(in_time) < LIMIT_SECONDS and len(in_time) >= len(ids) * 0.95,
    }
