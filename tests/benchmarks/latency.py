"""From finalisation to the invoice in Rillet, on an idle system: what of the time is ours."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any
from unittest.mock import patch

from botocore.httpsession import URLLib3Session
from requests.adapters import HTTPAdapter

from local.system import LocalSystem
from tests.benchmarks.calls import ROOMY
from tests.integration.mark_invoice_paid.support import connected
from tests.support.arrange import load
from tests.support.builders import original

INVOICES = 100
_WARM = 5
Json = dict[str, Any]


def finalised_to_booked(system: LocalSystem) -> Json:
    """Finalise one invoice after the other, each when the one before is in Rillet.

    The whole way is measured: webhook, receiver, bus, queue, worker, until the queue's message is deleted.
    What the two vendors' fakes took to answer is taken off; what AWS took is moto's here, and told beside it.
    """
    connection = connected(system, **ROOMY)
    system.rillet.state.rate_limit = 1_000_000
    ours, aws, vendors = [], [], []
    with _watching({"vendors": (system.solvimon.url, system.rillet.url)}) as waited:
        for number in range(_WARM + INVOICES):
            load(connection, original(f"invo_idle{number}"))
            waited.clear()
            began = time.perf_counter()
            system.deliver_webhooks()
            system.deliver("export_invoice")
            took = time.perf_counter() - began
            if number >= _WARM:
                ours.append(took - waited["vendors"])
                aws.append(waited["aws"])
                vendors.append(waited["vendors"])
    booked = len(connection.organisation.invoices.documents())
    return {
        "measure": "finalised to booked, idle system",
        "invoices": booked - _WARM,
        "own_share": round(sum(ours) / (sum(ours) + sum(vendors)), 3),
        "own_ms_here": _spread(ours),
        "of_which_calls_to_aws_ms_here": _spread(aws),
        "vendors_ms_here": _spread(vendors),
    }


def _spread(seconds: list[float]) -> Json:
    return {
        "median": round(median(seconds) * 1000, 1),
        "p99": round(quantiles(seconds, n=100)[-1] * 1000, 1),
    }


@contextmanager
def _watching(places: dict[str, tuple[str, ...]]) -> Iterator[defaultdict[str, float]]:
    """Add up the seconds for which calls to some places, and to AWS, were waited for."""
    waited: defaultdict[str, float] = defaultdict(float)

    def timed(send: Callable[..., Any], name_of: Callable[[str], str | None]) -> Callable[..., Any]:
        def timing(self: object, request: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401
            name, began = name_of(request.url), time.perf_counter()
            try:
                return send(self, request, *args, **more)
            finally:
                if name:
                    waited[name] += time.perf_counter() - began

        return timing

    def place(url: str) -> str | None:
        return next((name for name, starts in places.items() if url.startswith(starts)), None)

    with (
        patch.object(HTTPAdapter, "send", timed(HTTPAdapter.send, place)),
        patch.object(URLLib3Session, "send", timed(URLLib3Session.send, lambda _: "aws")),
    ):
        yield waited
