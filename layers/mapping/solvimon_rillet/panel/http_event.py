"""What an event of the HTTP API says about a request: its path, headers, query and form."""

import base64
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs

from solvimon_rillet.panel.visit import Form

_FORM = "application/x-www-form-urlencoded"
_FORM_WITH_FILES = "multipart/form-data"
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
    """The fields and files of a form; none where the body is no form."""
    content_type, body = headers_of(event).get("content-type", ""), str(event.get("body") or "")
    try:
        content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
        if content_type.startswith(_FORM):
            return Form(parse_qs(content.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
        if content_type.startswith(_FORM_WITH_FILES):
            return _with_files(content_type, content)
    except (ValueError, LookupError):
        pass
    return Form()


def _with_files(content_type: str, content: bytes) -> Form:
    """The fields and files of a form of several parts (RFC 7578)."""
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + content)
    values, files = dict[str, list[str]](), dict[str, bytes]()
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition") or "")
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        if part.get_filename() is not None:
            files[name] = data
        elif name:
            values.setdefault(name, []).append(data.decode())
    return Form(values, files)
