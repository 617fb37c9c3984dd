"""Receive a vendor's webhook: verify its raw bytes, publish its event, answer."""

import base64
import binascii
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from solvimon_rillet.aws.eventbridge import Bus
from solvimon_rillet.connections.configuration import Configuration
from solvimon_rillet.connections.names import UnknownConnection, connection_name, is_connection_name
from solvimon_rillet.errors import ConnectionBroken, RetryLater
from solvimon_rillet.events import BusEvent, event_from_rillet_webhook, event_from_solvimon_webhook
from solvimon_rillet.http.webhook_signature import SignatureInvalid
from solvimon_rillet.rillet import webhooks as rillet
from solvimon_rillet.solvimon import webhooks as solvimon

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the vendor."""

    status: int
    message: str


_SIGNATURE_HEADERS = {"solvimon": solvimon.HEADERS, "rillet": rillet.HEADERS}
_DAY_FORM = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNUSABLE_TTL = 60
_MAX_REMEMBERED = 100
REFUSED = Answer(401, "signature not accepted")
TRY_AGAIN = Answer(503, "try again")


class _NotSigned(Exception):
    """A request without the headers of a signature."""


class _UnusableConnections:
    """The connections that do not exist or have no secret, remembered for a minute.

    Requests without a secret then cost no reads of Parameter Store, whose 40 reads a second all functions of
    the AWS account share. Made-up names are bounded: while there are too many, names that this process has
    never verified are not looked up.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._usable: set[tuple[str, str]] = set()
        self._until: dict[tuple[str, str], float] = {}

    def check(self, vendor: str, name: str) -> None:
        """Refuse a connection that was unusable a moment ago.

        Raises:
            ConnectionBroken: it was.
            RetryLater: too many others were.
        """
        key, now = (vendor, name), self._clock()
        if self._until.get(key, now) > now:
            raise ConnectionBroken("It was unknown or had no usable secret less than a minute ago.")
        if key not in self._usable and len(self._until) >= _MAX_REMEMBERED:
            self._until = {each: until for each, until in self._until.items() if until > now}
            if len(self._until) >= _MAX_REMEMBERED:
                raise RetryLater("Too many unknown connections were named in the last minute.")

    def remember(self, vendor: str, name: str, *, usable: bool) -> None:
        """Remember whether a connection can be used."""
        if usable:
            self._usable.add((vendor, name))
            self._until.pop((vendor, name), None)
        else:
            self._usable.discard((vendor, name))
            self._until[vendor, name] = self._clock() + _UNUSABLE_TTL


class ReceiveWebhook:
    """Receives the webhooks of both vendors, for all connections."""

    def __init__(
        self,
        configuration: Configuration,
        bus: Bus,
        clock: Callable[[], float],
        count: Callable[[str, str], None] = lambda _name, _connection: None,
        arrived: Callable[[str, str], None] = lambda _connection, _vendor: None,
    ) -> None:
        self._configuration = configuration
        self._bus = bus
        self._clock = clock
        self._count = count
        self._arrived = arrived
        self._unusable = _UnusableConnections(clock)

    def receive(self, vendor: str, connection: object, headers: Mapping[str, str], body: bytes) -> Answer:
        """Receive one delivery.

        A 200 means that the bus has the event, or that no workflow uses it. Solvimon holds back a webhook's
        later events behind a failed one, so only a failure on our side is a 5xx.
        """
        try:
            # Before anything is read: a request that is not signed costs nothing.
            if not all(headers.get(header) for header in _SIGNATURE_HEADERS[vendor]):
                raise _NotSigned("a signature header is missing")
            name = connection_name(connection)
            self._verify(vendor, name, headers, body)
        except (
            _NotSigned,
            SignatureInvalid,
            UnknownConnection,
            ConnectionBroken,
        ) as error:
            logger.warning(
                "webhook refused",
                extra={
                    "vendor": vendor,
                    "connection": connection if is_connection_name(connection) else "not a name",
                    "reason": str(error),
                },
            )
            # By connection if it exists: a made-up name would be a metric of its own.
            known = isinstance(error, SignatureInvalid)
            self._count("WebhooksRefused", str(connection) if known else "unknown")
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
            self._arrived(name, vendor)
            logger.info("webhook acknowledged, not used", extra={"vendor": vendor, "connection": name})
            return Answer(200, "not used")
        try:
            self._bus.publish(event)
        except RetryLater:
            logger.exception("webhook not published", extra={"connection": name, "document": event.id})
            return TRY_AGAIN
        # Last, and only for a verified one: a request without the secret must cost nothing.
        self._arrived(name, vendor)
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
        self._unusable.check(vendor, connection)
        try:
            settings, now = self._configuration.webhook_settings(connection), self._clock()
            secret = self._configuration.secret(connection, "webhooks")
        except (UnknownConnection, ConnectionBroken):
            self._unusable.remember(vendor, connection, usable=False)
            raise
        self._unusable.remember(vendor, connection, usable=True)
        if vendor == "solvimon":
            keys = valid_secrets(secret, "webhook_secret", now)
            solvimon.verify(body, headers, keys, now, settings.solvimon_max_age_seconds)
        else:
            keys = valid_secrets(secret, "webhook_token", now)
            age, form = settings.rillet_max_age_seconds, settings.rillet_token_form
            rillet.verify(body, headers, keys, now, age, form)


def valid_secrets(secret: Mapping[str, str], key: str, now: float) -> list[str]:
    """The secrets with which a webhook may be signed now.

    Args:
        secret: the secret with those of both vendors.
        key: ``webhook_secret`` or ``webhook_token``.
        now: unix seconds. The previous one counts to the end of the day in ``previous_…_until`` (UTC);
            without that day it does not count, because it would be valid for ever.
    """
    today = datetime.fromtimestamp(now, UTC).date().isoformat()
    until = secret.get(f"previous_{key}_until", "")
    previous = [secret.get(f"previous_{key}", "")] if _DAY_FORM.fullmatch(until) and today <= until else []
    return [each for each in (secret.get(key, ""), *previous) if each]


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
