"""What every answer of the panel carries, and what a form must carry that is sent to it."""

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from solvimon_rillet.http.allowed_hosts import AllowedHosts
from solvimon_rillet.panel.sessions import LIFETIME_SECONDS, Session

COOKIE = "__Host-panel"


class FormRefused(Exception):
    """A form that is not taken; nothing was changed. The text says why."""


def headers(hosts: AllowedHosts) -> dict[str, str]:
    """The headers of every page.

    A form may lead on to Rillet, whose page an authorisation begins at; browsers apply ``form-action`` to
    redirects, too.

    Args:
        hosts: those of the vendors.
    """
    scheme, port = ("http", ":*") if hosts.http else ("https", "")
    vendors = " ".join(f"{scheme}://{name}{port}" for name in hosts.names)
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": f"'self' {vendors}",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
        "cache-control": "no-store",
    }


def cookie(value: str) -> str:
    """The cookie of a session, as a header; an empty value deletes it."""
    age = LIFETIME_SECONDS if value else 0
    return f"{COOKIE}={value}; Max-Age={age}; Path=/; Secure; HttpOnly; SameSite=Lax"


def cookie_of(event: Mapping[str, object]) -> str:
    """The value of the session's cookie in an event; empty if there is none, or several."""
    given = event.get("cookies")
    texts = [str(each) for each in given] if isinstance(given, list) else []
    values = [text.partition("=")[2] for text in texts if text.partition("=")[0].strip() == COOKIE]
    return values[0] if len(values) == 1 else ""


def check_origin(sent: Mapping[str, str], domain: str) -> None:
    """Refuse a form that another site sent.

    ``Sec-Fetch-Site`` cannot be set by a page; every browser of today sends it. ``Origin`` is for older ones.
    It is ``null`` where the page that has the form asks for no referrer, as ours do, so that it alone refuses
    nothing.

    Args:
        sent: headers of the request, with names in lower case.
        domain: the host that the request was sent to.

    Raises:
        FormRefused: another site sent it, or nothing says that ours did.
    """
    site, origin = sent.get("sec-fetch-site", ""), sent.get("origin", "")
    if site and site != "same-origin":
        raise FormRefused("Another site sent this form.")
    if origin not in {"", "null"} and urlsplit(origin).netloc != domain:
        raise FormRefused("Another site sent this form.")
    if not site and origin in {"", "null"}:
        raise FormRefused("The browser did not say which site this form comes from.")


def check_token(session: Session, token: str) -> None:
    """Refuse a form that does not hold the session's token.

    Raises:
        FormRefused: it does not.
    """
    if not secrets.compare_digest(session.token.encode(), token.encode()):
        raise FormRefused("This form belongs to another session.")
