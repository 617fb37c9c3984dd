"""A night's reconciliations of a thousand connections: a few run in full, the others take their time."""

import time as wall
from functools import partial
from unittest.mock import patch

import boto3

from local.system import LocalSystem
from solvimon_rillet.aws.durable_executions import DurableExecutions
from solvimon_rillet.entrypoints.reconcile_function import reconcile_services
from solvimon_rillet.entrypoints.services import Services
from solvimon_rillet.workflows.reconcile.fan_out import FanOut
from solvimon_rillet.workflows.reconcile.request import ReconcileRequest
from solvimon_rillet.workflows.reconcile.steps import ReconcileSteps
from solvimon_rillet.workflows.reconcile.workflow import Reconciliation
from tests.benchmarks.cost_meter import SHARE_OF_A_PROCESSOR
from tests.benchmarks.reconcile import InlineSteps, fill
from tests.benchmarks.setup import Json, connected_without_limit
from tests.benchmarks.simulated_time import AWS_SECONDS, VENDOR_SECONDS, SimulatedTime

DAYS = 45
"""A night compares the month before and this one: 30 to 62 days."""
RECONCILED_IN_FULL = 2
RECONCILE_WORKERS = 8
"""Executions at once: a new account has ten."""


def seconds_of_a_reconciliation(system: LocalSystem, documents_a_week: int) -> float:
    """Seconds of an execution in AWS: work measured here, calls counted, at Rillet's call a second."""
    connection = connected_without_limit(system)
    with patch("tests.benchmarks.reconcile.DOCUMENTS", documents_a_week * DAYS // 7):
        fill(system, connection)
    function = system.runtime.functions["reconcile"]
    environment = {**function.environment, "AWS_LAMBDA_FUNCTION_NAME": function.name}
    made = Services(environment, system.clock.now)
    request = ReconcileRequest.model_validate({"connection": "default", "redrive": False})
    system.aws.permissions.counted.clear()
    solvimon, rillet = len(system.solvimon.state.calls), len(system.rillet.state.calls)
    began = wall.process_time()
    for number in range(RECONCILED_IN_FULL):
        steps = ReconcileSteps(
            "default",
            request,
            f"bench{number}",
            partial(reconcile_services, made, "default"),
            lambda *_: None,
        )
        nobody = FanOut(request, list, lambda: made.own_executions, made.clock)
        answer = Reconciliation(request, InlineSteps(), nobody, partial(_same, steps)).run()
        if not answer["tied_out"]:
            raise AssertionError(answer)
    own = (wall.process_time() - began) / SHARE_OF_A_PROCESSOR
    aws = system.aws.permissions.counted.total() * AWS_SECONDS
    vendors = (len(system.solvimon.state.calls) - solvimon) * VENDOR_SECONDS[1]
    vendors += (len(system.rillet.state.calls) - rillet) * (1 + VENDOR_SECONDS[1])
    return (own + aws + vendors) / RECONCILED_IN_FULL


def _same(steps: ReconcileSteps, _connection: str) -> ReconcileSteps:
    return steps


def reconcile_all(time: SimulatedTime, names: list[str], seconds: float) -> Json:
    """Start all reconciliations by the product's own fan-out; each takes the time of one that ran in full."""
    began, ended = time.now(), dict[str, float]()
    free, queue = [RECONCILE_WORKERS], list[str]()

    def work(name: str) -> None:
        while free[0] == 0:
            time.sleep(1)
        free[0] -= 1
        time.sleep(seconds)
        free[0] += 1
        ended[name] = time.now() - began

    def start(_: DurableExecutions, name: str, event: Json) -> bool:
        time.sleep(AWS_SECONDS)
        queue.append(name)
        time.spawn(lambda: work(str(event["connection"])))
        return True

    class Steps(InlineSteps):
        def wait(self, _name: str, pause: int) -> None:
            time.sleep(pause)

    request = ReconcileRequest()
    executions = DurableExecutions("bench-reconcile", boto3.client("lambda"))
    fan_out = FanOut(request, lambda: names, lambda: executions, time.now)

    def none(_: str) -> ReconcileSteps:
        raise NotImplementedError

    with patch.object(DurableExecutions, "start", start):
        time.spawn(lambda: Reconciliation(request, Steps(), fan_out, none).run())
        time.run()
    return {
        "reconciled": len(ended),
        "reconciled_all_within_s": round(max(ended.values())),
        "seconds_of_a_reconciliation": round(seconds, 1),
        "reconciled_in_full": RECONCILED_IN_FULL,
        "execution_names": len(set(queue)),
    }
