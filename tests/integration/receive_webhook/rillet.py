"""Rillet's webhooks: the token, the route, and requests signed with it."""

import base64

from local.system import LocalSystem
from tests.support.webhooks import Answer, post, signed_by_rillet

ROUTE = "/webhooks/rillet/default"
TOKEN = base64.b64encode(b"thirty-two bytes of pure chance!").decode()
DELETED = b'"0191c2f0-0000-7000-8000-000000000000"'


def signed(
    system: LocalSystem,
    body: bytes = b"{}",
    *keys: bytes,
    entity: str = "INVOICE",
    action: str = "UPDATED",
    after: float = 0,
) -> dict[str, str]:
    """Headers of Rillet's, signed with the token so many seconds from now, or with other keys."""
    now = system.clock.now() + after
    return signed_by_rillet(now, body, *(keys or (TOKEN.encode(),)), entity=entity, action=action)


def send(
    system: LocalSystem,
    *keys: bytes,
    body: bytes = b"{}",
    path: str = ROUTE,
    entity: str = "INVOICE",
    action: str = "UPDATED",
) -> Answer:
    """Send a webhook that is signed with the token, or with other keys."""
    return post(system, body, signed(system, body, *keys, entity=entity, action=action), path)
