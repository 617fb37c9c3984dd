"""The sweep: webhooks give speed, the sweep gives the guarantee.

It searches for changes that no webhook delivered, and publishes the events that the webhooks would have
published, so that the same queues, functions, ledger and rules do the work. It holds no lease: work that is
published twice is done once.
"""

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

from solvimon_rillet.connections.names import is_connection_name
from solvimon_rillet.errors import ConnectionBroken, Message, NeedsAttention, SolvimonRilletError
from solvimon_rillet.rate_limit.limiter import RateLimited
from solvimon_rillet.rillet.listing import ListIncomplete
from solvimon_rillet.workflows.sweep.base import OutOfTime, Scan, ScanResult, SweepContext, TimeBudget
from solvimon_rillet.workflows.sweep.customers import CustomerScan
from solvimon_rillet.workflows.sweep.documents import DocumentScan
from solvimon_rillet.workflows.sweep.later_look_ups import LaterLookUpScan
from solvimon_rillet.workflows.sweep.payments import PaymentScan
from solvimon_rillet.workflows.sweep.stalled import StalledScan
from solvimon_rillet.workflows.sweep.write_backs import WriteBackScan

logger = logging.getLogger(__name__)

# A step of a scan, such as a page, must be able to end after the last budget is over.
_LAST_STEP_SECONDS = 60


class Sweep:
    """The sweep of one connection.

    Args:
        context: the connection, the state of its sweeps, and the bus.
        check_credentials: raises ``ConnectionBroken`` if a credential is missing.
        count: records a metric of a connection.
        learn_organisation: asks Rillet for the connection's organisation, if it is not known.
    """

    def __init__(
        self,
        context: SweepContext,
        check_credentials: Callable[[], None],
        count: Callable[[str, str], None],
        learn_organisation: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self._connection = context.connection
        self._scans = scans_of(context)
        self._check_credentials = check_credentials
        self._count = count
        self._learn_organisation = learn_organisation

    def run(self, budget: TimeBudget) -> ScanResult:
        """Run all scans; an error of one does not stop the others."""
        result = ScanResult(self._connection.name, note=self._not_ready_note())
        if result.note:
            return result
        connection_broken = False
        for name, scan in self._scans.items():
            try:
                scan.run(result, budget)
            except (RateLimited, OutOfTime, ListIncomplete) as wait:
                result.stopped.append(f"{name}: {wait} The next sweep continues.")
            except Exception as error:  # noqa: BLE001 - the other scans continue after any error
                result.errors.append(_error_text(error, f"{name}: "))
                connection_broken = connection_broken or isinstance(error, ConnectionBroken)
        with contextlib.suppress(SolvimonRilletError):  # the next sweep learns it
            self._learn_organisation()
        if connection_broken:
            self._count("ConnectionBroken", self._connection.name)
        return result

    def _not_ready_note(self) -> str:
        """The reason why a new connection cannot be swept yet; no alarm before it is set up."""
        if self._context.state.first_started_at() is None:
            try:
                self._check_credentials()
            except ConnectionBroken as missing:
                return f"Not set up yet. {missing}"
        return ""


def scans_of(context: SweepContext) -> dict[str, Scan]:
    """The scans of a connection's sweep, in their order."""
    return {
        "documents": DocumentScan(context),
        "stuck": StalledScan(context),
        "late": LaterLookUpScan(context),
        "customers": CustomerScan(context),
        "payments": PaymentScan(context),
        "write_backs": WriteBackScan(context),
    }


def sweep_all(
    connections: Sequence[str],
    sweep_for: Callable[[str], Sweep],
    time_left: Callable[[], float],
    count: Callable[[str, str, float], None],
) -> dict[str, Any]:
    """Sweep connections in turn; an error of one does not stop the others.

    Args:
        connections: their names.
        sweep_for: makes the sweep of a connection.
        time_left: seconds until the function must end; each connection gets an equal part of them.
        count: records a metric of a connection.
    """
    results = []
    for number, connection in enumerate(connections):
        budget = TimeBudget(time_left, (time_left() - _LAST_STEP_SECONDS) / (len(connections) - number))
        try:
            result = sweep_for(connection).run(budget)
        except Exception as error:  # noqa: BLE001 - the other connections continue after any error
            result = ScanResult(connection, errors=[_error_text(error)])
        # What somebody gave as a name is no dimension of a metric, and no text of a log.
        shown = connection if is_connection_name(connection) else "unknown"
        logger.info("swept", extra={**result.as_log(), "connection": shown})
        count("SweepFound", shown, result.found.total())
        if result.errors:
            count("SweepFailed", shown, len(result.errors))
        results.append(result)
    return {
        "summary": {
            "connections": len(results),
            "found": sum(result.found.total() for result in results),
            "errors": sum(len(result.errors) for result in results),
        },
        "connections": [result.as_answer() for result in results],
    }


def _error_text(error: Exception, scan: str = "") -> Message:
    """The message for a person; an unexpected error is logged with its traceback."""
    if isinstance(error, NeedsAttention):
        return Message(f"{scan}{error.message} {error.remedy}", f"{scan}{error.code}: {error.own_words}")
    if isinstance(error, SolvimonRilletError):
        return Message(f"{scan}{error.message}", f"{scan}{error.own_words}")
    logger.error("sweep failed", exc_info=error)
    return Message(
        f"{scan}The sweep failed with an internal error ({type(error).__name__}); its log shows where."
    )
