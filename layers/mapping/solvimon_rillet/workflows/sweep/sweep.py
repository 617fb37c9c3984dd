"""The sweep: webhooks give speed, the sweep gives the guarantee.

It searches for changes that no webhook delivered, and publishes the events that the webhooks would have
published, so that the same queues, functions, ledger and rules do the work. It holds no lease: work that is
published twice is done once.
"""

import contextlib
import logging
from collections.abc import Callable

from solvimon_rillet.connections.names import UnknownConnection, is_connection_name
from solvimon_rillet.errors import ConnectionBroken, Message, NeedsAttention, SolvimonRilletError
from solvimon_rillet.rate_limit.breaker import VendorUnavailable
from solvimon_rillet.rate_limit.limiter import RateLimited
from solvimon_rillet.rillet.listing import ListIncomplete
from solvimon_rillet.workflows.sweep.base import (
    NEWS_AT,
    OutOfTime,
    Scan,
    ScanResult,
    SweepContext,
    TimeBudget,
)
from solvimon_rillet.workflows.sweep.customers import CustomerScan
from solvimon_rillet.workflows.sweep.documents import DocumentScan
from solvimon_rillet.workflows.sweep.later_look_ups import LaterLookUpScan
from solvimon_rillet.workflows.sweep.payments import PaymentScan, calls_rillet
from solvimon_rillet.workflows.sweep.stalled import StalledScan
from solvimon_rillet.workflows.sweep.write_backs import WriteBackScan

logger = logging.getLogger(__name__)

# A step of a scan, such as a page, must be able to end after the last budget is over.
_LAST_STEP_SECONDS = 60
_QUIET_AFTER_SECONDS = 24 * 3600
_SCHEDULE_SLACK_SECONDS = 60  # two sweeps of a schedule are not exactly its interval apart
_SWEPT_AT, _STOPS, _FAILED = "swept_at", "stops", "failed"
_VENDORS = {"documents": "Solvimon", "customers": "Solvimon", "late": "Rillet", "payments": "Rillet"}


class Sweep:
    """The sweep of one connection.

    Args:
        context: the connection, the state of its sweeps, and the bus.
        check_credentials: raises ``ConnectionBroken`` if a credential is missing.
        check_vendor: raises ``VendorUnavailable`` if a vendor did not answer the last calls.
        count: records a metric of a connection.
        learn_organisation: asks Rillet for the connection's organisation, if it is not known.
    """

    def __init__(
        self,
        context: SweepContext,
        check_credentials: Callable[[], None],
        check_vendor: Callable[[str], None],
        count: Callable[[str, str], None],
        learn_organisation: Callable[[], None] = lambda: None,
    ) -> None:
        self._context = context
        self._connection = context.connection
        self._state = context.state
        self._scans = scans_of(context)
        self._check_credentials = check_credentials
        self._check_vendor = check_vendor
        self._count = count
        self._learn_organisation = learn_organisation

    def not_due_note(self, asked_at: float) -> str:
        """The reason why a sweep that was asked for at a time need not run; empty if it must.

        A message that waited behind others may be older than another sweep, which has done its work. A
        connection with nothing new for a day may be swept less often (``sweep.quiet_minutes``).
        """
        swept_at, now = self._state.noted_time(_SWEPT_AT), self._context.now()
        if swept_at > asked_at:
            return "It was swept since this sweep was asked for."
        quiet_seconds = self._connection.settings.sweep.quiet_minutes * 60
        is_quiet = now - self._state.noted_time(NEWS_AT) >= _QUIET_AFTER_SECONDS
        if is_quiet and now - swept_at < quiet_seconds - _SCHEDULE_SLACK_SECONDS:
            return f"Nothing was new for a day; it is swept every {quiet_seconds // 60} minutes."
        return ""

    def run(self, budget: TimeBudget) -> ScanResult:
        """Run all scans, each within its share of the time; an error of one does not stop the others."""
        result = ScanResult(self._connection.name, note=self._not_ready_note())
        if result.note:
            return result
        began, stops = self._context.now(), dict[str, str]()
        stopped_before = self._state.noted(_STOPS) or {}
        # What stopped last time comes last, and has all the time that the others leave.
        names = sorted(self._scans, key=lambda name: name in stopped_before)
        failed = bool(self._state.noted(_FAILED))
        for number, name in enumerate(names):
            try:
                if failed and name in _VENDORS:
                    self._check_vendor(_VENDORS[name])
                self._scans[name].run(result, budget.share(len(names) - number))
            except (RateLimited, OutOfTime, ListIncomplete, VendorUnavailable) as wait:
                stops[name] = self._place(name)
                self._stopped(name, wait, result, again=stopped_before.get(name) == stops[name])
                failed = failed or isinstance(wait, VendorUnavailable)
            except Exception as error:  # noqa: BLE001 - the other scans continue after any error
                result.errors.append(_scan_error_text(error, f"{name}: "))
                failed = True
                if isinstance(error, ConnectionBroken):
                    result.broken = True
        if calls_rillet(self._connection.settings):
            with contextlib.suppress(SolvimonRilletError):  # the next sweep learns it
                self._learn_organisation()
        if result.broken:
            self._count("ConnectionBroken", self._connection.name)
        self._remember(result, began, stops)
        return result

    def _stopped(self, name: str, wait: SolvimonRilletError, result: ScanResult, *, again: bool) -> None:
        """Report a scan that stopped early; at the place where it stopped last time, as an error."""
        self._count("SweepStoppedEarly", self._connection.name)
        text = f"{name}: {wait} The next sweep continues."
        result.stopped.append(text)
        if again:
            result.errors.append(
                Message(f"{name}: It stopped twice at the same place, so it makes no progress: {wait}")
            )

    def _place(self, name: str) -> str:
        """The position of a scan."""
        if name == "documents":
            return str(self._state.noted("documents_page") or "")
        if name in ("customers", "payments"):
            return f"{self._state.watermark(name)} {self._state.watermark('documents')}"
        return ""

    def _remember(self, result: ScanResult, began: int, stops: dict[str, str]) -> None:
        """Write how far the sweep came; a sweep whose progress is lost is repeated, which does no harm."""
        if result.found or self._state.noted(NEWS_AT) is None:
            self._state.note(NEWS_AT, began)
        self._state.note(_SWEPT_AT, began)
        self._state.note(_STOPS, stops or None)
        self._state.note(_FAILED, 1 if result.errors else None)
        try:
            self._state.save()
        except SolvimonRilletError as error:
            result.errors.append(_scan_error_text(error, "progress: "))

    def _not_ready_note(self) -> str:
        """The reason why a new connection cannot be swept yet; no alarm before it is set up."""
        if self._state.first_started_at() is None:
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


