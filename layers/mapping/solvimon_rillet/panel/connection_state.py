"""The connection to both vendors as pages show it: its checks, who connected it, its webhooks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from solvimon_rillet.panel.frame import Headline
from solvimon_rillet.panel.reading import Json, rows, section, text
from solvimon_rillet.panel.visit import Visit

_KEYS = {"Solvimon API key": "Solvimon", "Rillet": "Rillet", "may write": "Rillet"}
"""Checks of a key, and whose key it is."""
STEPS = {
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

_GOES_TO = re.compile(r"; it goes to http\S+$")
_WRITES = {True: "Connected", False: "Connected, but may not write"}


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


def checks_of(link: Json | None) -> list[CheckRow]:
    """The checks of a connection, as it answered them."""
    return [
        CheckRow(
            text(row, "check"),
            STEPS.get(text(row, "check"), (text(row, "check"), ""))[0],
            bool(row.get("ok")),
            text(row, "found"),
            text(row, "remedy"),
            bool(row.get("blocking", True)),
        )
        for row in rows(link or {}, "checklist")
    ]


def link_row(link: Json, checks: list[CheckRow], now: str) -> LinkRow:
    """The connection to Rillet, in a few words."""
    organisation = text(section(link, "organisation"), "name")
    rillet = next((check for check in checks if check.name == "Rillet"), None)
    writes = next((check.ok for check in checks if check.name == "may write"), True)
    ok = bool(rillet and rillet.ok)
    scopes = ", ".join(map(str, link.get("scopes") or ()))
    access = {"oauth": "OAuth", "api_key": "API key"}.get(text(link, "auth"), "not known")
    return LinkRow(
        ok=ok and writes,
        state="Refused" if organisation and not ok else "Not connected" if not ok else _WRITES[writes],
        organisation=organisation,
        access=f"{access}{': ' + scopes if scopes else ''}",
        since=text(link, "connected_since"),
        by=text(link, "connected_by").removeprefix("unknown"),
        checked=text(link, "at") or now,
    )


def webhooks_of(link: Json, checks: list[CheckRow]) -> list[Mapping[str, str]]:
    """The addresses of the webhooks, with what arrived there."""
    found = {check.name: check.found for check in checks}
    return [
        {
            "vendor": vendor,
            "url": text(section(link, "webhook_urls"), key),
            "found": without_address(found.get(f"{vendor} webhook", "")),
        }
        for key, vendor in (("solvimon", "Solvimon"), ("rillet", "Rillet"))
        if text(section(link, "webhook_urls"), key)
    ]


def without_address(found: str) -> str:
    """What a check of a webhook found, without the address that stands below it."""
    return _GOES_TO.sub("", found)


def commands_for_keys(
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
