"""A vendor's webhook: verify it on its raw bytes, put it on the bus, answer."""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.bus import Bus
from solvimon_rillet.configuration import Configuration, UnknownConnection
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.events import from_solvimon
from solvimon_rillet.solvimon import webhooks

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor is told."""

    status: int
    message: str


REFUSED = Answer(401, "signature not accepted")
TRY_AGAIN = Answer(503, "try again")


class ReceiveWebhook:
    """Accepts Solvimon's webhooks of all connections."""

    def __init__(self, configuration: Configuration, bus: Bus, clock: Callable[[], float]) -> None:
        self._configuration = configuration
        self._bus = bus
        self._clock = clock

    def receive(self, connection: object, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take one delivery.

        A 200 means that the bus has the event, or that we do not use events of its kind. Solvimon blocks
        a webhook's later events behind a failed one, so only our own failure is a 5xx.
        """
        try:
            name, secrets, max_age = self._trusted(connection)
            webhooks.verify(body, headers, secrets, self._clock(), max_age)
        except (webhooks.NotGenuine, UnknownConnection, ConnectionBroken) as error:
            logger.warning(
                "webhook refused", extra={"connection": str(connection)[:64], "reason": str(error)}
            )
            return REFUSED
        except RetryLater as error:
            logger.exception("webhook not checked", extra={"reason": str(error)})
            return TRY_AGAIN
        event = from_solvimon(name, body)
        if event is None:
            logger.info("webhook acknowledged, not used", extra={"connection": name})
            return Answer(200, "not used")
        try:
            self._bus.publish(event)
        except RetryLater:
            logger.exception("webhook not published", extra={"connection": name, "document": event.id})
            return TRY_AGAIN
        logger.info(
            "webhook accepted",
            extra={
                "connection": name,
                "document": event.id,
                "what": event.detail_type,
                "event": event.event_id,
            },
        )
        return Answer(200, "accepted")

    def _trusted(self, connection: object) -> tuple[str, list[str], int]:
        if not isinstance(connection, str):
            raise UnknownConnection(connection)
        settings = self._configuration.settings(connection)
        secret = self._configuration.secret(connection, "solvimon")
        secrets = [secret.get("webhook_secret", ""), secret.get("previous_webhook_secret", "")]
        return connection, secrets, settings.solvimon.webhook_max_age_seconds


def raw_body(event: Mapping[str, Any]) -> bytes | None:
    """The bytes that the vendor sent, from an API Gateway event; ``None`` if they cannot be had back."""
    body = event.get("body") or ""
    if not isinstance(body, str):
        return None
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            return None
    return body.encode("utf-8", "surrogatepass")
