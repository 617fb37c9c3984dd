"""A thousand connections of 300 documents a week: swept by every schedule, reconciled in a night.

The product's own code runs in simulated time, with AWS as moto and vendors that answer in 250 to 300 ms. What
is not real: the ledger's records of 300,000 booked documents and the vendors' lists are made when they are
read, and of the reconciliations, which are alike, a few run in full and give the time of the others.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import requests

from local.system import LocalSystem
from solvimon_rillet.aws.dynamodb import Table
from solvimon_rillet.mapping.customers import solvimon_customer_hash
from solvimon_rillet.solvimon.master_data import Customer
from solvimon_rillet.workflows.sweep.sweep import Sweep
from tests.benchmarks.cost_meter import PROCESSOR, SHARE_OF_A_PROCESSOR
from tests.benchmarks.nightly_reconciliations import reconcile_all, seconds_of_a_reconciliation
from tests.benchmarks.setup import Json
from tests.benchmarks.simulated_time import (
    AWS_SECONDS,
    Context,
    SimulatedTime,
    simulated,
    worker,
)
from tests.support.vendor_answers import answer_to

CONNECTIONS, DOCUMENTS, CUSTOMERS = 1000, 300, 100
SCHEDULE_SECONDS, SCHEDULES = 900, 3
WORKERS = 2
"""The template's default ``SweepConcurrency``, which a new account has."""
BROKEN = "company-0500"
"""The connection whose sweeps raise an unexpected error."""
WITHIN_SECONDS, NIGHT_SECONDS = 900, 8 * 3600


def connections(system: LocalSystem) -> Iterator[Json]:
    """Sweep three times, then reconcile; nothing happens meanwhile, but for one connection's errors."""
    names = [f"company-{number:04}" for number in range(CONNECTIONS)]
    seconds = seconds_of_a_reconciliation(system, DOCUMENTS)
    system.reset()
    _set_up(system, names)
    time = SimulatedTime(system.clock.now())
    swept, failed = _Swept(time), Counter[str]()
    vendors = _Vendors(time)
    with simulated(system, time, vendors.answer), _booked_ledger(time, vendors.calls), swept.watching(failed):
        until = time.start + SCHEDULES * SCHEDULE_SECONDS
        time.spawn(lambda: _schedule(system, time, vendors.calls.clear))
        own = PROCESSOR["sweep"] / SHARE_OF_A_PROCESSOR
        for _ in range(WORKERS):
            time.spawn(lambda: worker(system, time, "sweep", until, own))
        time.run()
        counted = Counter(
            {
                action: number
                for (function, action), number in system.aws.permissions.counted.items()
                if function.endswith("-sweep")
            }
        )
        reconciled = reconcile_all(time, names, seconds)
    calls = {a: n for a, n in counted.items() if a.startswith(("dynamodb:", "secretsmanager:", "ssm:"))}
    dynamodb = (
        sum(n for action, n in calls.items() if action.startswith("dynamodb:")) + vendors.calls["ledger"]
    )
    others = sum(n for action, n in calls.items() if not action.startswith("dynamodb:"))
    yield {
        "measure": "connections",
        "connections": CONNECTIONS,
        "documents_a_week": DOCUMENTS,
        "swept_all_within_s": round(swept.slowest_round(names)),
        "oldest_unswept_s": round(swept.oldest(names)),
        **reconciled,
        "failed": len(set(failed) - {BROKEN}),
        "failing_as_planted": len(set(failed) & {BROKEN}),
        "sweeps": sum(map(len, swept.ended.values())),
        "aws_calls_per_idle_sweep": round(dynamodb / (CONNECTIONS - 1), 1),
        "secret_and_parameter_reads_per_sweep": round(others / (CONNECTIONS - 1), 1),
        "solvimon_calls_per_idle_sweep": round(vendors.calls["solvimon"] / (CONNECTIONS - 1), 1),
        "rillet_calls_per_idle_sweep": round(vendors.calls["rillet"] / (CONNECTIONS - 1), 1),
        "within_limit": swept.slowest_round(names) < WITHIN_SECONDS
        and set(failed) == {BROKEN}
        and reconciled["reconciled_all_within_s"] < NIGHT_SECONDS,
    }


def _set_up(system: LocalSystem, names: list[str]) -> None:
    url = "http://127.0.0.1:1"
    settings = {"solvimon": {"base_url": f"{url}/solvimon"}, "rillet": {"base_url": f"{url}/rillet"}}
    for name in names:
        system.put_settings(name, settings)
        system.put_secret(name, "solvimon", {"api_key": name})
        system.put_secret(name, "rillet", {"auth": "api_key", "api_key": name})


