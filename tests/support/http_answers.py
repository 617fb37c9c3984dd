"""Answers over HTTP that nobody sent."""

from collections.abc import Mapping

import requests
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse

_JSON = {"Content-Type": "application/json"}


def answer_to(
    request: requests.PreparedRequest, status: int, body: bytes, headers: Mapping[str, str] = _JSON
) -> requests.Response:
    """Return an answer to a request, as `requests` does."""
    made = requests.Response()
    made.status_code, made.request, made.url = status, request, str(request.url)
    made.headers = CaseInsensitiveDict(headers)
    made._content = body
    made.raw = HTTPResponse(body=b"", status=status)
    return made
