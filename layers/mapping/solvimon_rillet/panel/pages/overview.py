"""Overview: is it all right? And on the first day: what is still to do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.formatting import format_duration, parse_timestamp
from solvimon_rillet.panel.documents import DocumentRow, document_row
from solvimon_rillet.panel.frame import CHECK, Headline, headline_of
from solvimon_rillet.panel.functions import InvocationFailed
from solvimon_rillet.panel.page import MENU, Outcome, Page
from solvimon_rillet.panel.reading import Json, amounts, count, rows, section, text
from solvimon_rillet.panel.rendering import plural
from solvimon_rillet.panel.roles import Role
from solvimon_rillet.panel.visit import Visit

PAGE = Page("overview")
CHECK_SECONDS = 60
"""How old the check of the connection may be; it asks both vendors."""
_CAUSES_SHOWN = 3
_KINDS = {
    "invoice": "Invoices",
    "credit_memo": "Credit notes",
    "customer": "Customers",
    "payment": "Payments",
}
_VERDICTS = {"booked": "agrees", "waiting": "", "needs_you": "apart", "stopped": "halted"}
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")
_KEYS = {"Solvimon API key": "Solvimon", "Rillet": "Rillet", "may write": "Rillet"}
"""Checks of a key, and whose key it is."""
_STEPS = {
    "settings": ("Settings", "configurations"),
    "Solvimon API key": ("Solvimon API key", ""),
    "alarm address": ("Alarm address", ""),
    "Rillet": ("Connect to Rillet", ""),
    "may write": ("Write access to Rillet", ""),
    "start_date": ("Start date", "configurations"),
    "reference types": ("Reference types", "configurations"),
    "fallback products": ("Fallback products", "configurations"),
    "records linked": ("Products and customers", "synchronise"),
}
"""Checks as steps: their titles, and the page that has the control."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What keeps documents from being booked."""

    title: str
    documents: str
    amounts: list[tuple[str, str]]
    age: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check of the connection."""

    name: str
    title: str
    ok: bool
    found: str
    remedy: str
    blocking: bool


@dataclass(frozen=True, slots=True)
class LinkRow:
    """The connection to Rillet."""

    ok: bool
    state: str
    organisation: str
    access: str
    since: str
    by: str
    checked: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of setting up."""

    title: str
    ok: bool
    blocking: bool
    found: str
    remedy: str
    url: str
    connect: bool
    page: str
    page_title: str
    next: bool


@PAGE.get("")
def show(visit: Visit) -> Response[str]:
    """The state of a connection, or its steps of setting up while it is empty."""
    status = visit.ask("sync_status")
    link = _checked(visit, 0 if visit.query.get("check") else CHECK_SECONDS)
    if link and not link.get("ready") and not section(status, "counts"):
        return visit.render(
            "set_up.html.j2", f"Set up {visit.connection}", {"view": _set_up(link, visit.now)}
        )
    return visit.render("overview.html.j2", "Overview", {"view": _view(status, link, visit)})


@PAGE.post("/connect", Role.ADMIN, "connect")
def connect(visit: Visit) -> Outcome:
    """Lead the browser to Rillet, where an organisation is chosen."""
    answered = visit.act("connect_rillet", visit.event(action="connect"))
    address = text(answered.answer, "authorisation_url")
    parts = urlsplit(address)
    try:
        visit.hosts.check(f"{parts.scheme}://{parts.netloc}")
    except ValueError as problem:
        # Where no credential may be sent, no browser is sent either.
        return Outcome(
            "Did not connect",
            "The address at which Rillet asks for access is not one that this deployment allows",
            state="needs",
            lines=(f"It {problem}.", "Nothing was changed. Check rillet.base_url in the settings."),
        )
    return Outcome("Began to connect to Rillet", "Continue at Rillet", state="sends", go=address)


@PAGE.get("/disconnect", Role.ADMIN)
def confirm_disconnect(visit: Visit) -> Response[str]:
    """Ask for the connection's name."""
    return visit.render("disconnect.html.j2", f"Disconnect {visit.connection}")


@PAGE.post("/disconnect", Role.ADMIN, "connect")
def disconnect(visit: Visit) -> Outcome:
    """Disconnect, if the name was written."""
    if visit.form.get("name") != visit.connection:
        return Outcome(
            "Did not disconnect",
            f"The name that you wrote is not {visit.connection}",
            state="needs",
            lines=("Nothing was changed.",),
            links=(("Back to the form", "/disconnect"),),
        )
    answered = visit.act("connect_rillet", visit.event(action="disconnect"))
    return Outcome(
        "Disconnected from Rillet",
        "Disconnected",
        lines=(text(answered.answer, "next") or "Documents wait until you connect again. Nothing is lost.",),
        answer=answered.answer,
        function="connect_rillet",
        event=answered.invocation.event,
        links=(("Overview", "?check=1"),),
    )


def _checked(visit: Visit, at_most_old: float) -> Json | None:
    """The check of the connection; ``None`` if it cannot be made now, which is no reason to show nothing."""
    try:
        return visit.ask("connect_rillet", CHECK, at_most_old=at_most_old)
    except InvocationFailed:
        return None


