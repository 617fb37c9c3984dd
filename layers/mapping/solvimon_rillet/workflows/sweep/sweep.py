"""The sweep: webhooks are the speed, the sweep is the guarantee.

It finds what no webhook told of and puts it on the bus as the webhook would have, so that the same queues,
workers, ledger and rules do the work. It holds no lease: whatever it publishes twice is done once.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from solvimon_rillet.errors import ConnectionBroken, NeedsAttention, SolvimonRilletError
from solvimon_rillet.rate_limit.limiter import RateLimited
from solvimon_rillet.rillet.client import RilletClient
from solvimon_rillet.solvimon.client import SolvimonClient
from solvimon_rillet.workflows.sweep.base import OutOfTime, Scan, ScanResult, SweepContext, TimeBudget
from solvimon_rillet.workflows.sweep.customers import CustomerScan
from solvimon_rillet.workflows.sweep.documents import DocumentScan
from solvimon_rillet.workflows.sweep.payments import PaymentScan
from solvimon_rillet.workflows.sweep.stalled import StalledScan

logger = logging.getLogger(__name__)

# A step of a part, such as a page, must come to its end after the last share is over.
_LAST_STEP_SECONDS = 60


class Sweep:
    """The sweep of one connection.

    Args:
        tools: the connection's.
        parts: by what they sweep; they do not depend on each other.
        check_credentials: raises ``ConnectionBroken`` where one is missing.
        count: notes a metric of a connection.
    """

    def __init__(
        self,
        tools: SweepContext,
        parts: Mapping[str, Scan],
        check_credentials: Callable[[], None],
        count: Callable[[str, str], None],
    ) -> None:
        self._tools = tools
        self._parts = parts
        self._check_credentials = check_credentials
        self._count = count

    def run(self, share: TimeBudget) -> ScanResult:
        """Sweep everything; an error of one part does not stop the others."""
        findings = ScanResult(self._tools.connection, note=self._not_ready())
        if findings.note:
            return findings
        broken = False
        for name, part in self._parts.items():
            try:
                part.run(findings, share)
            except (RateLimited, OutOfTime) as wait:
                findings.stopped.append(f"{name}: {wait} The next sweep goes on.")
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                findings.errors.append(f"{name}: {_in_words(error)}")
                broken = broken or isinstance(error, ConnectionBroken)
        if broken:
            self._count("ConnectionBroken", self._tools.connection)
        return findings

    def _not_ready(self) -> str:
        """Why a connection that was never swept cannot be yet; nobody is alarmed before it is set up."""
        if self._tools.memory.first_started_at() is None:
            try:
                self._check_credentials()
            except ConnectionBroken as missing:
                return f"Not set up yet. {missing}"
        return ""


def scans_of(tools: SweepContext, solvimon: SolvimonClient, rillet: RilletClient) -> dict[str, Scan]:
    """The parts of a connection's sweep, in their order; ``rillet`` has bulk priority."""
    return {
        "documents": DocumentScan(tools, solvimon),
        "stuck": StalledScan(tools),
        "customers": CustomerScan(tools, solvimon),
        "payments": PaymentScan(tools, rillet),
    }


def sweep_all(
    connections: Sequence[str],
    sweep_for: Callable[[str], Sweep],
    time_left: Callable[[], float],
    count: Callable[[str, str, float], None],
) -> dict[str, Any]:
    """Sweep connections one after the other; an error of one does not stop the others.

    Args:
        connections: their names.
        sweep_for: makes the sweep of a connection.
        time_left: seconds until the function must end; each connection gets an equal share of it.
        count: notes a metric of a connection.
    """
    swept = []
    for number, connection in enumerate(connections):
        share = TimeBudget(time_left, (time_left() - _LAST_STEP_SECONDS) / (len(connections) - number))
        try:
            findings = sweep_for(connection).run(share)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other connections go on
            findings = ScanResult(connection, errors=[_in_words(error)])
        logger.info("swept", extra=findings.as_answer())
        count("SweepFound", connection, findings.found.total())
        if findings.errors:
            count("SweepFailed", connection, len(findings.errors))
        swept.append(findings)
    return {
        "summary": {
            "connections": len(swept),
            "found": sum(findings.found.total() for findings in swept),
            "errors": sum(len(findings.errors) for findings in swept),
        },
        "connections": [findings.as_answer() for findings in swept],
    }


def _in_words(error: Exception) -> str:
    if isinstance(error, NeedsAttention):
        return f"{error.message} {error.remedy}"
    if isinstance(error, SolvimonRilletError):
        return str(error)
    logger.error("sweep failed", exc_info=error)
    return f"The sweep failed with an error of its own ({type(error).__name__}); its log says where."
