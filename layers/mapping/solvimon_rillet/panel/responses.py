"""Answers to a browser that are no page: redirects, and cookies."""

from typing import Any

from aws_lambda_powertools.event_handler import Response

from solvimon_rillet.panel.security import cookie


def redirect(address: str, set_cookie: str = "") -> Response[str]:
    """Lead the browser on; it asks by GET, so that a reload sends no form again."""
    extra = {"set-cookie": set_cookie} if set_cookie else {}
    return Response(303, "text/plain; charset=utf-8", "", {"location": address, **extra})


def with_cookie(response: Response[Any], value: str) -> Response[Any]:
    """The response with the session's cookie set; an empty value deletes it."""
    response.headers["set-cookie"] = cookie(value)
    return response