def _schedule(system: LocalSystem, time: SimulatedTime, forget: Callable[[], None]) -> None:
    """EventBridge Scheduler's events, handled as Lambda does; only the last sweeps' calls are counted."""
    function = system.runtime.functions["sweep"]
    environment = {**function.environment, "AWS_LAMBDA_FUNCTION_NAME": function.name}
    handler = system.runtime._module(function).create_handler(environment, clock=time.now)
    for number in range(SCHEDULES):
        time.sleep(number * SCHEDULE_SECONDS - time.elapsed)
        if number == SCHEDULES - 1:  # the sweeps before are not idle: they are the first ones
            system.aws.permissions.counted.clear()
            forget()
        handler({}, Context(time, function.name, function.timeout, time.now()))


class _Swept:
    """When each connection's sweeps ended."""

    def __init__(self, time: SimulatedTime) -> None:
        self._time = time
        self.ended: dict[str, list[float]] = {}

    def watching(self, failed: Counter[str]) -> Any:  # noqa: ANN401 - a patch
        """Note the end of every sweep, and plant an error in those of one connection."""
        run = Sweep.run

        def noted(sweep: Sweep, budget: Any) -> Any:  # noqa: ANN401 - the product's own
            name = sweep._connection.name
            self.ended.setdefault(name, [])
            if name == BROKEN:
                self.ended[name].append(self._time.elapsed)
                failed[name] += 1
                raise KeyError("planted")
            result = run(sweep, budget)
            if result.errors or result.stopped or result.note:
                failed[name] += 1
            self.ended[name].append(self._time.elapsed)
            return result

        return patch.object(Sweep, "run", noted)

    def slowest_round(self, names: list[str]) -> float:
        """Seconds from a schedule until the last connection was swept."""
        return max(
            self.ended[name][number] - number * SCHEDULE_SECONDS
            for name in names
            for number in range(SCHEDULES)
        )

    def oldest(self, names: list[str]) -> float:
        """The longest time without a sweep of a connection."""
        return max(
            later - earlier
            for name in names
            for earlier, later in zip([0.0, *self.ended[name]], self.ended[name], strict=False)
        )


_CUSTOMERS = [
    {
        "id": f"cust_{number:03}",
        "type": "ORGANIZATION",
        "status": "ACTIVE",
        "organization": {"legal_name": f"Company {number}"},
    }
    for number in range(CUSTOMERS)
]
_HASHES = {str(row["id"]): solvimon_customer_hash(Customer.model_validate(row)) for row in _CUSTOMERS}


def _booked_ledger(time: SimulatedTime, calls: Counter[str]) -> Any:  # noqa: ANN401 - a patch
    """Let the ledger have all documents as exported and all customers as imported, without storing them."""
    get_many = Table.get_many

    def booked(table: Table, keys: Iterable[str], attributes: Iterable[str] = ()) -> dict[str, Json]:
        asked = list(keys)
        kinds = {key.split("#")[1] for key in asked}
        if kinds not in ({"invoice"}, {"link-customer"}):
            return get_many(table, asked, attributes)
        time.sleep(AWS_SECONDS)
        calls["ledger"] += 1
        ids = {key: key.rpartition("#")[2] for key in asked}
        facts = {"schema_version": 2, "updated_at": int(time.start), "rillet_id": "r"}
        return {
            key: {"pk": key, **facts, "state": "exported", "imported_hash": _HASHES.get(each, "")}
            for key, each in ids.items()
        }

    return patch.object(Table, "get_many", booked)


class _Vendors:
    """Solvimon and Rillet of all connections: 300 final documents, 100 customers, nothing new."""

    def __init__(self, time: SimulatedTime) -> None:
        self._time = time
        self.calls: Counter[str] = Counter()

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        """Answer a request."""
        url = urlsplit(str(request.url))
        vendor, _, path = url.path.strip("/").partition("/")
        self.calls[vendor] += 1
        self._time.sleep(self._time.answer_time())
        page = int(parse_qs(url.query).get("page", ["1"])[0])
        body: Json
        if vendor == "rillet":
            key = str(request.headers["Authorization"]).rpartition(" ")[2]
            organisation = {"id": f"org-{key}", "trade_name": key}
            no_invoices = {"invoices": [], "pagination": {"next_cursor": None}}
            body = organisation if path.endswith("self") else no_invoices
        elif path.endswith("customers"):
            body = {"data": _CUSTOMERS, "links": {"next": None}}
        else:
            first = (page - 1) * 100
            rows = [_document(number) for number in range(first, min(first + 100, DOCUMENTS))]
            body = {"data": rows, "links": {"next": "more" if first + 100 < DOCUMENTS else None}}
        return answer_to(request, 200, json.dumps(body).encode())


def _document(number: int) -> Json:
    return {"id": f"invo_{number:04}", "status": "FINAL", "type": "STANDARD", "invoice_number": str(number)}
