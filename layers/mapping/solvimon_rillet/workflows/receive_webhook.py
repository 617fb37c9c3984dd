"""Receive a vendor's webhook: verify its raw bytes, publish its event, answer."""

import base64
import binascii
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.names import UnknownConnection, connection_name
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.events import BusEvent, event_from_rillet_webhook, event_from_solvimon_webhook
from solvimon_rillet.rillet import webhooks as rillet
from solvimon_rillet.solvimon import webhooks as solvimon

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the vendor."""

    status: int
    message: str


REFUSED = Answer(401, "signature not accepted")
TRY_AGAIN = Answer(503, "try again")


class ReceiveWebhook:
    """Receives the webhooks of both vendors, for all connections."""

    def __init__(self, configuration: Configuration, bus: Bus, clock: Callable[[], float]) -> None:
        self._configuration = configuration
        self._bus = bus
        self._clock = clock

    def receive(self, vendor: str, connection: object, headers: Mapping[str, str], body: bytes) -> Answer:
        """Receive one delivery.

        A 200 means that the bus has the event, or that no workflow uses it. Solvimon holds back a webhook's
        later events behind a failed one, so only a failure on our side is a 5xx.
        """
        try:
            name = connection_name(connection)
            self._verify(vendor, name, headers, body)
        except (
            solvimon.SignatureInvalid,
            rillet.SignatureInvalid,
            UnknownConnection,
            ConnectionBroken,
        ) as error:
            logger.warning(
                "webhook refused",
                extra={"vendor": vendor, "connection": str(connection)[:64], "reason": str(error)},
            )
            return REFUSED
        except RetryLater as error:
            logger.exception("webhook not checked", extra={"vendor": vendor, "reason": str(error)})
            return TRY_AGAIN
        event = (
            event_from_solvimon_webhook(name, body)
            if vendor == "solvimon"
            else _from_rillet(name, headers, body)
        )
        if event is None:
            logger.info("webhook acknowledged, not used", extra={"vendor": vendor, "connection": name})
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

    def _verify(self, vendor: str, connection: str, headers: Mapping[str, str], body: bytes) -> None:
        settings, now = self._configuration.webhook_settings(connection), self._clock()
        secret = self._configuration.secret(connection, vendor)
        if vendor == "solvimon":
            keys = [secret.get("webhook_secret", ""), secret.get("previous_webhook_secret", "")]
            solvimon.verify(body, headers, keys, now, settings.solvimon_max_age_seconds)
        else:
            keys = [secret.get("webhook_token", ""), secret.get("previous_webhook_token", "")]
            age, form = settings.rillet_max_age_seconds, settings.rillet_token_form
            rillet.verify(body, headers, keys, now, age, form)


def _from_rillet(connection: str, headers: Mapping[str, str], body: bytes) -> BusEvent | None:
    entity, kind, identifier = (headers.get(name, "") for name in (rillet.ENTITY, rillet.EVENT, rillet.ID))
    return event_from_rillet_webhook(connection, entity, kind, identifier, body)


def raw_body(event: Mapping[str, Any]) -> bytes | None:
    """The bytes that the vendor sent, from an API Gateway event; ``None`` if they cannot be decoded."""
    body = event.get("body") or ""
    if not isinstance(body, str):
        return None
    if event.get("isBase64Encoded"):
        try:
            return base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            return None
    return body.encode("utf-8", "surrogatepass")