def _view(status: Json, link: Json | None, visit: Visit) -> dict[str, Any]:
    headline = headline_of(status) or Headline("booked", "booked", "", 0)
    checks = _checks(link)
    failures = rows(status, "failures")
    return {
        "as_of": text(status, "at") or visit.now,
        "headline": headline,
        "verdict": _VERDICTS[headline.state],
        "sentences": _SENTENCE.split(headline.text),
        "causes": [_cause(row, visit.clock()) for row in failures[:_CAUSES_SHOWN]],
        "more_causes": max(0, len(failures) - _CAUSES_SHOWN),
        "waits": [_wait(row) for row in rows(status, "waiting")],
        "action_needed": text(link or {}, "action_needed"),
        "connected": bool(link and section(link, "organisation")),
        "commands_for_keys": _commands_for_keys(visit, headline, checks, text(link or {}, "auth")),
        "failing_checks": [check for check in checks if not check.ok and check.blocking],
        "counts": _counts(section(status, "counts")),
        "books": _books(section(status, "last_reconciliation")),
        "recent": _recent(status),
        "link": _link(link, checks, visit.now) if link else None,
        "webhooks": _webhooks(link or {}, checks),
        "budget": _budget(section(status, "budget")),
        "waiting_text": _waiting_text(status),
    }


def _commands_for_keys(
    visit: Visit, headline: Headline, checks: list[CheckRow], auth: str
) -> list[tuple[str, str]]:
    """The vendors whose key is refused, each with the command that stores a new one."""
    if headline.state != "stopped":
        return []
    refused = {_KEYS[check.name] for check in checks if check.name in _KEYS and not check.ok}
    vendors = refused - ({"Rillet"} if auth == "oauth" else set())
    return [(vendor, _put_secret(visit, vendor.lower())) for vendor in sorted(vendors)]


def _put_secret(visit: Visit, vendor: str) -> str:
    name = f"{visit.functions.stack}/{visit.connection}/{vendor}"
    return f"aws secretsmanager put-secret-value --secret-id {name} --secret-string file://{vendor}.json"


def _cause(row: Json, now: float) -> Cause:
    kind, number = text(row, "kind"), count(row, "documents")
    noun = {"credit_memo": "credit note"}.get(kind, kind) or "document"
    title = text(row, "title") or text(row, "meaning") or text(row, "code")
    since = text(section(row, "oldest"), "since")
    return Cause(title.rstrip("."), plural(number, noun), amounts(row), _age(since, now))


def _age(since: str, now: float) -> str:
    try:
        return format_duration(now - parse_timestamp(since)).removeprefix("about ") if since else ""
    except ValueError:
        return ""


def _wait(row: Json) -> str:
    number, kind = count(row, "documents"), text(row, "kind") or "document"
    noun = {"credit_memo": "credit note"}.get(kind, kind)
    again = "" if row.get("needs_person") else " It is tried again automatically."
    return f"{plural(number, noun + ' waits', noun + 's wait')}: {text(row, 'reason').rstrip('.')}.{again}"


def _counts(counted: Json) -> list[Mapping[str, Any]]:
    found = list[Mapping[str, Any]]()
    for kind, title in _KINDS.items():
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


def _recent(status: Json) -> list[DocumentRow]:
    return [document_row(row) for row in rows(status, "recent")]


def _checks(link: Json | None) -> list[CheckRow]:
    return [
        CheckRow(
            text(row, "check"),
            _STEPS.get(text(row, "check"), (text(row, "check"), ""))[0],
            bool(row.get("ok")),
            text(row, "found"),
            text(row, "remedy"),
            bool(row.get("blocking", True)),
        )
        for row in rows(link or {}, "checklist")
    ]


def _link(link: Json, checks: list[CheckRow], now: str) -> LinkRow:
    organisation = text(section(link, "organisation"), "name")
    rillet = next((check for check in checks if check.name == "Rillet"), None)
    ok = bool(rillet and rillet.ok)
    scopes = ", ".join(map(str, link.get("scopes") or ()))
    access = {"oauth": "OAuth", "api_key": "API key"}.get(text(link, "auth"), "not known")
    return LinkRow(
        ok=ok,
        state="Connected" if ok else "Not connected" if not organisation else "Refused",
        organisation=organisation,
        access=f"{access}{': ' + scopes if scopes else ''}",
        since=text(link, "connected_since"),
        by=text(link, "connected_by"),
        checked=text(link, "at") or now,
    )


def _webhooks(link: Json, checks: list[CheckRow]) -> list[Mapping[str, str]]:
    found = {check.name: check.found for check in checks}
    return [
        {
            "vendor": vendor,
            "url": text(section(link, "webhook_urls"), key),
            "found": found.get(f"{vendor} webhook", ""),
        }
        for key, vendor in (("solvimon", "Solvimon"), ("rillet", "Rillet"))
        if text(section(link, "webhook_urls"), key)
    ]


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


def _set_up(link: Json, now: str) -> Mapping[str, Any]:
    urls, steps = section(link, "webhook_urls"), list[Step]()
    for check in _checks(link):
        page = _STEPS.get(check.name, ("", ""))[1]
        vendor = check.name.removesuffix(" webhook").lower() if check.name.endswith(" webhook") else ""
        next_one = not check.ok and check.blocking and all(step.ok or not step.blocking for step in steps)
        steps.append(
            Step(
                check.title,
                check.ok,
                check.blocking,
                check.found,
                check.remedy,
                text(urls, vendor) if vendor else "",
                check.name == "Rillet",
                page,
                MENU.get(page, ""),
                next_one,
            )
        )
    pending = next((step.title for step in steps if step.next), "")
    return {
        "checked": text(link, "at") or now,
        "steps": steps,
        "done": sum(step.ok for step in steps),
        "next": pending,
    }