def sweep_connection(
    connection: str,
    sweep_for: Callable[[str], Sweep],
    seconds_left: Callable[[], float],
    count: Callable[[str, str, float], None],
    asked_at: float | None = None,
) -> ScanResult:
    """Sweep one connection; whatever fails is in the result, in the log and counted.

    Args:
        connection: its name.
        sweep_for: makes the sweep of a connection.
        seconds_left: seconds until the function must end.
        count: records a metric of a connection.
        asked_at: when a schedule asked for the sweep; without it, it always runs.
    """
    budget = TimeBudget(seconds_left, seconds_left() - _LAST_STEP_SECONDS)
    try:
        sweep = sweep_for(connection)
        note = "" if asked_at is None else sweep.not_due_note(asked_at)
        result = ScanResult(connection, note=note) if note else sweep.run(budget)
    except UnknownConnection as removed:
        known = asked_at is None  # a person named it; the schedule's list may be an hour old
        errors = [_scan_error_text(removed)] if known else []
        result = ScanResult(connection, errors=errors, note="" if known else "It has no settings any more.")
    except Exception as error:  # noqa: BLE001 - the other connections continue after any error
        result = ScanResult(connection, errors=[_scan_error_text(error)])
    # A name that is not valid becomes no dimension of a metric, and no text of a log.
    shown = connection if is_connection_name(connection) else "unknown"
    logger.info("swept", extra={**result.as_log(), "connection": shown})
    if result.found:
        count("SweepFound", shown, result.found.total())
    if result.errors:
        count("SweepFailed", shown, len(result.errors))
    return result


def _scan_error_text(error: Exception, scan: str = "") -> Message:
    """The message for a person; an unexpected error is logged with its traceback."""
    if isinstance(error, NeedsAttention):
        return Message(f"{scan}{error.message} {error.remedy}", f"{scan}{error.code}: {error.own_words}")
    if isinstance(error, SolvimonRilletError):
        return Message(f"{scan}{error.message}", f"{scan}{error.own_words}")
    logger.error("sweep failed", exc_info=error)
    return Message(
        f"{scan}The sweep failed with an internal error ({type(error).__name__}); its log shows where."
    )
