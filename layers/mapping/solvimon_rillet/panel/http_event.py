"""What an event of the HTTP API says about a request: its path, headers, query and form."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from solvimon_rillet.panel.visit import Form

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 5000


def tail_of(event: Mapping[str, Any]) -> str:
    """The path from ``/panel`` on: a custom domain may put a base path before it."""
    rest = texts_of(event.get("pathParameters")).get("proxy", "")
    return f"/panel/{rest}" if rest else "/panel"


def texts_of(value: object) -> dict[str, str]:
    """The members of an object as texts; none where it is no object."""
    return {str(name): str(each) for name, each in value.items()} if isinstance(value, Mapping) else {}


def headers_of(event: Mapping[str, Any]) -> dict[str, str]:
    """The headers, with names in lower case."""
    return {name.lower(): value for name, value in texts_of(event.get("headers")).items()}


def domain_of(event: Mapping[str, Any]) -> str:
    """The host that the request was sent to."""
    return str(event.get("requestContext", {}).get("domainName", ""))


def form_of(event: Mapping[str, Any]) -> Form:
    """The fields of a form; none where the body is no form."""
    if not headers_of(event).get("content-type", "").startswith(_FORM):
        return Form()
    body = str(event.get("body") or "")
    try:
        text = base64.b64decode(body).decode() if event.get("isBase64Encoded") else body
        return Form(parse_qs(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        return Form()
