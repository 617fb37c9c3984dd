"""A connection whose vendor hangs, with a thousand messages waiting, beside one whose vendors answer."""

import json
from collections.abc import Iterator
from statistics import median
from typing import Any

import requests

from local.system import LocalSystem
from tests.benchmarks.setup import Json, finalise
from tests.benchmarks.simulated_time import SimulatedTime, simulated, worker
from tests.support.builders import bus_event

HANGING, MINUTES = 1000, 10
EVERY_SECONDS = 6
"""A document of the other connection; ten a minute."""
READ_SECONDS = 20
WORKERS = 2
"""The template's default."""
LIMIT_SECONDS = 5


def isolation(system: LocalSystem) -> Iterator[Json]:
    """Work off both in simulated time; the queue is in order, while SQS gives the other's messages sooner."""
    system.rillet.state.rate_limit = 1_000_000
    hanging, other = system.connect_demo("hanging"), system.connect_demo("other")
    system.solvimon.state.webhooks_on = system.rillet.state.webhooks_on = False
    ids = [f"invo_other{number}" for number in range(MINUTES * 60 // EVERY_SECONDS)]
    finalise(other, *ids)
    time = SimulatedTime(system.clock.now())
    calls = {"hanging": 0}
    sent, waits = dict[str, float](), dict[str, float]()

    def vendor(request: requests.PreparedRequest) -> requests.Response | None:
        if request.headers.get("X-API-KEY") == hanging.solvimon_api_key:
            calls["hanging"] += 1
            time.sleep(READ_SECONDS)
            raise requests.ReadTimeout("it hangs")
        time.sleep(time.answer_time())
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
            sent[document_id] = time.now()
            send((document_id, other.name))
            time.sleep(EVERY_SECONDS)

    def done(messages: list[Json]) -> None:
        for message in messages:
            detail = json.loads(message["Body"])["detail"]
            if detail["connection"] == other.name:
                waits[detail["id"]] = time.now() - sent[detail["id"]]

    with simulated(system, time, vendor):
        send(*((f"invo_hanging{number}", hanging.name) for number in range(HANGING)))
        time.spawn(arrivals)
        for _ in range(WORKERS):
            time.spawn(lambda: worker(system, time, "export_invoice", time.start + MINUTES * 60, done=done))
        time.run()
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
