"""Overview: is it all right? And on the first day: what is still to do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.causes import NOUNS, age_of
from solvimon_rillet.panel.connection_state import checks_of, commands_for_keys, link_row, webhooks_of
from solvimon_rillet.panel.documents import DocumentRow, document_row
from solvimon_rillet.panel.frame import CHECK, Headline, headline_of
from solvimon_rillet.panel.functions import InvocationFailed
from solvimon_rillet.panel.page import MenuPage
from solvimon_rillet.panel.pages import connection
from solvimon_rillet.panel.reading import Json, amounts, count, rows, section, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.set_up import set_up_view
from solvimon_rillet.panel.visit import Visit

PAGE = MenuPage("overview")
CHECK_SECONDS = 60
"""How old the check of the connection may be; it asks both vendors."""
_CAUSES_SHOWN = 3
_KIND_PLURALS = {
    "invoice": "Invoices",
    "credit_memo": "Credit notes",
    "customer": "Customers",
    "payment": "Payments",
}
_STATE_VERDICTS = {"booked": "agrees", "waiting": "", "needs_you": "apart", "stopped": "halted"}
_HEADLINE_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")


@dataclass(frozen=True, slots=True)
class Cause:
    """What keeps documents from being booked."""

    title: str
    documents: str
    amounts: list[tuple[str, str]]
    age: str


@PAGE.get("")
def show(visit: Visit) -> Response[str]:
    """The state of a connection, or its steps of setting up while it is empty."""
    status = visit.ask("sync_status")
    link = _checked(visit, 0 if visit.query.get("check") else CHECK_SECONDS)
    if link and not link.get("ready") and not section(status, "counts"):
        return visit.render(
            "set_up.html.j2", f"Set up {visit.connection}", {"view": set_up_view(link, visit.now)}
        )
    return visit.render("overview.html.j2", "Overview", {"view": _view(status, link, visit)})


PAGE.routes += connection.ROUTES


def _checked(visit: Visit, at_most_old: float) -> Json | None:
    """The check of the connection; ``None`` if it cannot be made now, which is no reason to show nothing."""
    try:
        return visit.ask("connect_rillet", CHECK, at_most_old=at_most_old)
    except InvocationFailed:
        return None


def _view(status: Json, link: Json | None, visit: Visit) -> dict[str, Any]:
    headline = headline_of(status) or Headline("booked", "booked", "", 0)
    checks = checks_of(link)
    failures = rows(status, "failures")
    return {
        "as_of": text(status, "at") or visit.now,
        "headline": headline,
        "verdict": _STATE_VERDICTS[headline.state],
        "sentences": _HEADLINE_SENTENCE.split(headline.text),
        "causes": [_cause(row, visit.clock()) for row in failures[:_CAUSES_SHOWN]],
        "more_causes": max(0, len(failures) - _CAUSES_SHOWN),
        "waits": [
            _wait(row)
            for row in rows(status, "waiting")
            if not (headline.state == "stopped" and row.get("needs_person"))  # the headline has it
        ],
        "action_needed": text(link or {}, "action_needed"),
        "connected": bool(link and section(link, "organisation")),
        "commands_for_keys": commands_for_keys(visit, headline, checks, text(link or {}, "auth")),
        "failing_checks": [check for check in checks if not check.ok and check.blocking],
        "counts": _documents_by_kind(section(status, "counts")),
        "books": _books(section(status, "last_reconciliation")),
        "recent": _recent(status),
        "day": _day(section(status, "booked_in_a_day")),
        "link": link_row(link, checks, visit.now) if link else None,
        "webhooks": webhooks_of(link or {}, checks),
        "budget": _budget(section(status, "budget")),
        "waiting_text": _waiting_text(status),
    }


def _cause(row: Json, now: float) -> Cause:
    kind, number = text(row, "kind"), count(row, "documents")
    noun = NOUNS.get(kind, "document")
    title = text(row, "title") or text(row, "meaning") or text(row, "code")
    since = text(section(row, "oldest"), "since")
    return Cause(title.rstrip("."), plural(number, noun), amounts(row), age_of(since, now))


def _wait(row: Json) -> str:
    number, noun = count(row, "documents"), NOUNS.get(text(row, "kind"), "document")
    again = "" if row.get("needs_person") else " It is tried again automatically."
    return f"{plural(number, noun + ' waits', noun + 's wait')}: {text(row, 'reason').rstrip('.')}.{again}"


def _documents_by_kind(counted: Json) -> list[Mapping[str, Any]]:
    found = list[Mapping[str, Any]]()
    for kind, title in _KIND_PLURALS.items():
        of_kind = section(counted, kind)
        done = sum(count(of_kind, state) for state in ("exported", "synced", "marked"))
        finished = next(
            (state for state in ("exported", "synced", "marked") if count(of_kind, state)), "exported"
        )
        waiting = count(of_kind, "claimed") + count(of_kind, "sending")
        need = count(of_kind, "rejected") + count(of_kind, "differs")
        needing = "rejected" if count(of_kind, "rejected") else "differs"
        cells = [
            (done, finished, False),
            (waiting, "sending" if count(of_kind, "sending") else "claimed", False),
            (need, needing, True),
            (count(of_kind, "skipped"), "skipped", False),
        ]
        found.append({"kind": kind, "title": title, "cells": cells})
    return found


def _books(row: Json) -> Mapping[str, Any] | None:
    if not row:
        return None
    numbers = {name: count(row, name) for name in ("documents", "differences")}
    return {
        **numbers,
        "tied_out": bool(row.get("tied_out")),
        "period": text(row, "period"),
        "at": text(row, "at"),
    }


def _day(booked: Json) -> str:
    """What was booked within a day, in words; empty if that is not known."""
    if not booked:
        return ""
    found = [
        plural(number, NOUNS[kind]) for kind in ("invoice", "credit_memo") if (number := count(booked, kind))
    ]
    return f"{' and '.join(found) or 'nothing'} booked within 24 hours"


def _recent(status: Json) -> list[DocumentRow]:
    return [document_row(row) for row in rows(status, "recent")]


def _budget(row: Json) -> str:
    if not row:
        return ""
    used, limit = count(row, "used"), count(row, "limit")
    return f"{used} of {limit} requests in the last {count(row, 'window_seconds')} seconds"


def _waiting_text(status: Json) -> str:
    waiting = sum(count(row, "documents") for row in rows(status, "waiting"))
    if not waiting:
        return "nothing"
    tries = [text(row, "next_try") for row in rows(status, "waiting") if text(row, "next_try")]
    return f"{plural(waiting, 'document')}{', next try at ' + min(tries)[11:16] if tries else ''}"
