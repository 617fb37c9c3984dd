"""Rillet organisations are connected: a one-time link, a person's grant, and how each connection stands."""

import html
import json
import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import requests

from local.demo import tables
from local.demo.context import Context, DemoStopped, Json, Numbers, Section
from local.system import Connection

_LINK_TIMEOUT = 10
_RILLET_EVENTS = ("invoice-payment-updated", "invoice-deleted")


def _run(context: Context) -> Numbers:
    connections = list(context.system.connections.values())
    names = [connection.name for connection in connections]
    context.console.say(
        f"{' and '.join(names)} share one deployment; each is a Solvimon platform with a Rillet "
        "organisation. Nobody copies a key of Rillet's; a person grants access in the browser."
    )
    for connection in connections:
        context.console.show(tables.steps(_authorised(context, connection)))
        context.console.say("")
    context.console.say('How they stand, as connect_rillet answers {"action": "status"}:')
    found = [_connection_status(context, connection) for connection in connections]
    context.console.show(tables.side_by_side(names, _connection_rows(found)))
    for connection, status in zip(connections, found, strict=True):
        right = (status["organisation"] or {}).get("id") == connection.organisation.id
        context.expect(right, f"{connection.name} is not connected to its organisation.")
    _finish(context, connections, found)
    return {}


def _authorised(context: Context, connection: Connection) -> list[tuple[str, str]]:
    """Do what a person does, and return each step."""
    request = {"connection": connection.name}
    answer = context.system.invoke("connect_rillet", request)
    if "authorisation_url" not in answer:
        raise DemoStopped(f"connect_rillet gave no link for {connection.name}: {answer.get('error')}")
    url: str = answer["authorisation_url"]
    requests.get(url, timeout=_LINK_TIMEOUT).raise_for_status()
    organisation = connection.organisation
    decision = {"organisation": organisation.id, "decision": "grant"}
    back = requests.post(url, data=decision, timeout=_LINK_TIMEOUT, allow_redirects=False).headers["Location"]
    page, again = (requests.get(back, timeout=_LINK_TIMEOUT) for _ in range(2))
    name, choices = organisation.document["trade_name"], len(context.system.rillet.state.organisations)
    context.expect(page.status_code == 200, f"{connection.name} was not connected: {_title(page)}.")
    context.expect(again.status_code == 400, f"The link of {connection.name} could be used twice.")
    return [
        ("invoke", f"connect_rillet with {json.dumps(request)}"),
        (
            "answer",
            f"a link, for one use within {answer['valid_for_seconds'] // 60} minutes\n{_shortened_link(url)}",
        ),
        ("Rillet", f"a person logs in, chooses {name} among {choices} organisations, grants access"),
        ("page", f"“{_title(page)}”"),
        ("once more", f"“{_title(again)}”"),
    ]


def _shortened_link(url: str) -> str:
    """Return a link without its state, which is secret, and without what is long."""
    parts = urlsplit(url)
    client = parse_qs(parts.query)["client_id"][0]
    return f"{parts.scheme}://{parts.netloc}{parts.path}?client_id={client}&state=…"


def _title(page: requests.Response) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page.text)
    return html.unescape(found[1]) if found else f"a page without a title, status {page.status_code}"


def _connection_status(context: Context, connection: Connection) -> Json:
    answer: Json = context.system.invoke(
        "connect_rillet", {"connection": connection.name, "action": "status"}
    )
    if "checklist" not in answer:
        raise DemoStopped(f"The status of {connection.name} cannot be had: {answer.get('error')}")
    return answer


def _connection_rows(found: list[Json]) -> list[tuple[str, ...]]:
    facts = [_facts(status) for status in found]
    return [(name, *(each.get(name, "–") for each in facts)) for name in facts[0]]


def _facts(status: Json) -> dict[str, str]:
    on = [name for name, is_on in status["workflows"].items() if is_on]
    expiry = status.get("token_expires_at")
    return {
        "Organisation": (status["organisation"] or {}).get("name", "–"),
        "Access": f"{status['auth']}: {', '.join(status.get('scopes', ()))}",
        "Token expires": f"{datetime.fromisoformat(expiry):%Y-%m-%d %H:%M} UTC" if expiry else "–",
        "Workflows on": ", ".join(on),
        "For Solvimon's webhook": _in_two_lines(status["webhook_urls"]["solvimon"]),
        "For Rillet's webhook": _in_two_lines(status["webhook_urls"]["rillet"]),
        **{f"Check: {one['check']}": _line_state(one) for one in status["checklist"]},
        "Ready": "yes" if status["ready"] else "no",
    }


def _line_state(one: Json) -> str:
    """The state of a line of the checklist; what does not block is only open."""
    if one["ok"]:
        return "ok"
    return "MISSING" if one["blocking"] else "open"


def _in_two_lines(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}\n{parts.path}"


def _finish(context: Context, connections: list[Connection], found: list[Json]) -> None:
    """Do what the checklists ask for, and ask for the status again."""
    remedies = {
        one["check"]: one["remedy"] for one in found[0]["checklist"] if not one["ok"] and one["blocking"]
    }
    context.console.say(f"What is missing comes with its remedy, here for {connections[0].name}:")
    context.console.show(tables.facts(remedies.items()))
    for connection, status in zip(connections, found, strict=True):
        url = status["webhook_urls"]["rillet"]
        context.system.add_rillet_webhook(connection, _RILLET_EVENTS, url=url)
    for connection in connections:
        ready = _connection_status(context, connection)["ready"]
        context.console.say(
            f"That is done, and the status of {connection.name} says: {'' if ready else 'not '}ready."
        )
        context.expect(ready, f"{connection.name} is not ready after its checklist was worked off.")


SECTION = Section("Connect Rillet", _run)
