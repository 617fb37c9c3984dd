"""More calls wait than Rillet takes: they share its budget, and another connection notices nothing of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

from local.books_check.audit import audit
from local.demo import second_connection, tables
from local.demo.context import Context, Json, Numbers, Section
from local.fake_rillet.calls import Call
from local.system import Connection

INVOICE_COUNT = 30
LIMIT = 10
WINDOW = 30
"""Rillet takes so many calls in any window of so many seconds, while this part runs."""
_PAUSE = 5
"""Seconds without a call that separate one run of calls from the next."""


def _run(context: Context) -> Numbers:
    busy = context.system.connections[second_connection.NAME]
    context.console.say(
        f"Rillet takes 60 requests in any 60 s, for each organisation. So that this part is short, it takes "
        f"{LIMIT} in any {WINDOW} s here, and {busy.name}'s settings say so. {busy.name} finalises "
        f"{INVOICE_COUNT} invoices at once; while they wait, {context.connection.name} finalises one."
    )
    with _shortened_budget(context, busy):
        before, refused = len(context.system.rillet.state.calls), _refused_calls(context)
        backlog = [context.finalise_draft(draft, busy) for draft in _backlog()]
        context.deliver_webhooks()
        context.until(context.everything_waits, "The end of the first window's calls", jumps=False)
        made, waiting = len(_calls_after(context, busy, before)), context.waiting()
        seconds = _one_of_the_other_connection(context)
        context.until(context.settled, "The export of the backlog", jump=1)
    calls, refused = _calls_after(context, busy, before), _refused_calls(context) - refused
    share = _share(calls)
    context.console.show(
        tables.facts(
            (
                ("Waiting at the limit", f"{waiting} invoices, after {made} calls"),
                (f"{context.connection.name} meanwhile", f"its invoice is in Rillet after {seconds:.1f} s"),
                ("Calls to Rillet", f"{len(calls)}: {_by_second(calls)}"),
                ("Most in any window", f"{_most(calls)} of {LIMIT}"),
                ("Refused (429)", str(refused)),
                ("Share of the budget", f"{share:.0f} %"),
            )
        )
    )
    context.console.note(
        f"The budget is {LIMIT} calls at once, and then {LIMIT} in each {WINDOW} s up to the last call. The "
        "seconds are those of the clock, which was moved on while everything waited."
    )
    pairs = [pair for pair in audit(context.system).pairs if pair.solvimon.id in backlog]
    context.shown |= {pair.solvimon.id for pair in pairs}
    context.expect(all(pair.agrees for pair in pairs), "Not all of the backlog is booked as it was billed.")
    context.expect(_most(calls) <= LIMIT, "There were more calls in a window than Rillet takes.")
    return {"paced_calls": len(calls), "budget_used_percent": round(share)}


@contextmanager
def _shortened_budget(context: Context, busy: Connection) -> Iterator[None]:
    """Shorten Rillet's rule and the connection's settings, and put both back afterwards."""
    rillet, pacing = context.system.rillet.state, {"requests": LIMIT, "window_seconds": WINDOW}
    usual = rillet.rate_limit, rillet.rate_window
    settings: Json = deepcopy(busy.settings)
    settings["rillet"]["pacing"] = pacing
    context.system.put_settings(busy.name, settings)
    context.let_a_minute_pass()
    rillet.rate_limit, rillet.rate_window = LIMIT, WINDOW
    try:
        yield
    finally:
        rillet.rate_limit, rillet.rate_window = usual
        context.system.put_settings(busy.name, busy.settings)
        context.let_a_minute_pass()


def _backlog() -> list[Json]:
    """Return the backlog: one invoice that the connection has booked before, many times."""
    booked = second_connection.acme_invoice_id("long-note")
    [like] = [
        invoice for invoice in second_connection.acme_solvimon_seed()["invoices"] if invoice["id"] == booked
    ]
    return [
        {**deepcopy(like), "id": second_connection.acme_invoice_id(f"backlog-{number}")}
        for number in range(INVOICE_COUNT)
    ]


def _one_of_the_other_connection(context: Context) -> float:
    """Export an invoice of the connection that has a budget of its own; return how long it took."""
    feature = "finalised while another connection waits"
    invoice = context.another("untaxed", "demo-meanwhile", feature)["id"]
    started = time.monotonic()
    number = context.finalise(invoice)
    context.deliver_webhooks()
    context.until(lambda: context.state(invoice) == "exported", f"The export of {number}", jumps=False)
    return time.monotonic() - started


def _calls_after(context: Context, connection: Connection, after: int) -> list[Call]:
    calls = context.system.rillet.state.calls[after:]
    return [call for call in calls if call.organisation_id == connection.organisation.id]


def _refused_calls(context: Context) -> int:
    return sum(connection.organisation.counts.refused for connection in context.system.connections.values())


def _most(calls: list[Call]) -> int:
    """Return the largest number of calls in any window."""
    ends = [call.time for call in calls]
    return max((sum(end - WINDOW < call.time <= end for call in calls) for end in ends), default=0)


def _share(calls: list[Call]) -> float:
    """Return the share of the budget that was used until the last call, in percent."""
    times = [call.time for call in calls]
    lasted = max(times) - min(times) if times else 0.0
    return 100 * len(times) / (LIMIT * (1 + lasted / WINDOW))


def _by_second(calls: list[Call]) -> str:
    """Tell how many calls there were when, in seconds since the first one."""
    runs: list[list[float]] = []
    for moment in sorted(call.time for call in calls):
        if not runs or moment - runs[-1][-1] > _PAUSE:
            runs.append([])
        runs[-1].append(moment)
    return ", ".join(f"{len(run)} from second {run[0] - runs[0][0]:.0f}" for run in runs)


SECTION = Section("Rillet's request budget", _run)
